//! What values of an entity look like, for entities that headers name and patterns cannot.

use super::cell::Trait;
use super::evidence::NAME_WORDS_MEAN_MAX;
use super::sight::Sight;
use crate::{Entity, Group};

/// How the values of an entity are told from other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Names of people.
    Name,
    /// Street addresses.
    Address,
    /// Cities, regions, countries, places.
    Place,
    /// Companies and institutions.
    Organization,
    /// Dates of birth.
    BirthDate,
    /// Other dates.
    Date,
    /// Ages in years.
    Age,
    /// Salaries and other amounts that are somebody's.
    Amount,
    /// Latitudes and longitudes.
    Coordinate,
    /// Labels of few words: gender, nationality, religion, occupation.
    Label,
    /// Postal codes.
    Postal,
    /// Telephone numbers.
    Phone,
    /// User names and passwords: one word, nearly all distinct.
    Handle,
    /// What the rules' patterns say.
    Pattern,
}

impl Form {
    /// By the entity's name, which follows Presidio's or `CC_THING`.
    pub(super) fn of(entity: &Entity) -> Form {
        let words: Vec<&str> = entity.name.split('_').collect();
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        match () {
            () if entity.group == Group::Secret => Form::Handle,
            () if has(&["BIRTH", "BIRTHDATE", "DOB"]) && !has(&["PLACE", "CITY"]) => {
                Form::BirthDate
            }
            () if has(&["DATE", "TIME", "DATETIME", "YEAR"]) => Form::Date,
            () if has(&["AGE"]) => Form::Age,
            () if has(&["SALARY", "INCOME", "WAGE"]) => Form::Amount,
            () if has(&["COORDINATE", "COORDINATES", "LATITUDE", "LONGITUDE"]) => Form::Coordinate,
            () if has(&["EMAIL", "IP", "MAC", "CRYPTO", "WALLET"]) => Form::Pattern,
            () if has(&["PHONE", "TELEPHONE", "FAX", "MOBILE"]) => Form::Phone,
            () if has(&["POSTAL", "POSTCODE", "ZIP", "PLZ", "PIN"]) => Form::Postal,
            () if has(&["USERNAME", "USER", "HANDLE", "LOGIN"]) => Form::Handle,
            () if has(&["PERSON", "SURNAME"]) => Form::Name,
            () if has(&["STREET", "ADDRESS"]) => Form::Address,
            () if has(&["ORGANIZATION", "ORGANISATION", "COMPANY", "EMPLOYER"]) => {
                Form::Organization
            }
            () if has(&["LOCATION", "CITY", "COUNTRY", "REGION", "PLACE", "COUNTY"]) => Form::Place,
            () if has(LABELS) || entity.group == Group::Sensitive => Form::Label,
            () => Form::Pattern,
        }
    }

    /// Whether patterns alone, without a header, may name a column so. A column of dates is no
    /// birth dates, one of small numbers no ages.
    pub(super) fn by_values(self) -> bool {
        matches!(
            self,
            Form::Name
                | Form::Address
                | Form::Phone
                | Form::Handle
                | Form::Coordinate
                | Form::Pattern
        )
    }

    /// Whether numbers with fractions may be so; they are never identifiers.
    pub(super) fn takes_fractions(self) -> bool {
        matches!(self, Form::Age | Form::Date | Form::BirthDate | Form::Amount | Form::Coordinate)
    }

    /// How well the values go with a header that names the form, in `[0, 1]`, and the share of
    /// filled cells that look so.
    pub(super) fn plausibility(self, sight: &Sight<'_>, group: Group) -> (f64, f64) {
        let share = |which| sight.profile.share(which);
        let numeric = share(Trait::Integer) + share(Trait::Fraction);
        let truth = share(Trait::Truth);
        let prose = share(Trait::Prose);
        let written =
            numeric <= 0.5 && truth <= 0.5 && share(Trait::Web) <= 0.5 && share(Trait::At) <= 0.5;
        match self {
            Form::Name => {
                let like = share(Trait::NameLoose);
                let labels = share(Trait::Lower) > 0.8 && share(Trait::GivenName) < 0.1;
                let doubt = if labels || share(Trait::LegalForm) > 0.3 { 0.4 } else { 1.0 };
                let plain =
                    written && prose <= 0.3 && sight.profile.words.mean() <= NAME_WORDS_MEAN_MAX;
                (if plain { like * doubt } else { 0.05 }, like)
            }
            Form::Address => {
                let like = share(Trait::AddressLike).max(share(Trait::StreetWord));
                let plain = written
                    && prose <= 0.5
                    && share(Trait::Code) <= 0.5
                    && share(Trait::HasLetter) > 0.5;
                // Cells of one repeated word are what an unused second address line holds.
                (if plain { 0.6 + 0.4 * like } else { 0.05 }, like)
            }
            Form::Place => {
                let like = share(Trait::NameLoose)
                    .max(share(Trait::HasLetter) - prose - share(Trait::Date));
                let status = share(Trait::Lower) > 0.5 || share(Trait::Status) > 0.3;
                (if written && !status { like } else { 0.05 }, like)
            }
            Form::Organization => {
                let like = share(Trait::HasLetter) - prose;
                (if written { like * 0.9 } else { 0.05 }, like)
            }
            Form::BirthDate => {
                let years = sight.years_within(BIRTH_YEAR_MIN, BIRTH_YEAR_MAX);
                let like = share(Trait::Date).max(years).max(sight.typed_date());
                let in_life = sight.profile.years.n == 0
                    || (BIRTH_YEAR_MIN..=BIRTH_YEAR_MAX).contains(&sight.profile.years.min)
                        && sight.profile.years.max <= BIRTH_YEAR_MAX;
                (if in_life { like } else { like * 0.5 }, like)
            }
            Form::Date => {
                let like = share(Trait::Date).max(sight.typed_date());
                (like, like)
            }
            Form::Age => {
                let bands =
                    share(Trait::HasDigit) * f64::from(u8::from(sight.profile.chars.mean() <= 8.0));
                let like = if numeric > 0.5 { numeric } else { bands * 0.8 };
                let human = sight.integers_within(0, AGE_MAX) || share(Trait::Fraction) > 0.5;
                (if human && truth < 0.9 { like } else { 0.05 }, like)
            }
            Form::Amount => {
                let like = numeric.max(share(Trait::HasDigit) - share(Trait::Date));
                (if truth < 0.9 { like.max(0.0) } else { 0.05 }, like.max(0.0))
            }
            Form::Coordinate => {
                let like = share(Trait::Fraction);
                (like, like)
            }
            Form::Label => {
                let like = 1.0 - share(Trait::Fraction) - prose;
                let flags = truth > 0.9 && sight.distinct <= 2;
                let short = sight.profile.chars.mean() <= LABEL_CHARS_MEAN_MAX;
                (if !flags && short { like.max(0.0) } else { 0.2 }, like.max(0.0))
            }
            Form::Postal => {
                let like = share(Trait::HasDigit) - share(Trait::Fraction) - share(Trait::Date);
                let short = (2.0..=11.0).contains(&sight.profile.chars.mean());
                (if short && truth < 0.5 { like.max(0.0) } else { 0.05 }, like.max(0.0))
            }
            Form::Phone => {
                let like = share(Trait::PhoneLike);
                (if sight.counter { like * 0.2 } else { (like * 1.5).min(1.0) }, like)
            }
            Form::Handle => {
                let like = share(Trait::Single) - truth - share(Trait::Fraction);
                let many = sight.distinct_share() > 0.3;
                (if many && numeric < 0.8 { like.max(0.0) } else { 0.1 }, like.max(0.0))
            }
            Form::Pattern => {
                let coded = share(Trait::HasDigit).max(share(Trait::Code));
                let like = if coded > 0.5 { 1.0 } else { 0.2 };
                // A counter under the header `customer_id` numbers customers; under `phone` it is
                // a mistake of the header.
                let counts = sight.counter && group == Group::Quasi;
                let least = if counts { 1.0 } else { 4.0 };
                // Identifiers of one kind are about equally long.
                let even = sight.profile.chars.deviation() <= sight.profile.chars.mean() * 0.5;
                let plain = even
                    && share(Trait::Fraction) < 0.1
                    && truth < 0.5
                    && prose < 0.1
                    && share(Trait::Date) < 0.5
                    && (counts || !sight.counter)
                    && (least..=64.0).contains(&sight.profile.chars.mean())
                    && sight.distinct_share() > 0.2;
                (if plain { like * IDENTIFIER_LIKE } else { 0.05 }, 0.0)
            }
        }
    }
}

/// Words of entity names whose values are labels.
const LABELS: &[&str] = &[
    "NRP",
    "GENDER",
    "SEX",
    "NATIONALITY",
    "RELIGION",
    "MARITAL",
    "OCCUPATION",
    "TITLE",
    "JOB",
    "POLITICAL",
    "ETHNICITY",
    "RACE",
    "LANGUAGE",
    "EDUCATION",
    "CITIZENSHIP",
    "BLOOD",
    "DIAGNOSIS",
];
const BIRTH_YEAR_MIN: u64 = 1800;
/// People in data of today are born before it; no clock is read here.
const BIRTH_YEAR_MAX: u64 = 2035;
const AGE_MAX: i128 = 125;
const LABEL_CHARS_MEAN_MAX: f64 = 60.0;
/// A header that names an identifier whose cells merely could be one.
const IDENTIFIER_LIKE: f64 = 0.65;
