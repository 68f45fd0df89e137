//! Where a person can be found again in columns that were treated.

use super::compile::{NAMED_BY_CONTRACT, last_part};
use super::tree::glob_matches;
use crate::policy::{Consistency, Pattern, Policy, Replacement, Treatment, Unlisted};
use allonym_keys::{Profile, TokenFormat};
use allonym_recognize::RuleSet;

/// What a treated column holds of people, as its policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Cells are tokens of one join field.
    Tokens {
        /// The join field.
        field: String,
        /// Normalisation before the token is made.
        profile: Profile,
        /// Spelling.
        format: TokenFormat,
        /// Which cells got equal tokens.
        reach: Reach,
    },
    /// Text that holds tokens of what was found in it.
    Text {
        /// Join field, which is the entity, and its normalisation.
        fields: Vec<(String, Profile)>,
        /// Which findings got equal tokens.
        reach: Reach,
    },
    /// Cells as they came.
    Raw,
    /// Masked, coarser, redacted or relabelled cells: nobody can be looked up in them.
    Lossy,
}

/// Which equal values have equal tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All of the domain: a person's token can be computed.
    Domain,
    /// Those of one document, or none at all: the token depends on where the value stood.
    Place,
}

impl Policy {
    /// What a treated column holds; `None` for one that treatment drops. `entity` is what the column
    /// was judged to be when it was treated. Columns that the policy does not list are raw.
    #[must_use]
    pub fn holding(&self, path: &str, entity: Option<&str>, rules: &RuleSet) -> Option<Holding> {
        Some(match self.treatment_of(path, entity) {
            Some(Treatment::Drop) => return None,
            Some(Treatment::Pseudonymize(how)) => {
                let field = how.join.as_deref().or(entity).unwrap_or_else(|| last_part(path));
                let by_entity = || entity.map(|entity| profile_of(rules, entity));
                Holding::Tokens {
                    field: field.to_owned(),
                    profile: how.profile.or_else(by_entity).unwrap_or(Profile::Exact),
                    format: how.format,
                    reach: reach(how.consistency),
                }
            }
            Some(Treatment::Text(how)) if how.with == Replacement::Token => {
                let all = || rules.entities().iter().map(|entity| entity.name.clone()).collect();
                let names: Vec<String> =
                    if how.entities.is_empty() { all() } else { how.entities.clone() };
                let profiled = |name: String| {
                    let profile = profile_of(rules, &name);
                    (name, profile)
                };
                let fields = names.into_iter().map(profiled).collect();
                Holding::Text { fields, reach: reach(how.consistency) }
            }
            // Label and redaction take findings away and leave the rest of the text.
            Some(Treatment::Keep { .. } | Treatment::Text(_)) | None => Holding::Raw,
            Some(Treatment::Redact { .. } | Treatment::Mask(_) | Treatment::Generalize(_)) => {
                Holding::Lossy
            }
        })
    }

    /// By the rank of [`Plan::compile`](crate::Plan::compile): exact name, glob, entity, unlisted.
    fn treatment_of(&self, path: &str, entity: Option<&str>) -> Option<&Treatment> {
        let whole = path.strip_suffix("[]").unwrap_or(path);
        let listed = self.columns.iter().find(|listed| listed.name == path || listed.name == whole);
        if let Some(listed) = listed {
            return Some(&listed.treatment);
        }
        let matched = |fits: &dyn Fn(&Pattern) -> bool| {
            self.matches.iter().find(|matched| fits(&matched.pattern)).map(|m| &m.treatment)
        };
        let glob = |p: &Pattern| matches!(p, Pattern::Glob(glob) if glob_matches(glob, path));
        let judged = |p: &Pattern| matches!(p, Pattern::Entity(name) if Some(&**name) == entity);
        matched(&glob).or_else(|| matched(&judged)).or(match &self.unlisted {
            Unlisted::Drop => Some(&Treatment::Drop),
            Unlisted::Error | Unlisted::Keep { .. } => None,
        })
    }
}

/// The join field and the normalisation of a column for which the policy says nothing else: by its
/// entity, or by its name.
#[must_use]
pub fn default_field(path: &str, entity: Option<&str>, rules: &RuleSet) -> (String, Profile) {
    let profile = entity.map_or(Profile::Exact, |entity| profile_of(rules, entity));
    (entity.unwrap_or_else(|| last_part(path)).to_owned(), profile)
}

/// By the rules; the profiles the contract names hold without any.
pub(super) fn profile_of(rules: &RuleSet, entity: &str) -> Profile {
    let named = rules.entity_by_name(entity).map(|id| rules.entity(id).profile.as_str());
    let by_contract = || NAMED_BY_CONTRACT.iter().find(|(name, _)| *name == entity);
    named
        .and_then(Profile::from_name)
        .or_else(|| by_contract().map(|(_, profile)| *profile))
        .unwrap_or(Profile::Exact)
}

fn reach(consistency: Consistency) -> Reach {
    match consistency {
        Consistency::Dataset => Reach::Domain,
        Consistency::Document | Consistency::None => Reach::Place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_what_their_treatment_left() {
        let policy = Policy::parse(
            "version = 1\n\
             [columns.mail]\ntreat = \"pseudonymize\"\n\
             [columns.account]\ntreat = \"pseudonymize\"\njoin = \"iban\"\nprofile = \"iban\"\n\
             format = \"hex\"\nconsistency = \"document\"\n\
             [columns.notes]\ntreat = \"text\"\nentities = [\"EMAIL_ADDRESS\"]\n\
             [columns.labels]\ntreat = \"text\"\nwith = \"label\"\n\
             [columns.born]\ntreat = \"generalize\"\nto = \"year\"\n\
             [columns.zip]\ntreat = \"keep\"\nreason = \"risk zone\"\n\
             [columns.fax]\ntreat = \"drop\"\n\
             [[match]]\nglob = \"*_no\"\ntreat = \"pseudonymize\"\n",
            "allonym.toml",
        )
        .unwrap();
        let held = |path, entity| policy.holding(path, entity, RuleSet::builtin());
        let tokens = |field: &str, profile, format, reach| {
            Some(Holding::Tokens { field: field.to_owned(), profile, format, reach })
        };
        assert_eq!(
            held("mail", Some("EMAIL_ADDRESS")),
            tokens("EMAIL_ADDRESS", Profile::Casefold, TokenFormat::Base62, Reach::Domain)
        );
        assert_eq!(
            held("mail", None),
            tokens("mail", Profile::Exact, TokenFormat::Base62, Reach::Domain)
        );
        assert_eq!(
            held("account", None),
            tokens("iban", Profile::Iban, TokenFormat::Hex, Reach::Place)
        );
        assert_eq!(
            held("client.client_no", None),
            tokens("client_no", Profile::Exact, TokenFormat::Base62, Reach::Domain)
        );
        let fields = vec![("EMAIL_ADDRESS".to_owned(), Profile::Casefold)];
        assert_eq!(held("notes", None), Some(Holding::Text { fields, reach: Reach::Domain }));
        assert_eq!(held("labels", None), Some(Holding::Raw));
        assert_eq!(held("born", None), Some(Holding::Lossy));
        assert_eq!(held("zip", None), Some(Holding::Raw));
        assert_eq!(held("fax", None), None);
        assert_eq!(held("new", None), Some(Holding::Raw));
    }
}
