//! Who was erased stays out: keyed marks beside the keyring, and the rows of `apply` that bear one.

use crate::jobs::storage;
use crate::tags::{each_cell, hex};
use crate::{Environment, Failure, Keyring, Policy, Result, unlock_for};
use allonym_core::{Holding, Spelling};
use allonym_io::{Chunk, write_whole};
use allonym_keys::{Profile, Scope, Tokenizer};
use allonym_recognize::{Recognizer, RuleSet, Scratch};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Marks of the people of one tenant who were erased: message authentication codes under a key of
/// their own, which outlives the keys of tokens.
pub(crate) struct Suppression {
    tenant: String,
    marks: BTreeMap<String, String>,
}

/// One mark as it is stored.
#[derive(Serialize, Deserialize)]
struct Mark {
    mark: String,
    since: String,
}

impl fmt::Debug for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suppression").field("marks", &self.marks.len()).finish_non_exhaustive()
    }
}

impl Suppression {
    /// Where the list of a keyring stands: beside it, `.suppression.jsonl` appended.
    pub(crate) fn place(ring: &Path) -> PathBuf {
        PathBuf::from(format!("{}.suppression.jsonl", ring.display()))
    }

    /// The marks of a tenant; none where nobody was erased yet.
    ///
    /// # Errors
    /// A list that cannot be read, or is none.
    pub(crate) fn read(ring: &Path, tenant: &str) -> Result<Suppression> {
        let path = Suppression::place(ring);
        let mut marks = BTreeMap::new();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| {
                let message = format!(
                    "the suppression list `{}` cannot be read: {}",
                    path.display(),
                    error.kind()
                );
                Failure::new("ALO-E003", 4, message).hint(UNREADABLE)
            })?,
        };
        for (n, line) in text.lines().enumerate() {
            let mark: Mark = serde_json::from_str(line).map_err(|_| {
                let message = format!(
                    "line {} of the suppression list `{}` is not one of its marks",
                    n + 1,
                    path.display()
                );
                Failure::new("ALO-E003", 4, message).hint(UNREADABLE)
            })?;
            marks.insert(mark.mark, mark.since);
        }
        Ok(Suppression { tenant: tenant.to_owned(), marks })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Makes the key of the tenant's marks where there is none; opens the ring anew.
    ///
    /// # Errors
    /// A ring that cannot be opened or written.
    pub(crate) fn make_key(
        path: &Path,
        tenant: &str,
        now: &str,
        environment: &Environment,
    ) -> Result<Keyring> {
        let unlock = unlock_for(path, environment)?;
        let mut ring = Keyring::open(path, &unlock)?;
        let marks = key_tenant(tenant);
        if !ring.keys().iter().any(|key| key.tenant == marks) {
            ring.add_key(&unlock, KEY_LABEL, &marks, now)?;
        }
        Ok(ring)
    }

    /// A tokenizer of marks for one field.
    ///
    /// # Errors
    /// The ring has no key of marks, or a name is too long.
    pub(crate) fn marker(
        ring: &Keyring,
        tenant: &str,
        field: &str,
        profile: Profile,
    ) -> Result<Tokenizer> {
        let key = ring.key(None, &key_tenant(tenant)).map_err(|_| {
            let message = "the keyring lacks the key of its suppression list";
            Failure::new("ALO-E003", 4, message)
                .hint("restore the keyring from its backup; without the key nobody who was erased can be kept out")
        })?;
        Ok(key.tokenizer(DOMAIN, field, profile)?)
    }

    /// Adds marks and writes the list, whole or not at all. Marks that are there stay as they are.
    ///
    /// # Errors
    /// The storage fails, or another process writes the list.
    pub(crate) fn add(
        ring: &Path,
        tenant: &str,
        marks: BTreeSet<String>,
        since: &str,
    ) -> Result<()> {
        let path = Suppression::place(ring);
        let lock_path = PathBuf::from(format!("{}.lock", path.display()));
        let lock = File::create(&lock_path).map_err(storage(&lock_path))?;
        lock.lock().map_err(storage(&lock_path))?;
        let mut known = Suppression::read(ring, tenant)?;
        for mark in marks {
            known.marks.entry(mark).or_insert_with(|| since.to_owned());
        }
        let mut text = String::new();
        for (mark, since) in known.marks {
            let line = serde_json::to_string(&Mark { mark, since });
            text.push_str(&line.expect("a mark and a date are JSON"));
            text.push('\n');
        }
        write_whole(&path, text.as_bytes(), true)?;
        Ok(())
    }
}

/// Spells a mark.
pub(crate) fn mark(marker: &Tokenizer, value: &str, scratch: &mut String) -> String {
    hex(&marker.mac(Scope::Dataset, value, scratch).bytes16())
}

/// Keeps the rows of people who were erased out of what is treated.
pub struct Guard {
    marks: HashSet<String>,
    /// By leaf column: how its cells are spelt and marked.
    columns: BTreeMap<String, (Spelling, Tokenizer)>,
    /// Columns whose text is looked into, and with what.
    texts: BTreeSet<String>,
    in_text: Option<(Arc<Recognizer>, Tokenizer)>,
    scratch: Scratch,
    /// Rows that were kept out.
    blocked: u64,
    /// Rows that went on.
    passed: u64,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("marks", &self.marks.len()).finish_non_exhaustive()
    }
}

impl Guard {
    /// For the columns of an input; `None` where nobody was erased.
    ///
    /// # Errors
    /// A list without its key.
    pub(crate) fn new(
        list: &Suppression,
        ring: &Keyring,
        policy: &Policy,
        rules: &RuleSet,
        recognizer: Option<&Arc<Recognizer>>,
        schema: &SchemaRef,
        judged: &BTreeMap<String, String>,
    ) -> Result<Option<Guard>> {
        if list.is_empty() {
            return Ok(None);
        }
        let mut columns = BTreeMap::new();
        let mut texts = BTreeSet::new();
        for leaf in crate::cells::leaves(schema) {
            let entity = judged.get(&leaf.path).map(String::as_str);
            let (field, profile) = field_of(policy, rules, &leaf.path, entity);
            if matches!(policy.holding(&leaf.path, entity, rules), Some(Holding::Text { .. })) {
                texts.insert(leaf.path.clone());
            }
            let marker = Suppression::marker(ring, &list.tenant, &field, profile)?;
            columns.insert(leaf.path, (Spelling::new(profile, policy), marker));
        }
        let in_text = match recognizer.filter(|_| !texts.is_empty()) {
            None => None,
            Some(recognizer) => {
                let marker = Suppression::marker(ring, &list.tenant, IN_TEXT, Profile::Casefold)?;
                Some((Arc::clone(recognizer), marker))
            }
        };
        Ok(Some(Guard {
            marks: list.marks.keys().cloned().collect(),
            columns,
            texts,
            in_text,
            scratch: Scratch::default(),
            blocked: 0,
            passed: 0,
        }))
    }

    /// Rows that were kept out so far.
    #[must_use]
    pub fn blocked(&self) -> u64 {
        self.blocked
    }

    /// The chunk without the rows of people who were erased; rows are numbered as if these had never
    /// been there.
    ///
    /// # Errors
    /// Columns that cannot be put together again.
    pub(crate) fn pass(&mut self, chunk: Chunk) -> Result<Chunk> {
        let rows = chunk.records.num_rows();
        let keep = self.free(&chunk.records);
        let first_row = self.passed;
        let kept = keep.count_set_bits();
        self.blocked += (rows - kept) as u64;
        self.passed += kept as u64;
        if kept == rows {
            return Ok(Chunk { first_row, ..chunk });
        }
        let dress = chunk.dress.kept(&keep);
        let records = filter_record_batch(&chunk.records, &BooleanArray::new(keep, None))?;
        Ok(Chunk { records, first_row, dress })
    }

    /// Rows of a batch that bear no mark.
    ///
    /// # Errors
    /// Columns that cannot be put together again.
    pub fn pass_batch(&mut self, records: &RecordBatch) -> Result<RecordBatch> {
        let keep = self.free(records);
        self.blocked += (keep.len() - keep.count_set_bits()) as u64;
        Ok(filter_record_batch(records, &BooleanArray::new(keep, None))?)
    }

    fn free(&mut self, records: &RecordBatch) -> BooleanBuffer {
        let mut keep = vec![true; records.num_rows()];
        let mut normal = Zeroizing::new(String::new());
        let mut spelt = Zeroizing::new(String::new());
        let Guard { marks, columns, texts, in_text, scratch, .. } = self;
        let mut spans = Vec::new();
        let schema = records.schema();
        for (field, column) in schema.fields().iter().zip(records.columns()) {
            each_cell(column, field.name(), &mut |path, row, cell| {
                if !keep[row] {
                    return;
                }
                if let Some((spelling, marker)) = columns.get(path)
                    && marks.contains(&mark(marker, spelling.spell(cell, &mut spelt), &mut normal))
                {
                    keep[row] = false;
                    return;
                }
                if let Some((recognizer, marker)) = in_text
                    && texts.contains(path)
                {
                    spans.clear();
                    recognizer.scan(cell, scratch, &mut spans);
                    let marked = spans.iter().any(|span| {
                        let value = cell.get(span.start..span.end).unwrap_or_default();
                        marks.contains(&mark(marker, value, &mut normal))
                    });
                    keep[row] &= !marked;
                }
            });
        }
        keep.into_iter().collect()
    }
}

/// The field a column's cells are marked under: its join field, or what that would be.
pub(crate) fn field_of(
    policy: &Policy,
    rules: &RuleSet,
    path: &str,
    entity: Option<&str>,
) -> (String, Profile) {
    match policy.holding(path, entity, rules) {
        Some(Holding::Tokens { field, profile, .. }) => (field, profile),
        _ => allonym_core::default_field(path, entity, rules),
    }
}

fn key_tenant(tenant: &str) -> String {
    format!("suppression:{tenant}")
}

/// The field of marks for what is found inside of text.
pub(crate) const IN_TEXT: &str = "allonym:text";
const DOMAIN: &str = "suppression";
const KEY_LABEL: &str = "suppression";
const UNREADABLE: &str =
    "restore it from its backup; without it people who were erased would come back";
