//! A policy as canonical JSON (RFC 8785), and its digest.

use super::{Generalize, PROFILES, Pattern, Policy, Treatment, Unlisted, format_word};
use allonym_keys::canonical_json;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

impl Policy {
    /// The policy as JSON with every default filled in: what the digest is taken over.
    pub(super) fn canonical(&self) -> Value {
        let (unlisted, reason) = match &self.unlisted {
            Unlisted::Error => ("error", None),
            Unlisted::Drop => ("drop", None),
            Unlisted::Keep { reason } => ("keep", Some(reason)),
        };
        let mut entities = Map::new();
        for (name, find) in &self.find.entities {
            let found =
                json!({"min_score": find.min_score, "allow": find.allow, "deny": find.deny});
            entities.insert(name.clone(), found);
        }
        let mut columns = Map::new();
        for listed in &self.columns {
            columns.insert(listed.name.clone(), treatment(&listed.treatment));
        }
        let matches: Vec<Value> = self
            .matches
            .iter()
            .map(|matched| {
                let mut value = treatment(&matched.treatment);
                let (key, pattern) = match &matched.pattern {
                    Pattern::Glob(glob) => ("glob", glob),
                    Pattern::Entity(entity) => ("entity", entity),
                };
                value[key] = json!(pattern);
                value
            })
            .collect();
        let mut canonical = json!({
            "version": 1,
            "policy": {
                "name": self.name,
                "purpose": self.purpose,
                "owner": self.owner,
                "unlisted": unlisted,
                "unlisted_reason": reason,
                "expected_distinct": self.expected_distinct,
                "sentinels": self.sentinels,
            },
            "keys": {
                "ring": self.keys.ring,
                "key": self.keys.key,
                "tenant": self.keys.tenant,
                "domain": self.keys.domain,
            },
            "find": {
                "set": self.find.set,
                "countries": self.find.countries,
                "languages": self.find.languages,
                "min_score": self.find.min_score,
                "names": self.find.names.word(),
                "rules": self.find.rules,
                "entities": entities,
            },
            "columns": columns,
            "match": matches,
        });
        // Only where they stand, so that the digests of policies without them stay what they were.
        if let Some(ledger) = &self.keys.ledger {
            canonical["keys"]["ledger"] = json!(ledger);
        }
        if let Some(retention) = &self.retention {
            canonical["retention"] = retention.canonical();
        }
        if let Some(gates) = &self.gates {
            canonical["gates"] = gates.canonical();
        }
        canonical
    }
}

fn treatment(treatment: &Treatment) -> Value {
    let mut value = match treatment {
        Treatment::Keep { reason } => json!({"reason": reason}),
        Treatment::Drop => json!({}),
        Treatment::Redact { with } => json!({"with": with}),
        Treatment::Mask(mask) => json!({
            "keep_first": mask.keep_first,
            "keep_last": mask.keep_last,
            "char": mask.char,
        }),
        Treatment::Pseudonymize(p) => {
            let named = PROFILES.iter().find(|(_, known)| Some(*known) == p.profile);
            json!({
                "join": p.join,
                "profile": named.map(|(word, _)| *word),
                "format": format_word(p.format),
                "consistency": p.consistency.word(),
            })
        }
        Treatment::Generalize(way) => coarser(way),
        Treatment::Text(text) => json!({
            "with": text.with.word(),
            "entities": text.entities,
            "consistency": text.consistency.word(),
        }),
    };
    value["treat"] = json!(treatment.name());
    value
}

/// How something becomes coarser.
pub(super) fn coarser(way: &Generalize) -> Value {
    match way {
        Generalize::To(part) => json!({"to": part.word()}),
        Generalize::Step(step) => {
            json!({"step": serde_json::from_str::<Value>(&step.to_string()).unwrap_or(Value::Null)})
        }
        Generalize::Prefix(n) => json!({"prefix": n}),
        Generalize::Bits(bits) => json!({"bits": bits}),
        Generalize::Bands(bands) => json!({"bands": bands}),
    }
}

/// SHA-256 of the canonical JSON, lower-case hex.
pub(super) fn digest(value: &Value) -> String {
    let text = canonical_json(value);
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
