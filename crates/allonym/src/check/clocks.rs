//! Retention: which tag is for which column, what it says of the rows, and what nobody can tell.

use super::{Check, Table, finding};
use crate::cells::leaves;
use crate::manifest::read_retention;
use crate::row_expiry::{self, Said};
use crate::tags::is_of_rows;
use crate::{Failure, Result};
use allonym_core::{AnchorSource, ROW_EXPIRY, RequireTags, Retention, Tag, TagMatch, glob_matches};
use allonym_report::{Finding, HoldEvidence, Severity, TagEvidence};
use allonym_retention::{Anchor, Counts, Hold, Judge, Rule, Verdict};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_cast::cast;
use arrow_schema::DataType;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The clocks of one file: for each column with a tag what its rows are, and for whole rows.
pub(super) struct Bound {
    clocks: Vec<Clock>,
    copy: Option<RowCopy>,
    as_of: Timestamp,
}

/// The column in which rows say when they expire, compared with their anchors where these are still
/// what they were.
struct RowCopy {
    at: usize,
    against: Option<(Rule, Source)>,
    dataset: Anchor,
    differing: u64,
}

enum Source {
    Column(usize),
    Fixed,
}

/// A column's tag; where policy and manifest disagree there are two, and the one under which more
/// is due rules.
struct Clock {
    column: Option<String>,
    hands: Vec<Hand>,
}

struct Hand {
    tag: Tag,
    anchor: Place,
    counts: Tally,
}

/// Where the anchor of a row is found.
enum Place {
    Column(usize, Judge),
    /// One verdict for all rows, without and with a hold.
    All([Verdict; 2]),
    /// What the rows say of themselves.
    Rows(usize),
    /// Told already that nobody knows.
    Nowhere,
}

/// Rows by verdict.
#[derive(Clone, Debug, Default)]
struct Tally {
    verdicts: BTreeMap<&'static str, u64>,
    expiring: u64,
    suspicious: u64,
}

impl Tally {
    fn put(&mut self, verdict: Verdict, rows: u64) {
        if rows > 0 {
            *self.verdicts.entry(verdict.word()).or_default() += rows;
        }
    }

    fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict.word()).copied().unwrap_or(0)
    }

    fn add(&mut self, other: &Tally) {
        for (word, rows) in &other.verdicts {
            *self.verdicts.entry(word).or_default() += rows;
        }
        self.expiring += other.expiring;
        self.suspicious += other.suspicious;
    }

    fn add_counts(&mut self, counts: &Counts) {
        for verdict in Verdict::ALL {
            self.put(*verdict, counts.of(*verdict));
        }
        self.expiring += counts.expiring;
        self.suspicious += counts.suspicious;
    }
}

/// Binds the tags of policy and manifest to a table; gives what is wrong with that.
pub(super) fn bind(
    check: &Check<'_>,
    table: &Table<'_>,
    entities: &BTreeMap<String, String>,
) -> (Bound, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut tell = |code: &str, severity, column: Option<&str>, message: String, next: &str| {
        findings.push(Finding {
            file: Some(table.name.to_owned()),
            column: column.map(str::to_owned),
            next: (!next.is_empty()).then(|| next.to_owned()),
            ..finding(code, severity, &message)
        });
    };
    let by_policy = check.policy.retention();
    let by_manifest =
        table.receipt.and_then(|receipt| receipt.retention.as_ref()).and_then(read_retention);
    let mut pairs: Vec<(Option<String>, Vec<Tag>)> = Vec::new();
    let of_rows = |retention: Option<&Retention>| retention.and_then(|all| all.dataset.clone());
    pairs.push((None, both(of_rows(by_policy), of_rows(by_manifest.as_ref()))));
    let mut untagged = Vec::new();
    for leaf in leaves(table.schema) {
        if leaf.path == ROW_EXPIRY {
            continue;
        }
        let entity = entities.get(&leaf.path).map(String::as_str);
        let said = match by_policy.map(|retention| retention.tag_of(&leaf.path, entity)) {
            Some(Ok(tag)) => tag.cloned(),
            Some(Err(clash)) => {
                let next = "decide with a tag that matches the column by its name";
                tell("ALO-R105", Severity::Breach, Some(&leaf.path), clash.to_string(), next);
                continue;
            }
            None => None,
        };
        let written = by_manifest.as_ref().and_then(|retention| {
            let of = TagMatch::Name(leaf.path.clone());
            retention.columns.iter().find(|(name, _)| *name == of).map(|(_, tag)| tag.clone())
        });
        let tags = both(said, written);
        if tags.is_empty() {
            untagged.push(leaf.path.clone());
        } else {
            pairs.push((Some(leaf.path), tags));
        }
    }
    let must = by_policy.or(by_manifest.as_ref()).is_some_and(|retention| {
        retention.require_tags == RequireTags::All && retention.dataset.is_none()
    });
    for column in untagged.iter().filter(|_| must) {
        let message = format!("column `{column}` has no retention tag");
        let next = "say in [retention] how long it may be kept";
        tell("ALO-R105", Severity::Breach, Some(column), message, next);
    }

    let collected = table.receipt.and_then(|receipt| receipt.collected_at.as_deref());
    let dataset = Anchor::read(collected);
    let by_rows = match row_expiry::place_in(table.schema) {
        Ok(by_rows) => by_rows,
        Err(what) => {
            tell("ALO-R111", Severity::Unverified, Some(ROW_EXPIRY), what, "treat the data again");
            None
        }
    };
    let written = by_manifest.as_ref().or(by_policy).is_some_and(|told| told.row_column);
    if written && table.schema.column_with_name(ROW_EXPIRY).is_none() {
        let message = format!("the file has lost its column `{ROW_EXPIRY}`");
        tell("ALO-R111", Severity::Breach, Some(ROW_EXPIRY), message, "treat the data again");
    }
    let copy = by_rows.map(|at| RowCopy {
        at,
        against: against(check, table, by_policy.or(by_manifest.as_ref()), dataset),
        dataset,
        differing: 0,
    });
    let mut clocks = Vec::new();
    for (column, tags) in pairs {
        if let [said, written] = tags.as_slice() {
            let what = match &column {
                Some(column) => format!("column `{column}`"),
                None => "whole rows".to_owned(),
            };
            let message = format!(
                "policy and manifest disagree on {what}: {}, and {}; the earlier expiry rules",
                in_words(said),
                in_words(written)
            );
            tell("ALO-R108", Severity::Breach, column.as_deref(), message, "");
        }
        let mut hands = Vec::new();
        let by_itself = by_rows.filter(|_| column.is_none()).zip(tags.first().cloned());
        for tag in tags {
            if by_itself.is_some() && row_expiry::is_treated(check.policy, &tag) {
                continue;
            }
            let anchor = match place(check, table, &tag, dataset) {
                Ok(place) => place,
                // What the treatment took away, the rows say themselves.
                Err(_) if column.is_none() && by_rows.is_some() => continue,
                Err((code, message, next)) => {
                    tell(code, Severity::Unverified, column.as_deref(), message, next);
                    Place::Nowhere
                }
            };
            hands.push(Hand { tag, anchor, counts: Tally::default() });
        }
        hands.extend(by_itself.map(|(at, tag)| Hand {
            tag,
            anchor: Place::Rows(at),
            counts: Tally::default(),
        }));
        if !hands.is_empty() {
            clocks.push(Clock { column, hands });
        }
    }
    // What several columns lack alike is said once.
    findings.dedup_by(|one, other| one.code == other.code && one.message == other.message);
    (Bound { clocks, copy, as_of: check.as_of }, findings)
}

/// What rows would say of themselves by their anchors; `None` where that cannot be told any more: an
/// anchor that was treated, or that stands in no column; several tags of whole rows.
fn against(
    check: &Check<'_>,
    table: &Table<'_>,
    retention: Option<&Retention>,
    dataset: Anchor,
) -> Option<(Rule, Source)> {
    let retention = retention?;
    if retention.columns.iter().any(|(_, tag)| is_of_rows(tag.on_expiry)) {
        return None;
    }
    let tag = retention.dataset.as_ref()?;
    let source = match &tag.anchor {
        AnchorSource::Column(name) => {
            let (at, field) = table.schema.column_with_name(name)?;
            let judge = Judge::new(&tag.rule, check.as_of, dataset, field.data_type());
            let same = judge.is_ok() && !row_expiry::is_treated(check.policy, tag);
            Source::Column(same.then_some(at)?)
        }
        AnchorSource::CollectedAt => Source::Fixed,
        AnchorSource::Event(_) => return None,
    };
    Some((tag.rule.clone(), source))
}

impl RowCopy {
    fn compare(&mut self, records: &RecordBatch) -> Result<()> {
        let Some((rule, source)) = &self.against else { return Ok(()) };
        let said = records.column(self.at);
        let expected: Vec<Option<i64>> = match source {
            Source::Fixed => vec![rule.expiry_microsecond(self.dataset); records.num_rows()],
            Source::Column(at) => {
                let told = rule.expiries(records.column(*at).as_ref(), self.dataset);
                let told = told.map_err(|_| {
                    Failure::new("ALO-D001", 3, "an anchor column changed its type")
                })?;
                told.iter().collect()
            }
        };
        for (row, expected) in expected.into_iter().enumerate() {
            let as_expected = match Said::of(said.as_ref(), row) {
                Said::Nothing => expected.is_none(),
                Said::At(at) => expected == Some(at),
                Said::Unreadable => false,
            };
            self.differing += u64::from(!as_expected);
        }
        Ok(())
    }
}

/// One tag where policy and manifest agree or only one speaks, else two.
fn both(said: Option<Tag>, written: Option<Tag>) -> Vec<Tag> {
    match (said, written) {
        (Some(said), Some(written)) if said.to_json() == written.to_json() => vec![said],
        (said, written) => said.into_iter().chain(written).collect(),
    }
}

type Untold = (&'static str, String, &'static str);

fn place(
    check: &Check<'_>,
    table: &Table<'_>,
    tag: &Tag,
    dataset: Anchor,
) -> std::result::Result<Place, Untold> {
    let all = |anchor: Anchor| {
        let verdict = |held| tag.rule.decide(anchor, held, check.as_of).verdict;
        Place::All([false, true].map(verdict))
    };
    match &tag.anchor {
        AnchorSource::Column(name) => {
            let Some((at, field)) = table.schema.column_with_name(name) else {
                let message =
                    format!("periods are counted from column `{name}`, which is not there");
                return Err(("ALO-R106", message, "keep the column, or count from another one"));
            };
            let judge = Judge::new(&tag.rule, check.as_of, dataset, field.data_type());
            judge.map(|judge| Place::Column(at, judge)).map_err(|error| {
                let message = format!("periods are counted from column `{name}`: {error}");
                ("ALO-R106", message, "store it as a date or a timestamp")
            })
        }
        AnchorSource::CollectedAt if dataset == Anchor::Null => Err((
            "ALO-R109",
            "periods are counted from when the data was collected, and the manifest does not say"
                .to_owned(),
            "treat the data with --collected-at DATE",
        )),
        AnchorSource::CollectedAt => Ok(all(dataset)),
        AnchorSource::Event(name) => match check.job.events.get(name) {
            Some(at) => Ok(all(Anchor::read(Some(at)))),
            None => Err((
                "ALO-R109",
                format!("periods are counted from the event `{name}`, and nobody said when it was"),
                "say it: --event NAME=DATE",
            )),
        },
    }
}

impl Bound {
    pub(super) fn count(
        &mut self,
        records: &RecordBatch,
        held: Option<&BooleanBuffer>,
    ) -> Result<()> {
        let rows = records.num_rows() as u64;
        let on_hold = held.map_or(0, BooleanBuffer::count_set_bits) as u64;
        if let Some(copy) = &mut self.copy {
            copy.compare(records)?;
        }
        // Many columns hang on one anchor.
        let mut known: Vec<(usize, String, Counts)> = Vec::new();
        for hand in self.clocks.iter_mut().flat_map(|clock| &mut clock.hands) {
            match &hand.anchor {
                Place::Nowhere => {}
                Place::Rows(at) => {
                    let column = records.column(*at).as_ref();
                    let soon = self.as_of.as_microsecond() + EXPIRING_MICROSECONDS;
                    for row in 0..records.num_rows() {
                        let said = Said::of(column, row);
                        let is_held = held.is_some_and(|held| held.value(row));
                        let verdict = said.verdict(is_held, self.as_of);
                        hand.counts.put(verdict, 1);
                        let expiring = matches!(said, Said::At(at) if at <= soon);
                        hand.counts.expiring += u64::from(verdict == Verdict::Retain && expiring);
                    }
                }
                Place::All(verdicts) => {
                    hand.counts.put(verdicts[1], on_hold);
                    hand.counts.put(verdicts[0], rows - on_hold);
                }
                Place::Column(at, judge) => {
                    let rule = format!("{:?}", hand.tag.rule);
                    let same = known.iter().find(|(of, by, _)| of == at && *by == rule);
                    let counts = match same {
                        Some((.., counts)) => *counts,
                        None => {
                            let counts = judge.count(records.column(*at), held).map_err(|_| {
                                Failure::new("ALO-D001", 3, "an anchor column changed its type")
                            })?;
                            known.push((*at, rule, counts));
                            counts
                        }
                    };
                    hand.counts.add_counts(&counts);
                }
            }
        }
        Ok(())
    }

    /// What the rows have shown.
    pub(super) fn findings(&self, file: &str) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let differing = self.copy.as_ref().map_or(0, |copy| copy.differing);
        if differing > 0 {
            let message = format!(
                "{differing} rows say another expiry in `{ROW_EXPIRY}` than their anchors do; the \
                 earlier one rules"
            );
            findings.push(Finding {
                file: Some(file.to_owned()),
                column: Some(ROW_EXPIRY.to_owned()),
                count: Some(differing),
                next: Some("find out who changed which, and treat the data again".to_owned()),
                ..finding("ALO-R111", Severity::Breach, &message)
            });
        }
        for clock in &self.clocks {
            let hand = clock.ruling();
            let rule = in_words(&hand.tag);
            let whom = match &clock.column {
                Some(column) => format!("column `{column}`: "),
                None => String::new(),
            };
            let undecided = hand.counts.of(Verdict::NullAnchor)
                + hand.counts.of(Verdict::UnreadableAnchor)
                + hand.counts.of(Verdict::NaiveTimestamp);
            for (code, severity, count, what, next) in [
                (
                    "ALO-R101",
                    Severity::Breach,
                    hand.counts.of(Verdict::Expired),
                    format!("rows are past \"{rule}\""),
                    "remove or reduce what is due",
                ),
                (
                    "ALO-R102",
                    Severity::Breach,
                    undecided,
                    "rows have no anchor that can be read, so nobody knows when they are due"
                        .to_owned(),
                    "mend the anchors, or say in on_null_anchor what a missing one means",
                ),
                (
                    "ALO-R103",
                    Severity::Breach,
                    hand.counts.of(Verdict::FutureAnchor),
                    "rows have an anchor in the future, and would never be due".to_owned(),
                    "mend the anchors",
                ),
                (
                    "ALO-R104",
                    Severity::Note,
                    hand.counts.suspicious,
                    "rows have an anchor before 1900, or the very first moment of 1970".to_owned(),
                    "see whether a program made them up",
                ),
            ] {
                if count == 0 {
                    continue;
                }
                let message = format!("{whom}{count} {what}");
                findings.push(Finding {
                    file: Some(file.to_owned()),
                    column: clock.column.clone(),
                    count: Some(count),
                    next: Some(next.to_owned()),
                    ..finding(code, severity, &message)
                });
            }
        }
        findings
    }
}

impl Clock {
    /// The hand under which most is due.
    fn ruling(&self) -> &Hand {
        let due = |hand: &&Hand| hand.counts.of(Verdict::Expired);
        // Of hands that agree the first, which is the policy's.
        let mut hands = self.hands.iter();
        let first = hands.next().expect("a clock has a hand");
        hands.fold(first, |best, next| if due(&next) > due(&best) { next } else { best })
    }
}

/// The clocks of all files together.
#[derive(Default)]
pub(super) struct Clocks {
    sums: Vec<(Option<String>, Tag, Tally)>,
}

impl Clocks {
    pub(super) fn add(&mut self, bound: Bound) {
        for clock in bound.clocks {
            let hand = clock.ruling();
            let json = hand.tag.to_json();
            let same = |(column, tag, _): &&mut (Option<String>, Tag, Tally)| {
                *column == clock.column && tag.to_json() == json
            };
            match self.sums.iter_mut().find(same) {
                Some((.., sum)) => sum.add(&hand.counts),
                None => {
                    self.sums.push((clock.column.clone(), hand.tag.clone(), hand.counts.clone()))
                }
            }
        }
    }

    pub(super) fn evidence(&self) -> Vec<TagEvidence> {
        let sums = self.sums.iter();
        sums.map(|(column, tag, tally)| TagEvidence {
            column: column.clone(),
            anchor: tag.anchor.to_string(),
            duration: tag.rule.term.duration().to_string(),
            retain_at_least: tag.rule.term.retain_at_least().map(|floor| floor.to_string()),
            on_expiry: tag.on_expiry.word().to_owned(),
            generalize: tag.to_json()["generalize"].as_object().cloned().map(Value::Object),
            on_null_anchor: Some(tag.rule.on_null_anchor.word().to_owned()),
            assume_tz: tag.rule.assume_zone.as_ref().map(|zone| zone.name().to_owned()),
            category: tag.category.clone(),
            purpose: tag.purpose.clone(),
            legal_basis: tag.legal_basis.clone(),
            jurisdiction: tag.jurisdiction.clone(),
            counts: tally.verdicts.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect(),
            expiring: tally.expiring,
            suspicious: tally.suspicious,
        })
        .collect()
    }
}

/// A tag in words: `closed_on + P7Y, then drop_row`.
pub(super) fn in_words(tag: &Tag) -> String {
    format!("{} + {}, then {}", tag.anchor, tag.rule.term.duration(), tag.on_expiry.word())
}

/// Legal holds with the tokens of their subjects.
#[derive(Default)]
pub(super) struct Holds {
    known: Vec<Known>,
}

struct Known {
    hold: Hold,
    in_force: bool,
    overdue: bool,
    /// All subjects when there are none.
    tokens: Option<BTreeSet<String>>,
    covers: bool,
}

impl Holds {
    /// Reads the holds of a policy. A file of subjects that cannot be read is a finding: nobody
    /// knows then whose rows must stay.
    pub(super) fn read(
        retention: Option<&Retention>,
        folder: &Path,
        as_of: Timestamp,
        findings: &mut Vec<Finding>,
    ) -> Holds {
        let mut known = Vec::new();
        for (hold, zone) in
            retention.iter().flat_map(|all| all.holds.iter().map(|h| (h, &all.zone)))
        {
            let tokens = match &hold.subject_tokens_file {
                None => None,
                Some(file) => match read_tokens(&folder.join(file)) {
                    Ok(tokens) => Some(tokens),
                    Err(why) => {
                        let message = format!("hold `{}`: its file of subjects {why}", hold.id);
                        findings.push(Finding {
                            next: Some("one token a line, at least one".to_owned()),
                            ..finding("ALO-R110", Severity::Unverified, &message)
                        });
                        Some(BTreeSet::new())
                    }
                },
            };
            known.push(Known {
                in_force: hold.in_force(zone, as_of),
                overdue: hold.review_overdue(zone, as_of),
                hold: hold.clone(),
                tokens,
                covers: false,
            });
        }
        Holds { known }
    }

    /// The holds in force that cover a data set of these names.
    pub(super) fn covering(&mut self, names: &[String]) -> Covering {
        let mut covering = Covering { whole: false, tokens: BTreeSet::new() };
        for known in &mut self.known {
            let named = |glob: &String| names.iter().any(|name| glob_matches(glob, name));
            if !known.in_force || !known.hold.dataset.as_ref().is_none_or(named) {
                continue;
            }
            known.covers = true;
            match &known.tokens {
                None => covering.whole = true,
                Some(tokens) => covering.tokens.extend(tokens.iter().cloned()),
            }
        }
        covering
    }

    /// Holds that nobody has looked at again in time; they hold nevertheless.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let overdue = self.known.iter().filter(|known| known.overdue);
        overdue
            .map(|known| {
                let message = format!(
                    "hold `{}` should have been reviewed by {}",
                    known.hold.id, known.hold.review_by
                );
                Finding {
                    next: Some("lift it, or set a new day of review".to_owned()),
                    ..finding("ALO-R107", Severity::Breach, &message)
                }
            })
            .collect()
    }

    pub(super) fn evidence(&self) -> Vec<HoldEvidence> {
        let known = self.known.iter();
        known
            .map(|known| HoldEvidence {
                id: known.hold.id.clone(),
                authority: known.hold.authority.clone(),
                from: known.hold.from.to_string(),
                review_by: known.hold.review_by.to_string(),
                in_force: known.in_force,
                overdue: known.overdue,
                covers: known.covers,
            })
            .collect()
    }
}

/// What holds cover of one file.
pub(super) struct Covering {
    whole: bool,
    tokens: BTreeSet<String>,
}

impl Covering {
    /// Which rows are on hold; `None` for none.
    pub(super) fn held(&self, records: &RecordBatch) -> Option<BooleanBuffer> {
        if self.whole {
            return Some(BooleanBuffer::new_set(records.num_rows()));
        }
        if self.tokens.is_empty() {
            return None;
        }
        let mut held = BooleanBufferBuilder::new(records.num_rows());
        held.append_n(records.num_rows(), false);
        for column in records.columns() {
            let is_text = matches!(
                column.data_type(),
                DataType::Utf8
                    | DataType::LargeUtf8
                    | DataType::Utf8View
                    | DataType::Dictionary(_, _)
            );
            let Some(texts) = is_text.then(|| cast(column, &DataType::Utf8).ok()).flatten() else {
                continue;
            };
            let texts = texts.as_string::<i32>();
            for (row, text) in texts.iter().enumerate() {
                if text.is_some_and(|text| self.names(text)) {
                    held.set_bit(row, true);
                }
            }
        }
        Some(held.finish())
    }

    /// Whether a cell is the token of a subject, or a text that holds it.
    fn names(&self, text: &str) -> bool {
        if self.tokens.contains(text) {
            return true;
        }
        let mut found = Vec::new();
        allonym_keys::find_text_tokens(text, &mut found);
        let tokens = found.into_iter().filter_map(|range| text.get(range));
        tokens.into_iter().any(|token| self.tokens.contains(token))
    }
}

/// Thirty days, as [`Counts::EXPIRING_DAYS`].
const EXPIRING_MICROSECONDS: i64 = Counts::EXPIRING_DAYS * 24 * 3_600 * 1_000_000;

fn read_tokens(path: &Path) -> std::result::Result<BTreeSet<String>, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("`{}` cannot be read: {}", path.display(), error.kind()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let tokens: BTreeSet<String> =
        lines.filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let is_token = |token: &String| token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match tokens.is_empty() || !tokens.iter().all(is_token) {
        true => Err(format!("`{}` holds something other than tokens", path.display())),
        false => Ok(tokens),
    }
}
