//! The United Kingdom.

use crate::validate::arithmetic::{alnum, digits, exactly, number, value, value36, weighted_mod};
use crate::validate::calendar::is_date_of_any_century;

/// NHS number: nine digits, weights 10 to 2, check digit 11 less the remainder by 11 (11 is 0, 10
/// is never given). One digit ten times is a placeholder.
///
/// NHS Data Dictionary, NHS NUMBER; Scottish CHI and Northern Irish H&C numbers share it.
pub(super) fn nhs(text: &str) -> bool {
    let Some(nhs) = exactly::<10>(digits(text)) else { return false };
    nhs.iter().any(|digit| *digit != nhs[0])
        && weighted_mod(nhs, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 11) == 0
}

/// Community Health Index number of Scotland: an NHS number that begins with the date of birth.
///
/// Public Health Scotland, CHI Number; NHS Data Dictionary.
pub(super) fn chi(text: &str) -> bool {
    let Some(chi) = exactly::<10>(digits(text)) else { return false };
    let value = |range: std::ops::Range<usize>| number(chi[range].iter().copied());
    nhs(text) && is_date_of_any_century(value(4..6), value(2..4), value(0..2))
}

/// National Insurance number: a prefix that is given out, six digits, and a suffix A to D, which
/// may be left out. It has no check digit.
///
/// HMRC, National Insurance Manual NIM39110.
pub(super) fn nino(text: &str) -> bool {
    let nino: Vec<u8> = alnum(text).collect();
    let [first, second, ref rest @ ..] = nino[..] else { return false };
    let (six, suffix) = rest.split_at(rest.len().min(6));
    let is_prefix = first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&[first, second]);
    is_prefix
        && six.len() == 6
        && six.iter().all(u8::is_ascii_digit)
        && matches!(suffix, [] | [b'A'..=b'D'])
}

/// Unique Taxpayer Reference: a check digit and nine digits with weights 6, 7, 8, 9, 10, 5, 4, 3,
/// 2; their sum modulo 11 names the check digit out of 21987654321.
///
/// HMRC, Specification for the modulus 11 check of UTRs.
pub(super) fn utr(text: &str) -> bool {
    let Some(utr) = exactly::<10>(digits(text)) else { return false };
    const CHECKS: [u8; 11] = [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    let remainder = weighted_mod(utr[1..].iter().copied(), &[6, 7, 8, 9, 10, 5, 4, 3, 2], 11);
    number(utr[1..].iter().copied()) != 0
        && CHECKS.iter().zip(0..).any(|(check, at)| at == remainder && *check == utr[0])
}

/// Driver number of Great Britain: five characters of the surname (filled with 9), the year's
/// tens, month (50 more for women), day, the year's units, two initials (9 for none), one
/// character, two computed ones whose algorithm is not published.
///
/// DVLA, INF1/1; Driver number format in the GOV.UK data standard for driving licences.
pub(super) fn driving_licence(text: &str) -> bool {
    let Some(licence) = exactly::<16>(alnum(text)) else { return false };
    let is_filled = |part: &[u8]| {
        let n_letters = part.iter().take_while(|c| c.is_ascii_uppercase()).count();
        part[n_letters..].iter().all(|c| *c == b'9')
    };
    if !licence[5..11].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let digit = |place: usize| u64::from(licence[place] - b'0');
    let month = digit(6) * 10 + digit(7);
    let month = if month > 50 { month - 50 } else { month };
    licence[0].is_ascii_uppercase()
        && is_filled(&licence[..5])
        && is_filled(&licence[11..13])
        && licence[14..].iter().all(u8::is_ascii_alphanumeric)
        && is_date_of_any_century(digit(5) * 10 + digit(10), month, digit(8) * 10 + digit(9))
}

/// Unique Pupil Number of England: a check letter, local authority, school, year, serial number and
/// perhaps a letter at the end; weights 2 to 13, modulo 23.
///
/// Department for Education, Unique pupil numbers: guide for schools and local authorities.
pub(super) fn pupil(text: &str) -> bool {
    let Some(c) = exactly::<13>(alnum(text)) else { return false };
    let letters = b"ABCDEFGHJKLMNPQRTUVWXYZ";
    let place =
        |letter: u8| letters.iter().zip(0_u8..).find(|(c, _)| **c == letter).map(|(_, at)| at);
    if !c[1..12].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut values: Vec<u8> = c[1..12].iter().map(|c| c - b'0').collect();
    let last = if c[12].is_ascii_digit() { Some(c[12] - b'0') } else { place(c[12]) };
    let (Some(first), Some(last)) = (place(c[0]), last) else { return false };
    values.push(last);
    let authority = value(&values[..3]);
    let sum = weighted_mod(values, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 23);
    (201..=984).contains(&authority) && sum == u32::from(first)
}

/// SEDOL of a security: six digits or consonants under weights 1, 3, 1, 7, 3, 9 and what they lack to
/// a multiple of 10.
///
/// London Stock Exchange, SEDOL Masterfile technical specification.
pub(super) fn sedol(text: &str) -> bool {
    let Some(c) = exactly::<7>(alnum(text)) else { return false };
    let values: Vec<u8> = c.iter().filter_map(|c| value36(*c)).collect();
    // Those given out since 2004 begin with a letter, all before had digits alone.
    let has_form = c[0].is_ascii_uppercase() || c.iter().all(u8::is_ascii_digit);
    has_form
        && c[6].is_ascii_digit()
        && !c.iter().any(|c| b"AEIOU".contains(c))
        && values.iter().any(|value| *value != 0)
        && weighted_mod(values, &[1, 3, 1, 7, 3, 9, 1], 10) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn patients() {
        check(nhs, &["943 476 5919", "9434765919", "221-395-1837", "4010232137"]);
        reject(nhs, &["943 476 5918", "4444444444", "943476591", "94347659190"]);
        reject(chi, &["9434765919", "0113701234"]);
        assert_eq!(passing(chi, "010170123?"), 1);
        assert_eq!(passing(chi, "311299999?"), 1);
        assert_eq!(passing(chi, "310270123?"), 0, "31 February");
    }

    #[test]
    fn insured_persons() {
        check(nino, &["AA 12 34 56 B", "hh 01 02 03 d", "PR 123612C", "AB123456"]);
        reject(nino, &["BG123612A", "nt 99 88 77 a", "UV 98 76 54 B", "AO123456C"]);
        reject(nino, &["AA 12 34 56 H", "AB 12 34 56 1", "AB12345", "A1234567B", "AB123456CD", ""]);
    }

    #[test]
    fn taxpayers() {
        check(utr, &["1955839661", "19558 39661"]);
        assert_eq!(passing(utr, "?123456789"), 1);
        reject(utr, &["2955839661", "195583966", "2000000000", "19558396611"]);
    }

    #[test]
    fn drivers() {
        check(driving_licence, &["MORGA657054SM9IJ", "SMIT9801015JK2CD", "jones710153j99ef"]);
        reject(driving_licence, &["MORGA600054SM9IJ", "MORGA613054SM9IJ", "MORGA663054SM9IJ"]);
        reject(driving_licence, &["MORGA601004SM9IJ", "MORGA6570544SM9IJ", "MO9G9657054SM9IJ"]);
        reject(driving_licence, &["99999657054SM9IJ", "MORGA6570549M9IJ"]);
    }

    #[test]
    fn pupils_and_securities() {
        check(pupil, &["B801200005001"]);
        reject(pupil, &["A801200005001", "E000200005001", "B80120000500"]);
        check(sedol, &["B15KXQ8", "0017505"]);
        reject(sedol, &["B15KXQ7", "BO7MXC9", "0000000"]);
    }
}
