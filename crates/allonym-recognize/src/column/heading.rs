//! What a column's header says: the rules' phrases, composed headers, and words that warn.

use crate::header::tokens;
use crate::{EntityId, RuleSet};
use std::collections::BTreeMap;

/// A header, read.
pub(super) struct Heading<'a> {
    name: Option<&'a str>,
    words: Vec<String>,
    /// What it points to, with its strength in `[0, 1]`.
    hits: BTreeMap<EntityId, f64>,
}

impl<'a> Heading<'a> {
    pub(super) fn read(rules: &RuleSet, name: Option<&'a str>) -> Heading<'a> {
        let words: Vec<String> = name.map(tokens).unwrap_or_default();
        let mut hits = BTreeMap::new();
        let mut point = |entity: EntityId, strength: f64| {
            let best = hits.entry(entity).or_insert(strength);
            *best = best.max(strength);
        };
        if let Some(name) = name {
            for (entity, strength) in rules.header_hits(name) {
                point(entity, strength.into());
            }
            for (entity, strength) in rules.header_hits(&spelt_out(&words)) {
                point(entity, f64::from(strength) * STRENGTH_SPELT_OUT);
            }
        }
        let composed = [(PERSON, names_person(&words)), (BIRTH_DATE, names_birth_year(&words))];
        for (entity, _) in composed.into_iter().filter(|(_, says)| *says) {
            if let Some(entity) = rules.entity_by_name(entity) {
                point(entity, STRENGTH_COMPOSED);
            }
        }
        Heading { name, words, hits }
    }

    /// How strongly it points to an entity; `None` where it does not.
    pub(super) fn strength(&self, entity: EntityId) -> Option<f64> {
        self.hits.get(&entity).copied()
    }

    /// For a message: at most [`HEADER_CHARS_MAX`] characters, none of them a control.
    pub(super) fn shown(&self) -> String {
        let name = self.name.unwrap_or_default();
        let plain = |c: char| if c.is_control() || c == '`' { ' ' } else { c };
        let mut shown: String = name.chars().take(HEADER_CHARS_MAX).map(plain).collect();
        if name.chars().nth(HEADER_CHARS_MAX).is_some() {
            shown.push('…');
        }
        shown
    }

    /// It speaks of a property of what a phrase of this strength names: the phrase of `phone_type`
    /// leaves out the word that counts, that of `passport_number` does not.
    pub(super) fn of_property(&self, strength: f64) -> bool {
        let among = |word: Option<&String>, list| word.is_some_and(|word| is_in(list, word));
        strength < STRENGTH_ENDS && among(self.words.last(), PROPERTIES)
            || strength < STRENGTH_WHOLE && among(self.words.first(), QUANTIFIERS)
    }

    /// It names a thing, so that `name` is the thing's: `file_name`, not `customer_file_name`.
    pub(super) fn of_thing(&self) -> bool {
        any_of(&self.words, THINGS) && !any_of(&self.words, PEOPLE)
    }

    /// It names goods, whose numbers are nobody's.
    pub(super) fn of_goods(&self) -> bool {
        any_of(&self.words, GOODS)
    }

    /// It says when a row was written.
    pub(super) fn of_bookkeeping(&self) -> bool {
        any_of(&self.words, BOOKKEEPING)
    }

    /// It ends with a bare word for a name and does not say whose.
    pub(super) fn leaves_open_whose_name(&self) -> bool {
        self.words.last().is_some_and(|word| is_in(NAMES, word)) && !any_of(&self.words, PEOPLE)
    }
}

/// A header's words with abbreviations written out and without `no` or `number` at the end.
fn spelt_out(words: &[String]) -> String {
    let numbered = words.len() > 1 && words.last().is_some_and(|word| is_in(NUMBER_WORDS, word));
    let kept = if numbered { &words[..words.len() - 1] } else { words };
    let full = |word: &String| {
        let found = ABBREVIATIONS.iter().find(|(short, _)| short == word);
        found.map_or(word.as_str(), |(_, long)| long).to_owned()
    };
    kept.iter().map(full).collect::<Vec<_>>().join(" ")
}

/// `tenant_name`, `name_of_driver`. Other composed names (`branch_name`) are left to their values.
fn names_person(words: &[String]) -> bool {
    any_of(words, NAMES) && any_of(words, PEOPLE) && !any_of(words, THINGS)
}

/// `birth_year`, `Geburtsjahr`, `year_of_birth`.
fn names_birth_year(words: &[String]) -> bool {
    let joined = words.concat();
    let holds = |list: &[&str]| list.iter().any(|part| joined.contains(part));
    holds(BIRTHS) && holds(YEARS)
}

fn any_of(words: &[String], list: &str) -> bool {
    words.iter().any(|word| is_in(list, word))
}

/// Whether a word stands in a list of words with spaces between.
fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

/// Strength from which a phrase is the whole header.
pub(super) const STRENGTH_WHOLE: f64 = 0.9;
/// Strength from which the header ends with the phrase.
pub(super) const STRENGTH_ENDS: f64 = 0.7;
/// Strength of `tenant_name`, which no phrase spells.
const STRENGTH_COMPOSED: f64 = 0.85;
/// What writing abbreviations out costs.
const STRENGTH_SPELT_OUT: f64 = 0.95;
const HEADER_CHARS_MAX: usize = 64;
const PERSON: &str = "PERSON";
const BIRTH_DATE: &str = "DATE_OF_BIRTH";

/// Words that mean a name, of a person or anything else.
const NAMES: &str = "\
    name names nom noms nombre nombres naam nome namn navn nimi nazwa jmeno nev";

/// Words that make a name a person's.
const PEOPLE: &str = "\
    person people customer cust client contact patient employee emp staff member passenger \
    driver owner holder applicant student teacher tenant guest doctor physician author user \
    buyer seller payer payee beneficiary insured policyholder cardholder accountholder \
    recipient sender spouse child mother father parent maiden birth given family first last \
    middle full sur legal preferred nick fore agent manager broker director artist actor \
    player candidate donor witness claimant kunde kunden kontakt mitarbeiter versicherter \
    inhaber empfanger absender fahrer patienten salarie assure titulaire cliente empleado \
    paciente titular asegurado klant medewerker verzekerde houder dipendente paziente \
    intestatario";

/// Words that make a name a thing's.
const THINGS: &str = "\
    file filename product host hostname domain table column field app application event brand \
    model project package service server device bucket category class school bank branch \
    street city town country county state region color colour metric dir directory folder path \
    plan role group team dataset database schema variable function method module store shop \
    hotel restaurant item article book song album track genre species drug medication disease \
    job task queue topic process image font theme currency unit type status company firm \
    business organization organisation department station airport port ship vessel building \
    site zone layer node cluster feature tag menu page section course subject campaign list \
    set key parameter property option index environment cell test stage step rule code datei \
    produkt firma firmen artikel marke ort land strasse abteilung fichier produit entreprise \
    societe marque ville pays rue archivo producto empresa marca ciudad pais calle bestand \
    bedrijf merk plaats straat prodotto azienda citta paese via";

/// Last words of headers that make a code, an amount or a state of affairs of what stands before.
const PROPERTIES: &str = "\
    id ids key count cnt total sum amount amt price cost fee rate ratio score pct percent \
    percentage flag type kind status state date time timestamp ts at version length len size \
    bytes index idx seq sequence rank order level verified valid confirmed enabled active \
    quantity qty hash checksum duration distance weight height lat lon latitude longitude year \
    month day hour minute number code sku ean isbn invoice ticket betrag anzahl menge preis \
    datum typ montant prix quantite importe precio cantidad fecha bedrag aantal prijs";

/// First words of headers of flags, counts and durations.
const QUANTIFIERS: &str = "\
    is has n num nb count total max min avg years months days hours";

/// Words of headers that say when a row was written.
const BOOKKEEPING: &str = "\
    created updated modified inserted loaded processed exported imported synced changed create \
    update creation modification added timestamp ts erstellt geandert aangemaakt gewijzigd \
    cree modifie creado modificado";

/// Words of headers of numbers that are nobody's.
const GOODS: &str = "\
    order invoice product item sku row line batch lot serial part article artikel bestellung \
    rechnung commande facture pedido factura";

/// Words that say no more than that a number follows.
const NUMBER_WORDS: &str = "\
    no nr num nbr number nummer numero nro n";

/// What databases abbreviate.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("addr", "address"),
    ("mob", "mobile"),
    ("ph", "phone"),
    ("fon", "telefon"),
    ("tlf", "telefon"),
    ("emp", "employee"),
    ("cust", "customer"),
    ("nm", "name"),
    ("bday", "birthday"),
    ("acct", "account"),
    ("emailid", "email"),
];

/// Parts of headers that speak of birth, and of a year.
const BIRTHS: &[&str] =
    &["birth", "geburt", "geboorte", "naissance", "nacimiento", "nascita", "urodzenia"];
const YEARS: &[&str] = &["year", "jahr", "jaar", "annee", "ano", "anno", "rok"];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(header: &str) -> Vec<String> {
        tokens(header)
    }

    #[test]
    fn headers_compose_people_and_names() {
        for header in ["tenant_name", "NameOfDriver", "agent name", "nom_titulaire"] {
            assert!(names_person(&words(header)), "{header}");
        }
        for header in ["file_name", "customer_file_name", "name", "tenant", "branch_name", ""] {
            assert!(!names_person(&words(header)), "{header}");
        }
    }

    #[test]
    fn birth_years_are_composed() {
        for header in ["birth_year", "year_of_birth", "Geburtsjahr", "annee_naissance"] {
            assert!(names_birth_year(&words(header)), "{header}");
        }
        for header in ["year", "birth_place", "model_year", "births"] {
            assert!(!names_birth_year(&words(header)), "{header}");
        }
    }

    #[test]
    fn abbreviations_are_written_out() {
        for (header, full) in [
            ("addr2", "address"),
            ("mob_no", "mobile"),
            ("emp_name", "employee name"),
            ("phone_no", "phone"),
            ("no", "no"),
            ("", ""),
        ] {
            assert_eq!(spelt_out(&words(header)), full, "{header}");
        }
    }

    #[test]
    fn a_shown_header_is_short_and_plain() {
        let heading = Heading { name: Some("a`b\nc"), words: Vec::new(), hits: BTreeMap::new() };
        assert_eq!(heading.shown(), "a b c");
        let long = "x".repeat(100);
        let heading = Heading { name: Some(&long), words: Vec::new(), hits: BTreeMap::new() };
        assert_eq!(heading.shown().chars().count(), HEADER_CHARS_MAX + 1);
    }
}
