//! A first policy from judged columns.

use super::{
    Consistency, DatePart, Generalize, Listed, Note, PROFILES, Policy, Pseudonymize, Replacement,
    Retention, Text, Treatment,
};
use crate::decimal::Decimal;
use allonym_keys::{Profile, TokenFormat};
use allonym_recognize::{Entity, Group, Judgement, RuleSet};
use arrow_schema::{DataType, Schema};

impl Policy {
    /// Drafts a policy from judged columns: who they name is pseudonymized, secrets and special
    /// categories are redacted, what narrows people down is made coarser, free text is treated in
    /// place, and the rest is kept. Every choice carries its evidence as a comment.
    ///
    /// Join names and profiles are written out, so that the same file gives the same tokens later
    /// whether its columns are judged again or not. The draft knows no physical types; see
    /// [`Policy::fitted`].
    #[must_use]
    pub fn draft(
        columns: &[(String, Judgement)],
        rules: &RuleSet,
        name: &str,
        purpose: &str,
    ) -> Policy {
        let mut policy = Policy::empty(name, purpose);
        for (column, judgement) in columns {
            if column.is_empty() || policy.columns.iter().any(|listed| listed.name == *column) {
                continue;
            }
            let entity = judgement
                .entity
                .as_deref()
                .and_then(|name| rules.entity_by_name(name).map(|id| rules.entity(id)));
            policy.columns.push(Listed {
                name: column.clone(),
                treatment: whole_or_in_place(judgement, entity, rules),
                note: Some(note(judgement)),
                line: None,
            });
        }
        policy
    }

    /// The same policy with treatments that do not fit a column's physical type replaced by ones
    /// that do: what cannot be made a token or coarser is redacted, and so is what a draft would
    /// keep only because nothing in it can be scanned. Columns the schema lacks stay.
    #[must_use]
    pub fn fitted(&self, schema: &Schema) -> Policy {
        let leaves = crate::plan::leaves(schema);
        let mut policy = self.clone();
        for listed in &mut policy.columns {
            let Some(leaf) = leaves.iter().find(|leaf| leaf.answers_to(&listed.name)) else {
                continue;
            };
            let kept = matches!(listed.treatment, Treatment::Keep { .. } | Treatment::Text(_));
            if let Some(note) = &mut listed.note
                && kept
                && crate::treat::is_opaque(&leaf.data_type)
            {
                let data_type = &leaf.data_type;
                note.lines
                    .push(format!("redacted: a column of type {data_type} cannot be scanned"));
                listed.treatment = Treatment::Redact { with: None };
                continue;
            }
            let Err(why) = crate::treat::fits(&listed.treatment, &leaf.data_type) else { continue };
            let was = listed.treatment.name();
            // Numbers and dates hold no text: what looked like findings inside them was chance.
            if let Treatment::Text(_) = listed.treatment {
                listed.treatment = Treatment::Keep { reason: Some("holds no text".to_owned()) };
                continue;
            }
            listed.treatment = Treatment::Redact { with: None };
            if let Some(note) = &mut listed.note {
                note.lines.push(format!("redacted, not treated as {was}: {}", why.message));
            }
        }
        policy
    }
}

impl Policy {
    /// The same draft, where a contract labels a column: what would be kept although its label says
    /// that it is personal or secret is pseudonymized, made coarser or redacted, as its type allows.
    /// A label that nobody here knows counts as secret, until somebody decides.
    ///
    /// The labels are those that data contract tools know: `pii`, `personal`, `personal_data`,
    /// `confidential`, `restricted`, `sensitive`, `secret`; `public`, `internal`, `open`.
    #[must_use]
    pub fn labelled(&self, column: &str, label: &str, data_type: &DataType) -> Policy {
        let mut policy = self.clone();
        let Some(listed) = policy.columns.iter_mut().find(|listed| listed.name == column) else {
            return policy;
        };
        let known = label.trim().to_lowercase();
        let is_open = matches!(known.as_str(), "public" | "internal" | "open");
        if let Treatment::Keep { .. } = listed.treatment
            && !is_open
        {
            let personal = matches!(known.as_str(), "pii" | "personal" | "personal_data");
            listed.treatment = match data_type {
                _ if !personal => Treatment::Redact { with: None },
                DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
                    Treatment::Generalize(Generalize::To(DatePart::Year))
                }
                _ => Treatment::Pseudonymize(Pseudonymize {
                    join: Some(column.to_owned()),
                    profile: None,
                    format: TokenFormat::Base62,
                    consistency: Consistency::Dataset,
                }),
            };
        }
        if let Some(note) = &mut listed.note {
            note.lines.push(format!("the contract labels it {}", crate::wording::quoted(label)));
        }
        policy
    }

    /// The same policy with what is said about retention.
    #[must_use]
    pub fn with_retention(&self, retention: Retention) -> Policy {
        Policy { retention: Some(retention), ..self.clone() }
    }
}

/// What a draft would do with a column, in words, as in `generalize to year`.
#[must_use]
pub fn suggested_treatment(_path: &str, judgement: &Judgement, rules: &RuleSet) -> String {
    let entity = judgement.entity.as_deref().and_then(|name| rules.entity_by_name(name));
    let treatment = whole_or_in_place(judgement, entity.map(|id| rules.entity(id)), rules);
    match &treatment {
        Treatment::Generalize(way) => format!("{} {}", treatment.name(), way.words()),
        _ => treatment.name().to_owned(),
    }
}

/// A column that would be kept is treated in place when some of its cells name people or hold
/// secrets: one address among a thousand remarks is a disclosure too.
fn whole_or_in_place(judgement: &Judgement, entity: Option<&Entity>, rules: &RuleSet) -> Treatment {
    let treatment = treatment(judgement, entity);
    let names_people = judgement.entities.iter().any(|found| {
        let entity = rules.entity_by_name(&found.entity).map(|id| rules.entity(id));
        entity.is_none_or(|entity| entity.group != Group::Quasi)
    });
    if matches!(treatment, Treatment::Keep { .. }) && names_people { in_place() } else { treatment }
}

fn in_place() -> Treatment {
    Treatment::Text(Text {
        with: Replacement::Token,
        entities: Vec::new(),
        consistency: Consistency::Dataset,
    })
}

fn treatment(judgement: &Judgement, entity: Option<&Entity>) -> Treatment {
    if judgement.free_text {
        return in_place();
    }
    let Some(name) = judgement.entity.as_deref() else {
        return Treatment::Keep { reason: Some("nothing personal found".to_owned()) };
    };
    let group =
        judgement.group.or_else(|| entity.map(|entity| entity.group)).unwrap_or(Group::Direct);
    match entity.map_or("", |entity| entity.treatment.as_str()) {
        "pseudonymize" => pseudonymize(name, entity),
        "redact" => Treatment::Redact { with: None },
        "drop" => Treatment::Drop,
        // Only what does not name anybody is kept or made coarser, whatever a rule proposes.
        "keep" if group == Group::Quasi => keep(),
        _ => match group {
            Group::Direct => pseudonymize(name, entity),
            Group::Secret | Group::Sensitive => Treatment::Redact { with: None },
            Group::Quasi => {
                coarser(name, judgement.shape.as_deref()).map_or_else(keep, Treatment::Generalize)
            }
        },
    }
}

fn pseudonymize(name: &str, entity: Option<&Entity>) -> Treatment {
    let profile = entity.map_or("exact", |entity| entity.profile.as_str());
    let profile = PROFILES.iter().find(|(word, _)| *word == profile).map(|(_, profile)| *profile);
    Treatment::Pseudonymize(Pseudonymize {
        join: Some(name.to_owned()),
        profile: profile.filter(|profile| *profile != Profile::Exact),
        format: TokenFormat::Base62,
        consistency: Consistency::Dataset,
    })
}

fn keep() -> Treatment {
    Treatment::Keep { reason: Some("quasi-identifier: check with `risk`".to_owned()) }
}

fn coarser(name: &str, shape: Option<&str>) -> Option<Generalize> {
    let holds = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if name == "AGE" {
        Some(Generalize::Bands(AGE_BANDS.to_vec()))
    } else if name == "DATE_TIME" {
        // Whether the day or the month stands first is a guess where they are parted by a slash.
        let ambiguous = shape.is_some_and(|shape| shape.contains('/'));
        Some(Generalize::To(if ambiguous { DatePart::Year } else { DatePart::Month }))
    } else if holds(&["DATE", "BIRTH"]) {
        Some(Generalize::To(DatePart::Year))
    } else if holds(&["POSTAL", "POSTCODE", "ZIP"]) {
        Some(Generalize::Prefix(2))
    } else if name == "IP_ADDRESS" {
        Some(Generalize::Bits(24))
    } else if name == "COORDINATE" {
        // A tenth of a degree is about 11 km along a meridian.
        Some(Generalize::Step(Decimal { unscaled: 1, scale: 1 }))
    } else if name == "SALARY" {
        Some(Generalize::Step(Decimal::integer(1_000)))
    } else {
        None
    }
}

fn note(judgement: &Judgement) -> Note {
    let reason = judgement.reason.trim();
    let mut first = match (&judgement.entity, judgement.free_text) {
        (Some(entity), _) => format!("{entity}, confidence {:.2}", judgement.confidence),
        (None, true) => "free text".to_owned(),
        (None, false) => "nothing personal found".to_owned(),
    };
    if !reason.is_empty() {
        first = format!("{first}: {reason}");
    }
    let mut lines = vec![first];
    if let Some((second, confidence)) = &judgement.runner_up {
        lines.push(format!("second best: {second}, {confidence:.2}"));
    }
    if judgement.free_text && !judgement.entities.is_empty() {
        let inside: Vec<&str> =
            judgement.entities.iter().map(|count| count.entity.as_str()).collect();
        lines.push(format!("inside: {}", inside.join(", ")));
    }
    Note { entity: judgement.entity.clone(), lines }
}

const AGE_BANDS: [i64; 6] = [18, 30, 45, 60, 75, 90];
