//! What is written down: who did what, with counts and digests, and never a value.

use crate::tree::Hash;
use allonym_keys::canonical_json;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One thing that was done, as whoever did it tells it.
///
/// Everything in it is a name of a narrow alphabet, a digest or a count, so that no cell, no
/// address and no path can be written down by mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub action: Action,
    /// Who did it: a user or service of the operating system, or the fingerprint of a key.
    pub actor: String,
    /// Name and version of the program.
    pub tool: String,
    /// Whose keys.
    pub tenant: Option<String>,
    /// Tables whose tokens join.
    pub domain: Option<String>,
    /// The job it belongs to, and whether it begins or ends it.
    pub job: Option<(String, Phase)>,
    /// Digest of the policy, or of the plan.
    pub policy_digest: Option<Hash>,
    /// Digests of what was read.
    pub inputs: Vec<Hash>,
    /// Digests of what was written: outputs, receipts, manifests, certificates.
    pub outputs: Vec<Hash>,
    /// How many of what.
    pub counts: BTreeMap<String, u64>,
    /// Ids of the keys that were used.
    pub key_ids: Vec<String>,
    /// Why, where the action needs a reason.
    pub reason_code: Option<ReasonCode>,
    /// Where the reason is told in full.
    pub ticket: Option<String>,
}

impl Entry {
    /// An entry that says who did what with which program, and nothing else yet.
    #[must_use]
    pub fn new(action: Action, actor: &str, tool: &str) -> Entry {
        Entry {
            action,
            actor: actor.to_owned(),
            tool: tool.to_owned(),
            tenant: None,
            domain: None,
            job: None,
            policy_digest: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            counts: BTreeMap::new(),
            key_ids: Vec::new(),
            reason_code: None,
            ticket: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), EntryError> {
        let names = [
            ("actor", Some(&self.actor)),
            ("tool", Some(&self.tool)),
            ("tenant", self.tenant.as_ref()),
            ("domain", self.domain.as_ref()),
            ("job", self.job.as_ref().map(|(job, _)| job)),
            ("ticket", self.ticket.as_ref()),
        ];
        let named = names.into_iter().filter_map(|(field, name)| name.map(|name| (field, name)));
        let listed = self.counts.keys().map(|name| ("counts", name));
        let keys = self.key_ids.iter().map(|id| ("key_ids", id));
        for (field, name) in named.chain(listed).chain(keys) {
            if !is_name(name) {
                return Err(EntryError::Name { field });
            }
        }
        if let Some(count) = self.counts.values().find(|count| **count > COUNT_MAX) {
            return Err(EntryError::Count { count: *count });
        }
        for (field, n, most) in [
            ("inputs", self.inputs.len(), DIGESTS_MAX),
            ("outputs", self.outputs.len(), DIGESTS_MAX),
            ("counts", self.counts.len(), COUNTS_MAX),
            ("key_ids", self.key_ids.len(), COUNTS_MAX),
        ] {
            if n > most {
                return Err(EntryError::TooMany { field, n, most });
            }
        }
        Ok(())
    }
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Data was treated by a policy.
    Apply,
    /// Data was checked.
    Check,
    /// What had expired was removed.
    Expire,
    /// People were erased.
    Erase,
    /// Tokens were turned back.
    Reveal,
    /// A key was made.
    KeyNew,
    /// A key was replaced.
    KeyRotate,
    /// A key was destroyed.
    KeyShred,
    /// Exposure was measured.
    Exposure,
    /// Entries of the ledger itself were removed, as their own retention says.
    LedgerExpire,
}

/// Which end of a job an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It begins.
    Begin,
    /// It is done.
    End,
}

/// Why somebody did what needs a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// A person asked.
    SubjectRequest,
    /// Fraud is looked into.
    FraudCase,
    /// A court or authority ordered it.
    LegalOrder,
    /// Something went wrong.
    Incident,
    /// A test.
    Test,
}

/// An entry that cannot be written down. Names fields, never what stands in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// A name outside the alphabet.
    #[error(
        "`{field}` is no name: 1 to 128 of the letters a to z and A to Z, digits, space and ._:/+-"
    )]
    Name {
        /// The field.
        field: &'static str,
    },
    /// A count that JSON readers do not keep.
    #[error("a count of {count} is above 2^53, which JSON readers do not keep exactly")]
    Count {
        /// The count.
        count: u64,
    },
    /// A list that is too long.
    #[error("`{field}` has {n} members, {most} at most")]
    TooMany {
        /// The field.
        field: &'static str,
        /// Its members.
        n: usize,
        /// Most members.
        most: usize,
    },
    /// The whole is too long.
    #[error("the entry takes {bytes} bytes, {LINE_BYTES_MAX} at most")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
}

/// An entry as it stands in the log, without its code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) v: u32,
    pub(crate) seq: u64,
    pub(crate) ts: Timestamped,
    pub(crate) prev: String,
    pub(crate) action: Action,
    pub(crate) actor: String,
    pub(crate) tool: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<Phase>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy_digest: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) outputs: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) counts: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) key_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason_code: Option<ReasonCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
}

impl Line {
    pub(crate) fn new(entry: &Entry, seq: u64, at: Timestamp, prev: Hash) -> Line {
        let hex = |hashes: &[Hash]| hashes.iter().map(Hash::to_string).collect();
        Line {
            v: VERSION,
            seq,
            ts: Timestamped(at.to_string()),
            prev: prev.to_string(),
            action: entry.action,
            actor: entry.actor.clone(),
            tool: entry.tool.clone(),
            tenant: entry.tenant.clone(),
            domain: entry.domain.clone(),
            job: entry.job.as_ref().map(|(job, _)| job.clone()),
            phase: entry.job.as_ref().map(|(_, phase)| *phase),
            policy_digest: entry.policy_digest.map(|digest| digest.to_string()),
            inputs: hex(&entry.inputs),
            outputs: hex(&entry.outputs),
            counts: entry.counts.clone(),
            key_ids: entry.key_ids.clone(),
            reason_code: entry.reason_code,
            ticket: entry.ticket.clone(),
        }
    }

    fn value(&self) -> Value {
        serde_json::to_value(self).expect("names, digests and counts can be written as JSON")
    }

    /// What its code is taken over.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        canonical_json(&self.value()).into_bytes()
    }

    /// The line of the log: canonical, with its code, without a line break.
    pub(crate) fn with_code(&self, code: [u8; 32]) -> String {
        let mut value = self.value();
        value[CODE_FIELD] = Value::String(Hash(code).to_string());
        canonical_json(&value)
    }

    /// Reads a line and its code; `None` when it is not exactly what [`Line::with_code`] writes.
    pub(crate) fn parse(text: &str) -> Option<(Line, [u8; 32])> {
        let mut value: Value = serde_json::from_str(text).ok()?;
        let code = value.as_object_mut()?.remove(CODE_FIELD)?;
        let code = Hash::parse(code.as_str()?)?.0;
        let line: Line = serde_json::from_value(value).ok()?;
        let known = line.v == VERSION && line.ts.read().is_some();
        (known && line.with_code(code) == text).then_some((line, code))
    }

    pub(crate) fn at(&self) -> Timestamp {
        // A line is made from a timestamp or was parsed, which reads it.
        self.ts.read().unwrap_or(Timestamp::MIN)
    }
}

/// An instant, RFC 3339 in UTC, spelt one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Timestamped(pub(crate) String);

impl Timestamped {
    pub(crate) fn read(&self) -> Option<Timestamp> {
        self.0.parse::<Timestamp>().ok().filter(|at| at.to_string() == self.0)
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || " ._:/+-".contains(c);
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(letter)
}

/// The count of a [`Action::LedgerExpire`] entry: entries below this number were removed.
pub(crate) const BELOW: &str = "below";
/// Longest line, in bytes.
pub(crate) const LINE_BYTES_MAX: usize = 1 << 20;
const VERSION: u32 = 1;
const CODE_FIELD: &str = "mac";
const NAME_CHARS_MAX: usize = 128;
const COUNT_MAX: u64 = 1 << 53;
const DIGESTS_MAX: usize = 10_000;
const COUNTS_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let mut entry = Entry::new(Action::Apply, "nightly", "allonym 0.1.0");
        entry.job = Some(("job-7".to_owned(), Phase::End));
        entry.policy_digest = Some(Hash::leaf(b"policy"));
        entry.counts.insert("rows".to_owned(), 3);
        entry.key_ids.push("K7Q2Z".to_owned());
        entry.reason_code = Some(ReasonCode::SubjectRequest);
        entry
    }

    fn line() -> Line {
        Line::new(&entry(), 4, "2026-11-21T02:14:09Z".parse().unwrap(), Hash::leaf(b"before"))
    }

    #[test]
    fn a_line_is_canonical_and_comes_back() {
        let text = line().with_code([0xab; 32]);
        assert!(
            text.starts_with(
                "{\"action\":\"apply\",\"actor\":\"nightly\",\"counts\":{\"rows\":3},"
            )
        );
        assert!(text.contains("\"reason_code\":\"subject-request\""), "{text}");
        assert!(!text.contains("ticket") && !text.contains('\n'));
        assert_eq!(Line::parse(&text), Some((line(), [0xab; 32])));
    }

    #[test]
    fn a_line_has_one_spelling() {
        let text = line().with_code([0xab; 32]);
        for wrong in [
            text.replace(":3}", ": 3}"),
            text.replace(":3}", ":3.0}"),
            text.replace("{\"action\"", "{ \"action\""),
            text.replace("\"seq\":4", "\"seq\":04"),
            text.replace("\"v\":1", "\"v\":2"),
            text.replace("\"v\":1", "\"v\":1,\"x\":1"),
            text.replace("02:14:09Z", "02:14:09.0Z"),
            text.replace("02:14:09Z", "02:14:99Z"),
            text.replace("abab", "ABAB"),
            text.replace("\"mac\"", "\"mak\""),
            text.replace("apply", "applied"),
            format!("{text} "),
            format!("[{text}]"),
            String::new(),
        ] {
            assert_eq!(Line::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_cannot_be_written_down() {
        for name in ["", "zoe@example.org", "Zoë", "a\nb", "a\"b", &"x".repeat(129)] {
            let mut named = entry();
            named.actor = name.to_owned();
            let error = named.check().unwrap_err();
            assert_eq!(error, EntryError::Name { field: "actor" });
            assert!(name.is_empty() || !error.to_string().contains(name));
            let mut counted = entry();
            counted.counts.insert(name.to_owned(), 1);
            assert_eq!(counted.check(), Err(EntryError::Name { field: "counts" }));
            let mut ticketed = entry();
            ticketed.ticket = Some(name.to_owned());
            assert_eq!(ticketed.check(), Err(EntryError::Name { field: "ticket" }));
        }
        assert_eq!(entry().check(), Ok(()));
    }

    #[test]
    fn limits_hold_at_the_limit() {
        let mut entry = entry();
        entry.counts.insert("cells".to_owned(), 1 << 53);
        entry.actor = "x".repeat(128);
        entry.inputs = vec![Hash::empty(); 10_000];
        assert_eq!(entry.check(), Ok(()));
        entry.inputs.push(Hash::empty());
        let error = EntryError::TooMany { field: "inputs", n: 10_001, most: 10_000 };
        assert_eq!(entry.check(), Err(error));
        entry.inputs.clear();
        entry.counts.insert("cells".to_owned(), (1 << 53) + 1);
        assert_eq!(entry.check(), Err(EntryError::Count { count: (1 << 53) + 1 }));
    }
}
