//! Words of column headers.

use crate::fold::fold;
use crate::{EntityId, RuleSet};

/// A word or phrase of a header that points to an entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeaderPhrase {
    /// Its tokens, joined.
    pub(crate) joined: String,
    /// Its entity.
    pub(crate) entity: EntityId,
    /// Counts only as the whole header.
    pub(crate) whole: bool,
}

impl HeaderPhrase {
    /// A phrase of a rule file; `=word` counts as the whole header only. `None` where no letter is
    /// in it.
    pub(crate) fn new(phrase: &str, entity: EntityId) -> Option<HeaderPhrase> {
        let (whole, words) = match phrase.strip_prefix('=') {
            Some(words) => (true, words),
            None => (false, phrase),
        };
        let joined = tokens(words).concat();
        (!joined.is_empty()).then_some(HeaderPhrase { joined, entity, whole })
    }
}

impl RuleSet {
    /// Header phrases as the rule files spell them, with the entity each points to, by entity.
    pub fn headers(&self) -> impl Iterator<Item = (EntityId, &str)> {
        self.header_lists()
            .flat_map(|(entity, list)| list.iter().map(move |phrase| (entity, phrase.as_str())))
    }

    /// Entities a column header points to, strongest first.
    ///
    /// The strength is above 0.9 where a phrase is the whole header, 0.7 to 0.9 where the header
    /// ends with it (`home_phone`), 0.4 to 0.6 elsewhere (`phone_private`); within each, a longer
    /// phrase is stronger. Case, accents, separators and digits do not matter, and words may be
    /// joined (`firstname`, `firstName`, `FIRST_NAME 1`). Empty where none is known.
    #[must_use]
    pub fn header_hits(&self, header: &str) -> Vec<(EntityId, f32)> {
        let tokens = tokens(header);
        let tokens = &tokens[tokens.len().saturating_sub(TOKENS_MAX)..];
        let total: usize = tokens.iter().map(String::len).sum();
        let mut hits: Vec<(EntityId, f32)> = Vec::new();
        for start in 0..tokens.len() {
            let mut run = String::new();
            for end in start..tokens.len() {
                run.push_str(&tokens[end]);
                let whole = run.len() == total;
                let base = match (whole, end + 1 == tokens.len()) {
                    (true, _) => 0.9,
                    (false, true) => 0.7,
                    (false, false) => 0.4,
                };
                let strength = base + share(run.len(), total) * if whole { 0.1 } else { 0.2 };
                for phrase in self.header_phrases(&run).filter(|phrase| whole || !phrase.whole) {
                    match hits.iter_mut().find(|(entity, _)| *entity == phrase.entity) {
                        Some((_, best)) => *best = best.max(strength),
                        None => hits.push((phrase.entity, strength)),
                    }
                }
            }
        }
        hits.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        hits
    }
}

/// Tokens of a header that are looked at, from its end.
const TOKENS_MAX: usize = 16;

#[expect(clippy::cast_precision_loss, reason = "lengths of headers are small")]
fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

/// Words of a header, folded: split at everything but letters, and where case or script says a
/// word begins.
pub(crate) fn tokens(header: &str) -> Vec<String> {
    let characters: Vec<char> = header.chars().collect();
    let mut tokens = Vec::new();
    let mut token = String::new();
    for (place, character) in characters.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| characters[place]);
        let after = characters.get(place + 1);
        let starts = character.is_uppercase()
            && (before.is_some_and(char::is_lowercase)
                || (before.is_some_and(char::is_uppercase)
                    && after.is_some_and(|after| after.is_lowercase())));
        let separates = !character.is_alphabetic() && !matches!(character, '\u{300}'..='\u{36f}');
        if (starts || separates) && !token.is_empty() {
            tokens.push(fold(&std::mem::take(&mut token)));
        }
        if !separates {
            token.push(*character);
        }
    }
    if !token.is_empty() {
        tokens.push(fold(&token));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_fall_into_words() {
        for (header, words) in [
            ("FirstName", &["first", "name"][..]),
            ("first_name", &["first", "name"]),
            ("FIRST NAME", &["first", "name"]),
            ("E-Mail-Adresse", &["e", "mail", "adresse"]),
            ("phone1", &["phone"]),
            ("Telefon (privat)", &["telefon", "privat"]),
            ("customerIBANNumber", &["customer", "iban", "number"]),
            ("Straße", &["strasse"]),
            ("N° de téléphone", &["n", "de", "telephone"]),
            ("person.address[0].zip", &["person", "address", "zip"]),
            ("42", &[]),
            ("", &[]),
        ] {
            assert_eq!(tokens(header), words, "{header}");
        }
    }
}
