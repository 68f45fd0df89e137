//! Azerbaijan, Belarus, Kazakhstan, Russia and Ukraine.

use crate::validate::arithmetic::{
    alnum, digits, exactly, number, value, weighted_mod, weighted_sum,
};
use crate::validate::calendar::is_date_of_any_century;

/// VÖEN: region and seven more digits, check digit at the ninth place under weights 4, 1, 8, 6, 2,
/// 7, 5, 3 modulo 11, and 1 for bodies, 2 for persons; a
/// leading 0 may have been left out.
///
/// Vergi Məcəlləsi, maddə 33; Dövlət Vergi Xidməti.
pub(super) fn az_voen(text: &str) -> bool {
    let missing = 10_usize.saturating_sub(digits(text).count()).min(1);
    exactly::<10>(std::iter::repeat_n(0, missing).chain(digits(text))).is_some_and(|n| {
        value(&n[..2]) != 0
            && matches!(n[9], 1 | 2)
            && weighted_mod(n, &[4, 1, 8, 6, 2, 7, 5, 3], 11) == u32::from(n[8])
    })
}

/// UNP: nine digits, or two letters and seven digits; weights 29, 23, 19, 17, 13, 7, 5, 3, modulo 11
/// (10 is never given). The first letter counts as in base 36, the second by its place among
/// ABCEHKMOPT.
///
/// Постановление МНС Республики Беларусь от 31.12.2010 № 96.
pub(super) fn by_unp(text: &str) -> bool {
    // Letters of both alphabets that look alike are one.
    let latin: String = text
        .chars()
        .map(|character| match character {
            'А' => 'A',
            'В' => 'B',
            'Е' => 'E',
            'К' => 'K',
            'М' => 'M',
            'Н' => 'H',
            'О' => 'O',
            'Р' => 'P',
            'С' => 'C',
            'Т' => 'T',
            other => other,
        })
        .collect();
    let Some(c) = exactly::<9>(alnum(&latin)) else { return false };
    let values = match c {
        [b'1'..=b'7', ..] => c.iter().map(|c| c.wrapping_sub(b'0')).collect(),
        [first @ (b'A'..=b'C' | b'E' | b'H' | b'K' | b'M'), second, ..] => {
            let mut places = b"ABCEHKMOPT".iter().zip(0_u8..);
            let place = places.find(|(c, _)| **c == second).map(|(_, place)| place);
            let Some(place) = place else { return false };
            [first - b'A' + 10, place].into_iter().chain(c[2..].iter().map(|c| c - b'0')).collect()
        }
        _ => Vec::new(),
    };
    c[2..].iter().all(u8::is_ascii_digit)
        && values.len() == 9
        && values[1] <= 9
        && weighted_mod(values.iter().copied(), &[29, 23, 19, 17, 13, 7, 5, 3], 11)
            == u32::from(values[8])
}

/// IIN of a person and BIN of a body of Kazakhstan: twelve digits, weights 1 to 11 modulo 11, or 3
/// to 11, 1, 2 where that is 10. A person's begins with a date of birth, a body's with year, month
/// and a digit from 4.
///
/// Закон РК от 12.01.2007 № 223-III; постановление Правительства РК № 406.
pub(super) fn kz_iin(text: &str) -> bool {
    let Some(n) = exactly::<12>(digits(text)) else { return false };
    let (year, month, day) = (value(&n[..2]), value(&n[2..4]), value(&n[4..6]));
    let is_person = is_date_of_any_century(year, month, day) && matches!(n[6], 0..=6);
    let is_body = (1..=12).contains(&month) && matches!(n[4], 4..=6) && n[5] <= 3;
    let first = weighted_mod(n, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 11);
    let second = || weighted_mod(n, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2], 11);
    (is_person || is_body) && u32::from(n[11]) == if first < 10 { first } else { second() }
}

/// INN: ten digits of a body or twelve of a person, one or two check digits modulo 11 (10 is 0).
///
/// Приказ ФНС России от 29.06.2012 № ММВ-7-6/435@.
pub(super) fn ru_inn(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let check = |place: usize, weights: &[u32]| {
        weighted_mod(n.iter().copied(), weights, 11) % 10 == u32::from(n[place])
    };
    value(&n) != 0
        && match n.len() {
            10 => check(9, &[2, 4, 10, 3, 5, 9, 4, 6, 8]),
            12 => {
                check(10, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8])
                    && check(11, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8])
            }
            _ => false,
        }
}

/// OGRN of a body (thirteen digits, remainder of twelve by 11) and OGRNIP of a sole trader (fifteen,
/// of fourteen by 13), the last digit of the remainder.
///
/// Приказ Минфина России от 30.10.2017 № 165н.
pub(super) fn ru_ogrn(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let check = |modulus: u64| {
        let (last, body) = n.split_last().unwrap_or((&0, &[]));
        number(body.iter().copied()) % modulus % 10 == u64::from(*last)
    };
    match n.len() {
        13 => matches!(n[0], 1 | 2 | 5..=9) && check(11),
        15 => matches!(n[0], 3 | 4) && check(13),
        _ => false,
    }
}

/// SNILS: nine digits, and their sum under weights 9 to 1, modulo 101 (100 is 00).
///
/// Федеральный закон от 01.04.1996 № 27-ФЗ; ПФР.
pub(super) fn ru_snils(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        let sum = weighted_sum(n, &[9, 8, 7, 6, 5, 4, 3, 2, 1]);
        value(&n[..9]) > 1_001_998 && u64::from(sum % 101 % 100) == value(&n[9..])
    })
}

/// EDRPOU of a body: eight digits, weights 1 to 7 (7 and 1 to 6 for numbers from 30000000 to
/// 60000000), each 2 more where the remainder by 11 is 10, which then is 0.
///
/// Постанова Кабінету Міністрів України від 22.01.1996 № 118.
pub(super) fn ua_edrpou(text: &str) -> bool {
    let Some(n) = exactly::<8>(digits(text)) else { return false };
    let middle = (30_000_000..=60_000_000).contains(&value(&n));
    let weights: [u32; 7] = if middle { [7, 1, 2, 3, 4, 5, 6] } else { [1, 2, 3, 4, 5, 6, 7] };
    let first = weighted_mod(n, &weights, 11);
    let second = || weighted_mod(n, &weights.map(|weight| weight + 2), 11) % 10;
    value(&n) != 0 && u32::from(n[7]) == if first < 10 { first } else { second() }
}

/// RNOKPP of a person: days since 1899, four digits, check digit under weights -1, 5, 7, 9, 4, 6,
/// 10, 5, 7 modulo 11 (10 is 0).
///
/// Податковий кодекс України, стаття 70; наказ Мінфіну № 822.
pub(super) fn ua_rnokpp(text: &str) -> bool {
    exactly::<10>(digits(text)).is_some_and(|n| {
        // -1 is 10 modulo 11.
        value(&n) != 0
            && weighted_mod(n, &[10, 5, 7, 9, 4, 6, 10, 5, 7], 11) % 10 == u32::from(n[9])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn azerbaijan_and_belarus() {
        check(az_voen, &["1400057421", "0400198812"]);
        reject(az_voen, &["1400057431", "1400057423", "140005742"]);
        check(by_unp, &["200988541", "MA1953684", "МА1953684", "591705582"]);
        reject(by_unp, &["200988542", "5917DDD82", "991705588", "20098854"]);
    }

    #[test]
    fn kazakhstan() {
        assert!(passing(kz_iin, "80010130012?") <= 1);
        reject(kz_iin, &["801301300123", "000000000000"]);
    }

    #[test]
    fn russia() {
        check(ru_inn, &["1234567894", "005826107187"]);
        reject(ru_inn, &["1234567895", "123456789037", "0000000000"]);
        check(ru_ogrn, &["1022200525819", "385768585948949"]);
        reject(ru_ogrn, &["0022500001325", "102250000", "985768585948944"]);
        check(ru_snils, &["112-233-445 95"]);
        reject(ru_snils, &["112-233-445 96", "000-000-001 01"]);
    }

    #[test]
    fn ukraine() {
        check(ua_edrpou, &["32855961", "00022438"]);
        reject(ua_edrpou, &["32855968", "00000000"]);
        check(ua_rnokpp, &["1759013776", "2019304211"]);
        reject(ua_rnokpp, &["1759013770", "0000000000"]);
    }
}
