//! Small word lists that tell kinds of cells apart: names, streets, legal forms, truth values.
//!
//! They weigh whole columns and are far too short to find a name in a text. Words are folded: lower
//! case, without diacritics, full stops or apostrophes. Written from common knowledge of each
//! language; names that are also well-known places or everyday words are left out.

use std::collections::HashMap;
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

/// What the lists say of one folded word, all of them looked up at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(u16);

impl Known {
    /// What a whole cell of one word stands for; `folded` is a buffer.
    pub(super) fn whole(text: &str, folded: &mut String) -> Known {
        if text.is_empty() || text.len() > STANDING_BYTES_MAX {
            return Known::default();
        }
        folded.clear();
        folded.extend(text.chars().map(|c| c.to_ascii_lowercase()));
        STANDING.get(folded.as_str()).copied().unwrap_or_default()
    }

    pub(super) fn of(folded: &str) -> Known {
        let mut known = WORDS.get(folded).copied().unwrap_or_default();
        // Of a hyphenated given name the first part is enough.
        if let Some((first, _)) = folded.split_once('-') {
            let first = WORDS.get(first).copied().unwrap_or_default();
            known.0 |= first.0 & Known::GIVEN_NAME;
        }
        let ends_with =
            |ending: &&str| folded.len() >= ending.len() + 3 && folded.ends_with(ending);
        if folded.len() >= STREET_BYTES_MIN && STREET_ENDINGS.iter().any(ends_with) {
            known.0 |= Known::STREET;
        }
        known
    }

    /// A common given name, in any of about twenty languages.
    pub(super) fn given_name(self) -> bool {
        self.0 & Known::GIVEN_NAME != 0
    }

    /// A common surname.
    pub(super) fn surname(self) -> bool {
        self.0 & Known::SURNAME != 0
    }

    /// `de`, `van`, `bin` and other words that names carry in lower case.
    pub(super) fn particle(self) -> bool {
        self.0 & Known::PARTICLE != 0
    }

    /// A word for a street, or one that ends like one (`Musterstraße`, `Voorbeeldlaan`).
    pub(super) fn street(self) -> bool {
        self.0 & Known::STREET != 0
    }

    /// `GmbH`, `Inc`, `S.A.` and the like.
    pub(super) fn legal_form(self) -> bool {
        self.0 & Known::LEGAL_FORM != 0
    }

    /// A missing value.
    pub(super) fn placeholder(self) -> bool {
        self.0 & Known::PLACEHOLDER != 0
    }

    /// Yes or no.
    pub(super) fn truth(self) -> bool {
        self.0 & Known::TRUTH != 0
    }

    /// A state of affairs, as `status` columns hold.
    pub(super) fn status(self) -> bool {
        self.0 & Known::STATUS != 0
    }

    const GIVEN_NAME: u16 = 1;
    const SURNAME: u16 = 2;
    const PARTICLE: u16 = 4;
    const STREET: u16 = 8;
    const LEGAL_FORM: u16 = 16;
    const PLACEHOLDER: u16 = 32;
    const TRUTH: u16 = 64;
    const STATUS: u16 = 128;
}

/// A month's name or its first letters.
pub(super) fn is_month(folded: &str) -> bool {
    folded.len() >= 3 && MONTHS.split(' ').any(|month| month.starts_with(folded))
}

/// Words of names, streets and companies, folded.
static WORDS: LazyLock<HashMap<&str, Known>> = LazyLock::new(|| {
    table(&[
        (Known::GIVEN_NAME, GIVEN_NAMES),
        (Known::SURNAME, SURNAMES),
        (Known::PARTICLE, PARTICLES),
        (Known::STREET, STREET_WORDS),
        (Known::LEGAL_FORM, LEGAL_FORMS),
    ])
});

/// Whole cells, in ASCII lower case.
static STANDING: LazyLock<HashMap<&str, Known>> = LazyLock::new(|| {
    table(&[(Known::PLACEHOLDER, PLACEHOLDERS), (Known::TRUTH, TRUTHS), (Known::STATUS, STATUSES)])
});

fn table(lists: &[(u16, &'static str)]) -> HashMap<&'static str, Known> {
    let mut words: HashMap<&str, Known> = HashMap::new();
    for (flag, list) in lists {
        for word in list.split_whitespace() {
            words.entry(word).or_default().0 |= flag;
        }
    }
    words
}

/// Longest cell that stands for something.
const STANDING_BYTES_MAX: usize = 12;
/// Three letters and the shortest ending.
const STREET_BYTES_MIN: usize = 6;

const GIVEN_NAMES: &str = include_str!("given_names.txt");
const SURNAMES: &str = include_str!("surnames.txt");

const PARTICLES: &str = "\
    a af al an av bin bint da das de dei del della den der des di do dos du e el en ibn la las \
    le les lo los of op t te ten ter und van vom von y zu zum zur";

const STREET_WORDS: &str = "\
    street st road rd avenue ave boulevard blvd lane ln drive dr way court ct square sq \
    highway hwy parkway pkwy terrace loop place circle trail alley crescent close gardens mews \
    manor turnpike expressway broadway apt suite ste pobox strasse str platz gasse allee weg \
    ring damm ufer chaussee postfach rue chemin impasse quai cours bd passage ruelle bp calle \
    c/ avda avenida av plaza paseo carrera camino carretera gran rua travessa praca estrada \
    alameda largo via viale piazza corso strada vicolo straat laan gracht plein kade steenweg \
    dreef postbus gade vej gata gatan vagen veien vei katu tie ulica ul aleja ulice namesti \
    utca ut bulevardul caddesi cad sokak sok odos leoforos ulitsa prospekt nab";

const STREET_ENDINGS: &[&str] = &[
    "str", "weg", "vej", "laan", "kade", "gata", "gade", "katu", "utca", "damm", "ufer", "platz",
    "gasse", "allee", "plein", "vagen", "veien", "straat", "gracht", "gatan", "strasse",
    "steenweg",
];

const LEGAL_FORMS: &str = "\
    inc incorporated ltd limited llc llp plc corp corporation co company gmbh mbh ag kg kgaa \
    ohg ug se sa sas sarl srl spa bv nv vof ab as asa aps oy oyj sro zrt kft sl slu pty lda \
    ltda doo dd ooo group holding holdings bank university foundation associates partners \
    technologies systems services industries international properties trust insurance \
    financial energy pharmaceuticals versicherung stiftung verein fils sons bros assoc";

const MONTHS: &str = "\
    january february march april may june july august september sept october november december \
    januar februar marz mai juni juli oktober dezember janvier fevrier mars avril juin juillet \
    aout septembre octobre novembre decembre enero febrero marzo abril mayo junio julio agosto \
    septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio \
    settembre ottobre dicembre januari februari maart mei augustus";

const PLACEHOLDERS: &str = "\
    n/a na n.a. #n/a nan nil null none (null) \\n unknown missing unbekannt keine \
    inconnu desconocido onbekend undefined";

const TRUTHS: &str = "\
    0 1 true false t f yes no y n on off ja nein nee j oui non si sí sim wahr falsch vrai faux \
    x";

const STATUSES: &str = "\
    active inactive open closed pending new done failed running success error ok paid unpaid \
    shipped delivered cancelled canceled approved rejected enabled disabled draft complete \
    completed started stopped offen aktiv inaktiv erledigt bezahlt ouvert actif abierto \
    cerrado";

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(word: &str) -> String {
        let mut out = String::new();
        fold_word(word, &mut out);
        out
    }

    #[test]
    fn names_are_folded_and_stand_once_in_order() {
        for list in [GIVEN_NAMES, SURNAMES] {
            let words: Vec<&str> = list.split_whitespace().collect();
            for pair in words.windows(2) {
                assert!(pair[0] < pair[1], "{} stands twice or out of order", pair[0]);
            }
            for word in words {
                assert_eq!(folded(word), word);
                assert!(word.len() >= 3, "{word}: shorter names are too often initials and codes");
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
        assert!(Known::of("maria").given_name() && !Known::of("mari a").given_name());
        assert!(Known::of("anna-lena").given_name() && !Known::of("x-anna").given_name());
        assert!(Known::of("novak").surname() && !Known::of("nova").surname());
        assert!(Known::of("musterstrasse").street() && !Known::of("estr").street());
        assert!(Known::of("gmbh").legal_form() && Known::of("von").particle());
        assert_eq!(Known::of("qqq"), Known::default());
        assert!(is_month("feb") && is_month("sept") && !is_month("fe") && !is_month("februaryy"));
        let whole = |text: &str| Known::whole(text, &mut String::new());
        assert!(whole("N/A").placeholder() && !whole("n/a!").placeholder());
        assert!(whole("JA").truth() && !whole("jaja").truth());
        assert!(whole("Pending").status() && !whole("pendings").status());
    }
}
