//! Belgium.

use crate::validate::arithmetic::{digits, exactly, number};
use crate::validate::calendar::is_date;

/// Rijksregisternummer / numéro de registre national, and the BIS number of those not in the
/// register (month plus 20 or 40): date of birth, order, 97 less the remainder by 97 of the first
/// nine digits, with a 2 before them for births from 2000. Unknown month and day are 00.
///
/// Koninklijk besluit van 3 april 1984; Rijksregister, samenstelling van het
/// identificatienummer; Kruispuntbank van de Sociale Zekerheid (BIS).
pub(super) fn national_number(text: &str) -> bool {
    let Some(nn) = exactly::<11>(digits(text)) else { return false };
    let value = |range: std::ops::Range<usize>| number(nn[range].iter().copied());
    let (body, check) = (value(0..9), value(9..11));
    let (year, month, day) = (value(0..2), value(2..4), value(4..6));
    let month = match month {
        20..=32 => month - 20,
        40..=52 => month - 40,
        _ => month,
    };
    let unknown = day == 0 && month <= 12 || month == 0 && day <= 31;
    let serial = value(6..9);
    let is_of = |century: u64, body: u64| {
        check == 97 - body % 97 && (unknown || is_date(century + year, month, day))
    };
    (1..=998).contains(&serial) && (is_of(1900, body) || is_of(2000, 2_000_000_000 + body))
}

/// Number of an identity card: ten digits and their remainder by 97, 97 for none.
///
/// FPS Home Affairs, eID: card number; Koninklijk besluit van 25 maart 2003.
pub(super) fn id_card(text: &str) -> bool {
    let Some(card) = exactly::<12>(digits(text)) else { return false };
    let body = number(card[..10].iter().copied());
    let check = if body.is_multiple_of(97) { 97 } else { body % 97 };
    body != 0 && check == number(card[10..].iter().copied())
}

/// Structured reference of a transfer: ten digits and their remainder by 97, 97 for none.
///
/// Febelfin, Gestructureerde mededeling (OGM-VCS).
pub(super) fn payment_reference(text: &str) -> bool {
    id_card(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn national_register() {
        check(national_number, &["85073003328", "85.07.30-033.28", "17 07 30 033 84"]);
        reject(national_number, &["85073003327", "85133003328", "85073000028", "8507300332"]);
        // The check digits of the other century do not lend it a 29 February.
        assert_eq!(passing("000229001"), 1, "2000 was a leap year, 1900 was not");
        assert_eq!(passing("040229001"), 2);
        assert_eq!(passing("010229001"), 0);
        assert_eq!(passing("854712001"), 2, "BIS, month plus 40");
        assert_eq!(passing("850000001"), 2, "month and day unknown");
        assert_eq!(passing("851300001"), 0);
    }

    fn passing(body: &str) -> usize {
        (0..100).filter(|check| national_number(&format!("{body}{check:02}"))).count()
    }

    #[test]
    fn cards() {
        check(id_card, &["000-0011032-71", "591-1917064-58", "59119170 6458"]);
        reject(id_card, &["000-0011032-25", "000000000097", "5911917064"]);
    }

    #[test]
    fn payments() {
        check(payment_reference, &["+++010/8068/17183+++"]);
        reject(payment_reference, &["+++010/8068/17180+++", "010/8068/1718"]);
    }
}
