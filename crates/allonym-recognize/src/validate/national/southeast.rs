//! Albania, Bulgaria, Cyprus, Greece, Malta, Moldova, Montenegro, North Macedonia, Romania, Serbia
//! and Türkiye.

use crate::validate::arithmetic::{
    alnum, digits, exactly, iso7064_mod11_10, luhn, value, weighted_mod, weighted_sum,
};
use crate::validate::calendar::{is_date, is_date_of_any_century};

/// EGN: date of birth (month plus 20 for the 1800s, 40 for the 2000s), three digits, check digit
/// modulo 11 (10 is 0).
///
/// Наредба № РД-02-20-9 от 21 май 2012 г.; ГРАО.
pub(super) fn bg_egn(text: &str) -> bool {
    let Some(n) = exactly::<10>(digits(text)) else { return false };
    let (year, month, day) = (value(&n[..2]), value(&n[2..4]), value(&n[4..6]));
    let (century, month) = match month {
        41..=52 => (2000, month - 40),
        21..=32 => (1800, month - 20),
        month => (1900, month),
    };
    is_date(century + year, month, day)
        && weighted_mod(n, &[2, 4, 8, 5, 10, 9, 7, 3, 6], 11) % 10 == u32::from(n[9])
}

/// `LNCh`, personal number of a foreigner: nine digits, weights 21, 19, 17, 13, 11, 9, 7, 3, 1,
/// modulo 10.
///
/// Закон за чужденците в Република България; НАП.
pub(super) fn bg_lnch(text: &str) -> bool {
    exactly::<10>(digits(text)).is_some_and(|n| {
        value(&n) != 0 && weighted_mod(n, &[21, 19, 17, 13, 11, 9, 7, 3, 1], 10) == u32::from(n[9])
    })
}

/// EIK of a business: nine digits (weights 1 to 8, or 3 to 10 where the remainder by 11 is 10), or
/// thirteen of a branch (weights 2, 7, 3, 5, or 4, 9, 5, 7, over the ninth to twelfth).
///
/// Закон за регистър БУЛСТАТ; Наредба № 1 от 2005 г.
pub(super) fn bg_eik(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let check = |n: &[u8], first: &[u32], second: &[u32]| {
        let (last, body) = n.split_last().unwrap_or((&0, &[]));
        let sum = weighted_mod(body.iter().copied(), first, 11);
        let again = || weighted_mod(body.iter().copied(), second, 11) % 10;
        u32::from(*last) == if sum < 10 { sum } else { again() }
    };
    let is_root =
        |n: &[u8]| value(n) != 0 && check(n, &[1, 2, 3, 4, 5, 6, 7, 8], &[3, 4, 5, 6, 7, 8, 9, 10]);
    match n.len() {
        9 => is_root(&n),
        13 => is_root(&n[..9]) && check(&n[8..], &[2, 7, 3, 5], &[4, 9, 5, 7]),
        _ => false,
    }
}

/// AFM of Greece: nine digits, the first eight weighted by powers of 2, modulo 11 (10 is 0).
///
/// Ν. 4174/2013; ΑΑΔΕ, Αριθμός Φορολογικού Μητρώου.
pub(super) fn gr_afm(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| {
        value(&n) != 0
            && weighted_mod(n, &[256, 128, 64, 32, 16, 8, 4, 2], 11) % 10 == u32::from(n[8])
    })
}

/// AMKA of Greece: date of birth, four digits, Luhn.
///
/// Ν. 3655/2008 art. 153; ΗΔΙΚΑ.
pub(super) fn gr_amka(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        is_date_of_any_century(value(&n[4..6]), value(&n[2..4]), value(&n[..2])) && luhn(n)
    })
}

/// CNP: sex and century, date of birth, county (01 to 52, 70 abroad), three digits, check digit
/// modulo 11 under 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9 (10 is 1).
///
/// Legea nr. 105/1996; H.G. nr. 1375/2006, anexa 1.
pub(super) fn ro_cnp(text: &str) -> bool {
    let Some(n) = exactly::<13>(digits(text)) else { return false };
    let (year, month, day) = (value(&n[1..3]), value(&n[3..5]), value(&n[5..7]));
    let is_born = match n[0] {
        1 | 2 => is_date(1900 + year, month, day),
        3 | 4 => is_date(1800 + year, month, day),
        5 | 6 => is_date(2000 + year, month, day),
        7..=9 => is_date_of_any_century(year, month, day),
        _ => false,
    };
    let remainder = weighted_mod(n, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9], 11);
    is_born
        && matches!(value(&n[7..9]), 1..=48 | 51..=52 | 70)
        && u32::from(n[12]) == if remainder == 10 { 1 } else { remainder }
}

/// CUI of a Romanian business: up to nine digits and a check digit, weights 7, 5, 3, 2, 1 in turn.
///
/// Legea nr. 359/2004; ANAF, Codul unic de înregistrare.
pub(super) fn ro_cui(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let Some((check, body)) = n.split_last() else { return false };
    let weights = [7, 5, 3, 2, 1, 7, 5, 3, 2];
    (3..=9).contains(&body.len())
        && n[0] != 0
        && weighted_sum(body.iter().copied(), &weights[9 - body.len()..]) * 10 % 11 % 10
            == u32::from(*check)
}

/// Number in the trade register: J, F or C, county, serial number and year, which until 2024 stood
/// apart, and since then make one number of thirteen digits that ends in a check digit
/// (and has 00 for the county where the year is a later one).
///
/// Legea nr. 265/2022; ONRC.
pub(super) fn ro_trade_register(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let mut fields = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|f| !f.is_empty());
    let joined: Vec<u8> = alnum(&text).collect();
    let Some(kind @ (b'J' | b'F' | b'C')) = joined.first() else { return false };
    let is_county = |county: u64| matches!(county, 1..=40 | 51 | 52);
    let is_year = |year: u64| (1990..=2099).contains(&year);
    if joined.len() == 14 && fields.clone().count() == 1 {
        let Some(n) = exactly::<13>(digits(&text)) else { return false };
        let sum: u32 = n[..12].iter().copied().map(u32::from).sum();
        // The letter counts as the last digit of its code: C 67, F 70, J 74.
        return is_year(value(&n[..4]))
            && (value(&n[10..12]) == 0 || value(&n[..4]) <= 2024 && is_county(value(&n[10..12])))
            && (sum + u32::from(kind % 10)) % 10 == u32::from(n[12]);
    }
    let first = fields.next().unwrap_or_default().get(1..).unwrap_or_default();
    let rest: Vec<&str> = std::iter::once(first).filter(|f| !f.is_empty()).chain(fields).collect();
    // The day of the registration may stand in front of its year.
    let ([county, serial, year] | [county, serial, _, _, year]) = rest[..] else { return false };
    let all_digits = [county, serial, year].iter().all(|f| f.bytes().all(|b| b.is_ascii_digit()));
    let of = |field: &str| value(&digits(field).collect::<Vec<_>>());
    all_digits
        && (1..=2).contains(&county.len())
        && is_county(of(county))
        && (1..=5).contains(&serial.len())
        && of(serial) > 0
        && year.len() == 4
        && is_year(of(year))
}

/// IDNO of a Moldovan organization and IDNP of a person: thirteen digits, weights 7, 3, 1 in turn,
/// modulo 10.
///
/// Hotărârea Guvernului nr. 333/2002 (Registrul de stat al populației); Camera Înregistrării de Stat.
pub(super) fn md_number(text: &str) -> bool {
    exactly::<13>(digits(text)).is_some_and(|n| {
        matches!(n[0], 0..=2)
            && weighted_mod(n, &[7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1], 10) == u32::from(n[12])
            && value(&n) != 0
    })
}

/// PIB of a Montenegrin taxpayer: eight digits, weights 8 to 2, modulo 11.
///
/// Zakon o poreskoj administraciji; Pravilnik o PIB.
pub(super) fn me_pib(text: &str) -> bool {
    exactly::<8>(digits(text)).is_some_and(|n| {
        let check = (11 - weighted_mod(n, &[8, 7, 6, 5, 4, 3, 2], 11)) % 11 % 10;
        value(&n) != 0 && check == u32::from(n[7])
    })
}

/// EDB of a taxpayer of North Macedonia: thirteen digits, weights 7 to 2 twice, modulo 11.
///
/// Управа за јавни приходи, ЕДБ.
pub(super) fn mk_edb(text: &str) -> bool {
    exactly::<13>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11);
        value(&n) != 0 && (11 - remainder) % 11 % 10 == u32::from(n[12])
    })
}

/// PIB of a Serbian taxpayer: nine digits from 10000001 on, ISO 7064 MOD 11,10.
///
/// Zakon o poreskom postupku i poreskoj administraciji; Pravilnik o PIB.
pub(super) fn rs_pib(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| n[0] != 0 && iso7064_mod11_10(n))
}

/// T.C. kimlik numarası: eleven digits, the first not 0. The tenth is 7 times the odd places less
/// the even ones, the eleventh the sum of the ten, both modulo 10.
///
/// 5490 sayılı Nüfus Hizmetleri Kanunu; NVİ.
pub(super) fn tr_identity(text: &str) -> bool {
    let Some(n) = exactly::<11>(digits(text)) else { return false };
    let odd = weighted_sum(n, &[7, 0, 7, 0, 7, 0, 7, 0, 7]);
    // 9 is -1 modulo 10.
    let even = weighted_sum(n, &[0, 9, 0, 9, 0, 9, 0, 9]);
    let sum: u32 = n[..10].iter().copied().map(u32::from).sum();
    n[0] != 0 && (odd + even) % 10 == u32::from(n[9]) && sum % 10 == u32::from(n[10])
}

/// Vergi kimlik numarası: ten digits; each of the first nine and 10 less its place, modulo 10, times
/// a power of 2, modulo 9 (9 stays 9); the sum lacks the tenth to a multiple of 10.
///
/// 213 sayılı Vergi Usul Kanunu; Gelir İdaresi Başkanlığı.
pub(super) fn tr_tax_number(text: &str) -> bool {
    let Some(n) = exactly::<10>(digits(text)) else { return false };
    let sum: u32 = n[..9]
        .iter()
        .zip(0_u32..)
        .map(|(digit, place)| {
            let shifted = (u32::from(*digit) + 9 - place) % 10;
            if shifted == 9 { 9 } else { (shifted << (9 - place)) % 9 }
        })
        .sum();
    value(&n) != 0 && (10 - sum % 10) % 10 == u32::from(n[9])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn bulgaria() {
        check(bg_egn, &["7523169263", "8032056031", "7501020018"]);
        reject(bg_egn, &["7523169264", "7563169263", "752316926"]);
        check(bg_lnch, &["7111042925"]);
        reject(bg_lnch, &["7111042922", "0000000000"]);
        check(bg_eik, &["175074752", "131272009"]);
        reject(bg_eik, &["175074751", "000000000", "17507475"]);
    }

    #[test]
    fn greece() {
        check(gr_afm, &["094259216", "023456780"]);
        reject(gr_afm, &["123456781", "000000000"]);
        check(gr_amka, &["01013099997"]);
        reject(gr_amka, &["01013099999", "99887712349"]);
    }

    #[test]
    fn romania_and_moldova() {
        check(ro_cnp, &["1630615123457"]);
        reject(ro_cnp, &["1630615123458", "0800101221142", "1630615993454"]);
        check(ro_cui, &["18547290"]);
        reject(ro_cui, &["18547291", "08547290", "12"]);
        check(
            ro_trade_register,
            &["J52/750/2012", "J2012000750528", "J/52/750/2012", "F 26 1132/2007"],
        );
        reject(
            ro_trade_register,
            &["X52/750/2012", "J2012000750529", "J52/100000/2012", "J52/750/200", "J/52/750/2112"],
        );
        check(md_number, &["1008600038413"]);
        reject(md_number, &["1008600038412", "9008600038413"]);
    }

    #[test]
    fn western_balkans() {
        check(me_pib, &["02655284"]);
        reject(me_pib, &["02655283", "00000000"]);
        check(mk_edb, &["4030000375897"]);
        reject(mk_edb, &["4030000375890", "403000037589"]);
        check(rs_pib, &["101134702"]);
        reject(rs_pib, &["101134703", "000000001"]);
    }

    #[test]
    fn turkiye() {
        check(tr_identity, &["10000000146", "17291716060"]);
        reject(tr_identity, &["10000000145", "07291716092", "1729171606"]);
        check(tr_tax_number, &["4540536920"]);
        reject(tr_tax_number, &["4540536921", "0000000000", "454053692"]);
    }
}
