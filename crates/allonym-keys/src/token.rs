//! How tokens are spelt, and found again.

use std::ops::Range;

/// How a column token is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenFormat {
    /// 22 characters, 128 bits. Does not survive a case-insensitive collation.
    Base62,
    /// 32 characters, 128 bits.
    Hex,
    /// 26 characters, 130 bits.
    Crockford,
    /// 16 bytes, 128 bits.
    Binary,
}

impl TokenFormat {
    /// Bits of the MAC that the token shows, for [`collision_probability`].
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            TokenFormat::Base62 | TokenFormat::Hex | TokenFormat::Binary => 128,
            TokenFormat::Crockford => 130,
        }
    }
}

impl TokenFormat {
    /// The first 16 bytes of a column token spelt in this format; `None` for what is not spelt so.
    #[must_use]
    pub fn read(self, token: &str) -> Option<[u8; 16]> {
        let bytes = token.as_bytes();
        let number = |digits: &[u8], alphabet: &[u8]| {
            let base = u128::try_from(alphabet.len()).ok()?;
            digits.iter().try_fold(0_u128, |number, digit| {
                let value = alphabet.iter().position(|known| known == digit)?;
                number.checked_mul(base)?.checked_add(u128::try_from(value).ok()?)
            })
        };
        let number = match (self, bytes.len()) {
            (TokenFormat::Base62, 22) => number(bytes, BASE62)?,
            (TokenFormat::Hex | TokenFormat::Binary, 32) => number(bytes, HEX)?,
            (TokenFormat::Crockford, 26) => {
                // The last character holds three bits of the 128 and two more.
                let (first, last) = bytes.split_at(25);
                let last = number(last, CROCKFORD)?;
                number(first, CROCKFORD)? << 3 | last >> 2
            }
            _ => return None,
        };
        Some(number.to_be_bytes())
    }
}

/// Finds well-formed text tokens (right check character) in `text`: byte ranges in order, appended
/// to `out`.
///
/// A token is a whole ASCII word `LABEL_` + 16 Crockford characters + check character, with
/// LABEL = `[A-Z][A-Z0-9_]*`. A letter outside ASCII next to it does not hide it. One look-alike
/// in 32 has the right check character by chance. Linear in the length of `text`.
pub fn find_text_tokens(text: &str, out: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        // The pattern starts and ends at a word boundary and has word characters only: it can
        // match nothing but a whole word.
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        if is_text_token(&bytes[start..at]) {
            out.push(start..at);
        }
        at += 1;
    }
}

fn is_text_token(word: &[u8]) -> bool {
    let Some((head, tail)) = word.split_last_chunk::<TEXT_TAIL>() else { return false };
    let Some((&b'_', label)) = head.split_last() else { return false };
    if !is_label(label) {
        return false;
    }
    let Some((&check, payload)) = tail.split_last() else { return false };
    let mut values = [0; TEXT_CHARS];
    for (value, &char) in values.iter_mut().zip(payload) {
        match crockford_value(char) {
            Some(digit) => *value = digit,
            None => return false,
        }
    }
    check == check_char(&values)
}

/// Whether `label` can stand before a text token: `[A-Z][A-Z0-9_]*`.
#[must_use]
pub fn is_text_label(label: &str) -> bool {
    is_label(label.as_bytes())
}

fn is_label(label: &[u8]) -> bool {
    label.first().is_some_and(u8::is_ascii_uppercase)
        && label.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Probability that `n` distinct values collide in `bits` bits: `1 - exp(-n(n-1)/2^(bits+1))`.
///
/// The usual approximation of the birthday bound; 0 for fewer than two values.
#[must_use]
pub fn collision_probability(n: f64, bits: u32) -> f64 {
    if n < 2.0 {
        return 0.0;
    }
    // Halving first keeps the exponent within f64 for every `bits` a MAC can have.
    let pairs = n * (n - 1.0) / 2.0;
    -(-pairs / 2_f64.powf(f64::from(bits))).exp_m1()
}

/// 22 characters, left padded: the 128 bits as one big-endian number in base 62.
pub(crate) fn push_base62(bytes: [u8; 16], out: &mut String) {
    let (high, low) = halves(u128::from_be_bytes(bytes));
    // Shifted left with the divisor, the number has a third limb of four bits.
    let (high_digits, rest) = divide(high >> 60, high << SHIFT | low >> 60);
    let (low_digits, rest) = divide(rest, low << SHIFT);
    let last = rest >> SHIFT;
    let (top, rest) = divide(high_digits << SHIFT | low_digits >> 60, low_digits << SHIFT);
    let middle = rest >> SHIFT;
    let mut digits = [0; 22];
    put_base62(top, &mut digits[..2]);
    put_base62(middle, &mut digits[2..12]);
    put_base62(last, &mut digits[12..]);
    push_ascii(&digits, out);
}

/// Quotient and remainder of two limbs by [`DIVISOR`]; `high` is less than it.
///
/// Division by an invariant with its reciprocal: Möller and Granlund, "Improved division by
/// invariant integers", algorithm 4. Dividing 128 bits outright is a call, and half of a token's
/// spelling.
fn divide(high: u64, low: u64) -> (u64, u64) {
    let product = u128::from(RECIPROCAL) * u128::from(high);
    let limbs = u128::from(high) << 64 | u128::from(low);
    let (estimate, fraction) = halves(product.wrapping_add(limbs));
    let mut quotient = estimate.wrapping_add(1);
    let mut rest = low.wrapping_sub(quotient.wrapping_mul(DIVISOR));
    if rest > fraction {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(DIVISOR);
    }
    if rest >= DIVISOR {
        quotient = quotient.wrapping_add(1);
        rest -= DIVISOR;
    }
    (quotient, rest)
}

fn halves(number: u128) -> (u64, u64) {
    let low = number & u128::from(u64::MAX);
    let half = |half| u64::try_from(half).expect("half of 128 bits is 64");
    (half(number >> 64), half(low))
}

/// `number` < 62^10, in as many digits as there is room for; an even number of digits.
fn put_base62(mut number: u64, digits: &mut [u8]) {
    for pair in digits.rchunks_exact_mut(2) {
        let index = usize::try_from(number % 3_844).expect("a remainder of 62^2 fits");
        pair.copy_from_slice(&BASE62_PAIRS[index]);
        number /= 3_844;
    }
}

/// 32 characters in lower case.
pub(crate) fn push_hex(bytes: [u8; 16], out: &mut String) {
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&HEX_PAIRS[usize::from(byte)]);
    }
    push_ascii(&digits, out);
}

/// 26 characters: the leading 130 bits, five to a character.
pub(crate) fn push_crockford(mac: &[u8; 32], out: &mut String) {
    push_ascii(&crockford_digits::<26>(mac), out);
}

/// `LABEL_`, 16 characters for the leading 80 bits, check character.
pub(crate) fn push_text(label: &str, mac: &[u8; 32], out: &mut String) {
    out.push_str(if is_text_label(label) { label } else { NO_LABEL });
    out.push('_');
    let digits = crockford_digits::<TEXT_CHARS>(mac);
    push_ascii(&digits, out);
    let values = digits.map(|digit| CROCKFORD_VALUES[usize::from(digit)]);
    out.push(char::from(check_char(&values)));
}

/// `N` digits, an even number of at most 48: ten bits, two digits, at a time.
fn crockford_digits<const N: usize>(mac: &[u8; 32]) -> [u8; N] {
    let mut digits = [0; N];
    for (at, pair) in digits.chunks_exact_mut(2).enumerate() {
        let (byte, shift) = (at * 10 / 8, at * 10 % 8);
        let window = u16::from_be_bytes([mac[byte], mac[byte + 1]]);
        pair.copy_from_slice(&CROCKFORD_PAIRS[usize::from(window >> (6 - shift) & 1_023)]);
    }
    digits
}

/// Luhn's algorithm in base 32 (ISO/IEC 7812-1 annex B with another base): finds every single
/// wrong character and nearly every swap of neighbours.
fn check_char(values: &[u8; TEXT_CHARS]) -> u8 {
    let mut sum = 0;
    for (at, &value) in values.iter().rev().enumerate() {
        let weighted = if at % 2 == 0 { value * 2 } else { value };
        sum += usize::from(weighted / 32 + weighted % 32);
    }
    CROCKFORD[(32 - sum % 32) % 32]
}

fn crockford_value(char: u8) -> Option<u8> {
    let value = CROCKFORD_VALUES[usize::from(char)];
    (value < 32).then_some(value)
}

fn push_ascii(digits: &[u8], out: &mut String) {
    out.push_str(str::from_utf8(digits).expect("digits are ASCII"));
}

/// Spelt before a text token whose entity has no label.
const NO_LABEL: &str = "TEXT";
const TEXT_CHARS: usize = 16;
const TEXT_TAIL: usize = TEXT_CHARS + 1;

/// 62^10, the largest even power of 62 within 64 bits, shifted so that its highest bit is set.
const DIVISOR: u64 = 62_u64.pow(10) << SHIFT;
const SHIFT: u32 = 4;
/// (2^128 - 1) / [`DIVISOR`] - 2^64.
#[expect(clippy::cast_possible_truncation, reason = "asserted, and there is no other const way")]
const RECIPROCAL: u64 = {
    let reciprocal = u128::MAX / DIVISOR as u128 - (1 << 64);
    assert!(DIVISOR.leading_zeros() == 0 && reciprocal >> 64 == 0);
    reciprocal as u64
};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Douglas Crockford's base 32, without I, L, O and U.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static BASE62_PAIRS: [[u8; 2]; 3_844] = pairs(BASE62);
static HEX_PAIRS: [[u8; 2]; 256] = pairs(HEX);
static CROCKFORD_PAIRS: [[u8; 2]; 1_024] = pairs(CROCKFORD);
static CROCKFORD_VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 32 {
        values[CROCKFORD[value as usize] as usize] = value;
        value += 1;
    }
    values
};

const fn pairs<const BASE: usize, const N: usize>(digits: &[u8; BASE]) -> [[u8; 2]; N] {
    let mut pairs = [[0; 2]; N];
    let mut at = 0;
    while at < N {
        pairs[at] = [digits[at / BASE], digits[at % BASE]];
        at += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extremes_of_base62() {
        let spelt = |number: u128| {
            let mut out = String::new();
            push_base62(number.to_be_bytes(), &mut out);
            out
        };
        assert_eq!(spelt(0), "0".repeat(22));
        assert_eq!(spelt(61), format!("{}z", "0".repeat(21)));
        assert_eq!(spelt(62), format!("{}10", "0".repeat(20)));
        assert_eq!(spelt(62_u128.pow(10)), format!("{}1{}", "0".repeat(11), "0".repeat(10)));
        assert_eq!(spelt(62_u128.pow(20) - 1), format!("00{}", "z".repeat(20)));
        assert_eq!(spelt(u128::MAX), "7n42DGM5Tflk9n8mt7Fhc7");
    }

    #[test]
    fn spelt_tokens_are_read_again() {
        for seed in [0_u8, 1, 7, 127, 255] {
            let mac: [u8; 32] = std::array::from_fn(|at| seed.wrapping_mul(at.to_le_bytes()[0]));
            let bytes: [u8; 16] = *mac.first_chunk().unwrap();
            for format in [TokenFormat::Base62, TokenFormat::Hex, TokenFormat::Crockford] {
                let mut out = String::new();
                crate::Mac(mac).push_column_token(format, &mut out);
                assert_eq!(format.read(&out), Some(bytes), "{format:?} {out}");
                assert_eq!(format.read(&out.replace(|_| true, "-")), None);
                out.pop();
                assert_eq!(format.read(&out), None);
            }
        }
        assert_eq!(TokenFormat::Base62.read(&"z".repeat(22)), None, "more than 128 bits");
    }

    #[test]
    fn division_is_exact_at_its_edges() {
        for high in [0, 1, 15, 16, 21, 351, DIVISOR / 2, DIVISOR - 2, DIVISOR - 1] {
            let mut lows = vec![0, 1, 2, u64::MAX / 2, u64::MAX - 1, u64::MAX];
            for near in [DIVISOR, DIVISOR / 2, DIVISOR.wrapping_mul(3), RECIPROCAL] {
                lows.extend((0..5).map(|step| near.wrapping_sub(2).wrapping_add(step)));
            }
            // Low limbs that make the number a multiple of the divisor, and its neighbours.
            let over = (u128::from(high) << 64) % u128::from(DIVISOR);
            let exact = u64::try_from(u128::from(DIVISOR) - over).unwrap();
            lows.extend([exact.wrapping_sub(1), exact, exact.wrapping_add(1)]);
            for low in lows {
                let number = u128::from(high) << 64 | u128::from(low);
                let (quotient, rest) = divide(high, low);
                assert_eq!(u128::from(quotient), number / u128::from(DIVISOR), "{high} {low}");
                assert_eq!(u128::from(rest), number % u128::from(DIVISOR), "{high} {low}");
            }
        }
    }

    #[test]
    fn other_spellings() {
        let mac = std::array::from_fn(|at| u8::try_from(at * 8 + 7).unwrap());
        let mut out = String::new();
        push_crockford(&mac, &mut out);
        assert_eq!(out, "0W7HE7S75WVKYHTFAXFPEVVQFY");
        out.clear();
        push_hex([0, 1, 0x7f, 0x80, 0xff, 9, 10, 16, 0xab, 0, 0, 0, 0, 0, 0, 0xfe], &mut out);
        assert_eq!(out, "00017f80ff090a10ab000000000000fe");
    }

    #[test]
    fn a_label_that_would_hide_the_token_is_not_used() {
        for (label, spelt) in [
            ("PERSON", "PERSON_"),
            ("DE_TAX_ID", "DE_TAX_ID_"),
            ("X9", "X9_"),
            ("person", "TEXT_"),
            ("", "TEXT_"),
            ("9X", "TEXT_"),
            ("_X", "TEXT_"),
            ("Ä", "TEXT_"),
            ("A B", "TEXT_"),
        ] {
            let mut out = String::new();
            push_text(label, &[7; 32], &mut out);
            assert!(out.starts_with(spelt), "{label}");
            assert_eq!(found(&out), [out.as_str()]);
        }
    }

    fn found(text: &str) -> Vec<&str> {
        let mut out = Vec::new();
        find_text_tokens(text, &mut out);
        out.into_iter()
            .map(|range| &text.as_bytes()[range])
            .map(|b| str::from_utf8(b).unwrap())
            .collect()
    }

    #[test]
    fn tokens_are_found_between_anything_that_is_no_word() {
        const ONE: &str = "PERSON_A6Y3B666JY4HZ1DYW";
        const TWO: &str = "DE_TAX_ID_19M0QE9NNZ2BNYRA8";
        assert_eq!(found(ONE), [ONE]);
        assert_eq!(found(&format!("({ONE},{ONE})\n{ONE}.")), [ONE, ONE, ONE]);
        assert_eq!(found(&format!("é{ONE}é {ONE}-x \u{0}{ONE}")), [ONE, ONE, ONE]);
        assert_eq!(found(&format!("{TWO} and {ONE}")), [TWO, ONE]);
        // The longest label counts: a token with words before it is one word.
        let longer = format!("A_{ONE}");
        assert_eq!(found(&longer), [longer.as_str()]);
    }

    #[test]
    fn look_alikes_are_not_tokens() {
        for text in [
            "",
            "_",
            "PERSON_",
            "PERSON_A6Y3B666JY4HZ1DYV",
            "PERSON_A6Y3B666JY4HZ1DY",
            "PERSON_A6Y3B666JY4HZ1DYWW",
            "PERSON_6Y3B666JY4HZ1DYW",
            "PERSON_6AY3B666JY4HZ1DYW",
            "person_A6Y3B666JY4HZ1DYW",
            "PERSON_a6y3b666jy4hz1dyw",
            "PERSON-A6Y3B666JY4HZ1DYW",
            "_A6Y3B666JY4HZ1DYW",
            "9PERSON_A6Y3B666JY4HZ1DYW",
            "_PERSON_A6Y3B666JY4HZ1DYW",
            "xPERSON_A6Y3B666JY4HZ1DYW",
            "PERSON_A6Y3B666JY4HZ1DYWx",
            "PERSON_A6Y3B666JY4HZ1DYW_",
            "PERSON_A6Y3B666JY4HZIDYW",
            "PERSÖN_A6Y3B666JY4HZ1DYW9",
            "A6Y3B666JY4HZ1DYW",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn every_single_wrong_character_is_noticed() {
        let token = b"PERSON_A6Y3B666JY4HZ1DYW";
        for at in 7..token.len() {
            for &char in CROCKFORD.iter().filter(|&&char| char != token[at]) {
                let mut wrong = *token;
                wrong[at] = char;
                assert!(!is_text_token(&wrong), "{}", str::from_utf8(&wrong).unwrap());
            }
        }
    }

    /// Rows of the table that the default lengths were chosen from.
    #[test]
    fn collisions_as_tabulated() {
        for (bits, expected) in [
            (128, [1.5e-27, 1.5e-25, 1.5e-23, 1.5e-21, 1.5e-19]),
            (96, [6.3e-18, 6.3e-16, 6.3e-14, 6.3e-12, 6.3e-10]),
            (80, [4.1e-13, 4.1e-11, 4.1e-9, 4.1e-7, 4.1e-5]),
            (64, [2.7e-8, 2.7e-6, 2.7e-4, 2.7e-2, 0.93]),
            (48, [1.8e-3, 0.16, 1.0, 1.0, 1.0]),
        ] {
            for (n, expected) in [1e6, 1e7, 1e8, 1e9, 1e10].into_iter().zip(expected) {
                let got = collision_probability(n, bits);
                assert!((got / expected - 1.0).abs() < 0.04, "{bits} bits, {n}: {got}");
            }
        }
        for (bits, n) in [(128, 8.2e14), (96, 1.3e10), (80, 4.9e7), (64, 1.9e5), (48, 750.0)] {
            let got = collision_probability(n, bits);
            assert!((0.9e-9..1.1e-9).contains(&got), "{bits} bits, {n}: {got}");
        }
        for n in [0.0, 1.0, -5.0, 1.9] {
            assert_eq!(collision_probability(n, 128), 0.0);
        }
        assert_eq!(collision_probability(1e300, 128), 1.0);
    }

    proptest! {
        #[test]
        fn division_is_exact(high in 0..DIVISOR, low in any::<u64>()) {
            let number = u128::from(high) << 64 | u128::from(low);
            let (quotient, rest) = divide(high, low);
            prop_assert_eq!(u128::from(quotient), number / u128::from(DIVISOR));
            prop_assert_eq!(u128::from(rest), number % u128::from(DIVISOR));
        }

        #[test]
        fn base62_reads_back(number in any::<u128>()) {
            let mut out = String::new();
            push_base62(number.to_be_bytes(), &mut out);
            prop_assert_eq!(out.len(), 22);
            let mut back = 0_u128;
            for char in out.bytes() {
                let digit = BASE62.iter().position(|&digit| digit == char).unwrap();
                back = back * 62 + u128::try_from(digit).unwrap();
            }
            prop_assert_eq!(back, number);
        }

        #[test]
        fn written_tokens_are_found(mac in any::<[u8; 32]>(), before in "[ -/]{0,9}", after in "[ -/]{0,9}") {
            let mut token = String::new();
            push_text("IBAN", &mac, &mut token);
            let text = format!("{before}{token}{after}");
            prop_assert_eq!(found(&text), [token.as_str()]);
        }

        /// The definition once more, as slow as it reads.
        #[test]
        fn the_scan_agrees_with_a_word_by_word_one(text in "([A-Z0-9_é a]{0,3}(PERSON_A6Y3B666JY4HZ1DYW)?){0,6}") {
            let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
            let expected: Vec<&str> = words.filter(|word| is_text_token(word.as_bytes())).collect();
            prop_assert_eq!(found(&text), expected);
        }
    }
}
