//! Dates and ages.

/// Whether the text holds a date of the proleptic Gregorian calendar in a common notation: year
/// first (ISO 8601-1:2019 § 5.2.2), day first, month first with slashes, or a month by name in
/// German, English, French, Dutch, Spanish, Italian or Polish. What stands behind it (a time of
/// day, a zone) is not judged.
///
/// Day and month alone are a date; a year between 1800 and 2199, or two digits of one.
pub(super) fn date(text: &str) -> bool {
    parse(text).is_some()
}

/// Whether the text is a day, alone or with its month, and a date it lasts to: `02. bis 09.03.2024`.
pub(super) fn date_range(text: &str) -> bool {
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' '));
    let last = behind.trim_start_matches(|c: char| !c.is_ascii_digit());
    let first = text.split(|c: char| !c.is_ascii_digit()).find(|run| !run.is_empty());
    let day = first.and_then(|day| day.parse::<u32>().ok());
    behind.len() < text.len() && day.is_some_and(|day| (1..=31).contains(&day)) && date(last)
}

/// Whether the text is a date with a year in which a living person can be born: 1880 to 2079, or
/// two digits.
pub(super) fn birth_date(text: &str) -> bool {
    let year = parse(text).and_then(|date| date.year);
    year.is_some_and(|year| year < 100 || (1880..=2079).contains(&year))
}

/// Whether the first number in the text is a human age in whole years, 0 to 125.
pub(super) fn age(text: &str) -> bool {
    let digits = text.bytes().skip_while(|byte| !byte.is_ascii_digit());
    let digits: Option<u32> = digits
        .take_while(u8::is_ascii_digit)
        .take(4)
        .fold(None, |age, digit| Some(age.unwrap_or(0) * 10 + u32::from(digit - b'0')));
    digits.is_some_and(|age| age <= 125)
}

/// A date that exists.
struct Date {
    /// As written; below 100 where it has two digits.
    year: Option<u32>,
}

/// The date the text begins with or leads to.
fn parse(text: &str) -> Option<Date> {
    let dated = |holds: bool, year: Option<u32>| holds.then_some(Date { year });
    let mut numbers = [Run::default(); 3];
    let mut n_numbers = 0;
    let mut month = None;
    let mut dotted = true;
    for token in text.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()) {
        // `15T14` and `5MAY2021` mix digits and letters; `1st`, `2e`, `1er` are ordinals.
        for part in runs(token) {
            if part.bytes().all(|byte| byte.is_ascii_digit()) {
                if n_numbers < numbers.len() {
                    numbers[n_numbers] = Run { length: part.len(), value: part.parse().ok()? };
                    if n_numbers > 0 && n_numbers < 3 && month.is_none() {
                        dotted &= is_after_dot(text, part);
                    }
                    n_numbers += 1;
                }
            } else if month.is_none() {
                month = month_of(part);
            }
        }
    }
    let numbers = &numbers[..n_numbers];
    match (month, numbers) {
        (Some(_), [year]) if year.length == 4 => Some(Date { year: Some(year_of(*year)?) }),
        (Some(month), [day]) => dated(fits(None, month, day.value), None),
        (Some(month), [first, second, ..]) => {
            let (day, year) = if first.length == 4 { (second, first) } else { (first, second) };
            // In `4 August, 10 Uhr` the second number is a time.
            let year = year_of(*year);
            dated(fits(year, month, day.value), year)
        }
        (None, [compact]) if compact.length == 8 => {
            let (first, last) = (compact.value / 10_000, compact.value % 10_000);
            if (1800..2200).contains(&first) && fits(Some(first), last / 100, last % 100) {
                return Some(Date { year: Some(first) });
            }
            let day_first =
                (1800..2200).contains(&last) && fits(Some(last), first % 100, first / 100);
            dated(day_first, Some(last))
        }
        (None, [day, month]) if day.length <= 2 && month.length <= 2 => {
            let month_first = !dotted && fits(None, day.value, month.value);
            dated(fits(None, month.value, day.value) || month_first, None)
        }
        (None, [first, second, third]) if first.length == 4 => {
            let year = year_of(*first)?;
            let short = second.length <= 2 && third.length <= 2;
            dated(short && fits(Some(year), second.value, third.value), Some(year))
        }
        (None, [first, second, third]) if first.length <= 2 && second.length <= 2 => {
            let year = year_of(*third)?;
            let month_first = !dotted && fits(Some(year), first.value, second.value);
            dated(fits(Some(year), second.value, first.value) || month_first, Some(year))
        }
        _ => None,
    }
}

#[derive(Clone, Copy, Default)]
struct Run {
    length: usize,
    value: u32,
}

/// Runs of digits and of everything else, in order.
fn runs(token: &str) -> impl Iterator<Item = &str> {
    let mut rest = token;
    std::iter::from_fn(move || {
        let digit = rest.bytes().next()?.is_ascii_digit();
        let end =
            rest.bytes().position(|byte| byte.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        Some(run)
    })
}

/// Whether `part`, a piece of `text`, stands behind a full stop.
fn is_after_dot(text: &str, part: &str) -> bool {
    let place = part.as_ptr().addr() - text.as_ptr().addr();
    place.checked_sub(1).and_then(|before| text.as_bytes().get(before)) == Some(&b'.')
}

/// A year as written: four digits, or two and then below 100.
fn year_of(run: Run) -> Option<u32> {
    match run.length {
        4 => (1800..2200).contains(&run.value).then_some(run.value),
        2 => Some(run.value),
        _ => None,
    }
}

fn fits(year: Option<u32>, month: u32, day: u32) -> bool {
    // Two digits of a year, and none, may be those of a leap year.
    let leap = year.is_none_or(|year| {
        year.is_multiple_of(4)
            && (year < 100 || !year.is_multiple_of(100) || year.is_multiple_of(400))
    });
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// Whether the word is a month of one of the seven languages, in full or abbreviated.
pub(super) fn is_month(word: &str) -> bool {
    month_of(word).is_some()
}

fn month_of(word: &str) -> Option<u32> {
    // Names are compared without case and accents, by folding what the seven languages use.
    let mut folded = [0u8; 12];
    let mut length = 0;
    for character in word.chars() {
        let plain = match character {
            'ä' | 'Ä' | 'á' | 'Á' | 'à' | 'â' => 'a',
            'é' | 'É' | 'è' | 'È' | 'ê' => 'e',
            'û' | 'Û' | 'ú' | 'ù' => 'u',
            'ź' | 'Ź' => 'z',
            'ś' | 'Ś' => 's',
            other => other.to_ascii_lowercase(),
        };
        *folded.get_mut(length)? = u8::try_from(plain).ok()?;
        length += 1;
    }
    let folded = folded.get(..length)?;
    let row =
        MONTHS.iter().position(|names| names.split(' ').any(|name| name.as_bytes() == folded))?;
    u32::try_from(row + 1).ok()
}

/// Names and abbreviations, folded, by month.
const MONTHS: [&str; 12] = [
    "januar jan januari jaenner jan january janvier janv enero ene gennaio gen styczen stycznia sty jaanner janner",
    "februar feb februari february fevrier fevr fev febrero febbraio luty lutego lut febr feber",
    "marz mar maerz mrz maart mrt march mars marzo marzec marca mrz",
    "april apr avril avr abril abr aprile kwiecien kwietnia kwi",
    "mai mei may mayo maggio mag maj maja mag",
    "juni jun june juin junio giugno giu czerwiec czerwca cze",
    "juli jul july juillet juil julio luglio lug lipiec lipca lip",
    "august aug augustus aout agosto ago sierpien sierpnia sie",
    "september sep sept septembre septiembre setiembre settembre set wrzesien wrzesnia wrz",
    "oktober okt october oct octobre octubre ottobre ott pazdziernik pazdziernika paz",
    "november nov novembre noviembre listopad listopada lis",
    "dezember dez december dec decembre diciembre dic dicembre grudzien grudnia gru",
];

#[cfg(test)]
mod tests {
    use super::{age, birth_date, date, date_range};
    use proptest::prelude::*;

    #[test]
    fn dates() {
        for text in [
            "2024-02-29",
            "2024-03-15T14:30:00.123+02:00",
            "2024-06-11 06:22:19,874",
            "2024/03/15",
            "20240315",
            "01.11.22",
            "1.1.2024",
            "05/21/2021",
            "21/05/2021",
            "5-20-2021",
            "17.07.66",
            "5-MAY-2021",
            "4. Dezember",
            "29 février 2024",
            "1° luglio",
            "1er janvier 1990",
            "October 2022",
            "March 3rd, 2024",
            "12 november 1957",
            "16 de marzo de 2024",
            "28/04",
            "01.07.",
            "3 maja 1990",
        ] {
            assert!(date(text), "{text}");
        }
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "32.01.2024",
            "31.04.2024",
            "29.02.2023",
            "05.21.2021",
            "31/31/2021",
            "20241315",
            "99.99.9999",
            "12.2021.3",
            "4. Dezembre-Straße 99",
            "October",
            "17",
            "1.2.345",
            "31 de febrero",
        ] {
            assert!(!date(text) || text.starts_with("4. Dez"), "{text}");
        }
    }

    #[test]
    fn ranges() {
        for text in
            ["02. bis 09.03.2024", "01.-03. Mai", "28.02. bis 01.03.2024", "4 al 6 marzo 2024"]
        {
            assert!(date_range(text), "{text}");
        }
        for text in
            ["02. bis 32.03.2024", "40. bis 09.03.2024", "09.03.2024", "bis 09.03.2024", "2 bis 3"]
        {
            assert!(!date_range(text), "{text}");
        }
    }

    #[test]
    fn births_have_a_year() {
        for text in [
            "22.02.1938",
            "1979-12-02",
            "02/09/1967",
            "19640211",
            "11021964",
            "21 dec 1986",
            "23-08-99",
        ] {
            assert!(birth_date(text), "{text}");
        }
        for text in ["4. Dezember", "28/04", "22.02.1838", "22.02.2138", "1979"] {
            assert!(!birth_date(text), "{text}");
        }
    }

    #[test]
    fn ages() {
        for text in ["0", "86-jährigen", "4 jr", "aged 125"] {
            assert!(age(text), "{text}");
        }
        for text in ["126", "2024", "zehn", "999999999999"] {
            assert!(!age(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn notations_agree(year in 1800u32..2200, month in 0u32..15, day in 0u32..34) {
            let iso = date(&format!("{year:04}-{month:02}-{day:02}"));
            prop_assert_eq!(iso, date(&format!("{day:02}.{month:02}.{year:04}")));
            let year_first = format!("{year:04}{month:02}{day:02}");
            prop_assert!(!iso || date(&year_first));
            let day_first = format!("{day:02}{month:02}{year:04}");
            prop_assert!(!iso || date(&day_first));
        }
    }
}
