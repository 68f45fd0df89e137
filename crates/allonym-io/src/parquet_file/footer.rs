//! A footer is taken apart once before it is believed.
//!
//! The Parquet library reserves memory for as many row groups as a footer announces. A flipped
//! bit may announce two thousand million, and memory that cannot be had ends the process.

/// Whether a Thrift structure in the compact protocol is whole and announces no more than it
/// holds.
pub(crate) fn is_sound(bytes: &[u8]) -> bool {
    let mut scan = Scan { bytes, at: 0 };
    scan.structure(0).is_some()
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        let length = usize::try_from(length).ok()?;
        self.at = self.at.checked_add(length).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn structure(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        loop {
            let header = self.byte()?;
            if header == STOP {
                return Some(());
            }
            // A field number that is not near the one before follows in full.
            if header >> 4 == 0 {
                self.varint()?;
            }
            match header & 0x0F {
                TRUE | FALSE => {}
                kind => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            TRUE | FALSE | BYTE => self.skip(1),
            I16 | I32 | I64 => self.varint().map(|_| ()),
            DOUBLE => self.skip(8),
            BINARY => {
                let length = self.varint()?;
                self.skip(length)
            }
            LIST | SET => {
                let header = self.byte()?;
                let count = match header >> 4 {
                    15 => self.varint()?,
                    few => u64::from(few),
                };
                self.values(&[header & 0x0F], count, depth)
            }
            MAP => {
                let count = self.varint()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                self.values(&[kinds >> 4, kinds & 0x0F], count, depth)
            }
            STRUCT => self.structure(depth + 1),
            _ => None,
        }
    }

    /// Every value takes a byte at least.
    fn values(&mut self, kinds: &[u8], count: u64, depth: usize) -> Option<()> {
        let left = (self.bytes.len() - self.at) as u64;
        if count > left || depth > DEPTH_MAX {
            return None;
        }
        for _ in 0..count {
            for kind in kinds {
                self.value(*kind, depth + 1)?;
            }
        }
        Some(())
    }
}

// Apache Thrift, compact protocol: types of fields.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
/// Structures in one another; a footer needs fewer than ten.
const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_whole_or_not_sound() {
        let check = |bytes: &[u8], sound| assert_eq!(is_sound(bytes), sound, "{bytes:?}");
        check(&[0], true);
        check(&[0x11, 0], true);
        check(&[0x15, 0x80, 0x01, 0], true);
        check(&[0x18, 2, b'a', b'b', 0], true);
        check(&[0x19, 0x23, 1, 2, 0], true);
        check(&[0x1C, 0x15, 1, 0, 0], true);
        check(&[0x05, 0x06, 1, 0], true);
        check(&[0x1B, 1, 0x85, 1, b'k', 9, 0], true);
        check(&[], false);
        check(&[0x15], false);
        check(&[0x18, 200, 1, b'a', 0], false);
        check(&[0x19, 0xF3, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 1, 0], false);
        check(&[0x1F, 0], false);
        check(&[0x15, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0], false);
        check(&[0x1C; 100], false);
        check(&[0x19; 100], false);
    }
}
