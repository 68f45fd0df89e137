//! What one cell looks like, as counts can hold it.

use super::words::{Known, fold_word, is_month, is_placeholder, is_status, is_truth};

/// Yes-or-no properties of a cell; a profile counts each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trait {
    /// Neither blank nor a placeholder (`n/a`, `-`). All that follow imply it.
    Filled,
    /// Digits, after `-` or nothing.
    Integer,
    /// Only digits, more than one, the first a zero.
    LeadingZero,
    /// A number with a decimal fraction.
    Fraction,
    /// `yes`, `false`, `t` ...
    Truth,
    /// At least one digit.
    HasDigit,
    /// At least one letter.
    HasLetter,
    /// Digits and the punctuation of telephone numbers, 6 to 15 digits.
    PhoneLike,
    /// [`Trait::PhoneLike`] with punctuation.
    PhonePunctuated,
    /// [`Trait::PhonePunctuated`] that begins with `+` or `(`, or is grouped by threes and a four.
    PhoneMarked,
    /// A calendar date with or without a time of day.
    Date,
    /// Letters and the punctuation of names, at most [`NAME_WORDS_MAX`] words.
    NameLoose,
    /// [`Trait::NameLoose`] with every word but particles capitalised (or in a script without case).
    NameCased,
    /// [`Trait::NameLoose`] of two to four words.
    NameFull,
    /// [`Trait::NameLoose`] with a common given name among its words.
    GivenName,
    /// [`Trait::NameLoose`] with a common surname among its words.
    Surname,
    /// Words and a house number, in any order.
    AddressLike,
    /// A word for a street.
    StreetWord,
    /// Both.
    StreetNumber,
    /// A word for a state of affairs: `active`, `pending`.
    Status,
    /// A company's legal form, after another word.
    LegalForm,
    /// No white space inside.
    Single,
    /// Has letters, none of them capital.
    Lower,
    /// Letters and digits without white space, or a single word of capitals.
    Code,
    /// Reads as prose: many words, most of them not capitalised.
    Prose,
    /// Holds `@`.
    At,
    /// Begins like a web address.
    Web,
}

impl Trait {
    pub(super) const COUNT: usize = Trait::Web as usize + 1;
}

/// A set of [`Trait`]s and the numbers read beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    traits: u32,
    /// Characters; blank cells have those of their white space.
    pub(super) chars: u64,
    /// Runs of non-space that hold a letter or digit.
    pub(super) words: u64,
    /// Value of a whole number of at most 38 digits.
    pub(super) integer: Option<i128>,
    /// Year of a date that states four digits of it.
    pub(super) year: Option<u16>,
}

impl Reading {
    pub(super) fn has(self, wanted: Trait) -> bool {
        self.traits & (1 << wanted as u32) != 0
    }

    /// Indexes of the traits it has, ascending.
    pub(super) fn indexes(self) -> impl Iterator<Item = usize> {
        (0..Trait::COUNT).filter(move |index| self.traits & (1 << index) != 0)
    }

    fn set(&mut self, which: Trait, holds: bool) {
        self.traits |= u32::from(holds) << which as u32;
    }
}

/// Reads one cell. Of longer ones only the first [`CELL_CHARS_READ`] characters count for traits.
pub(super) fn read(cell: &str, folded: &mut String) -> Reading {
    let mut reading = Reading { chars: count(cell.chars()), ..Reading::default() };
    let text = match cell.char_indices().nth(CELL_CHARS_READ) {
        Some((end, _)) => cell.get(..end).unwrap_or(cell),
        None => cell,
    }
    .trim();
    if text.is_empty() || is_placeholder(text) {
        return reading;
    }
    let letters = Letters::of(text);
    reading.set(Trait::Filled, true);
    reading.words =
        count(cell.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)));
    read_numbers(text, &letters, &mut reading);
    read_dates(text, folded, &mut reading);
    read_words(text, &letters, folded, &mut reading);
    reading
}

fn read_numbers(text: &str, letters: &Letters, reading: &mut Reading) {
    // `+` begins a telephone number rather than a number.
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits_only = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if digits_only {
        reading.set(Trait::Integer, true);
        reading.set(Trait::LeadingZero, unsigned.len() > 1 && text.starts_with('0'));
        reading.integer = text.parse().ok();
    } else if let Some((whole, fraction)) = unsigned.split_once(['.', ',']) {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        // `030.123456` is no number, `0.5`, `.5` and `12,50` are.
        let canonical = whole.len() < 2 || !whole.starts_with('0');
        reading.set(
            Trait::Fraction,
            !fraction.is_empty() && digits(fraction) && digits(whole) && canonical,
        );
    }
    reading.set(Trait::HasDigit, letters.digits > 0);
    let phone_digits = (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&letters.digits);
    let body = text
        .rsplit_once(['x', 'X'])
        .filter(|(_, extension)| {
            extension.len() <= 6 && extension.trim().bytes().all(|b| b.is_ascii_digit())
        })
        .map_or(text, |(number, _)| number.trim_end_matches(char::is_alphabetic));
    let phone = phone_digits
        && !reading.has(Trait::Fraction)
        && body.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '(')
        && body.chars().all(|c| c.is_ascii_digit() || " -+()./\u{a0}\u{2011}".contains(c))
        && body.chars().skip(1).filter(|&c| c == '+').count() == 0;
    reading.set(Trait::PhoneLike, phone);
    reading.set(Trait::PhonePunctuated, phone && !digits_only);
    let groups = || text.split(|c: char| !c.is_ascii_digit()).map(str::len);
    let marked = text.starts_with(['+', '(']) || groups().eq([3, 3, 4]);
    reading.set(Trait::PhoneMarked, phone && !digits_only && marked);
}

fn read_dates(text: &str, folded: &mut String, reading: &mut Reading) {
    let Some(year) = date_of(text, folded) else { return };
    reading.set(Trait::Date, true);
    // A date is punctuated like a telephone number; its calendar says that it is none.
    for which in [Trait::PhoneLike, Trait::PhonePunctuated, Trait::PhoneMarked] {
        reading.traits &= !(1 << which as u32);
    }
    reading.year = year;
}

fn read_words(text: &str, letters: &Letters, folded: &mut String, reading: &mut Reading) {
    let single = !text.contains(char::is_whitespace);
    let words = reading.words;
    reading.set(Trait::HasLetter, letters.letters > 0);
    reading.set(Trait::Truth, is_truth(text));
    reading.set(Trait::Status, single && is_status(text));
    reading.set(Trait::Single, single);
    reading.set(Trait::Lower, letters.letters > 0 && letters.upper == 0 && letters.lower > 0);
    reading.set(Trait::At, text.contains('@'));
    let web = ["http://", "https://", "www."];
    reading.set(
        Trait::Web,
        web.iter().any(|start| {
            text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
        }),
    );
    let all_capitals = letters.lower == 0 && letters.upper == letters.letters;
    reading.set(
        Trait::Code,
        single && letters.other == 0 && letters.letters > 0 && (letters.digits > 0 || all_capitals),
    );

    let (mut street, mut legal, mut given, mut surname, mut lower_words) =
        (false, false, false, false, 0u64);
    // Numbers and codes without a letter hold no word.
    let looked_at = if letters.letters == 0 { "" } else { text };
    for (position, word) in words_of(looked_at).enumerate() {
        fold_word(word, folded);
        let known = Known::of(folded);
        street |= known.street();
        legal |= position > 0 && known.legal_form();
        given |= known.given_name();
        surname |= known.surname();
        lower_words += u64::from(word.starts_with(char::is_lowercase) && !known.particle());
    }
    let loose = letters.letters > 0
        && letters.digits == 0
        && letters.other == 0
        && words <= NAME_WORDS_MAX
        && !text.ends_with(['!', '?', ';', ':']);
    let cased = lower_words == 0 && !text.starts_with(char::is_lowercase);
    reading.set(Trait::NameLoose, loose);
    reading.set(Trait::NameCased, loose && cased);
    reading.set(Trait::NameFull, loose && (2..=4).contains(&words));
    reading.set(Trait::GivenName, loose && given);
    reading.set(Trait::Surname, loose && surname);
    reading.set(Trait::LegalForm, legal);
    reading.set(Trait::StreetWord, street);
    reading.set(
        Trait::AddressLike,
        letters.digits > 0
            && letters.digits <= 12
            && letters.letters >= 3
            && !text.contains('@')
            && !reading.has(Trait::Date)
            && (words >= 2 || street)
            && words <= ADDRESS_WORDS_MAX,
    );
    reading.set(Trait::StreetNumber, street && reading.has(Trait::AddressLike));
    reading.set(Trait::Prose, words >= PROSE_WORDS_MIN && lower_words * 2 >= words);
}

/// Words of a text without surrounding punctuation.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || ",;/()\"“”&".contains(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

/// Year (where four digits state it), when `text` is a date that exists in some calendar order,
/// followed by nothing or a time of day.
fn date_of(text: &str, folded: &mut String) -> Option<Option<u16>> {
    let mut parts = [0u32; 3];
    let mut lengths = [0usize; 3];
    let mut named = None;
    let mut rest = text;
    let mut separator = None;
    for index in 0..3 {
        if index > 0 {
            let after = rest.trim_start_matches(|c: char| "-./, ".contains(c));
            let between = rest.strip_suffix(after)?;
            if between.is_empty() {
                return None;
            }
            let kind = between.chars().find(|c| !c.is_whitespace()).unwrap_or(' ');
            let first = *separator.get_or_insert(kind);
            if named.is_none() && !after.starts_with(char::is_alphabetic) && first != kind {
                return None;
            }
            rest = after;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            parts[index] = rest.get(..digits)?.parse().ok().filter(|_| digits <= 4)?;
            lengths[index] = digits;
            rest = rest.get(digits..)?;
        } else {
            let letters: usize =
                rest.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
            fold_word(rest.get(..letters)?, folded);
            if named.is_some() || !is_month(folded) {
                return None;
            }
            named = Some(index);
            parts[index] = 1;
            lengths[index] = 2;
            rest = rest.get(letters..)?;
        }
    }
    if named.is_none() && separator == Some(' ') {
        return None;
    }
    let time = rest.starts_with(['T', 't', ' ', ',']) && rest.contains(':');
    if !(rest.is_empty() || time) {
        return None;
    }
    let year_at = lengths.iter().position(|&length| length == 4);
    let [a, b, c] = parts;
    let day_and_month =
        |x: u32, y: u32| (1..=31).contains(&x) && (1..=31).contains(&y) && (x <= 12 || y <= 12);
    let exists = match year_at {
        Some(0) => day_and_month(b, c),
        Some(2) => day_and_month(a, b),
        Some(_) => false,
        None => {
            lengths.iter().all(|&length| length <= 2)
                && (day_and_month(a, b) || day_and_month(b, c))
        }
    };
    if !exists || lengths.contains(&3) {
        return None;
    }
    let year = match year_at {
        Some(at) => {
            let year = u16::try_from(parts[at]).ok()?;
            if !(YEAR_MIN..=YEAR_MAX).contains(&year) {
                return None;
            }
            Some(year)
        }
        None => None,
    };
    Some(year)
}

/// Character counts of a text.
struct Letters {
    letters: usize,
    upper: usize,
    lower: usize,
    digits: usize,
    /// Neither letters, digits, white space nor punctuation of names.
    other: usize,
}

impl Letters {
    fn of(text: &str) -> Letters {
        let mut counts = Letters { letters: 0, upper: 0, lower: 0, digits: 0, other: 0 };
        for c in text.chars() {
            if c.is_alphabetic() {
                counts.letters += 1;
                counts.upper += usize::from(c.is_uppercase());
                counts.lower += usize::from(c.is_lowercase());
            } else if c.is_numeric() {
                counts.digits += 1;
            } else if !(c.is_whitespace() || NAME_PUNCTUATION.contains(c) || is_mark(c)) {
                counts.other += 1;
            }
        }
        counts
    }
}

/// Combining marks, which names of many scripts hold between letters.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

/// Characters of a cell that decide its traits.
pub(super) const CELL_CHARS_READ: usize = 2048;
/// More words than any name of the sort `Last, Mr. First Middle (Née Other Name)`.
const NAME_WORDS_MAX: u64 = 10;
const ADDRESS_WORDS_MAX: u64 = 16;
const PROSE_WORDS_MIN: u64 = 6;
const PHONE_DIGITS_MIN: usize = 6;
/// ITU-T E.164 allows 15.
const PHONE_DIGITS_MAX: usize = 15;
const YEAR_MIN: u16 = 1000;
const YEAR_MAX: u16 = 2999;
const NAME_PUNCTUATION: &str = "'’`´.-‐–,()\"“”&·/";

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(cell: &str) -> Reading {
        read(cell, &mut String::new())
    }

    fn check(which: Trait, yes: &[&str], no: &[&str]) {
        for cell in yes {
            assert!(traits(cell).has(which), "{cell} should be {which:?}");
        }
        for cell in no {
            assert!(!traits(cell).has(which), "{cell} should not be {which:?}");
        }
    }

    #[test]
    fn blanks_and_placeholders_have_no_traits() {
        for cell in ["", "  ", "\t", "-", "n/a", "N/A", "NULL", "none", "NaN", "?", "unknown"] {
            assert_eq!(traits(cell).indexes().count(), 0, "{cell}");
        }
        check(Trait::Filled, &["0", "x", "no", "nan yang"], &["", "n/a"]);
    }

    #[test]
    fn numbers_are_told_from_codes() {
        check(Trait::Integer, &["0", "-12", "00049"], &["+7", "1.0", "1,5", "12-3", "a1", "1 2"]);
        check(
            Trait::Fraction,
            &["0.5", "12,50", "-.5", "1.25"],
            &["1", "1.2.3", "030.123456", "1."],
        );
        check(Trait::LeadingZero, &["01", "00171"], &["0", "10", "-01"]);
        assert_eq!(traits("-12").integer, Some(-12));
        assert_eq!(traits(&"9".repeat(60)).integer, None);
        check(Trait::Code, &["A1", "ALFKI", "X-99.1", "M000112"], &["Ada", "12", "A 1", "a@b"]);
    }

    #[test]
    fn phones_are_digits_and_their_punctuation() {
        check(
            Trait::PhoneLike,
            &[
                "+49 30 5550100",
                "(5) 555-4729",
                "030-0074321",
                "555-0100 x12",
                "0301234567",
                "01.23.45.67.89",
                "+1 202 555 0100 ext 7 x7",
            ],
            &[
                "12345",
                "1234567890123456",
                "2006-02-15",
                "2006-02-15 04:45:30",
                "3.1415926",
                "12 ++ 345678",
                "call 5550100",
                "-5550100",
            ],
        );
        check(
            Trait::PhoneMarked,
            &["(5) 555-4729", "202-555-0100"],
            &["030-0074321", "2025550100"],
        );
        check(Trait::PhonePunctuated, &["555-0100"], &["5550100", "14.02.1980"]);
    }

    #[test]
    fn dates_exist_and_say_their_year() {
        check(
            Trait::Date,
            &[
                "1980-02-14",
                "14.02.1980",
                "02/14/1980",
                "14.2.80",
                "1962-02-18T00:00:00",
                "14 Feb 1980",
                "February 14, 1980",
                "12. März 1975",
            ],
            &[
                "1980-13-14",
                "1980",
                "19800214",
                "1.2.3.4",
                "192.168.1",
                "14-02",
                "0000-00-00",
                "555-12-1234",
                "12 34 56",
                "14.02.1980 Berlin",
                "99.99.99",
            ],
        );
        assert_eq!(traits("14.02.1980").year, Some(1980));
        assert_eq!(traits("14.02.80").year, None);
    }

    #[test]
    fn names_are_letters_in_few_words() {
        check(
            Trait::NameCased,
            &[
                "Ada",
                "ADA EXAMPLE",
                "Example, Mrs. Ada Jane (Zoe Sample)",
                "van der Example",
                "Ada-Zoë O'Example",
                "李四",
                "Žofie",
            ],
            &["ada", "Ada 2", "Ada@x", "Ada likes long walks", "a_b", "Ada!"],
        );
        check(Trait::NameLoose, &["ada example"], &["x_y", "a=b"]);
        check(Trait::NameFull, &["Ada Example", "Ada B. C. Example"], &["Ada"]);
        check(Trait::GivenName, &["Maria Muster", "MÜLLER, Jürgen"], &["Qqq Zzz", "Maria 7"]);
        check(Trait::Surname, &["Müller", "SMITH"], &["Qqq"]);
    }

    #[test]
    fn addresses_have_words_and_a_number() {
        check(
            Trait::AddressLike,
            &[
                "12 Sample Road",
                "Musterstraße 5",
                "Obere Str. 57",
                "Mataderos  2312",
                "Av. Exemplo, 21",
            ],
            &["Sample Road", "12", "a12", "2006-02-15 04:45:30", "ada@x.example 12"],
        );
        check(
            Trait::StreetWord,
            &[
                "12 Sample Road",
                "Musterstraße 5",
                "rue de l'Exemple",
                "Exempelvägen 8",
                "Obere Str. 57",
            ],
            &["Ada Example", "Streeter", "12 34"],
        );
    }

    #[test]
    fn companies_prose_and_truth() {
        check(
            Trait::LegalForm,
            &["Sample GmbH", "Example S.A.", "Sample & Co"],
            &["SA", "Co", "Ada"],
        );
        check(
            Trait::Prose,
            &["the customer called again about the broken lamp"],
            &["Ada Maria Zoe Sample Example Test", "short text"],
        );
        check(
            Trait::Truth,
            &["yes", "FALSE", "t", "ja", "0"],
            &["yes, registered", "2", "ok then"],
        );
    }

    #[test]
    fn long_cells_are_read_to_a_limit_and_counted_in_full() {
        let cell = "word ".repeat(CELL_CHARS_READ);
        let reading = traits(&cell);
        assert_eq!(reading.chars, u64::try_from(cell.len()).unwrap());
        assert_eq!(reading.words, u64::try_from(CELL_CHARS_READ).unwrap());
        assert!(reading.has(Trait::Prose));
    }
}
