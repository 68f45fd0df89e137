//! The tags of policy and manifest bound to the columns of one file.

use crate::cells::leaves;
use crate::holds::{KnownHold, held_rows};
use crate::manifest::read_retention;
use crate::row_expiry::{self, Said};
use crate::{Failure, Policy, Receipt, Result};
use allonym_core::{AnchorSource, Coarser, ROW_EXPIRY, RequireTags, Retention, Tag, TagMatch};
use allonym_io::TableFormat;
use allonym_recognize::RuleSet;
use allonym_retention::{
    Anchor, AnchorTypeError, Counts, Judge, OnExpiry, OnNullAnchor, Ruling, Term, Verdict,
};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, Schema, SchemaRef};
use arrow_select::take::take as take_rows;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of anchors that stand in no column.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    /// When the data set was collected: ISO 8601, a date or a timestamp.
    pub collected_at: Option<String>,
    /// When an event happened, by its name.
    pub events: BTreeMap<String, String>,
}

/// The tags of a file and what they say on one date.
pub(crate) struct Tags<'a> {
    pub(crate) tags: Vec<BoundTag>,
    /// Columns that must have a tag and have none.
    pub(crate) untagged: Vec<String>,
    /// Where policy and manifest disagree, in words.
    pub(crate) drift: Vec<String>,
    holds: Vec<&'a KnownHold>,
}

/// One tag bound to a file.
pub(crate) struct BoundTag {
    pub(crate) tag: Tag,
    /// The column whose cells it can change; rows and parts of columns have none.
    pub(crate) column: Option<(usize, String)>,
    /// Whether it is for a part of a column, as `person.iban`: rows can go by it, cells cannot.
    pub(crate) is_part: bool,
    /// What it is for and who says so, in words.
    pub(crate) of: String,
    pub(crate) anchor: Bound,
    pub(crate) coarser: Option<Coarser>,
}

/// The tags that rule one column, or whole rows: the policy's, and the manifest's where that says
/// something else. The earlier expiry rules, but none that comes before a statutory floor the other
/// one knows of.
pub(crate) struct Ruled {
    pub(crate) tags: Vec<(Source, Tag)>,
    disagreement: Option<String>,
}

/// Who says what a tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Policy,
    Manifest,
}

impl Source {
    fn of(self, what: &str) -> String {
        match self {
            Source::Policy => what.to_owned(),
            Source::Manifest => format!("{what} (manifest)"),
        }
    }
}

impl Ruled {
    pub(crate) fn new(said: Option<&Tag>, written: Option<&Tag>) -> Ruled {
        let (said, written) = match (said, written) {
            (Some(said), Some(written)) if said.to_json() != written.to_json() => (said, written),
            (Some(tag), _) => return Ruled::alone(Source::Policy, tag),
            (None, Some(tag)) => return Ruled::alone(Source::Manifest, tag),
            (None, None) => return Ruled { tags: Vec::new(), disagreement: None },
        };
        let may_go = |tag: &Tag, other: &Tag| {
            Term::new(tag.rule.term.duration(), other.rule.term.retain_at_least()).is_ok()
        };
        let pair = [(Source::Policy, said, written), (Source::Manifest, written, said)];
        let ruling = pair.iter().filter(|(_, tag, other)| may_go(tag, other));
        let mut tags: Vec<(Source, Tag)> =
            ruling.map(|(source, tag, _)| (*source, Tag::clone(tag))).collect();
        let which = match tags.as_slice() {
            [(Source::Policy, _)] => {
                "the first rules, for the second comes before a statutory floor"
            }
            [(Source::Manifest, _)] => {
                "the second rules, for the first comes before a statutory floor"
            }
            _ => "the earlier expiry rules",
        };
        let told = format!("{}, and {}; {which}", in_words(said), in_words(written));
        if tags.is_empty() {
            tags.push((Source::Policy, said.clone()));
        }
        Ruled { tags, disagreement: Some(told) }
    }

    fn alone(source: Source, tag: &Tag) -> Ruled {
        Ruled { tags: vec![(source, tag.clone())], disagreement: None }
    }

    /// Where policy and manifest disagree, in words.
    pub(crate) fn disagreement(&self, what: &str) -> Option<String> {
        let told = self.disagreement.as_ref()?;
        Some(format!("policy and manifest disagree on {what}: {told}"))
    }
}

/// What a policy says of retention.
///
/// # Errors
/// A policy that says nothing of it.
pub(crate) fn retention_of(policy: &Policy) -> Result<&Retention> {
    policy.retention().ok_or_else(|| {
        Failure::new("ALO-R001", 2, "the policy has no `[retention]`")
            .hint("say in it how long each column may be kept, from when, and what then")
    })
}

/// A tag in words: `closed_on + P7Y, then drop_row`.
pub(crate) fn in_words(tag: &Tag) -> String {
    format!("{} + {}, then {}", tag.anchor, tag.rule.term.duration(), tag.on_expiry.word())
}

/// The tag of a column in a manifest, which names every column.
pub(crate) fn written_for<'t>(manifest: &'t Retention, column: &str) -> Option<&'t Tag> {
    let is_for = |of: &TagMatch| matches!(of, TagMatch::Name(name) if name == column);
    manifest.columns.iter().find(|(of, _)| is_for(of)).map(|(_, tag)| tag)
}

/// What a period is counted from.
pub(crate) enum Bound {
    /// The cells of a column.
    Column(usize, Judge),
    /// One anchor for all rows, and what is to be said of it without and with a hold.
    Fixed(Anchor, [Ruling; 2]),
    /// What rows say of themselves in a column, on a date.
    Rows(usize, Timestamp),
}

/// Why nobody can tell what a period is counted from.
pub(crate) enum Unbound {
    /// No column has that name.
    Gone(String),
    /// The column is of a type that holds no anchors.
    Unfit(String, AnchorTypeError),
    /// Nobody said when the data was collected.
    NotCollected,
    /// Nobody said when the event was.
    NotTold(String),
    /// What was said of the event is no date or time.
    NoTime(String),
}

/// What a file is called, for the scope of holds and for messages.
pub(crate) struct FileName<'a> {
    /// Nowhere for a table in memory.
    pub(crate) path: Option<&'a Path>,
    pub(crate) relative: &'a str,
}

impl FileName<'_> {
    /// All names that the scope of a hold can mean: path, file, its stem, its folder, the policy.
    pub(crate) fn names(&self, policy: &Policy) -> Vec<String> {
        let file = self.relative.rsplit('/').next().unwrap_or(self.relative);
        let stem = file.split('.').next().unwrap_or(file);
        // Folders that rows are divided by are called after values, not after the data.
        let folders = self.path.into_iter().flat_map(|path| path.ancestors().skip(1));
        let folders = folders.filter_map(Path::file_name);
        let mut folders = folders.map(|name| name.to_string_lossy().into_owned());
        let folder = folders.find(|name| !name.contains('='));
        // Tables with versions keep their files in folders of their own.
        let mut above = self.path.into_iter().flat_map(|path| path.ancestors().skip(1));
        let table = above.find(|folder| TableFormat::of_folder(folder).is_some());
        let table = table.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let known = [self.relative, file, stem].map(str::to_owned).into_iter();
        known.chain(folder).chain(table).chain(policy.name().map(str::to_owned)).collect()
    }
}

impl<'a> Tags<'a> {
    /// Binds the tags of a policy, and of the manifest where that says something else, to the columns
    /// of a file.
    ///
    /// # Errors
    /// No column carries a tag's anchor, or one of a type that is none; an anchor that nobody told;
    /// an action that does not fit its column; two tags that claim one column.
    pub(crate) fn bind(
        policy: &'a Policy,
        rules: &RuleSet,
        file: &FileName<'_>,
        schema: &SchemaRef,
        anchors: &Anchors,
        as_of: Timestamp,
        holds: &'a [KnownHold],
    ) -> Result<Tags<'a>> {
        let retention = retention_of(policy)?;
        let said = |failure: Failure| Failure {
            message: format!("{}: {}", file.relative, failure.message),
            ..failure
        };
        let receipt = file.path.and_then(receipt_beside).map(|(_, receipt)| receipt);
        let manifest =
            receipt.as_ref().and_then(|receipt| read_retention(receipt.retention.as_ref()?));
        let entities = receipt.as_ref().map(entities_of);
        let mut drift = Vec::new();
        let mut bound = Vec::new();
        let mut untagged = Vec::new();
        let dataset = match (dataset_anchor(anchors).map_err(said)?, &receipt) {
            (Anchor::Null, Some(receipt)) => Anchor::read(receipt.collected_at.as_deref()),
            (told, _) => told,
        };
        let of = |tag: &Tag| Bound::of(tag, schema, dataset, &anchors.events, as_of);
        let by_rows = row_expiry::place_in(schema)
            .map_err(|what| said(Failure::new("ALO-R002", 3, what)))?
            .map(|at| Bound::Rows(at, as_of));
        let written = manifest.as_ref().and_then(|manifest| manifest.dataset.as_ref());
        let ruling = Ruled::new(retention.dataset.as_ref(), written);
        drift.extend(ruling.disagreement("whole rows"));
        let first = ruling.tags.first().map(|(_, tag)| tag.clone());
        for (name, tag) in ruling.tags {
            if !is_of_rows(tag.on_expiry) {
                let message = format!(
                    "`[retention.dataset]` is for whole rows, and `on_expiry = \"{}\"` is for cells",
                    tag.on_expiry.word()
                );
                return Err(Failure::new("ALO-R003", 2, message)
                    .hint("use drop_row or quarantine, or tag the columns"));
            }
            match (of(&tag), &by_rows) {
                (_, Some(_)) if row_expiry::is_treated(policy, &tag) => {}
                (Ok(anchor), _) => bound.push(BoundTag::of_rows(name.of("dataset"), tag, anchor)),
                // What the treatment took away, the rows say themselves.
                (Err(_), Some(_)) => {}
                (Err(why), None) => return Err(said(why.into())),
            }
        }
        // The earlier expiry rules: whichever is due acts.
        let by_themselves = by_rows.zip(first);
        bound.extend(
            by_themselves
                .map(|(anchor, tag)| BoundTag::of_rows(ROW_EXPIRY.to_owned(), tag, anchor)),
        );
        let ruled = |name: &str| -> Result<Ruled> {
            let entity = entities
                .as_ref()
                .and_then(|entities| entities.get(name).cloned())
                .or_else(|| crate::run::header_entity(rules, name));
            let tag = retention
                .tag_of(name, entity.as_deref())
                .map_err(|clash| said(Failure::new("ALO-R003", 2, clash.to_string())))?;
            Ok(Ruled::new(tag, manifest.as_ref().and_then(|all| written_for(all, name))))
        };
        let must = retention.require_tags == RequireTags::All && retention.dataset.is_none();
        for (at, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            if name == ROW_EXPIRY {
                continue;
            }
            let ruling = ruled(name)?;
            drift.extend(ruling.disagreement(&format!("column `{name}`")));
            let own: Vec<_> = ruling.tags.iter().map(|(_, tag)| tag.to_json()).collect();
            let mut parts = leaves(&Schema::new(vec![Arc::clone(field)]));
            parts.retain(|part| part.path != *name);
            if own.is_empty() && parts.is_empty() && must && !name.starts_with("_allonym_") {
                untagged.push(name.clone());
            }
            // A part has tags of its own, but for those that hold for the whole column already.
            for part in parts {
                let ruling = ruled(&part.path)?;
                drift.extend(ruling.disagreement(&format!("column `{}`", part.path)));
                if own.is_empty() && ruling.tags.is_empty() && must {
                    untagged.push(part.path.clone());
                }
                for (source, tag) in ruling.tags {
                    if !own.contains(&tag.to_json()) {
                        let anchor = of(&tag).map_err(|why| said(why.into()))?;
                        let of = source.of(&part.path);
                        bound
                            .push(BoundTag { is_part: true, ..BoundTag::of_rows(of, tag, anchor) });
                    }
                }
            }
            let unfit =
                |why: String| said(Failure::new("ALO-R003", 2, format!("column `{name}`: {why}")));
            let data_type = field.data_type();
            for (source, tag) in ruling.tags {
                if tag.on_expiry == OnExpiry::RetokenizeRandom && !holds_tokens(data_type) {
                    return Err(unfit(format!(
                        "`on_expiry = \"retokenize_random\"` is for columns of tokens, not of type \
                         {data_type}"
                    )));
                }
                let coarser = tag.coarser(data_type).map_err(|why| unfit(why.to_string()))?;
                let anchor = of(&tag).map_err(|why| said(why.into()))?;
                let of = source.of(name);
                bound.push(BoundTag {
                    tag,
                    column: Some((at, name.clone())),
                    is_part: false,
                    of,
                    anchor,
                    coarser,
                });
            }
        }
        let names = file.names(policy);
        let holds = holds.iter().filter(|hold| hold.is_for(&names)).collect();
        Ok(Tags { tags: bound, untagged, drift, holds })
    }

    /// Holds that cover rows of the file.
    pub(crate) fn holds(&self) -> &[&'a KnownHold] {
        &self.holds
    }

    /// Whether what a hold covers can only be told from the rows.
    pub(crate) fn held_by_row(&self) -> bool {
        !self.holds.is_empty() && !self.holds.iter().any(|hold| hold.is_whole())
    }

    /// Which rows are on hold; `None` for none.
    pub(crate) fn held(&self, records: &RecordBatch) -> Option<BooleanBuffer> {
        held_rows(&self.holds, records)
    }

    /// Columns that the verdicts and the actions need.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let anchors = self.tags.iter().filter_map(|tag| match &tag.anchor {
            Bound::Column(at, _) | Bound::Rows(at, _) => Some(*at),
            Bound::Fixed(..) => None,
        });
        let acted = self.tags.iter().filter(|tag| !is_of_rows(tag.tag.on_expiry));
        let acted = acted.filter_map(|tag| Some(tag.column.as_ref()?.0));
        anchors.chain(acted).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl BoundTag {
    fn of_rows(of: String, tag: Tag, anchor: Bound) -> BoundTag {
        BoundTag { tag, column: None, is_part: false, of, anchor, coarser: None }
    }

    /// Whether something is done to rows of the verdict.
    pub(crate) fn acts_on(&self, verdict: Verdict) -> Option<OnExpiry> {
        match verdict {
            Verdict::Expired => Some(self.tag.on_expiry),
            Verdict::NullAnchor if self.tag.rule.on_null_anchor == OnNullAnchor::Quarantine => {
                Some(OnExpiry::Quarantine)
            }
            _ => None,
        }
    }
}

/// How many rows have which verdict, by its word; only those that occur.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Tally(pub BTreeMap<String, u64>);

impl Tally {
    pub(crate) fn of(counts: &Counts) -> Tally {
        let verdicts = Verdict::ALL.iter().map(|verdict| (verdict.word(), counts.of(*verdict)));
        let marked = [(EXPIRING, counts.expiring), (SUSPICIOUS, counts.suspicious)];
        let told = verdicts.chain(marked).filter(|(_, rows)| *rows > 0);
        Tally(told.map(|(word, rows)| (word.to_owned(), rows)).collect())
    }

    /// Rows of a verdict.
    #[must_use]
    pub fn rows(&self, verdict: Verdict) -> u64 {
        self.0.get(verdict.word()).copied().unwrap_or(0)
    }
}

/// Whether the action is one on rows and not on cells.
pub(crate) fn is_of_rows(action: OnExpiry) -> bool {
    matches!(action, OnExpiry::DropRow | OnExpiry::Quarantine | OnExpiry::ShredEpoch)
}

/// Whether cells of a type can be tokens.
pub(crate) fn holds_tokens(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::FixedSizeBinary(16) => true,
        DataType::Dictionary(_, value) => holds_tokens(value),
        _ => false,
    }
}

/// Hands on all text and all whole numbers of a column with its row, and those of its parts with
/// their paths: `person.iban`, `tags[]`.
pub(crate) fn each_cell(column: &ArrayRef, path: &str, take: &mut dyn FnMut(&str, usize, &str)) {
    let rows: Vec<usize> = (0..column.len()).collect();
    each_cell_of(column, path, &rows, take);
}

/// `rows` has the row of each value.
fn each_cell_of(
    column: &ArrayRef,
    path: &str,
    rows: &[usize],
    take: &mut dyn FnMut(&str, usize, &str),
) {
    macro_rules! texts {
        ($texts:expr) => {{
            let texts = $texts;
            for (n, row) in rows.iter().enumerate() {
                if texts.is_valid(n) {
                    take(path, *row, texts.value(n));
                }
            }
        }};
    }
    let mut items = |list: &dyn Array, of: &dyn Fn(usize) -> ArrayRef| {
        // Readers of JSON Lines name such columns by the path of their items.
        let path = if path.contains("[]") { path.to_owned() } else { format!("{path}[]") };
        for (n, row) in rows.iter().enumerate() {
            if list.is_valid(n) {
                let items = of(n);
                each_cell_of(&items, &path, &vec![*row; items.len()], take);
            }
        }
    };
    match column.data_type() {
        DataType::Utf8 => texts!(column.as_string::<i32>()),
        DataType::LargeUtf8 => texts!(column.as_string::<i64>()),
        DataType::Utf8View => texts!(column.as_string_view()),
        // Tokens of 16 bytes are named by their hexadecimal form.
        DataType::FixedSizeBinary(16) => {
            let tokens = column.as_fixed_size_binary();
            for (n, row) in rows.iter().enumerate() {
                if tokens.is_valid(n) {
                    take(path, *row, &hex(tokens.value(n)));
                }
            }
        }
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            let unpacked = take_rows(dictionary.values().as_ref(), dictionary.keys(), None);
            if let Ok(unpacked) = unpacked {
                each_cell_of(&unpacked, path, rows, take);
            }
        }
        DataType::Struct(fields) => {
            for (field, part) in fields.iter().zip(column.as_struct().columns()) {
                each_cell_of(part, &format!("{path}.{}", field.name()), rows, take);
            }
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            items(list, &|n| list.value(n));
        }
        DataType::LargeList(_) => {
            let list = column.as_list::<i64>();
            items(list, &|n| list.value(n));
        }
        DataType::FixedSizeList(..) => {
            let list = column.as_fixed_size_list();
            items(list, &|n| list.value(n));
        }
        data_type if data_type.is_integer() => {
            if let Ok(texts) = cast(column, &DataType::Utf8) {
                each_cell_of(&texts, path, rows, take);
            }
        }
        _ => {}
    }
}

/// Whether a text token of a text is one of those asked for.
pub(crate) fn holds_word(text: &str, names: &dyn Fn(&str) -> bool) -> bool {
    if !text.contains('_') {
        return false;
    }
    let mut found = Vec::new();
    allonym_keys::find_text_tokens(text, &mut found);
    found.into_iter().any(|token| text.get(token).is_some_and(names))
}

/// Entities of columns as a receipt tells them.
pub(crate) fn entities_of(receipt: &Receipt) -> BTreeMap<String, String> {
    let judged = receipt.columns.iter();
    judged.filter_map(|column| Some((column.name.clone(), column.entity.clone()?))).collect()
}

/// The receipt that has this file among its outputs: beside it, or in a folder above it.
pub(crate) fn receipt_beside(path: &Path) -> Option<(PathBuf, Receipt)> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let own = path.with_file_name(format!("{name}.allonym.json"));
    let above = path.ancestors().skip(1).take(FOLDERS_UP_MAX);
    let of_folders = above.map(|folder| folder.join("allonym.receipt.json"));
    std::iter::once(own).chain(of_folders).find_map(|place| {
        let text = fs::read_to_string(&place).ok()?;
        let receipt = Receipt::parse(&text, &place.display().to_string()).ok()?;
        let folder = place.parent()?;
        let lists = receipt.outputs.iter().any(|output| {
            let output = folder.join(&output.path);
            output.canonicalize().is_ok_and(|output| path.canonicalize().is_ok_and(|p| p == output))
        });
        lists.then_some((place, receipt))
    })
}

/// SHA-256, lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Bound {
    /// What the periods of a tag are counted from in a file; `dataset` is when all of it was collected,
    /// [`Anchor::Null`] where nobody knows.
    pub(crate) fn of(
        tag: &Tag,
        schema: &Schema,
        dataset: Anchor,
        events: &BTreeMap<String, String>,
        as_of: Timestamp,
    ) -> std::result::Result<Bound, Unbound> {
        let fixed = |anchor| {
            let ruling = |held| Ruling::of(&tag.rule, anchor, held, as_of);
            Bound::Fixed(anchor, [false, true].map(ruling))
        };
        match &tag.anchor {
            AnchorSource::Column(name) => {
                let Some((at, field)) = schema.column_with_name(name) else {
                    return Err(Unbound::Gone(name.clone()));
                };
                let judge = Judge::new(&tag.rule, as_of, dataset, field.data_type());
                judge
                    .map(|judge| Bound::Column(at, judge))
                    .map_err(|error| Unbound::Unfit(name.clone(), error))
            }
            AnchorSource::CollectedAt if dataset == Anchor::Null => Err(Unbound::NotCollected),
            AnchorSource::CollectedAt => Ok(fixed(dataset)),
            AnchorSource::Event(name) => {
                let Some(text) = events.get(name) else {
                    return Err(Unbound::NotTold(name.clone()));
                };
                match Anchor::read(Some(text)) {
                    Anchor::Unreadable | Anchor::Null => Err(Unbound::NoTime(name.clone())),
                    anchor => Ok(fixed(anchor)),
                }
            }
        }
    }

    /// What is to be said of each row.
    pub(crate) fn rulings(
        &self,
        records: &RecordBatch,
        held: Option<&BooleanBuffer>,
        place: &dyn Fn(usize) -> usize,
    ) -> Result<Vec<Ruling>> {
        let is_held = |row| held.is_some_and(|held| held.value(row));
        let rows = 0..records.num_rows();
        match self {
            Bound::Column(at, judge) => judge
                .rulings(records.column(place(*at)).as_ref(), held)
                .map_err(|error| changed(&error.to_string())),
            Bound::Fixed(_, rulings) => {
                Ok(rows.map(|row| rulings[usize::from(is_held(row))]).collect())
            }
            Bound::Rows(at, as_of) => {
                let column = records.column(place(*at)).as_ref();
                Ok(rows.map(|row| Said::of(column, row).ruling(is_held(row), *as_of)).collect())
            }
        }
    }

    /// How many rows have which verdict.
    pub(crate) fn count(
        &self,
        records: &RecordBatch,
        held: Option<&BooleanBuffer>,
        place: &dyn Fn(usize) -> usize,
    ) -> Result<Counts> {
        let mut counts = Counts::default();
        match self {
            Bound::Column(at, judge) => {
                counts = judge
                    .count(records.column(place(*at)).as_ref(), held)
                    .map_err(|error| changed(&error.to_string()))?;
            }
            Bound::Fixed(_, rulings) => {
                let on_hold = held.map_or(0, BooleanBuffer::count_set_bits) as u64;
                counts.put_ruling(rulings[1], on_hold);
                counts.put_ruling(rulings[0], records.num_rows() as u64 - on_hold);
            }
            Bound::Rows(..) => {
                for ruling in self.rulings(records, held, place)? {
                    counts.put_ruling(ruling, 1);
                }
            }
        }
        Ok(counts)
    }
}

impl From<Unbound> for Failure {
    fn from(why: Unbound) -> Failure {
        let untold = |what: &str, option: &str| {
            let message = format!("a period is counted from {what}, and nobody told it");
            Failure::new("ALO-R002", 3, message).hint(format!("give it: {option}"))
        };
        match why {
            Unbound::Gone(name) => {
                let message =
                    format!("a period is counted from the column `{name}`, which the data lacks");
                Failure::new("ALO-R002", 3, message)
                    .hint("keep the column, or count from another one in `[retention]`")
            }
            Unbound::Unfit(name, error) => {
                Failure::new("ALO-R002", 3, format!("column `{name}`: {error}"))
                    .hint("store it as a date or a timestamp")
            }
            Unbound::NotCollected => untold("dataset.collected_at", "--collected-at 2026-01-31"),
            Unbound::NotTold(name) => {
                untold(&format!("event:{name}"), &format!("--event {name}=2026-01-31"))
            }
            Unbound::NoTime(name) => no_time(&format!("--event {name}")),
        }
    }
}

fn dataset_anchor(anchors: &Anchors) -> Result<Anchor> {
    match Anchor::read(anchors.collected_at.as_deref()) {
        Anchor::Unreadable => Err(no_time("--collected-at")),
        anchor => Ok(anchor),
    }
}

fn no_time(option: &str) -> Failure {
    Failure::new("ALO-U005", 2, format!("{option} is no date or time"))
        .hint("write it as 2026-01-31")
}

fn changed(what: &str) -> Failure {
    Failure::new("ALO-R002", 3, format!("the data changed its columns while it was read: {what}"))
}

/// Rows to retain that expire within thirty days.
pub(crate) const EXPIRING: &str = "expiring_within_30_days";
/// Rows whose anchor looks made up.
pub(crate) const SUSPICIOUS: &str = "suspicious_anchor";
const FOLDERS_UP_MAX: usize = 16;
