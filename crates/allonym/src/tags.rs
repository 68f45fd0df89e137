//! The tags of a policy bound to the columns of one file.

use crate::row_expiry::{self, Said};
use crate::{Failure, Policy, Receipt, Result};
use allonym_core::{AnchorSource, Coarser, ROW_EXPIRY, RequireTags, Retention, Tag, glob_matches};
use allonym_recognize::RuleSet;
use allonym_retention::{Anchor, Counts, Hold, Judge, OnExpiry, OnNullAnchor, Rule, Verdict};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef};
use arrow_select::take::take as take_rows;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

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
    pub(crate) tags: Vec<BoundTag<'a>>,
    /// Columns that must have a tag and have none.
    pub(crate) untagged: Vec<String>,
    holds: Vec<&'a ActiveHold>,
}

/// One tag bound to a file.
pub(crate) struct BoundTag<'a> {
    pub(crate) tag: &'a Tag,
    /// The column it is for; the whole row without one.
    pub(crate) column: Option<usize>,
    pub(crate) name: String,
    pub(crate) anchor: Bound,
    pub(crate) coarser: Option<Coarser>,
}

/// What a period is counted from.
pub(crate) enum Bound {
    /// The cells of a column.
    Column(usize, Judge),
    /// One anchor for all rows, and the verdict it gives with and without a hold.
    Fixed(Anchor, [Verdict; 2]),
    /// What rows say of themselves in a column, on a date.
    Rows(usize, Timestamp),
}

/// A hold that is in force, with the tokens of its subjects.
pub(crate) struct ActiveHold {
    pub(crate) hold: Hold,
    pub(crate) overdue: bool,
    /// All subjects when there are none.
    tokens: Option<BTreeSet<String>>,
    pub(crate) digest: Option<String>,
}

impl ActiveHold {
    /// The holds that are in force on a date, with their subjects read.
    ///
    /// # Errors
    /// A file of subject tokens that is missing, empty, or holds something else.
    pub(crate) fn all(
        retention: &Retention,
        folder: &Path,
        as_of: Timestamp,
    ) -> Result<Vec<ActiveHold>> {
        let in_force = retention.holds.iter().filter(|h| h.in_force(&retention.zone, as_of));
        in_force
            .map(|hold| {
                let (tokens, digest) = match &hold.subject_tokens_file {
                    None => (None, None),
                    Some(file) => {
                        let (tokens, digest) = subject_tokens(&folder.join(file), &hold.id)?;
                        (Some(tokens), Some(digest))
                    }
                };
                let overdue = hold.review_overdue(&retention.zone, as_of);
                Ok(ActiveHold { hold: hold.clone(), overdue, tokens, digest })
            })
            .collect()
    }

    fn covers(&self, names: &[&str]) -> bool {
        match &self.hold.dataset {
            None => true,
            Some(glob) => names.iter().any(|name| glob_matches(glob, name)),
        }
    }
}

fn subject_tokens(path: &PathBuf, id: &str) -> Result<(BTreeSet<String>, String)> {
    let broken = |what: &str| {
        let message = format!("hold `{id}`: its subject tokens `{}` {what}", path.display());
        Failure::new("ALO-R004", 3, message).hint(
            "one token a line; without the file nobody knows whose rows must stay, so nothing is \
             removed",
        )
    };
    let bytes =
        fs::read(path).map_err(|error| broken(&format!("cannot be read: {}", error.kind())))?;
    let text = String::from_utf8(bytes).map_err(|_| broken("are no UTF-8 text"))?;
    let mut tokens = BTreeSet::new();
    for (n, line) in text.lines().enumerate() {
        let token = line.trim().trim_start_matches('\u{feff}');
        if token.is_empty() || token.starts_with('#') {
            continue;
        }
        let is_token = token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_token || token.len() > TOKEN_BYTES_MAX {
            return Err(broken(&format!("hold no token in line {}", n + 1)));
        }
        tokens.insert(token.to_owned());
    }
    if tokens.is_empty() {
        return Err(broken("hold no token"));
    }
    Ok((tokens, sha256_hex(text.as_bytes())))
}

/// What a file is called, for the scope of holds and for messages.
pub(crate) struct FileName<'a> {
    pub(crate) path: &'a Path,
    pub(crate) relative: &'a str,
}

impl FileName<'_> {
    fn names(&self, policy: &Policy) -> Vec<String> {
        let file = self.relative.rsplit('/').next().unwrap_or(self.relative);
        let stem = file.split('.').next().unwrap_or(file);
        let folder = self.path.parent().and_then(Path::file_name);
        let folder = folder.map(|name| name.to_string_lossy().into_owned());
        let known = [self.relative, file, stem].map(str::to_owned);
        known.into_iter().chain(folder).chain(policy.name().map(str::to_owned)).collect()
    }
}

impl<'a> Tags<'a> {
    /// Binds the tags of a policy to the columns of a file.
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
        holds: &'a [ActiveHold],
    ) -> Result<Tags<'a>> {
        let Some(retention) = policy.retention() else {
            return Err(Failure::new("ALO-R001", 2, "the policy has no `[retention]`")
                .hint("say in it how long each column may be kept, from when, and what then"));
        };
        let said = |failure: Failure| Failure {
            message: format!("{}: {}", file.relative, failure.message),
            ..failure
        };
        let entities = entities_beside(file.path);
        let mut bound = Vec::new();
        let mut untagged = Vec::new();
        let dataset = dataset_anchor(anchors).map_err(said)?;
        let by_rows = row_expiry::place_in(schema)
            .map_err(|what| said(Failure::new("ALO-R002", 3, what)))?
            .map(|at| Bound::Rows(at, as_of));
        if let Some(tag) = &retention.dataset {
            if !is_of_rows(tag.on_expiry) {
                let message = format!(
                    "`[retention.dataset]` is for whole rows, and `on_expiry = \"{}\"` is for cells",
                    tag.on_expiry.word()
                );
                return Err(Failure::new("ALO-R003", 2, message)
                    .hint("use drop_row or quarantine, or tag the columns"));
            }
            let whole = |name: &str, anchor| BoundTag {
                tag,
                column: None,
                name: name.to_owned(),
                anchor,
                coarser: None,
            };
            match (anchor(tag, schema, anchors, dataset, as_of), &by_rows) {
                (_, Some(_)) if row_expiry::is_treated(policy, tag) => {}
                (Ok(anchor), _) => bound.push(whole("dataset", anchor)),
                // What the treatment took away, the rows say themselves.
                (Err(_), Some(_)) => {}
                (Err(failure), None) => return Err(said(failure)),
            }
            // The earlier expiry rules: whichever is due acts.
            bound.extend(by_rows.map(|anchor| whole(ROW_EXPIRY, anchor)));
        }
        for (at, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            if name == ROW_EXPIRY {
                continue;
            }
            let entity = entities
                .as_ref()
                .and_then(|entities| entities.get(name).cloned())
                .or_else(|| crate::run::header_entity(rules, name));
            let tag = retention
                .tag_of(name, entity.as_deref())
                .map_err(|clash| said(Failure::new("ALO-R003", 2, clash.to_string())))?;
            let Some(tag) = tag else {
                let must = retention.require_tags == RequireTags::All;
                if must && retention.dataset.is_none() && !name.starts_with("_allonym_") {
                    untagged.push(name.clone());
                }
                continue;
            };
            let unfit =
                |why: String| said(Failure::new("ALO-R003", 2, format!("column `{name}`: {why}")));
            let data_type = field.data_type();
            if tag.on_expiry == OnExpiry::RetokenizeRandom && !holds_tokens(data_type) {
                return Err(unfit(format!(
                    "`on_expiry = \"retokenize_random\"` is for columns of tokens, not of type \
                     {data_type}"
                )));
            }
            let coarser = tag.coarser(data_type).map_err(|why| unfit(why.to_string()))?;
            bound.push(BoundTag {
                tag,
                column: Some(at),
                name: name.clone(),
                anchor: anchor(tag, schema, anchors, dataset, as_of).map_err(said)?,
                coarser,
            });
        }
        let names = file.names(policy);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let holds = holds.iter().filter(|hold| hold.covers(&names)).collect();
        Ok(Tags { tags: bound, untagged, holds })
    }

    /// Holds that cover rows of the file.
    pub(crate) fn holds(&self) -> &[&'a ActiveHold] {
        &self.holds
    }

    /// Whether all rows are on hold.
    pub(crate) fn held_whole(&self) -> bool {
        self.holds.iter().any(|hold| hold.tokens.is_none())
    }

    /// Whether what a hold covers can only be told from the rows.
    pub(crate) fn held_by_row(&self) -> bool {
        !self.held_whole() && !self.holds.is_empty()
    }

    /// Which rows are on hold; `None` for none.
    pub(crate) fn held(&self, records: &RecordBatch) -> Option<BooleanBuffer> {
        if self.holds.is_empty() {
            return None;
        }
        let rows = records.num_rows();
        if self.held_whole() {
            return Some(BooleanBuffer::new_set(rows));
        }
        let mut held = BooleanBufferBuilder::new(rows);
        held.append_n(rows, false);
        let names = |token: &str| {
            self.holds.iter().any(|hold| hold.tokens.as_ref().is_some_and(|t| t.contains(token)))
        };
        for column in records.columns() {
            each_cell(column, "", &mut |_, row, text| {
                if !held.get_bit(row) && (names(text.trim()) || holds_word(text, &names)) {
                    held.set_bit(row, true);
                }
            });
        }
        Some(held.finish())
    }

    /// Columns that the verdicts and the actions need.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let anchors = self.tags.iter().filter_map(|tag| match &tag.anchor {
            Bound::Column(at, _) | Bound::Rows(at, _) => Some(*at),
            Bound::Fixed(..) => None,
        });
        let acted = self.tags.iter().filter(|tag| !is_of_rows(tag.tag.on_expiry));
        let acted = acted.filter_map(|tag| tag.column);
        anchors.chain(acted).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl BoundTag<'_> {
    /// The verdict on each row.
    pub(crate) fn verdicts(
        &self,
        records: &RecordBatch,
        held: Option<&BooleanBuffer>,
        place: &dyn Fn(usize) -> usize,
    ) -> Result<Vec<Verdict>> {
        match &self.anchor {
            Bound::Column(at, judge) => judge
                .verdicts(records.column(place(*at)).as_ref(), held)
                .map_err(|error| changed(&error.to_string())),
            Bound::Fixed(_, verdicts) => Ok((0..records.num_rows())
                .map(|row| verdicts[usize::from(held.is_some_and(|held| held.value(row)))])
                .collect()),
            Bound::Rows(at, as_of) => {
                let column = records.column(place(*at)).as_ref();
                let is_held = |row| held.is_some_and(|held| held.value(row));
                let rows = 0..records.num_rows();
                Ok(rows.map(|row| Said::of(column, row).verdict(is_held(row), *as_of)).collect())
            }
        }
    }

    /// How many rows have which verdict.
    pub(crate) fn count(
        &self,
        records: &RecordBatch,
        held: Option<&BooleanBuffer>,
        place: &dyn Fn(usize) -> usize,
    ) -> Result<Tally> {
        match &self.anchor {
            Bound::Column(at, judge) => {
                let counts = judge
                    .count(records.column(place(*at)).as_ref(), held)
                    .map_err(|error| changed(&error.to_string()))?;
                Ok(Tally::of(&counts))
            }
            Bound::Fixed(_, verdicts) => {
                let on_hold = held.map_or(0, BooleanBuffer::count_set_bits) as u64;
                let mut tally = Tally::default();
                tally.put(verdicts[1], on_hold);
                tally.put(verdicts[0], records.num_rows() as u64 - on_hold);
                Ok(tally)
            }
            Bound::Rows(..) => {
                let mut tally = Tally::default();
                for verdict in self.verdicts(records, held, place)? {
                    tally.put(verdict, 1);
                }
                Ok(tally)
            }
        }
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
    fn of(counts: &Counts) -> Tally {
        let mut tally = Tally::default();
        for verdict in Verdict::ALL {
            tally.put(*verdict, counts.of(*verdict));
        }
        for (word, rows) in [(EXPIRING, counts.expiring), (SUSPICIOUS, counts.suspicious)] {
            if rows > 0 {
                tally.0.insert(word.to_owned(), rows);
            }
        }
        tally
    }

    pub(crate) fn put(&mut self, verdict: Verdict, rows: u64) {
        if rows > 0 {
            *self.0.entry(verdict.word().to_owned()).or_default() += rows;
        }
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        for (word, rows) in &other.0 {
            *self.0.entry(word.clone()).or_default() += rows;
        }
    }

    /// Rows of a verdict.
    #[must_use]
    pub fn rows(&self, verdict: Verdict) -> u64 {
        self.0.get(verdict.word()).copied().unwrap_or(0)
    }

    /// Of a whole row group, by what the footer says.
    pub(crate) fn of_counts(counts: &Counts) -> Tally {
        Tally::of(counts)
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
fn holds_word(text: &str, names: &dyn Fn(&str) -> bool) -> bool {
    if !text.contains('_') {
        return false;
    }
    let mut found = Vec::new();
    allonym_keys::find_text_tokens(text, &mut found);
    found.into_iter().any(|token| text.get(token).is_some_and(names))
}

/// Entities of columns as the receipt of the file tells them, the nearest one upward.
pub(crate) fn entities_beside(path: &Path) -> Option<BTreeMap<String, String>> {
    let receipt = receipt_beside(path)?.1;
    let judged = receipt.columns.into_iter();
    Some(judged.filter_map(|column| Some((column.name, column.entity?))).collect())
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

fn anchor(
    tag: &Tag,
    schema: &SchemaRef,
    anchors: &Anchors,
    dataset: Anchor,
    as_of: Timestamp,
) -> Result<Bound> {
    let told = |what: &str, option: &str| {
        Failure::new("ALO-R002", 3, format!("a period is counted from {what}, and nobody told it"))
            .hint(format!("give it: {option}"))
    };
    match &tag.anchor {
        AnchorSource::Column(name) => {
            let Some((at, field)) = schema.column_with_name(name) else {
                let message =
                    format!("a period is counted from the column `{name}`, which the data lacks");
                return Err(Failure::new("ALO-R002", 3, message)
                    .hint("keep the column, or count from another one in `[retention]`"));
            };
            let judge =
                Judge::new(&tag.rule, as_of, dataset, field.data_type()).map_err(|error| {
                    let message = format!("column `{name}`: {error}");
                    Failure::new("ALO-R002", 3, message).hint("store it as a date or a timestamp")
                })?;
            Ok(Bound::Column(at, judge))
        }
        AnchorSource::CollectedAt if anchors.collected_at.is_none() => {
            Err(told("dataset.collected_at", "--collected-at 2026-01-31"))
        }
        AnchorSource::CollectedAt => Ok(fixed(&tag.rule, dataset, as_of)),
        AnchorSource::Event(name) => {
            let text = anchors.events.get(name).ok_or_else(|| {
                told(&format!("event:{name}"), &format!("--event {name}=2026-01-31"))
            })?;
            Ok(fixed(&tag.rule, told_anchor(text, &format!("--event {name}"))?, as_of))
        }
    }
}

fn fixed(rule: &Rule, anchor: Anchor, as_of: Timestamp) -> Bound {
    Bound::Fixed(anchor, [false, true].map(|held| rule.decide(anchor, held, as_of).verdict))
}

fn dataset_anchor(anchors: &Anchors) -> Result<Anchor> {
    match &anchors.collected_at {
        None => Ok(Anchor::Null),
        Some(text) => told_anchor(text, "--collected-at"),
    }
}

fn told_anchor(text: &str, option: &str) -> Result<Anchor> {
    match Anchor::read(Some(text)) {
        Anchor::Unreadable | Anchor::Null => {
            let message = format!("{option} is no date or time");
            Err(Failure::new("ALO-U005", 2, message).hint("write it as 2026-01-31"))
        }
        anchor => Ok(anchor),
    }
}

fn changed(what: &str) -> Failure {
    Failure::new("ALO-R002", 3, format!("the data changed its columns while it was read: {what}"))
}

/// Rows to retain that expire within thirty days.
pub(crate) const EXPIRING: &str = "expiring_within_30_days";
/// Rows whose anchor looks made up.
pub(crate) const SUSPICIOUS: &str = "suspicious_anchor";
const TOKEN_BYTES_MAX: usize = 256;
const FOLDERS_UP_MAX: usize = 16;
