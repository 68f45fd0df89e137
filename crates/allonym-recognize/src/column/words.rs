//! Small word lists that tell kinds of cells apart: names, streets, legal forms, truth values.
//!
//! They weigh whole columns and are far too short to find a name in a text. Words are folded: lower
//! case, without diacritics, full stops or apostrophes. Written from common knowledge of each
//! language; names that are also well-known places or everyday words are left out.

use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// Writes `word` folded into `out`: lower case, diacritics, full stops and apostrophes dropped,
/// `ß` as `ss`, `ø` as `o`, `æ` as `ae`, `ł` as `l`, `đ` as `d`.
pub(super) fn fold_word(word: &str, out: &mut String) {
    out.clear();
    if word.is_ascii() {
        out.extend(word.chars().filter(|c| !".'".contains(*c)).map(|c| c.to_ascii_lowercase()));
        return;
    }
    for c in word.nfd().flat_map(char::to_lowercase) {
        match c {
            '.' | '\'' | '’' => {}
            'ß' => out.push_str("ss"),
            'ø' => out.push('o'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'ı' => out.push('i'),
            _ if unicode_normalization::char::is_combining_mark(c) => {}
            _ => out.push(c),
        }
    }
}

/// A common given name, in any of about twenty languages; of a hyphenated word the first part.
pub(super) fn is_given_name(folded: &str) -> bool {
    let first = folded.split('-').next().unwrap_or(folded);
    first.len() >= NAME_LETTERS_MIN && GIVEN_NAMES.binary_search(&first).is_ok()
}

/// A common surname.
pub(super) fn is_surname(folded: &str) -> bool {
    folded.len() >= NAME_LETTERS_MIN && SURNAMES.binary_search(&folded).is_ok()
}

/// `de`, `van`, `bin` and other words that names carry in lower case.
pub(super) fn is_particle(folded: &str) -> bool {
    PARTICLES.contains(&folded)
}

/// A word for a street, or one that ends like one (`Musterstraße`, `Voorbeeldlaan`).
pub(super) fn is_street_word(folded: &str) -> bool {
    STREET_WORDS.contains(&folded)
        || STREET_ENDINGS
            .iter()
            .any(|ending| folded.len() >= ending.len() + 3 && folded.ends_with(ending))
}

/// `GmbH`, `Inc`, `S.A.` and the like.
pub(super) fn is_legal_form(folded: &str) -> bool {
    LEGAL_FORMS.contains(&folded)
}

/// A month's name or its first letters.
pub(super) fn is_month(folded: &str) -> bool {
    folded.len() >= 3
        && MONTHS.iter().any(|month| month.starts_with(folded) && folded.len() <= month.len())
}

/// Stands for a missing value.
pub(super) fn is_placeholder(text: &str) -> bool {
    text.len() <= 12 && PLACEHOLDERS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Stands for yes or no.
pub(super) fn is_truth(text: &str) -> bool {
    text.len() <= 6 && TRUTHS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A state of affairs, as `status` columns hold.
pub(super) fn is_status(text: &str) -> bool {
    STATUSES.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Sorted, so that a word is found by bisection.
fn sorted(list: &'static str) -> Vec<&'static str> {
    let mut words: Vec<_> = list.split_whitespace().collect();
    words.sort_unstable();
    words
}

static GIVEN_NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(include_str!("given_names.txt")));
static SURNAMES: LazyLock<Vec<&str>> = LazyLock::new(|| sorted(include_str!("surnames.txt")));

/// Shorter names are too often initials and codes.
const NAME_LETTERS_MIN: usize = 3;

const PARTICLES: &[&str] = &[
    "a", "af", "al", "an", "av", "bin", "bint", "da", "das", "de", "dei", "del", "della", "den",
    "der", "des", "di", "do", "dos", "du", "e", "el", "en", "ibn", "la", "las", "le", "les", "lo",
    "los", "of", "op", "t", "te", "ten", "ter", "und", "van", "vom", "von", "y", "zu", "zum",
    "zur",
];

const STREET_WORDS: &[&str] = &[
    // English
    "street",
    "st",
    "road",
    "rd",
    "avenue",
    "ave",
    "boulevard",
    "blvd",
    "lane",
    "ln",
    "drive",
    "dr",
    "way",
    "court",
    "ct",
    "square",
    "sq",
    "highway",
    "hwy",
    "parkway",
    "pkwy",
    "terrace",
    "loop",
    "place",
    "circle",
    "trail",
    "alley",
    "crescent",
    "close",
    "gardens",
    "mews",
    "manor",
    "turnpike",
    "expressway",
    "broadway",
    "apt",
    "suite",
    "ste",
    "pobox",
    // German
    "strasse",
    "str",
    "platz",
    "gasse",
    "allee",
    "weg",
    "ring",
    "damm",
    "ufer",
    "chaussee",
    "postfach",
    // French
    "rue",
    "chemin",
    "impasse",
    "quai",
    "cours",
    "chaussee",
    "bd",
    "passage",
    "ruelle",
    "bp",
    // Spanish, Portuguese
    "calle",
    "c/",
    "avda",
    "avenida",
    "av",
    "plaza",
    "paseo",
    "carrera",
    "camino",
    "carretera",
    "gran",
    "rua",
    "travessa",
    "praca",
    "estrada",
    "alameda",
    "largo",
    // Italian
    "via",
    "viale",
    "piazza",
    "corso",
    "strada",
    "vicolo",
    "largo",
    // Dutch
    "straat",
    "laan",
    "gracht",
    "plein",
    "kade",
    "steenweg",
    "dreef",
    "postbus",
    // Nordic
    "gade",
    "vej",
    "gata",
    "gatan",
    "vagen",
    "veien",
    "vei",
    "katu",
    "tie",
    // Slavic, Hungarian, Romanian, Turkish, Greek
    "ulica",
    "ul",
    "aleja",
    "ulice",
    "namesti",
    "utca",
    "ut",
    "strada",
    "bulevardul",
    "caddesi",
    "cad",
    "sokak",
    "sok",
    "odos",
    "leoforos",
    "ulitsa",
    "prospekt",
    "nab",
];

const STREET_ENDINGS: &[&str] = &[
    "strasse", "str", "weg", "platz", "gasse", "allee", "damm", "ufer", "straat", "laan", "gracht",
    "plein", "kade", "steenweg", "gatan", "gata", "vagen", "veien", "gade", "vej", "katu", "utca",
];

const LEGAL_FORMS: &[&str] = &[
    "inc",
    "incorporated",
    "ltd",
    "limited",
    "llc",
    "llp",
    "plc",
    "corp",
    "corporation",
    "co",
    "company",
    "gmbh",
    "mbh",
    "ag",
    "kg",
    "kgaa",
    "ohg",
    "ug",
    "se",
    "sa",
    "sas",
    "sarl",
    "srl",
    "spa",
    "bv",
    "nv",
    "vof",
    "ab",
    "as",
    "asa",
    "aps",
    "oy",
    "oyj",
    "sro",
    "zrt",
    "kft",
    "sl",
    "slu",
    "pty",
    "lda",
    "ltda",
    "doo",
    "dd",
    "ooo",
    "group",
    "holding",
    "holdings",
    "bank",
    "university",
    "foundation",
    "associates",
    "partners",
    "technologies",
    "systems",
    "services",
    "industries",
    "international",
    "properties",
    "trust",
    "insurance",
    "financial",
    "energy",
    "pharmaceuticals",
    "versicherung",
    "stiftung",
    "verein",
    "fils",
    "sons",
    "bros",
    "assoc",
];

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "sept",
    "october",
    "november",
    "december", // English
    "januar",
    "februar",
    "marz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember", // German
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre", // French
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre", // Spanish
    "gennaio",
    "febbraio",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "settembre",
    "ottobre",
    "dicembre", // Italian
    "januari",
    "februari",
    "maart",
    "mei",
    "augustus", // Dutch
];

const PLACEHOLDERS: &[&str] = &[
    "-",
    "--",
    "---",
    "?",
    ".",
    "n/a",
    "na",
    "n.a.",
    "#n/a",
    "nan",
    "nil",
    "null",
    "none",
    "(null)",
    "\\n",
    "unknown",
    "missing",
    "unbekannt",
    "keine",
    "inconnu",
    "desconocido",
    "onbekend",
    "undefined",
];

const TRUTHS: &[&str] = &[
    "0", "1", "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "ja", "nein", "nee",
    "j", "oui", "non", "si", "sí", "sim", "wahr", "falsch", "vrai", "faux", "x",
];

const STATUSES: &[&str] = &[
    "active",
    "inactive",
    "open",
    "closed",
    "pending",
    "new",
    "done",
    "failed",
    "running",
    "success",
    "error",
    "ok",
    "paid",
    "unpaid",
    "shipped",
    "delivered",
    "cancelled",
    "canceled",
    "approved",
    "rejected",
    "enabled",
    "disabled",
    "draft",
    "complete",
    "completed",
    "started",
    "stopped",
    "offen",
    "aktiv",
    "inaktiv",
    "erledigt",
    "bezahlt",
    "ouvert",
    "actif",
    "abierto",
    "cerrado",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(word: &str) -> String {
        let mut out = String::new();
        fold_word(word, &mut out);
        out
    }

    #[test]
    fn lists_are_folded_and_hold_each_word_once() {
        for list in [&GIVEN_NAMES, &SURNAMES] {
            for pair in list.windows(2) {
                assert!(pair[0] < pair[1], "{} stands twice", pair[0]);
            }
            for word in list.iter() {
                assert_eq!(folded(word), *word);
                assert!(word.len() >= NAME_LETTERS_MIN, "{word} is too short");
            }
        }
    }

    #[test]
    fn words_fold_to_one_spelling() {
        for (word, expected) in [
            ("MÜLLER", "muller"),
            ("Straße", "strasse"),
            ("S.A.", "sa"),
            ("O'Example", "oexample"),
            ("Łukasz", "lukasz"),
            ("Søren", "soren"),
            ("Åse", "ase"),
        ] {
            assert_eq!(folded(word), expected);
        }
    }

    #[test]
    fn membership_is_of_whole_words() {
        assert!(is_given_name("maria") && !is_given_name("mari a") && !is_given_name("mar"));
        assert!(is_given_name("anna-lena") && !is_given_name("x-anna"));
        assert!(is_street_word("musterstrasse") && !is_street_word("estr"));
        assert!(is_month("feb") && is_month("sept") && !is_month("fe") && !is_month("februaryy"));
        assert!(is_placeholder("N/A") && !is_placeholder("n/a!"));
        assert!(is_truth("JA") && !is_truth("jaja"));
    }
}
