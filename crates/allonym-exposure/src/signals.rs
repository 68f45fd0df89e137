//! Signals as they come: vectors, and matrices of references by records, in memory or in a file.

use crate::npy::{Kind, NpyArray, NpyError};
use std::ops::Range;

/// One number for each record.
#[derive(Clone, Copy, Debug)]
pub enum Series<'a> {
    /// Single precision; every sum and logarithm is taken in double precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

impl Series<'_> {
    /// Number of records.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Series::F32(values) => values.len(),
            Series::F64(values) => values.len(),
        }
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The number of one record.
    #[must_use]
    pub fn at(self, record: usize) -> f64 {
        match self {
            Series::F32(values) => f64::from(values[record]),
            Series::F64(values) => values[record],
        }
    }
}

impl<'a> From<&'a [f32]> for Series<'a> {
    fn from(values: &'a [f32]) -> Self {
        Series::F32(values)
    }
}

impl<'a> From<&'a [f64]> for Series<'a> {
    fn from(values: &'a [f64]) -> Self {
        Series::F64(values)
    }
}

impl<'a> From<&'a Vec<f64>> for Series<'a> {
    fn from(values: &'a Vec<f64>) -> Self {
        Series::F64(values)
    }
}

/// Which of the two axes of a matrix is contiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// All records of one reference, then those of the next: an array of references x records.
    ByReference,
    /// All references of one record, then those of the next: an array of records x references.
    ByRecord,
}

/// One number for each reference and record. It is read in blocks of records and never copied
/// whole, so one in a file may be larger than memory.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    store: Store<'a>,
    layout: Layout,
    /// References that are stored.
    stored: usize,
    skipped: Skipped,
    reading: Reading,
    /// What is read is moved to within this of zero.
    limit: Option<f64>,
    records: usize,
}

/// What is made of a stored signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    AsStored,
    /// Confidences are stored, logits wanted.
    Logit,
    /// Logits are stored, confidences wanted.
    Confidence,
}

/// The few references that are passed over.
#[derive(Clone, Copy, Debug, Default)]
struct Skipped {
    references: [usize; SKIPPED_MAX],
    count: usize,
}

impl Skipped {
    fn contains(&self, reference: usize) -> bool {
        self.references[..self.count].contains(&reference)
    }

    /// Where the `nth` reference that is not left out stands among all.
    fn kept(&self, nth: usize, stored: usize) -> Option<usize> {
        let mut left_out = self.references;
        let left_out = &mut left_out[..self.count];
        left_out.sort_unstable();
        let at = left_out.iter().fold(nth, |at, left_out| at + usize::from(*left_out <= at));
        (at < stored).then_some(at)
    }
}

impl<'a> Matrix<'a> {
    /// A matrix in memory.
    ///
    /// # Errors
    /// [`SignalError::Shape`] when there are not `references x records` values.
    pub fn new(
        values: impl Into<Store<'a>>,
        layout: Layout,
        references: usize,
        records: usize,
    ) -> Result<Matrix<'a>, SignalError> {
        let store = values.into();
        if references.checked_mul(records) != Some(store.len()) {
            return Err(SignalError::Shape {
                what: "a matrix",
                expected: format!("{references} x {records} values"),
                found: format!("{}", store.len()),
            });
        }
        let (skipped, reading) = (Skipped::default(), Reading::AsStored);
        let limit = None;
        Ok(Matrix { store, layout, stored: references, skipped, reading, limit, records })
    }

    /// A matrix in a file, whose `layout` says which axis its shape names first.
    ///
    /// # Errors
    /// [`SignalError::Shape`] when the array has not two axes.
    pub fn file(array: &'a NpyArray, layout: Layout) -> Result<Matrix<'a>, SignalError> {
        let &[first, second] = array.shape() else {
            let (what, expected) = ("a matrix", "two axes".to_owned());
            let found = format!("{}", array.shape().len());
            return Err(SignalError::Shape { what, expected, found });
        };
        let (references, records) = match layout {
            Layout::ByReference => (first, second),
            Layout::ByRecord => (second, first),
        };
        // Column-major turns the axes round once more.
        let layout = match (layout, array.column_major()) {
            (layout, false) => layout,
            (Layout::ByReference, true) => Layout::ByRecord,
            (Layout::ByRecord, true) => Layout::ByReference,
        };
        let (skipped, reading) = (Skipped::default(), Reading::AsStored);
        let store = Store::File(array);
        let limit = None;
        Ok(Matrix { store, layout, stored: references, skipped, reading, limit, records })
    }

    /// Number of references.
    #[must_use]
    pub fn references(&self) -> usize {
        self.stored - self.skipped.count
    }

    /// Number of records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records
    }

    /// The same matrix without one of its references, or none if there is no such reference or four
    /// are left out already. The others keep their numbers.
    #[must_use]
    pub fn without(mut self, reference: usize) -> Option<Matrix<'a>> {
        let Skipped { references, count } = &mut self.skipped;
        if reference >= self.stored || references[..*count].contains(&reference) {
            return None;
        }
        *references.get_mut(*count)? = reference;
        *count += 1;
        Some(self)
    }

    /// The logits of a matrix of confidences: `ln p - ln(1 - p)`, where a confidence of 0 or 1 is
    /// moved inwards by half of what the stored precision resolves next to 1. Where a model gives
    /// logits itself, those are better: a confidence near 1 has lost most of its digits.
    #[must_use]
    pub fn as_logits(mut self) -> Matrix<'a> {
        self.reading = Reading::Logit;
        self
    }

    /// The confidences of a matrix of logits: `1 / (1 + e^-x)`.
    #[must_use]
    pub fn as_confidences(mut self) -> Matrix<'a> {
        self.reading = Reading::Confidence;
        self
    }

    /// The same with every finite signal moved into `[-limit, limit]`, for a positive limit; see
    /// [`crate::ensemble_limit`].
    #[must_use]
    pub fn within(mut self, limit: f64) -> Matrix<'a> {
        self.limit = (limit > 0.0).then_some(limit);
        self
    }

    /// What is stored for one reference, whether it is left out or not.
    ///
    /// # Errors
    /// [`SignalError::File`] when a file cannot be read.
    pub fn reference(&self, reference: usize) -> Result<Vec<f64>, SignalError> {
        let mut values = vec![0.0; self.records];
        match self.layout {
            Layout::ByReference => self.fill(reference * self.records, &mut values)?,
            Layout::ByRecord => {
                let whole = Matrix { skipped: Skipped::default(), ..*self };
                let width = block_records(self.stored);
                let mut block = Vec::new();
                for (at, part) in values.chunks_mut(width).enumerate() {
                    whole.fill_block(at * width..at * width + part.len(), &mut block)?;
                    part.copy_from_slice(&block[reference * part.len()..][..part.len()]);
                }
            }
        }
        Ok(values)
    }

    /// Fills `block` with the signals of some records, reference after reference.
    pub(crate) fn fill_block(
        &self,
        records: Range<usize>,
        block: &mut Vec<f64>,
    ) -> Result<(), SignalError> {
        let width = records.len();
        block.clear();
        block.resize(self.references() * width, 0.0);
        let references = (0..self.stored).filter(|reference| !self.skipped.contains(*reference));
        let rows = references.zip(block.chunks_exact_mut(width.max(1)));
        match self.layout {
            Layout::ByReference => {
                for (reference, row) in rows {
                    self.fill(reference * self.records + records.start, row)?;
                }
            }
            Layout::ByRecord => {
                let mut stored = vec![0.0; self.stored * width];
                self.fill(records.start * self.stored, &mut stored)?;
                for (reference, row) in rows {
                    let values = stored[reference..].iter().step_by(self.stored);
                    row.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
                }
            }
        }
        Ok(())
    }

    /// The signals of some records, one reference at a time.
    pub(crate) fn rows(&self, records: Range<usize>) -> Result<Rows<'a>, SignalError> {
        let mut values = Vec::new();
        match self.layout {
            Layout::ByReference => values.resize(records.len(), 0.0),
            // Each reference's signals lie apart, so all are read at once.
            Layout::ByRecord => self.fill_block(records.clone(), &mut values)?,
        }
        Ok(Rows { matrix: *self, records, values })
    }

    /// One kept reference's signals of some records where they lie as single precision in memory.
    pub(crate) fn singles(&self, reference: usize, records: Range<usize>) -> Option<Singles<'a>> {
        if self.reading != Reading::AsStored || self.limit.is_some() {
            return None;
        }
        let range = self.lying(reference, records)?;
        match self.store {
            Store::F32(values) => Some(Singles::Values(&values[range])),
            Store::Bytes(bytes, Kind::F32) => Some(Singles::Bytes(&bytes.as_chunks().0[range])),
            _ => None,
        }
    }

    /// The same of truth values.
    pub(crate) fn truths(&self, reference: usize, records: Range<usize>) -> Option<&'a [bool]> {
        let range = self.lying(reference, records)?;
        match self.store {
            Store::Bool(values) => Some(&values[range]),
            _ => None,
        }
    }

    /// Where a kept reference's signals of some records stand, if they stand together.
    fn lying(&self, reference: usize, records: Range<usize>) -> Option<Range<usize>> {
        let start = self.skipped.kept(reference, self.stored)? * self.records;
        (self.layout == Layout::ByReference).then_some(start + records.start..start + records.end)
    }

    fn is_mask(&self) -> bool {
        self.store.kind() == Kind::Bool
    }

    fn fill(&self, start: usize, out: &mut [f64]) -> Result<(), NpyError> {
        self.store.fill(start, out)?;
        match self.reading {
            Reading::AsStored => {}
            Reading::Logit => {
                let single = self.store.kind() == Kind::F32;
                let least = if single { f64::from(f32::EPSILON) } else { f64::EPSILON } / 4.0;
                // What is no confidence stays as it is, for the attack to refuse or to drop.
                for value in out.iter_mut().filter(|value| (0.0..=1.0).contains(*value)) {
                    let rest = (1.0 - *value).max(least);
                    *value = (*value / rest).max(least).ln();
                }
            }
            Reading::Confidence => {
                out.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
            }
        }
        if let Some(limit) = self.limit {
            let finite = out.iter_mut().filter(|value| value.is_finite());
            finite.for_each(|value| *value = value.clamp(-limit, limit));
        }
        Ok(())
    }
}

/// Single-precision numbers in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Singles<'a> {
    /// As numbers.
    Values(&'a [f32]),
    /// As little-endian bytes, wherever they begin.
    Bytes(&'a [[u8; 4]]),
}

/// Signals of some records, one reference at a time.
pub(crate) struct Rows<'a> {
    matrix: Matrix<'a>,
    records: Range<usize>,
    /// One reference's signals, or all where they had to be read at once.
    values: Vec<f64>,
}

impl Rows<'_> {
    pub(crate) fn row(&mut self, reference: usize) -> Result<&[f64], SignalError> {
        let Matrix { layout, records, stored, skipped, .. } = self.matrix;
        if layout == Layout::ByRecord {
            return Ok(&self.values[reference * self.records.len()..][..self.records.len()]);
        }
        let kept = (0..stored).filter(|reference| !skipped.contains(*reference)).nth(reference);
        let kept = kept.expect("callers ask for references that are there");
        self.matrix.fill(kept * records + self.records.start, &mut self.values)?;
        Ok(&self.values)
    }
}

/// Where the values of a matrix are.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Store<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
    /// Truth values, for who was in.
    Bool(&'a [bool]),
    /// Little-endian bytes of whole elements, from another program's memory.
    Bytes(&'a [u8], Kind),
    /// A file, read where it is needed.
    File(&'a NpyArray),
}

impl Store<'_> {
    fn len(&self) -> usize {
        match self {
            Store::F32(values) => values.len(),
            Store::F64(values) => values.len(),
            Store::Bool(values) => values.len(),
            Store::Bytes(bytes, kind) => bytes.len() / kind.bytes(),
            Store::File(array) => array.len(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Store::F32(_) => Kind::F32,
            Store::F64(_) => Kind::F64,
            Store::Bool(_) => Kind::Bool,
            Store::Bytes(_, kind) => *kind,
            Store::File(array) => array.kind(),
        }
    }

    fn fill(&self, start: usize, out: &mut [f64]) -> Result<(), NpyError> {
        let range = start..start + out.len();
        match self {
            Store::F32(values) => {
                let values = values[range].iter();
                out.iter_mut().zip(values).for_each(|(out, &value)| *out = f64::from(value));
            }
            Store::F64(values) => out.copy_from_slice(&values[range]),
            Store::Bool(values) => {
                let values = values[range].iter();
                out.iter_mut()
                    .zip(values)
                    .for_each(|(out, &value)| *out = f64::from(u8::from(value)));
            }
            Store::Bytes(bytes, kind) => {
                let bytes = &bytes[range.start * kind.bytes()..range.end * kind.bytes()];
                kind.decode(bytes, out);
            }
            Store::File(array) => array.fill(start, out)?,
        }
        Ok(())
    }
}

impl<'a> From<&'a [f32]> for Store<'a> {
    fn from(values: &'a [f32]) -> Self {
        Store::F32(values)
    }
}

impl<'a> From<&'a [f64]> for Store<'a> {
    fn from(values: &'a [f64]) -> Self {
        Store::F64(values)
    }
}

impl<'a> From<&'a [bool]> for Store<'a> {
    fn from(values: &'a [bool]) -> Self {
        Store::Bool(values)
    }
}

/// Signals of reference models, and which records each of them was trained on.
#[derive(Clone, Copy, Debug)]
pub struct References<'a> {
    pub(crate) signals: Matrix<'a>,
    pub(crate) members: Matrix<'a>,
}

impl<'a> References<'a> {
    /// Joins signals with the masks of the same shape.
    ///
    /// # Errors
    /// [`SignalError::Shape`] for masks of another shape, [`SignalError::NoMask`] for masks that
    /// are not truth values, [`SignalError::TooFew`] below two references.
    pub fn new(signals: Matrix<'a>, members: Matrix<'a>) -> Result<References<'a>, SignalError> {
        let shape = |matrix: &Matrix<'_>| {
            format!("{} references x {} records", matrix.references(), matrix.records)
        };
        if (signals.references(), signals.records) != (members.references(), members.records) {
            return Err(SignalError::Shape {
                what: "`members`",
                expected: shape(&signals),
                found: shape(&members),
            });
        }
        if !members.is_mask() {
            return Err(SignalError::NoMask);
        }
        if signals.references() < 2 {
            return Err(SignalError::TooFew { found: signals.references() });
        }
        Ok(References { signals, members })
    }

    /// Number of references.
    #[must_use]
    pub fn references(&self) -> usize {
        self.signals.references()
    }

    /// Number of records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.signals.records
    }

    /// The same references without one of them, for taking that one as a target.
    ///
    /// # Errors
    /// [`SignalError::TooFew`] when fewer than two remain or there is no such reference.
    pub fn without(&self, reference: usize) -> Result<References<'a>, SignalError> {
        let too_few = SignalError::TooFew { found: self.references().saturating_sub(1) };
        match self.signals.without(reference).zip(self.members.without(reference)) {
            Some((signals, members)) => References::new(signals, members),
            None => Err(too_few),
        }
    }
}

/// How many records make a block of a quarter of a megabyte, so that signals and masks stay in a
/// core's cache.
pub(crate) fn block_records(references: usize) -> usize {
    (BLOCK_VALUES / references.max(1)).clamp(16, 8192)
}

/// Why signals cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// Two shapes that must fit do not.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// The shape that fits.
        expected: String,
        /// The shape it has.
        found: String,
    },
    /// Masks must be truth values.
    #[error("`members` must be truth values, one for each reference and record")]
    NoMask,
    /// One reference has no spread.
    #[error("at least two references are needed, found {found}")]
    TooFew {
        /// How many there are.
        found: usize,
    },
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] NpyError),
}

const BLOCK_VALUES: usize = 1 << 15;
/// A target, a left-out reference and the one with the complement of its mask, and one to spare.
const SKIPPED_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_give_the_same_blocks() {
        // 2 references of 3 records.
        let by_reference = [1.0_f32, 2.0, 3.0, 11.0, 12.0, 13.0];
        let by_record = [1.0_f64, 11.0, 2.0, 12.0, 3.0, 13.0];
        let first = Matrix::new(&by_reference[..], Layout::ByReference, 2, 3).unwrap();
        let second = Matrix::new(&by_record[..], Layout::ByRecord, 2, 3).unwrap();
        for matrix in [first, second] {
            let mut block = Vec::new();
            matrix.fill_block(1..3, &mut block).unwrap();
            assert_eq!(block, [2.0, 3.0, 12.0, 13.0]);
            matrix.fill_block(2..2, &mut block).unwrap();
            assert!(block.is_empty());
            assert_eq!(matrix.reference(1).unwrap(), [11.0, 12.0, 13.0]);
            let rest = matrix.without(0).unwrap();
            rest.fill_block(1..3, &mut block).unwrap();
            assert_eq!((rest.references(), &block[..]), (1, &[12.0, 13.0][..]));
            assert!(matrix.without(2).is_none() && rest.without(0).is_none());
            assert_eq!((rest.skipped.kept(0, 2), rest.skipped.kept(1, 2)), (Some(1), None));
            let none = rest.without(1).unwrap();
            assert_eq!(none.skipped.kept(0, 2), None);
            none.fill_block(0..3, &mut block).unwrap();
            assert_eq!((none.references(), block.len()), (0, 0));
        }
    }

    #[test]
    fn confidences_and_logits_are_made_of_each_other() {
        let stored = [0.75, 0.0, 1.0, f64::NAN];
        let logits = Matrix::new(&stored[..], Layout::ByReference, 2, 2).unwrap().as_logits();
        let first = logits.reference(0).unwrap();
        assert!((first[0] - 3_f64.ln()).abs() < 1e-15 && (-38.0..-36.0).contains(&first[1]));
        let second = logits.reference(1).unwrap();
        assert!((36.0..38.0).contains(&second[0]) && second[1].is_nan());
        let single = [1.0_f32];
        let single = Matrix::new(&single[..], Layout::ByRecord, 1, 1).unwrap().as_logits();
        assert!((16.0..18.0).contains(&single.reference(0).unwrap()[0]));
        let stored = [3_f64.ln(), -1e9, 1e9];
        let back = Matrix::new(&stored[..], Layout::ByReference, 1, 3).unwrap().as_confidences();
        let back = back.reference(0).unwrap();
        assert!((back[0] - 0.75).abs() < 1e-15 && back[1] == 0.0 && back[2] == 1.0);
        let stored = [-7.0, 0.5, f64::INFINITY];
        let kept = Matrix::new(&stored[..], Layout::ByReference, 1, 3).unwrap().within(4.0);
        assert_eq!(kept.reference(0).unwrap(), [-4.0, 0.5, f64::INFINITY]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let values = [0.0_f64; 6];
        let masks = [false; 6];
        assert!(Matrix::new(&values[..], Layout::ByRecord, 2, 2).is_err());
        let matrix = |references, records| {
            Matrix::new(&values[..], Layout::ByReference, references, records).unwrap()
        };
        let mask = |references, records| {
            Matrix::new(&masks[..], Layout::ByReference, references, records).unwrap()
        };
        assert!(References::new(matrix(2, 3), mask(2, 3)).is_ok());
        let told = |signals, members| References::new(signals, members).unwrap_err().to_string();
        assert!(told(matrix(2, 3), mask(3, 2)).contains("3 references x 2 records"));
        assert!(told(matrix(2, 3), matrix(2, 3)).contains("truth values"));
        assert!(told(matrix(1, 6), mask(1, 6)).contains("at least two"));
    }
}
