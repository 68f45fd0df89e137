//! What one cell looks like, as counts can hold it.

use super::words::{Known, fold_word, is_month};

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

    /// Adds 1 to the count of each trait it has.
    pub(super) fn count_into(self, counts: &mut [u64; Trait::COUNT]) {
        let mut left = self.traits;
        while left != 0 {
            counts[left.trailing_zeros() as usize] += 1;
            left &= left - 1;
        }
    }

    fn set(&mut self, which: Trait, holds: bool) {
        self.traits |= u32::from(holds) << which as u32;
    }

    fn unset(&mut self, which: Trait) {
        self.traits &= !(1 << which as u32);
    }
}

/// Reads one cell. At most [`CELL_WORDS_READ`] of its words are looked up.
pub(super) fn read(cell: &str, folded: &mut String) -> Reading {
    let counts = Counts::of(cell);
    let mut reading = Reading { chars: counts.chars, ..Reading::default() };
    let text = cell.trim();
    let standing = if counts.words <= 1 { Known::whole(text, folded) } else { Known::default() };
    let marks_only = counts.letters + counts.digits == 0 && text.len() <= MARKS_BYTES_MAX;
    if text.is_empty() || marks_only || standing.placeholder() {
        return reading;
    }
    reading.words = counts.words;
    reading.set(Trait::Filled, true);
    reading.set(Trait::Truth, standing.truth());
    reading.set(Trait::Status, standing.status());
    reading.set(Trait::HasDigit, counts.digits > 0);
    reading.set(Trait::HasLetter, counts.letters > 0);
    reading.set(Trait::At, counts.at);
    if counts.digits > 0 {
        read_numbers(text, &counts, &mut reading);
        read_dates(text, folded, &mut reading);
    }
    if counts.letters > 0 {
        read_words(text, &counts, folded, &mut reading);
    }
    let single = !text.contains(char::is_whitespace);
    let all_capitals = counts.lower == 0 && counts.upper == counts.letters;
    let coded = counts.letters > 0 && (counts.digits > 0 || all_capitals);
    reading.set(Trait::Single, single);
    reading.set(Trait::Code, single && counts.other == 0 && coded);
    reading
}

fn read_numbers(text: &str, counts: &Counts, reading: &mut Reading) {
    // `+` begins a telephone number rather than a number.
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits_only = unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if digits_only {
        reading.set(Trait::Integer, true);
        reading.set(Trait::LeadingZero, unsigned.len() > 1 && text.starts_with('0'));
        reading.integer = text.parse().ok();
    } else if counts.letters == 0
        && let Some((whole, fraction)) = unsigned.split_once(['.', ','])
    {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        // `030.123456` is no number, `0.5`, `.5` and `12,50` are.
        let canonical = whole.len() < 2 || !whole.starts_with('0');
        reading.set(
            Trait::Fraction,
            !fraction.is_empty() && digits(fraction) && digits(whole) && canonical,
        );
    }
    let possible = (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&counts.digits)
        && counts.letters <= PHONE_LETTERS_MAX
        && !reading.has(Trait::Fraction)
        && text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '(');
    if !possible {
        return;
    }
    let body = without_extension(text);
    let phone = body.chars().all(|c| c.is_ascii_digit() || is_phone_punctuation(c))
        && body.chars().skip(1).all(|c| c != '+');
    reading.set(Trait::PhoneLike, phone);
    if phone && !digits_only {
        let groups = || text.split(|c: char| !c.is_ascii_digit()).map(str::len);
        reading.set(Trait::PhonePunctuated, true);
        reading.set(Trait::PhoneMarked, text.starts_with(['+', '(']) || groups().eq([3, 3, 4]));
    }
}

fn read_dates(text: &str, folded: &mut String, reading: &mut Reading) {
    let short = (DATE_BYTES_MIN..=DATE_BYTES_MAX).contains(&text.len());
    if !short || reading.has(Trait::Integer) || reading.has(Trait::Fraction) {
        return;
    }
    let Some(year) = date_of(text, folded) else { return };
    reading.set(Trait::Date, true);
    // A date is punctuated like a telephone number; its calendar says that it is none.
    for which in [Trait::PhoneLike, Trait::PhonePunctuated, Trait::PhoneMarked] {
        reading.unset(which);
    }
    reading.year = year;
}

fn read_words(text: &str, counts: &Counts, folded: &mut String, reading: &mut Reading) {
    reading.set(Trait::Lower, counts.upper == 0 && counts.lower > 0);
    let web = ["http://", "https://", "www."];
    let starts =
        |start: &&str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    reading.set(Trait::Web, web.iter().any(starts));

    let loose = counts.digits == 0
        && counts.other == 0
        && counts.words <= NAME_WORDS_MAX
        && !text.ends_with(['!', '?', ';', ':']);
    let addressed = (1..=ADDRESS_DIGITS_MAX).contains(&counts.digits)
        && counts.letters >= ADDRESS_LETTERS_MIN
        && counts.words <= ADDRESS_WORDS_MAX
        && !counts.at
        && !reading.has(Trait::Date);
    let (mut street, mut legal, mut given, mut surname) = (false, false, false, false);
    let (mut words, mut lower) = (0u64, 0u64);
    for word in words_of(text).take(CELL_WORDS_READ) {
        let mut particle = false;
        if loose || addressed {
            fold_word(word, folded);
            let known = Known::of(folded);
            particle = known.particle();
            street |= known.street();
            legal |= words > 0 && known.legal_form();
            given |= known.given_name();
            surname |= known.surname();
        }
        words += 1;
        lower += u64::from(word.starts_with(char::is_lowercase) && !particle);
    }
    reading.set(Trait::NameLoose, loose);
    reading.set(Trait::NameCased, loose && lower == 0);
    reading.set(Trait::NameFull, loose && (2..=4).contains(&counts.words));
    reading.set(Trait::GivenName, loose && given);
    reading.set(Trait::Surname, loose && surname);
    reading.set(Trait::LegalForm, legal);
    reading.set(Trait::StreetWord, street);
    reading.set(Trait::AddressLike, addressed && (counts.words >= 2 || street));
    reading.set(Trait::StreetNumber, addressed && street);
    reading.set(Trait::Prose, words >= PROSE_WORDS_MIN && lower * 2 >= words);
}

/// A telephone number without `x 12` or `ext. 12` at its end.
fn without_extension(text: &str) -> &str {
    let Some((number, extension)) =
        text.find(char::is_alphabetic).and_then(|at| text.split_at_checked(at))
    else {
        return text;
    };
    let digits = extension.trim_start_matches(|c: char| !c.is_ascii_digit());
    let word =
        extension.strip_suffix(digits).unwrap_or(extension).trim_end_matches([' ', '.', ':']);
    let known = ["x", "ext", "extension"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let short = digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if known && short { number.trim_end() } else { text }
}

/// Words of a text without surrounding punctuation.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '/' | '(' | ')' | '"' | '“' | '”' | '&')
    };
    text.split(between)
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

/// Character counts of a cell.
#[derive(Default)]
struct Counts {
    chars: u64,
    /// Runs of non-space that hold a letter or digit.
    words: u64,
    letters: u64,
    upper: u64,
    lower: u64,
    digits: u64,
    /// Neither letters, digits, white space nor punctuation of names.
    other: u64,
    /// Holds `@`.
    at: bool,
}

impl Counts {
    fn of(cell: &str) -> Counts {
        let mut counts = Counts::default();
        let mut in_word = false;
        for c in cell.chars() {
            counts.chars += 1;
            let mut alphanumeric = true;
            match c {
                'a'..='z' => counts.lower += 1,
                'A'..='Z' => counts.upper += 1,
                '0'..='9' => counts.digits += 1,
                ' ' | '\t' => {
                    in_word = false;
                    continue;
                }
                _ if c.is_whitespace() => {
                    in_word = false;
                    continue;
                }
                _ if !c.is_ascii() && c.is_alphabetic() => {
                    counts.upper += u64::from(c.is_uppercase());
                    counts.lower += u64::from(c.is_lowercase());
                    // Letters of scripts without case.
                    counts.letters += u64::from(!c.is_uppercase() && !c.is_lowercase());
                }
                _ if !c.is_ascii() && c.is_numeric() => counts.digits += 1,
                _ => {
                    alphanumeric = false;
                    counts.at |= c == '@';
                    counts.other += u64::from(!is_name_punctuation(c));
                }
            }
            counts.words += u64::from(alphanumeric && !in_word);
            in_word |= alphanumeric;
        }
        counts.letters += counts.upper + counts.lower;
        counts
    }
}

/// Punctuation of names, and combining marks, which names of many scripts hold between letters.
fn is_name_punctuation(c: char) -> bool {
    matches!(
        c,
        '\'' | '’'
            | '`'
            | '´'
            | '.'
            | '-'
            | '‐'
            | '–'
            | ','
            | '('
            | ')'
            | '"'
            | '“'
            | '”'
            | '&'
            | '·'
            | '/'
    ) || !c.is_ascii() && unicode_normalization::char::is_combining_mark(c)
}

fn is_phone_punctuation(c: char) -> bool {
    matches!(c, ' ' | '-' | '+' | '(' | ')' | '.' | '/' | '\u{a0}' | '\u{2011}')
}

/// Words of a cell that are looked at.
const CELL_WORDS_READ: usize = 32;
/// Cells of no letter and no digit that are that short stand for a missing value: `-`, `?`, `…`.
const MARKS_BYTES_MAX: usize = 3;
/// More words than any name of the sort `Last, Mr. First Middle (Née Other Name)`.
const NAME_WORDS_MAX: u64 = 10;
const ADDRESS_WORDS_MAX: u64 = 12;
const ADDRESS_DIGITS_MAX: u64 = 12;
const ADDRESS_LETTERS_MIN: u64 = 3;
const PROSE_WORDS_MIN: u64 = 6;
const PHONE_DIGITS_MIN: u64 = 6;
/// ITU-T E.164 allows 15.
const PHONE_DIGITS_MAX: u64 = 15;
/// Letters of `extension`.
const PHONE_LETTERS_MAX: u64 = 9;
/// `1.2.80` and `Wednesday, 12 September 1980T00:00:00.000+00:00`.
const DATE_BYTES_MIN: usize = 6;
const DATE_BYTES_MAX: usize = 48;
const YEAR_MIN: u16 = 1000;
const YEAR_MAX: u16 = 2999;

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
            assert_eq!(traits(cell).traits, 0, "{cell}");
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
                "+1 202 555 0100 ext. 7",
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
    fn long_cells_are_counted_in_full() {
        let cell = "word ".repeat(10 * CELL_WORDS_READ);
        let reading = traits(&cell);
        assert_eq!(reading.chars, u64::try_from(cell.len()).unwrap());
        assert_eq!(reading.words, u64::try_from(10 * CELL_WORDS_READ).unwrap());
        assert!(reading.has(Trait::Prose));
    }

    #[test]
    fn traits_are_counted_once_each() {
        let mut counts = [0; Trait::COUNT];
        traits("Ada Example").count_into(&mut counts);
        traits("12").count_into(&mut counts);
        assert_eq!(counts[Trait::Filled as usize], 2);
        assert_eq!(counts[Trait::Integer as usize], 1);
        assert_eq!(counts[Trait::NameFull as usize], 1);
        assert_eq!(counts[Trait::Web as usize], 0);
    }
}
