//! How a value is brought into one spelling before it is hashed.

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use zeroize::Zeroizing;

/// Normalisation before hashing. Version 1: what a profile does never changes, a further rule is
/// a new profile.
///
/// White space is what Unicode calls `White_Space`; upper case and case folding are the full
/// mappings, independent of any locale (`ß` becomes `SS` or `ss`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// NFKC, trim.
    Exact,
    /// NFKC, trim, full case folding, NFKC.
    Casefold,
    /// NFKC, trim, white space removed, upper case.
    Iban,
    /// NFKC, trim; of a telephone number `+` and digits, of anything else all. A `+`, or `00` in its
    /// place, stands in front; a dialling-code zero in brackets behind it is left out. What is
    /// written around digits: white space, `tel:`, and `( ) - . / – ‐ ‑`.
    ///
    /// Spells what is written in international form. The caller, who may know the country, turns
    /// national forms into it (ITU-T E.164).
    E164,
}

impl Profile {
    /// By its policy name: `exact`, `casefold`, `iban` or `e164`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Its policy name, which is also hashed with every value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Exact => "exact",
            Profile::Casefold => "casefold",
            Profile::Iban => "iban",
            Profile::E164 => "e164",
        }
    }

    /// All profiles, for messages and schemas.
    pub const ALL: [Profile; 4] = [Profile::Exact, Profile::Casefold, Profile::Iban, Profile::E164];

    /// The normalised value: a part of `value` where nothing changes, else written to `scratch`
    /// (whose content is lost).
    #[must_use]
    pub fn normalise<'a>(self, value: &'a str, scratch: &'a mut String) -> &'a str {
        scratch.clear();
        if value.is_ascii() { self.ascii(value, scratch) } else { self.unicode(value, scratch) }
    }

    /// ASCII is NFKC already, and its case mappings stay ASCII.
    fn ascii<'a>(self, value: &'a str, scratch: &'a mut String) -> &'a str {
        let value = value.trim();
        match self {
            Profile::Casefold if value.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                scratch.push_str(value);
                scratch.make_ascii_lowercase();
                scratch
            }
            Profile::Iban if value.bytes().any(|b| is_white(b) || b.is_ascii_lowercase()) => {
                let kept = value.bytes().filter(|&byte| !is_white(byte));
                scratch.extend(kept.map(|byte| char::from(byte.to_ascii_uppercase())));
                scratch
            }
            Profile::E164 if push_telephone(value, scratch) => scratch,
            _ => value,
        }
    }

    fn unicode<'a>(self, value: &'a str, scratch: &'a mut String) -> &'a str {
        if self == Profile::Exact {
            return nfkc_trimmed(value, scratch);
        }
        let mut first = Zeroizing::new(String::new());
        let value = nfkc_trimmed(value, &mut first);
        match self {
            Profile::Casefold => scratch.extend(value.chars().default_case_fold().nfkc()),
            Profile::E164 => {
                if !push_telephone(value, scratch) {
                    scratch.push_str(value);
                }
            }
            _ => {
                let kept = value.chars().filter(|char| !char.is_whitespace());
                scratch.extend(kept.flat_map(char::to_uppercase));
            }
        }
        scratch
    }
}

/// Appends the `+` and the digits of a telephone number; whether the value is one by its characters.
fn push_telephone(value: &str, out: &mut String) -> bool {
    let number = value.strip_prefix("tel:").unwrap_or(value).trim_start();
    let (is_abroad, number) = match number.strip_prefix('+').or_else(|| number.strip_prefix("00")) {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let around = |char: char| char.is_whitespace() || "()-./–‐‑".contains(char);
    let is_telephone = number.chars().any(|char| char.is_ascii_digit())
        && number.chars().all(|char| char.is_ascii_digit() || around(char));
    if !is_telephone {
        return false;
    }
    if is_abroad {
        out.push('+');
    }
    let (code, subscriber) = match number.split_once("(0)") {
        Some(parts) if is_abroad => parts,
        _ => (number, ""),
    };
    out.extend(code.chars().chain(subscriber.chars()).filter(char::is_ascii_digit));
    true
}

fn nfkc_trimmed<'a>(value: &'a str, buffer: &'a mut String) -> &'a str {
    if is_nfkc_quick(value.chars()) == IsNormalized::Yes {
        return value.trim();
    }
    buffer.extend(value.nfkc());
    buffer.trim()
}

/// `White_Space` within ASCII; `u8::is_ascii_whitespace` leaves out the vertical tab.
const fn is_white(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The contract, word by word and without any shortcut.
    fn slow(profile: Profile, value: &str) -> String {
        let nfkc: String = value.nfkc().collect();
        let trimmed = nfkc.trim();
        match profile {
            Profile::Exact => trimmed.into(),
            Profile::Casefold => caseless::default_case_fold_str(trimmed).nfkc().collect(),
            Profile::Iban => {
                let solid: String = trimmed.chars().filter(|char| !char.is_whitespace()).collect();
                solid.to_uppercase()
            }
            Profile::E164 => {
                let body = trimmed.strip_prefix("tel:").unwrap_or(trimmed).trim_start();
                let prefix = ["+", "00"].into_iter().find(|prefix| body.starts_with(prefix));
                let rest: String = body.chars().skip(prefix.map_or(0, str::len)).collect();
                let bare = |text: &str| -> String {
                    let around = |char: &char| char.is_whitespace() || "()-./–‐‑".contains(*char);
                    text.chars().filter(|char| !around(char)).collect()
                };
                let digits = bare(&rest);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return trimmed.into();
                }
                match prefix {
                    Some(_) => format!("+{}", bare(&rest.replacen("(0)", "", 1))),
                    None => digits,
                }
            }
        }
    }

    fn check(profile: Profile, value: &str, expected: &str) {
        let mut scratch = "left over".into();
        assert_eq!(profile.normalise(value, &mut scratch), expected, "{profile:?}");
        assert_eq!(slow(profile, value), expected, "{profile:?} by the slow path");
    }

    #[test]
    fn exact_keeps_case_and_inner_space() {
        check(Profile::Exact, "  Zoe  Invented\t", "Zoe  Invented");
        check(Profile::Exact, "\u{b}Zoe\u{b}", "Zoe");
        check(Profile::Exact, "00123", "00123");
        check(Profile::Exact, "", "");
        check(Profile::Exact, " \u{3000}\u{a0} ", "");
        check(Profile::Exact, "\u{a0}Zoë\u{2003}", "Zoë");
        check(Profile::Exact, "Zoe\u{308}", "Zoë");
        check(Profile::Exact, "\u{fb01}le ①", "file 1");
        check(Profile::Exact, "ＡＢＣ１２３", "ABC123");
        // Controls and zero-width characters are not white space: another profile may strip them.
        check(Profile::Exact, "\u{1f}a\u{200b}", "\u{1f}a\u{200b}");
        check(Profile::Exact, "\u{0}", "\u{0}");
    }

    #[test]
    fn casefold_is_full_folding() {
        check(Profile::Casefold, "Straße", "strasse");
        check(Profile::Casefold, "STRASSE", "strasse");
        check(Profile::Casefold, "STRA\u{1e9e}E", "strasse");
        check(Profile::Casefold, " Alice@Example.ORG ", "alice@example.org");
        check(Profile::Casefold, "JOSE\u{301}", "josé");
        check(Profile::Casefold, "ΣΊΣΥΦΟΣ", "σίσυφοσ");
        check(Profile::Casefold, "Σίσυφος", "σίσυφοσ");
        check(Profile::Casefold, "\u{130}", "i\u{307}");
        check(Profile::Casefold, "I", "i");
        check(Profile::Casefold, "ı", "ı");
        check(Profile::Casefold, "\u{2126}", "ω");
        // Folding ᾳ gives two characters, and NFKC must follow.
        check(Profile::Casefold, "\u{1fb3}", "αι");
    }

    #[test]
    fn iban_is_solid_upper_case() {
        check(Profile::Iban, "de89 3704 0044 0532 0130 00", "DE89370400440532013000");
        check(Profile::Iban, "\u{a0}de89\u{2009}3704\u{b}0044\u{85}", "DE8937040044");
        check(Profile::Iban, "ｄｅ８９", "DE89");
        check(Profile::Iban, "ß", "SS");
        check(Profile::Iban, "DE89-3704", "DE89-3704");
        check(Profile::Iban, "   ", "");
    }

    #[test]
    fn e164_is_a_plus_and_digits() {
        check(Profile::E164, " +49 (0)30 / 123-456 ", "+4930123456");
        check(Profile::E164, "0049 30 123456", "+4930123456");
        check(Profile::E164, "tel:+49-30-123456", "+4930123456");
        check(Profile::E164, "＋４９ 30 123456", "+4930123456");
        check(Profile::E164, "+49\u{a0}30\u{2011}123456", "+4930123456");
        check(Profile::E164, "(030) 123 456", "030123456");
        check(Profile::E164, "(0)30 123", "030123");
        // Extensions, words and what has no digit stand as they are.
        check(Profile::E164, "+49 30 123456 ext. 7", "+49 30 123456 ext. 7");
        check(Profile::E164, "ask Zoe", "ask Zoe");
        check(Profile::E164, "+", "+");
        check(Profile::E164, "00", "00");
        check(Profile::E164, "", "");
    }

    #[test]
    fn names_are_the_policy_s() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
        }
        for wrong in ["", "Exact", "casefold ", "iban2", "none"] {
            assert_eq!(Profile::from_name(wrong), None, "{wrong}");
        }
    }

    /// Newer tables may give newly assigned characters another spelling, and so other tokens:
    /// whoever raises these numbers says so in the changelog.
    #[test]
    fn unicode_versions_are_the_recorded_ones() {
        assert_eq!(caseless::UNICODE_VERSION, (16, 0, 0));
        assert_eq!(unicode_normalization::UNICODE_VERSION, (18, 0, 0));
    }

    fn any_profile() -> impl Strategy<Value = Profile> {
        prop::sample::select(Profile::ALL.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn shortcuts_give_what_the_slow_path_gives(profile in any_profile(), value in "\\PC{0,40}") {
            let mut scratch = String::new();
            prop_assert_eq!(profile.normalise(&value, &mut scratch), slow(profile, &value));
        }

        #[test]
        fn ascii_shortcuts_too(profile in any_profile(), value in "[\\x00-\\x7f]{0,40}") {
            let mut scratch = String::new();
            prop_assert_eq!(profile.normalise(&value, &mut scratch), slow(profile, &value));
        }

        #[test]
        fn any_characters_too(profile in any_profile(), value in any::<Vec<char>>()) {
            let value: String = value.into_iter().collect();
            let mut scratch = String::new();
            prop_assert_eq!(profile.normalise(&value, &mut scratch), slow(profile, &value));
        }
    }
}
