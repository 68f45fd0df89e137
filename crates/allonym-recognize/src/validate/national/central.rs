//! Czechia, Croatia, Hungary, Luxembourg, Slovakia and Slovenia.

use crate::validate::arithmetic::{
    alnum, digits, exactly, iso7064_mod11_10, luhn, value, verhoeff, weighted_mod,
};
use crate::validate::calendar::is_date;

/// Rodné číslo of Czechia and Slovakia: date of birth (month plus 50 for women, plus 20 more where
/// a day ran out of numbers) and three digits; since 1954 a check digit that makes the number a
/// multiple of 11 (0 also where the remainder is 10, until 1985).
///
/// Zákon č. 133/2000 Sb. § 13 (CZ); zákon č. 301/1995 Z. z. (SK).
pub(super) fn cz_birth_number(text: &str) -> bool {
    let all: Vec<u8> = digits(text).collect();
    if !(9..=10).contains(&all.len()) {
        return false;
    }
    let (year, month, day) = (value(&all[..2]), value(&all[2..4]), value(&all[4..6]));
    let month_of = match month {
        71..=82 => month - 70,
        51..=62 => month - 50,
        21..=32 => month - 20,
        month => month,
    };
    if all.len() == 9 {
        // Nine digits were given until 1953, without the months that are 20 more.
        return year < 54
            && matches!(month, 1..=12 | 51..=62)
            && is_date(1900 + year, month_of, day);
    }
    let century = if year < 54 { 2000 } else { 1900 };
    let remainder = value(&all[..9]) % 11;
    is_date(century + year, month_of, day)
        && (remainder % 10 == u64::from(all[9]))
        && (remainder < 10 || (54..=85).contains(&year))
}

/// IČO of a business in Czechia and Slovakia: eight digits, weights 8 to 2, and what they lack to a
/// multiple of 11 (10 is 0, 11 is 1).
///
/// Český statistický úřad; Štatistický úrad SR, IČO.
pub(super) fn cz_ico(text: &str) -> bool {
    exactly::<8>(digits(text)).is_some_and(|n| {
        let check = (11 - weighted_mod(n, &[8, 7, 6, 5, 4, 3, 2], 11)) % 10;
        value(&n) != 0 && check == u32::from(n[7])
    })
}

/// Account of a Czech bank: prefix of up to six digits, number of up to ten, both multiples of 11
/// under their weights, and the code of the bank.
///
/// Vyhláška České národní banky č. 169/2011 Sb., § 3 and příloha 1.
pub(super) fn cz_account(text: &str) -> bool {
    let Some((account, bank)) = text.split_once('/') else { return false };
    let (prefix, number) = account.split_once('-').unwrap_or(("0", account));
    let multiple = |part: &str, weights: &[u32]| {
        let n: Vec<u8> = digits(part).collect();
        (1..=weights.len()).contains(&n.len())
            && weighted_mod(n.iter().rev().copied(), weights, 11) == 0
    };
    exactly::<4>(digits(bank)).is_some_and(|code| value(&code) != 0)
        && digits(number).any(|digit| digit != 0)
        && multiple(prefix, &[1, 2, 4, 8, 5, 10])
        && multiple(number, &[1, 2, 4, 8, 5, 10, 9, 7, 3, 6])
}

/// OIB of Croatia: eleven digits, ISO 7064 MOD 11,10.
///
/// Zakon o osobnom identifikacijskom broju; Ministarstvo financija, Porezna uprava.
pub(super) fn hr_oib(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| value(&n) != 0 && iso7064_mod11_10(n))
}

/// Belföldi pénzforgalmi jelzőszám, 16 or 24 digits: bank and branch (eight) and the account, each
/// with a sum under the weights 9, 7, 3, 1 in turn that ten divides.
///
/// A Magyar Nemzeti Bank elnökének 35/2017. (XII. 14.) MNB rendelete, 1. melléklet.
pub(super) fn hu_bank_account(text: &str) -> bool {
    let account: Vec<u8> = digits(text).collect();
    let fits = |part: &[u8]| {
        let weights = [9, 7, 3, 1].into_iter().cycle();
        let sum: u32 =
            part.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
        part.iter().any(|digit| *digit != 0) && sum.is_multiple_of(10)
    };
    matches!(account.len(), 16 | 24)
        && account.split_at_checked(8).is_some_and(|(bank, rest)| fits(bank) && fits(rest))
}

/// Adóazonosító jel: 8, days since 1867, three digits, and the remainder by 11 under weights 1 to 9
/// (10 is never given).
///
/// 1996. évi XX. törvény, 2. számú melléklet.
pub(super) fn hu_tax_id(text: &str) -> bool {
    exactly::<10>(digits(text)).is_some_and(|n| {
        n[0] == 8 && weighted_mod(n, &[1, 2, 3, 4, 5, 6, 7, 8, 9], 11) == u32::from(n[9])
    })
}

/// TAJ number of social security: eight digits, weights 3 and 7 in turn, modulo 10.
///
/// 1996. évi XX. törvény, 3. számú melléklet.
pub(super) fn hu_taj(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| {
        value(&n) != 0 && weighted_mod(n, &[3, 7, 3, 7, 3, 7, 3, 7], 10) == u32::from(n[8])
    })
}

/// Személyi azonosító: sex and century, date of birth, three digits, and the remainder by 11 under
/// weights 1 to 10; 10 to 1 for births from 1997.
///
/// 1996. évi XX. törvény, 1. számú melléklet.
pub(super) fn hu_personal_id(text: &str) -> bool {
    let Some(n) = exactly::<11>(digits(text)) else { return false };
    let year = value(&n[1..3]);
    let century = match n[0] {
        1 | 2 => 1900,
        3 | 4 => 2000,
        _ => return false,
    };
    let rising = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let falling = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    let weights = if century + year < 1997 { rising } else { falling };
    is_date(century + year, value(&n[3..5]), value(&n[5..7]))
        && weighted_mod(n, &weights, 11) == u32::from(n[10])
}

/// Adószám of a business: eight digits, weights 9, 7, 3, 1 in turn, a multiple of 10; then a digit
/// of the kind of tax (1 to 5) and two of the county.
///
/// 2017. évi CL. törvény (adózás rendjéről); Nemzeti Adó- és Vámhivatal.
pub(super) fn hu_tax_number(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let is_root = |n: &[u8]| {
        value(n) != 0 && weighted_mod(n.iter().copied(), &[9, 7, 3, 1, 9, 7, 3, 1], 10) == 0
    };
    match n.len() {
        8 => is_root(&n),
        11 => {
            is_root(&n[..8])
                && matches!(n[8], 1..=5)
                && matches!(value(&n[9..]), 2..=20 | 22..=44 | 51)
        }
        _ => false,
    }
}

/// Matricule of Luxembourg: date of birth in eight digits, three digits, a check digit by Luhn and
/// one by Verhoeff, each over the first eleven.
///
/// Règlement grand-ducal du 18 juin 2014 (loi du 19 juin 2013 relative à l'identification).
pub(super) fn lu_matricule(text: &str) -> bool {
    let Some(n) = exactly::<13>(digits(text)) else { return false };
    let (body, last) = (&n[..11], n[12]);
    (1800..=2099).contains(&value(&n[..4]))
        && is_date(value(&n[..4]), value(&n[4..6]), value(&n[6..8]))
        && luhn(n[..12].iter().copied())
        && verhoeff(body.iter().copied().chain([last]))
}

/// EMŠO of Slovenia and JMBG of the other successors of Yugoslavia: date of birth with three digits
/// of the year, region, three digits, check digit modulo 11.
///
/// Zakon o centralnem registru prebivalstva, art. 5 (SI); Zakon o jedinstvenom matičnom broju
/// građana (RS, BA, ME, HR, MK).
pub(super) fn jmbg(text: &str) -> bool {
    let Some(n) = exactly::<13>(digits(text)) else { return false };
    let year = value(&n[4..7]);
    let year = if year < 800 { 2000 + year } else { 1000 + year };
    is_date(year, value(&n[2..4]), value(&n[..2]))
        && weighted_mod(n, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11) == 0
}

/// Davčna številka of Slovenia: seven digits, weights 8 to 2, 11 less the remainder by 11 (10 is 0,
/// 11 is never given).
///
/// Zakon o finančni upravi; Pravilnik o davčnem registru.
pub(super) fn si_tax_number(text: &str) -> bool {
    exactly::<8>(digits(text)).is_some_and(|n| {
        let check = 11 - weighted_mod(n, &[8, 7, 6, 5, 4, 3, 2], 11);
        n[0] != 0 && check != 11 && check % 10 == u32::from(n[7])
    })
}

/// Matična številka of a Slovenian business: six digits, weights 7 to 2, check digit modulo 11
/// (10 is never given), and three characters of the local unit.
///
/// Zakon o Poslovnem registru Slovenije; AJPES.
pub(super) fn si_maticna(text: &str) -> bool {
    let all: Vec<u8> = alnum(text).collect();
    let Some((root, unit)) = all.split_at_checked(7) else { return false };
    if !root.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let n: Vec<u8> = root.iter().map(|byte| byte - b'0').collect();
    let is_unit = match unit {
        [] => true,
        [first, rest @ ..] if rest.len() == 2 => {
            (first.is_ascii_digit() || first.is_ascii_uppercase())
                && rest.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    let remainder = weighted_mod(n.iter().copied(), &[7, 6, 5, 4, 3, 2], 11);
    is_unit && n[0] != 0 && remainder != 0 && (11 - remainder) % 10 == u32::from(n[6])
}

/// DIČ of a Slovak taxpayer: ten digits, a multiple of 11.
///
/// Zákon č. 563/2009 Z. z. § 67; Finančná správa SR.
pub(super) fn sk_tax_number(text: &str) -> bool {
    exactly::<10>(digits(text))
        .is_some_and(|n| n[0] != 0 && matches!(n[2], 2..=4 | 7..=9) && value(&n).is_multiple_of(11))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn czechia_and_slovakia() {
        check(cz_birth_number, &["710319/2745", "7103192745"]);
        check(cz_birth_number, &["530312123", "535312/123"]);
        reject(cz_birth_number, &["710319/2746", "1103492745", "590312/123", "533212123"]);
        check(cz_ico, &["25123891", "00177041", "31322832"]);
        reject(cz_ico, &["25123890", "00000000", "2512389"]);
        check(cz_account, &["34278-0727558021/0100", "19-2000145399/0800", "0500021502/0800"]);
        reject(cz_account, &["4278-727558021/0100", "34278-727558021/0000", "000/0100", "1234"]);
        check(sk_tax_number, &["2022749619"]);
        reject(sk_tax_number, &["2022749618", "2072749619", "0022749614"]);
    }

    #[test]
    fn hungary() {
        // The Hungarian example of the SWIFT IBAN registry, without its first four characters.
        check(hu_bank_account, &["11773016-11111018-00000000", "1177301611111018"]);
        reject(hu_bank_account, &["11773016-11111019-00000000", "11773017-11111018", "11773016"]);
        reject(hu_bank_account, &["00000000-00000000"]);
        check(hu_tax_number, &["12892312", "12892312-2-41"]);
        reject(hu_tax_number, &["12892313", "12892312-6-41", "12892312-2-99", "00000000"]);
        assert_eq!(passing(hu_taj, "11111111?"), 1);
        assert!(passing(hu_tax_id, "807123451?") <= 1);
        reject(hu_tax_id, &["7071234512"]);
        assert!(passing(hu_personal_id, "1550101123?") <= 1);
        reject(hu_personal_id, &["55501011230", "15513011230"]);
    }

    #[test]
    fn luxembourg() {
        check(lu_matricule, &["1893120105732"]);
        reject(lu_matricule, &["1893120105733", "1893130105732", "189312010573"]);
    }

    #[test]
    fn croatia_and_slovenia() {
        check(hr_oib, &["33392005961", "94577403194"]);
        reject(hr_oib, &["33392005962", "00000000000", "3339200596"]);
        check(jmbg, &["0101006500006", "1211981500126", "1508995500237", "2001939010010"]);
        reject(jmbg, &["0101006500007", "3201006500006", "010100650000"]);
        check(si_tax_number, &["50223054", "15012557"]);
        reject(si_tax_number, &["50223055", "05022305"]);
        check(si_maticna, &["9331310", "9331310000", "8982279A00"]);
        reject(si_maticna, &["5491710", "93313100A0", "933131", "933A310"]);
    }
}
