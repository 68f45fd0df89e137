//! Telephone numbers by numbering plan.
//!
//! Country codes, lengths, trunk and international prefixes and the ranges in use are those of
//! libphonenumber's metadata (`phone/plans.txt`), which follows ITU-T E.164 and the national plans
//! of ITU-T E.129. What people write around the digits follows ITU-T E.123 and DIN 5008.

use regex_automata::meta;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use std::sync::{LazyLock, OnceLock};

/// The number in E.164 form, `+` and digits, of a text in international form, or in the national
/// form of one of `countries` (ISO 3166-1 alpha-2), the first that has such a number.
///
/// Extensions, trunk prefixes and everything that is no digit are left out. `None` where no plan
/// has the number.
///
/// ITU-T E.164 (11/2010) § 6.2.
#[must_use]
pub fn e164(text: &str, countries: &[String]) -> Option<String> {
    let number = Number::read(text)?;
    let (plan, digits) = match number.abroad() {
        Some(digits) => subscriber(digits)?,
        None => plans_of(countries).find_map(|plan| {
            let (plan, digits, _) = plan.at_home(number.digits())?;
            Some((plan, digits))
        })?,
    };
    let digits = std::str::from_utf8(digits.as_slice()).expect("digits are ASCII");
    Some(format!("+{}{digits}", plan.code))
}

/// How much of the text is a number in international form (`+` or `00` before the country code)
/// that its plan has.
///
/// A trunk zero is skipped as `(0)` and forgiven without brackets (`+49 0711 ...`), since people
/// write it.
pub(super) fn international(text: &str, _countries: &[String]) -> Option<usize> {
    longest(text, |number| {
        !number.is_chemical() && number.abroad().is_some_and(|digits| subscriber(digits).is_some())
    })
}

/// The same for a number that its plan may not have, but whose country code is assigned and whose
/// length is possible: numbers are mistyped, and plans grow.
pub(super) fn possible(text: &str, _countries: &[String]) -> Option<usize> {
    longest(text, |number| {
        number.abroad().is_some_and(|digits| {
            let fits = |plan: &Plan, national: &[u8]| {
                // Area codes begin with 2 to 9; who writes +1 means it, so the rest may be any.
                plan.lengths >> national.len() & 1 == 1
                    && (plan.code != 1 || national.first().is_some_and(|digit| *digit >= b'2'))
                    && varied(national)
            };
            behind_code(digits).any(|(plan, national)| {
                let trunk = national.strip_prefix(b"0").filter(|_| !plan.keeps_zero());
                fits(plan, trunk.unwrap_or(national))
            })
        }) && !number.is_amount()
    })
}

/// How much of the text is a number in the national form of one of the countries, its trunk prefix
/// written wherever the plan asks for one.
pub(super) fn at_home(text: &str, countries: &[String]) -> Option<usize> {
    longest(text, |number| is_at_home(number, countries, |trunk| trunk != Trunk::Missing))
}

/// The same with a trunk prefix, needed or not.
pub(super) fn with_trunk(text: &str, countries: &[String]) -> Option<usize> {
    longest(text, |number| is_at_home(number, countries, |trunk| trunk == Trunk::Written))
}

/// The same with or without it.
pub(super) fn subscriber_number(text: &str, countries: &[String]) -> Option<usize> {
    longest(text, |number| is_at_home(number, countries, |_| true))
}

fn is_at_home(number: &Number<'_>, countries: &[String], fits: impl Fn(Trunk) -> bool) -> bool {
    let mut plans = plans_of(countries);
    !number.plus()
        && plans.any(|plan| plan.at_home(number.digits()).is_some_and(|(_, _, trunk)| fits(trunk)))
        && !number.begins_with_a_date()
}

/// How much of the text, a number in national form that begins with the trunk zero, is shaped as
/// national plans shape them: nine to twelve digits, and no date, heading or ISBN-10.
///
/// Covers AT, AU, BE, CH, DE, FR, GB, IT, JP, NL, PH, TR and plans like them.
pub(super) fn national(text: &str, _countries: &[String]) -> Option<usize> {
    longest(text, |number| {
        let (digits, groups) = (number.digits(), number.group_lengths());
        if !matches!(digits, [b'0', second, ..] if *second != b'0') {
            return false;
        }
        let count = digits.len();
        let isbn = matches!(groups.as_slice(), [1, _, _, 1]) && isbn10(digits);
        let fits = match groups.first() {
            Some(1) => (9..=11).contains(&count) && groups.len() >= 3,
            Some(2) => (9..=11).contains(&count),
            _ => (9..=12).contains(&count),
        };
        let other = number.looks_like_a_date()
            || number.is_outline()
            || number.is_chemical()
            || number.is_amount();
        fits && !other && !isbn && varied(digits)
    })
}

/// Whether the text is a number of the North American Numbering Plan without its country code,
/// or with a leading 1: neither area nor exchange begins with 0 or 1 or is a service code (N11).
///
/// NANPA, 47 CFR § 52.7; ATIS-0300119 § 3.
pub(super) fn nanp(text: &str) -> bool {
    Number::read(text).is_some_and(|number| {
        let national = match number.digits() {
            [b'1', rest @ ..] if rest.len() == 10 => rest,
            all => all,
        };
        nanp_digits(national) && varied(national)
    })
}

/// Whether the text could be a local or national number that begins with no trunk digit: 7 to 13
/// digits, no date, decimal, address of a computer or number of US social security. For use next to
/// a word that says so.
pub(super) fn loose(text: &str) -> bool {
    let decimal = text.contains('.') && text.parse::<f64>().is_ok();
    Number::read(text).is_some_and(|number| {
        !decimal
            && (7..=13).contains(&number.n_digits)
            && varied(number.digits())
            && number.group_lengths() != [3, 2, 4]
            && !super::calendar::date(text)
            && !super::device::ipv4(text)
    })
}

fn nanp_digits(national: &[u8]) -> bool {
    let [a, b, c, d, e, f, _, _, _, _] = *national else { return false };
    a >= b'2' && d >= b'2' && (b, c) != (b'1', b'1') && (e, f) != (b'1', b'1')
}

/// Three different digits at least: forms are filled with fewer.
fn varied(digits: &[u8]) -> bool {
    (b'0'..=b'9').filter(|digit| digits.contains(digit)).count() >= 3
}

/// ISO 2108:2005, annex: weights 10 to 2, modulus 11 (a last X is not written in digits).
fn isbn10(digits: &[u8]) -> bool {
    let weights = (1..=10u32).rev();
    let sum: u32 =
        digits.iter().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    digits.len() == 10 && sum.is_multiple_of(11)
}

/// The longest beginning of the text, cut between groups of digits, that is a number; all of the
/// text where all digits are, with the extension.
fn longest(text: &str, mut is_number: impl FnMut(&Number<'_>) -> bool) -> Option<usize> {
    let mut number = Number::read(text)?;
    if is_number(&number) {
        return Some(text.len());
    }
    while let Some(end) = number.drop_group() {
        if is_number(&number) {
            return Some(end);
        }
    }
    None
}

/// The plan that has an international number, and what stands behind the country code.
fn subscriber(digits: &[u8]) -> Option<(&'static Plan, Digits)> {
    behind_code(digits).find_map(|(plan, national)| {
        let forgiven = national.strip_prefix(b"0").filter(|_| !plan.keeps_zero());
        [Some(national), forgiven]
            .into_iter()
            .flatten()
            .find(|national| plan.has(national))
            .and_then(|national| Some((plan, Digits::new(&[national])?)))
    })
}

/// Plans of the country code that international digits begin with, and what follows it.
fn behind_code(digits: &[u8]) -> impl Iterator<Item = (&'static Plan, &[u8])> {
    // No country code is the beginning of another (E.164 § 6.2.1), so at most one length fits.
    (1..=3).filter_map(|length| digits.split_at_checked(length)).flat_map(|(code, national)| {
        let code = code.iter().fold(0u16, |code, digit| code * 10 + u16::from(digit - b'0'));
        PLANS.of_code(code).iter().map(move |plan| (plan, national))
    })
}

fn plans_of(countries: &[String]) -> impl Iterator<Item = &'static Plan> {
    countries.iter().filter_map(|country| PLANS.of_region(country))
}

/// How a number in national form is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trunk {
    /// With a prefix that is dialled inside the country, or that leads out of it.
    Written,
    /// Without, and the plan has none or does not ask for it.
    NotNeeded,
    /// Without, where the plan asks for it.
    Missing,
}

/// The numbering plan of a region.
#[derive(Debug)]
struct Plan {
    region: &'static str,
    code: u16,
    /// A bit for each length of a number behind the country code.
    lengths: u32,
    /// Trunk prefix, and whether it has to be dialled.
    trunk: Option<&'static str>,
    trunk_needed: bool,
    /// Prefix that leads out of the country.
    outward: &'static str,
    /// What stands in front of a number inside the country.
    prefix: &'static str,
    /// What that becomes.
    becomes: Option<&'static str>,
    /// Numbers in use.
    numbers: &'static str,
    compiled: OnceLock<Compiled>,
}

/// Regular expressions of a plan.
#[derive(Debug)]
struct Compiled {
    numbers: meta::Regex,
    prefix: Option<meta::Regex>,
    outward: Option<meta::Regex>,
}

impl Plan {
    fn parse(line: &'static str) -> Option<Plan> {
        let mut parts = line.split(' ');
        let mut next = || parts.next().map(|part| if part == "-" { "" } else { part });
        let (region, code, lengths, trunk, outward, prefix, becomes, numbers) =
            (next()?, next()?, next()?, next()?, next()?, next()?, next()?, next()?);
        let lengths = lengths.split(',').try_fold(0u32, |all, length| {
            Some(all | 1 << length.parse::<u32>().ok().filter(|length| *length < 32)?)
        })?;
        let given = |part: &'static str| (!part.is_empty()).then_some(part);
        let (trunk, trunk_needed) = match trunk.strip_suffix('!') {
            Some(trunk) => (given(trunk), true),
            None => (given(trunk), false),
        };
        Some(Plan {
            region,
            code: code.parse().ok()?,
            lengths,
            trunk,
            trunk_needed,
            outward,
            prefix,
            becomes: given(becomes),
            numbers,
            compiled: OnceLock::new(),
        })
    }

    /// Whether numbers behind the country code may begin with 0 (closed plans that kept it).
    fn keeps_zero(&self) -> bool {
        self.trunk != Some("0")
    }

    /// Whether the plan has a number of these digits.
    fn has(&self, national: &[u8]) -> bool {
        let input = Input::new(national).anchored(Anchored::Yes);
        self.lengths.checked_shr(u32::try_from(national.len()).unwrap_or(32)).unwrap_or(0) & 1 == 1
            && self.compiled().numbers.is_match(input)
    }

    /// Plan, digits behind the country code and spelling of a number in national form.
    fn at_home(&'static self, digits: &[u8]) -> Option<(&'static Plan, Digits, Trunk)> {
        let Compiled { prefix, outward, .. } = self.compiled();
        let start = |regex: &Option<meta::Regex>| {
            let input = Input::new(digits).anchored(Anchored::Yes);
            regex.as_ref().and_then(|regex| regex.find(input)).map(|found| found.end())
        };
        if let Some((plan, digits)) = start(outward).and_then(|end| subscriber(digits.get(end..)?))
        {
            return Some((plan, digits, Trunk::Written));
        }
        if let Some(rest) = self.without_prefix(prefix.as_ref(), digits)
            && self.has(rest.as_slice())
        {
            return Some((self, rest, Trunk::Written));
        }
        let trunk = if self.trunk_needed { Trunk::Missing } else { Trunk::NotNeeded };
        if self.has(digits) {
            return Some((self, Digits::new(&[digits])?, trunk));
        }
        // The country code without a plus.
        let code = self.code.to_string();
        let rest = digits.strip_prefix(code.as_bytes()).filter(|rest| self.has(rest))?;
        Some((self, Digits::new(&[rest])?, trunk))
    }

    /// The digits behind the national prefix, with what the prefix becomes in front of them.
    fn without_prefix(&self, prefix: Option<&meta::Regex>, digits: &[u8]) -> Option<Digits> {
        let prefix = prefix?;
        let mut captures = prefix.create_captures();
        prefix.captures(Input::new(digits).anchored(Anchored::Yes), &mut captures);
        let whole = captures.get_match()?;
        let rest = digits.get(whole.end()..)?;
        if whole.is_empty() {
            return None;
        }
        match self.becomes.and_then(|becomes| becomes.split_once('$')) {
            // `9$1` and `$2`: the last group, if it took part.
            Some((before, group)) => {
                match group.parse().ok().and_then(|group| captures.get_group(group)) {
                    Some(group) => {
                        Digits::new(&[before.as_bytes(), digits.get(group.range())?, rest])
                    }
                    None => Digits::new(&[rest]),
                }
            }
            None => Digits::new(&[rest]),
        }
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            let prefix = if self.prefix.is_empty() { self.trunk } else { Some(self.prefix) };
            let outward = (!self.outward.is_empty()).then_some(self.outward);
            Compiled {
                numbers: compile(&format!("(?:{})$", self.numbers)),
                prefix: prefix.map(compile),
                outward: outward.map(compile),
            }
        })
    }
}

fn compile(regex: &str) -> meta::Regex {
    meta::Regex::builder()
        .configure(meta::Config::new().utf8_empty(false).dfa(false).auto_prefilter(false))
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .build(regex)
        .expect("a test compiles all plans")
}

/// All plans.
#[derive(Debug)]
struct Plans {
    /// Sorted by country code.
    all: Vec<Plan>,
    /// Index of the plan of each region, sorted by region.
    regions: Vec<(&'static str, usize)>,
}

static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    let lines = include_str!("phone/plans.txt").lines().filter(|line| !line.starts_with('#'));
    let all: Vec<Plan> = lines.filter_map(Plan::parse).collect();
    let mut regions: Vec<_> =
        all.iter().enumerate().map(|(index, plan)| (plan.region, index)).collect();
    regions.sort_unstable();
    Plans { all, regions }
});

impl Plans {
    fn of_code(&self, code: u16) -> &[Plan] {
        let first = self.all.partition_point(|plan| plan.code < code);
        let after = self.all.partition_point(|plan| plan.code <= code);
        &self.all[first..after]
    }

    fn of_region(&self, region: &str) -> Option<&Plan> {
        let found = self.regions.binary_search_by(|(known, _)| (*known).cmp(region)).ok()?;
        Some(&self.all[self.regions[found].1])
    }
}

/// A few digits, in ASCII.
#[derive(Clone, Copy, Debug)]
struct Digits {
    digits: [u8; DIGITS_MAX],
    length: usize,
}

impl Digits {
    /// The parts one after the other; `None` where they are too many.
    fn new(parts: &[&[u8]]) -> Option<Digits> {
        let mut all = Digits { digits: [0; DIGITS_MAX], length: 0 };
        for part in parts {
            let end = all.length + part.len();
            all.digits.get_mut(all.length..end)?.copy_from_slice(part);
            all.length = end;
        }
        Some(all)
    }

    fn as_slice(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

/// Digits of a text, in ASCII, and where the runs that they stand in end.
struct Number<'a> {
    text: &'a str,
    digits: [u8; DIGITS_MAX],
    n_digits: usize,
    /// Digits up to the end of each run, and the byte behind it.
    groups: [(usize, usize); GROUPS_MAX],
    n_groups: usize,
    /// `(0)` stands behind the first run.
    zero_behind_first: bool,
}

impl<'a> Number<'a> {
    /// `None` where there are more digits or runs than any number has.
    fn read(text: &'a str) -> Option<Number<'a>> {
        // An extension is dialled after the call is answered.
        let subscriber = text.split(['x', 'e', 'X', 'E', '#', ',']).next().unwrap_or_default();
        let subscriber = subscriber.split(" ~").next().unwrap_or_default();
        let mut number = Number {
            text: subscriber,
            digits: [0; DIGITS_MAX],
            n_digits: 0,
            groups: [(0, 0); GROUPS_MAX],
            n_groups: 0,
            zero_behind_first: false,
        };
        let bytes = subscriber.as_bytes();
        let mut inside = false;
        for (place, byte) in bytes.iter().enumerate() {
            // `(0)` is the trunk zero, dialled only at home.
            let trunk = *byte == b'0'
                && number.n_digits > 0
                && bytes.get(place + 1) == Some(&b')')
                && place.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'(');
            if !byte.is_ascii_digit() || trunk {
                number.zero_behind_first |= trunk && number.n_groups == 1;
                inside = false;
                continue;
            }
            *number.digits.get_mut(number.n_digits)? = *byte;
            number.n_digits += 1;
            number.n_groups += usize::from(!inside);
            *number.groups.get_mut(number.n_groups - 1)? = (number.n_digits, place + 1);
            inside = true;
        }
        Some(number)
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.n_digits]
    }

    /// The digits from the country code on, where the number is in international form: `+49`, `0049`
    /// or, with the plus left out, `49 (0)`.
    fn abroad(&self) -> Option<&[u8]> {
        if self.plus() || self.zero_behind_first {
            return Some(self.digits());
        }
        self.digits().strip_prefix(b"00")
    }

    fn plus(&self) -> bool {
        self.text.trim_start_matches(['(', ' ']).starts_with('+')
    }

    fn group_lengths(&self) -> Vec<usize> {
        let ends = self.groups[..self.n_groups].iter().map(|(digits, _)| *digits);
        let mut before = 0;
        ends.map(|end| end - std::mem::replace(&mut before, end)).collect()
    }

    /// Day, month and year, or month and year, by their lengths alone.
    fn looks_like_a_date(&self) -> bool {
        let groups = self.group_lengths();
        let year = || matches!(self.digits().get(4..6), Some(b"19" | b"20"));
        (groups.starts_with(&[2, 2, 4]) && year()) || groups == [2, 2, 2] || groups == [2, 4]
    }

    /// Whether it is grouped in thousands, by spaces: `+64 195 956`, more than the year before, or
    /// the end of `1 079 587 631`.
    fn is_amount(&self) -> bool {
        let groups = self.group_lengths();
        groups.len() > 1
            && groups.first().is_some_and(|group| *group <= 3)
            && groups.iter().skip(1).all(|group| *group == 3)
            && self.text.chars().all(|c| matches!(c, '+' | ' ' | '\u{a0}' | '0'..='9'))
    }

    /// Whether it is the registry number of a chemical filled up with zeros: `0068227-78-1`.
    fn is_chemical(&self) -> bool {
        matches!(self.group_lengths().as_slice(), [_, 2, 1])
    }

    /// Whether it counts headings: `05.02.10.01.01`.
    fn is_outline(&self) -> bool {
        let small = |pair: &[u8]| pair <= b"31".as_slice();
        self.group_lengths().iter().all(|group| *group == 2)
            && self.text.contains('.')
            && self.digits().chunks(2).all(small)
    }

    /// Whether it is a date written with points, slashes or hyphens, or such a date and more, or
    /// year, month and day in one and more: `20120102 08`, at eight o'clock.
    fn begins_with_a_date(&self) -> bool {
        let end = |group: usize| self.groups[..self.n_groups].get(group).map(|(_, end)| *end);
        let is_date = |text: &str| !text.contains(' ') && super::calendar::date(text);
        let compact = self.n_groups > 1
            && self.groups[0].0 == 8
            && matches!(self.digits(), [b'1', b'9', ..] | [b'2', b'0', ..])
            && matches!(self.digits().get(4..6), Some([b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2']))
            && matches!(self.digits().get(6..8), Some([b'0'..=b'2', _] | [b'3', b'0' | b'1']));
        compact
            || [end(2), end(self.n_groups.saturating_sub(1))]
                .into_iter()
                .flatten()
                .any(|end| self.text.get(..end).is_some_and(is_date))
    }

    /// Drops the last run; the byte behind the one before it. `None` where there is no other.
    fn drop_group(&mut self) -> Option<usize> {
        self.n_groups = self.n_groups.checked_sub(1)?;
        let (n_digits, end) = *self.groups.get(self.n_groups.checked_sub(1)?)?;
        self.n_digits = n_digits;
        Some(end)
    }
}

/// Fifteen digits (E.164 § 6.2.1), prefixes, and a number that follows.
const DIGITS_MAX: usize = 32;
const GROUPS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(measure: fn(&str, &[String]) -> Option<usize>, text: &str) -> bool {
        measure(text, &[]) == Some(text.len())
    }

    fn countries(codes: &str) -> Vec<String> {
        codes.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn international_numbers() {
        for text in [
            "+49 40 69000123",
            "+49 (0) 40 69000-123",
            "+49 0711 2842222",
            "+49 (611) 949-2077",
            "0049 30 1234567",
            "(0031)6-24118820",
            "+32 (0)475 88 20 41",
            "+1 415 555 0132",
            "+39 06 678 4343",
            "+44 (20) 7123 4567",
            "+4915254599371",
            "+86 138 0013 8000",
            "+ 972 2 991 3382",
            "+44 2034567890 X456",
            "+800 1234 5678",
        ] {
            assert!(whole(international, text), "{text}");
        }
        for text in [
            "+0 123 456 789",
            "+999 123 456 789",
            "+1 015 555 0132",
            "+1 415 555 013",
            "+1-903-140-4508x769",
            "+33 1 42 68 53",
            "+49 123",
            "+49 1234567890123456",
            "+44 0000 000000",
            "49 40 69000123",
            "0068227-78-1",
            "+",
            "00",
        ] {
            assert!(!whole(international, text), "{text}");
        }
    }

    #[test]
    fn numbers_that_no_plan_has_may_be_possible() {
        for text in ["+1-903-140-4508x769", "+49 40 69000123", "+33 9 99 99 99 12", "64(0)64123456"]
        {
            assert!(whole(possible, text), "{text}");
        }
        for text in [
            "+1 015 555 0132",
            "+1 415 555 013",
            "+44 0000 000000",
            "+999 123 456 789",
            "+2 789 429",
        ] {
            assert!(!whole(possible, text), "{text}");
        }
    }

    #[test]
    fn a_number_ends_where_its_plan_says() {
        for (text, number) in [
            ("+33 1 42 68 53 00 12", "+33 1 42 68 53 00"),
            ("+33142685300 12 5", "+33142685300"),
            ("+1 415 555 0132 9", "+1 415 555 0132"),
        ] {
            assert_eq!(international(text, &[]), Some(number.len()), "{text}");
        }
        assert_eq!(at_home("01 42 68 53 00 75008", &countries("FR")), Some(14));
    }

    #[test]
    fn numbers_at_home() {
        for (text, country) in [
            ("030 1234567", "DE"),
            ("(030) 1234567", "DE"),
            ("01 42 68 53 00", "FR"),
            ("612 34 56 78", "ES"),
            ("020 7946 0123", "GB"),
            ("(11) 96123-4567", "BR"),
            ("011 15-2345-6789", "AR"),
            ("(415) 666-7777", "US"),
            ("1 415 666 7777", "US"),
            ("06 12345678", "NL"),
            ("0~01-650-333-6000", "PL"),
            ("00 1 650 333 6000", "PL"),
            ("019 1-650-333-6000", "SG"),
        ] {
            assert_eq!(at_home(text, &countries(country)), Some(text.len()), "{text}");
            assert_eq!(at_home(text, &[]), None, "{text}");
        }
        for (text, country) in [
            ("30 1234567", "DE"),
            ("(20) 3346 1234", "GB"),
            ("12.34", "DE"),
            ("11.06.2024", "DE"),
            ("20120102 08", "US"),
            ("2024-06-11", "US"),
            ("+49 30 1234567", "DE"),
            ("030 1234567", "XX"),
        ] {
            assert_eq!(at_home(text, &countries(country)), None, "{text}");
        }
        let subscriber = |text: &str| subscriber_number(text, &countries("DE FR"));
        assert_eq!(subscriber("30 1234567"), Some(10));
        assert_eq!(with_trunk("30 1234567", &countries("DE")), None);
    }

    #[test]
    fn joined_form() {
        let of = |text: &str, country: &str| e164(text, &countries(country));
        for (text, country, expected) in [
            ("+49 (0) 40 69000-123", "FR", "+494069000123"),
            ("0049 40 69000123", "FR", "+494069000123"),
            ("040 69000-123", "DE", "+494069000123"),
            ("040/69000123 ext. 7", "DE", "+494069000123"),
            ("02 3661 8300", "IT", "+390236618300"),
            ("(415) 666-7777", "CA US", "+14156667777"),
            ("011 15-2345-6789", "AR", "+5491123456789"),
            ("00 1 650 333 6000", "PL", "+16503336000"),
        ] {
            assert_eq!(of(text, country).as_deref(), Some(expected), "{text}");
        }
        for text in ["040 69000-123", "+49 1", "", "number"] {
            assert_eq!(of(text, "XX"), None, "{text}");
        }
    }

    #[test]
    fn national_numbers() {
        for text in [
            "0371.45 880 12",
            "0511 762 44 71 8",
            "0172 / 992 59 11",
            "(0203) 47 10 884",
            "0355 / 47 11 08-0",
            "0174/9464 308",
            "0 85 72 / 9 10 44",
            "01 42 68 53 00",
            "06-12345678",
            "06 2871 9930",
            "03 288 17 44",
            "020 7946 0123",
            "07700 900 284",
            "0151-2345678",
            "0532 123 45 67",
        ] {
            assert!(whole(national, text), "{text}");
        }
        for text in [
            "01.11.2022",
            "01.11.22",
            "09-03-2024",
            "0-306-40615-2",
            "0123 45",
            "0000 000000",
            "0111 1111111",
            "00 12 34 56 78",
            "1234 567890",
            "0123 4567 8901 2345",
            "0207 26 80",
            "05.02.10.01.01",
            "0938065-79-3",
            "079 587 631",
        ] {
            assert!(!whole(national, text), "{text}");
        }
    }

    #[test]
    fn north_american_numbers() {
        for text in [
            "(212) 555-0123",
            "504-621-8927",
            "1-800-555-0199",
            "212.555.0123",
            "504-621-8927 x12",
            "(212) 555-0123 ext. 4",
        ] {
            assert!(nanp(text), "{text}");
        }
        for text in [
            "112-555-0123",
            "212-155-0123",
            "911-555-0123",
            "212-911-0123",
            "222-222-2222",
            "555-0123",
        ] {
            assert!(!nanp(text), "{text}");
        }
    }

    #[test]
    fn numbers_without_a_trunk_digit() {
        for text in ["612 34 56 78", "91 123 45 67", "555-0123", "22 123 45 67"] {
            assert!(loose(text), "{text}");
        }
        for text in [
            "2024-06-11",
            "11.06.2024",
            "192.0.2.41",
            "555-012",
            "111-1111",
            "1234 5678 9012 34",
            "123-45-6789",
            "0.2492680",
        ] {
            assert!(!loose(text), "{text}");
        }
    }

    #[test]
    fn plans_are_read_and_sorted() {
        let lines = include_str!("phone/plans.txt").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(PLANS.all.len(), lines.count());
        assert!(PLANS.all.is_sorted_by_key(|plan| plan.code));
        for plan in &PLANS.all {
            plan.compiled();
            assert!(plan.lengths > 0, "{}", plan.region);
            for shorter in [plan.code / 10, plan.code / 100] {
                assert!(PLANS.of_code(shorter).is_empty(), "{}", plan.code);
            }
        }
    }

    proptest! {
        #[test]
        fn separators_do_not_matter(number in 1_000_000u64..999_999_999, gap in "[ ./-]") {
            let plain = format!("+4930{number}");
            let spaced = format!("+49{gap}30{gap}{number}");
            prop_assert_eq!(e164(&plain, &[]), e164(&spaced, &[]));
        }

        #[test]
        fn any_text_is_read(text in "[-+0-9 ()/.x]{0,60}") {
            for measure in [international, possible, national] {
                prop_assert!(measure(&text, &[]).is_none_or(|end| text.is_char_boundary(end)));
            }
            let _ = subscriber_number(&text, &countries("DE US AR"));
        }
    }
}
