//! Estonia, Latvia and Lithuania.

use crate::validate::arithmetic::{digits, exactly, value, weighted_mod};
use crate::validate::calendar::is_date;

/// Isikukood: a digit of sex and century, date of birth, three digits, check digit modulo 11 under
/// weights 1 to 9 and 1, or 3 to 9 and 1 to 3 where that is 10, and 0 where that is 10 as well.
///
/// Rahvastikuregistri seadus § 28; EVS 585:2007.
pub(super) fn ee_ik(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| is_born(n) && has_personal_check(n))
}

/// Registrikood of a legal person: eight digits, the first 1, 7, 8 or 9, check digit modulo 11 as
/// of persons.
///
/// Äriregistri seadus; Registrite ja Infosüsteemide Keskus.
pub(super) fn ee_registrikood(text: &str) -> bool {
    let Some(n) = exactly::<8>(digits(text)) else { return false };
    let first = weighted_mod(n, &[1, 2, 3, 4, 5, 6, 7], 11);
    let second = || weighted_mod(n, &[3, 4, 5, 6, 7, 8, 9], 11) % 10;
    matches!(n[0], 1 | 7..=9) && u32::from(n[7]) == if first < 10 { first } else { second() }
}

/// Asmens kodas, built as the Estonian code; 9 is the first of numbers without a date of birth.
///
/// Lietuvos Respublikos gyventojų registro įstatymas, art. 8.
pub(super) fn lt_asmens(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| (n[0] == 9 || is_born(n)) && has_personal_check(n))
}

/// Personas kods: date of birth, century (0 to 2), three digits, check digit; since 2017 ten digits
/// that begin with 32 to 39 and tell nothing. Weights 10, 5, 8, 4, 2, 1, 6, 3, 7, 9 and 1 modulo 11
/// (10 counts 0).
///
/// Fizisko personu reģistra likums; Ministru kabineta noteikumi.
pub(super) fn lv_personas_kods(text: &str) -> bool {
    let Some(n) = exactly::<11>(digits(text)) else { return false };
    let (day, month, year) = (value(&n[..2]), value(&n[2..4]), value(&n[4..6]));
    let is_born = n[6] <= 2 && is_date(1800 + 100 * u64::from(n[6]) + year, month, day);
    let sum = weighted_mod(n, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9], 11) + 1;
    (is_born || (32..=39).contains(&day)) && sum % 11 % 10 == u32::from(n[10])
}

/// Whether the first seven digits are sex and century (1 to 8) and a date of birth.
fn is_born(n: [u8; 11]) -> bool {
    let century = match n[0] {
        1..=8 => 1800 + 100 * u64::from((n[0] - 1) / 2),
        _ => return false,
    };
    is_date(century + value(&n[1..3]), value(&n[3..5]), value(&n[5..7]))
}

fn has_personal_check(n: [u8; 11]) -> bool {
    let first = weighted_mod(n, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1], 11);
    let second = || weighted_mod(n, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3], 11) % 10;
    u32::from(n[10]) == if first < 10 { first } else { second() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn persons() {
        check(ee_ik, &["36805280109", "37605030299"]);
        reject(ee_ik, &["36805280108", "38102290106", "98102290101", "3680528010"]);
        check(lt_asmens, &["33309240064", "96813280109"]);
        reject(lt_asmens, &["33309240164", "33313240064", "3330924006"]);
        check(lv_personas_kods, &["161175-19997", "328673-00679"]);
        reject(lv_personas_kods, &["161375-19997", "328673-00677", "161175-1999"]);
    }

    #[test]
    fn businesses() {
        check(ee_registrikood, &["12345678", "10000030"]);
        reject(ee_registrikood, &["12345679", "22345678", "123456789"]);
    }
}
