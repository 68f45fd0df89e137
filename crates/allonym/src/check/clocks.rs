//! Retention: which tag is for which column, what it says of the rows, and what nobody can tell.

use super::{Check, Table, finding};
use crate::cells::leaves;
use crate::holds::KnownHold;
use crate::manifest::read_retention;
use crate::row_expiry::{self, Said};
use crate::tags::{Bound, Ruled, Unbound, in_words, is_of_rows, written_for};
use crate::{Failure, Result};
use allonym_core::{AnchorSource, ROW_EXPIRY, RequireTags, Retention, Tag};
use allonym_report::{Finding, HoldEvidence, Severity, TagEvidence};
use allonym_retention::{Anchor, Counts, Judge, Rule, Verdict};
use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The clocks of one file: for each column with a tag what its rows are, and for whole rows.
pub(super) struct Bindings {
    clocks: Vec<Clock>,
    copy: Option<RowCopy>,
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

/// A column's tag; where policy and manifest disagree there are two, and of each row the earlier
/// expiry rules. Whole rows may say themselves when they expire.
struct Clock {
    column: Option<String>,
    tag: Tag,
    /// The other tag, in words.
    other: Option<String>,
    /// What periods are counted from; nothing where nobody can tell, which is said already.
    hands: Vec<Bound>,
    counts: Counts,
}

/// Binds the tags of policy and manifest to a table; gives what is wrong with that.
pub(super) fn bind(
    check: &Check<'_>,
    table: &Table<'_>,
    entities: &BTreeMap<String, String>,
) -> (Bindings, Vec<Finding>) {
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
    let mut pairs: Vec<(Option<String>, Ruled)> = Vec::new();
    let written = by_manifest.as_ref().and_then(|retention| retention.dataset.as_ref());
    let of_rows = by_policy.and_then(|retention| retention.dataset.as_ref());
    pairs.push((None, Ruled::new(of_rows, written)));
    let mut untagged = Vec::new();
    for leaf in leaves(table.schema) {
        if leaf.path == ROW_EXPIRY {
            continue;
        }
        let entity = entities.get(&leaf.path).map(String::as_str);
        let said = match by_policy.map(|retention| retention.tag_of(&leaf.path, entity)) {
            Some(Ok(tag)) => tag,
            Some(Err(clash)) => {
                let next = "decide with a tag that matches the column by its name";
                tell("ALO-R105", Severity::Breach, Some(&leaf.path), clash.to_string(), next);
                continue;
            }
            None => None,
        };
        let written = by_manifest.as_ref().and_then(|all| written_for(all, &leaf.path));
        let ruling = Ruled::new(said, written);
        if ruling.tags.is_empty() {
            untagged.push(leaf.path.clone());
        } else {
            pairs.push((Some(leaf.path), ruling));
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
    for (column, ruling) in pairs {
        let what = column
            .as_ref()
            .map_or_else(|| "whole rows".to_owned(), |name| format!("column `{name}`"));
        if let Some(message) = ruling.disagreement(&what) {
            let next = "treat the data again by the policy, or name a floor that the law sets";
            tell("ALO-R108", Severity::Breach, column.as_deref(), message, next);
        }
        let by_itself = by_rows.filter(|_| column.is_none());
        let mut hands = Vec::new();
        for (_, tag) in &ruling.tags {
            if by_itself.is_some() && row_expiry::is_treated(check.policy, tag) {
                continue;
            }
            match Bound::of(tag, table.schema, dataset, &check.job.events, check.as_of) {
                Ok(hand) => hands.push(hand),
                // What the treatment took away, the rows say themselves.
                Err(_) if by_itself.is_some() => {}
                Err(why) => {
                    let (code, message, next) = untold(&why);
                    tell(code, Severity::Unverified, column.as_deref(), message, next);
                }
            }
        }
        let mut tags = ruling.tags.into_iter().map(|(_, tag)| tag);
        let Some(tag) = tags.next() else { continue };
        hands.extend(by_itself.map(|at| Bound::Rows(at, check.as_of)));
        let other = tags.next().map(|tag| in_words(&tag));
        clocks.push(Clock { column, tag, other, hands, counts: Counts::default() });
    }
    // What several columns lack alike is said once.
    findings.dedup_by(|one, other| one.code == other.code && one.message == other.message);
    (Bindings { clocks, copy }, findings)
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

/// Code, message and what to do.
fn untold(why: &Unbound) -> (&'static str, String, &'static str) {
    let (code, message, next) = match why {
        Unbound::Gone(name) => (
            "ALO-R106",
            format!("column `{name}`, which is not there"),
            "keep the column, or count from another one",
        ),
        Unbound::Unfit(name, error) => {
            ("ALO-R106", format!("column `{name}`: {error}"), "store it as a date or a timestamp")
        }
        Unbound::NotCollected => (
            "ALO-R109",
            "when the data was collected, and the manifest does not say".to_owned(),
            "treat the data with --collected-at DATE",
        ),
        Unbound::NotTold(name) => (
            "ALO-R109",
            format!("the event `{name}`, and nobody said when it was"),
            "say it: --event NAME=DATE",
        ),
        Unbound::NoTime(name) => (
            "ALO-R109",
            format!("the event `{name}`, and what was said of it is no date or time"),
            "say it: --event NAME=DATE",
        ),
    };
    (code, format!("periods are counted from {message}"), next)
}

impl Bindings {
    pub(super) fn count(
        &mut self,
        records: &RecordBatch,
        held: Option<&BooleanBuffer>,
    ) -> Result<()> {
        if let Some(copy) = &mut self.copy {
            copy.compare(records)?;
        }
        let here = |at| at;
        // Many columns hang on one anchor.
        let mut known: Vec<(usize, String, Counts)> = Vec::new();
        for clock in &mut self.clocks {
            let counts = match clock.hands.as_slice() {
                [] => continue,
                [Bound::Column(at, _)] => {
                    let rule = format!("{:?}", clock.tag.rule);
                    let same = known.iter().find(|(of, by, _)| of == at && *by == rule);
                    match same.map(|(.., counts)| *counts) {
                        Some(counts) => counts,
                        None => {
                            let counts = clock.hands[0].count(records, held, &here)?;
                            known.push((*at, rule, counts));
                            counts
                        }
                    }
                }
                [hand] => hand.count(records, held, &here)?,
                [first, others @ ..] => {
                    let mut rulings = first.rulings(records, held, &here)?;
                    for other in others {
                        let said = other.rulings(records, held, &here)?;
                        for (ruling, other) in rulings.iter_mut().zip(said) {
                            *ruling = ruling.or_earlier(other);
                        }
                    }
                    let mut counts = Counts::default();
                    rulings.into_iter().for_each(|ruling| counts.put_ruling(ruling, 1));
                    counts
                }
            };
            clock.counts.add(&counts);
        }
        Ok(())
    }

    /// Whether there is a tag at all.
    pub(super) fn has_tags(&self) -> bool {
        !self.clocks.is_empty()
    }

    /// Rows that have expired, by the tag under which most have; `None` without a tag, and where one
    /// has nothing to count from.
    pub(super) fn expired(&self) -> Option<u64> {
        if self.clocks.iter().any(|clock| clock.hands.is_empty()) {
            return None;
        }
        self.clocks.iter().map(|clock| clock.counts.of(Verdict::Expired)).max()
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
            let counts = &clock.counts;
            let mut rule = in_words(&clock.tag);
            if let Some(other) = &clock.other {
                rule = format!("{rule}, or {other}, whichever is earlier");
            }
            let whom = match &clock.column {
                Some(column) => format!("column `{column}`: "),
                None => String::new(),
            };
            let undecided = counts.of(Verdict::NullAnchor)
                + counts.of(Verdict::UnreadableAnchor)
                + counts.of(Verdict::NaiveTimestamp);
            for (code, severity, count, what, next) in [
                (
                    "ALO-R101",
                    Severity::Breach,
                    counts.of(Verdict::Expired),
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
                    counts.of(Verdict::FutureAnchor),
                    "rows have an anchor in the future, and would never be due".to_owned(),
                    "mend the anchors",
                ),
                (
                    "ALO-R104",
                    Severity::Note,
                    counts.suspicious,
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

/// The clocks of all files together.
#[derive(Default)]
pub(super) struct Clocks {
    sums: Vec<(Option<String>, Tag, Counts)>,
}

impl Clocks {
    pub(super) fn add(&mut self, bindings: Bindings) {
        for clock in bindings.clocks {
            let json = clock.tag.to_json();
            let same = |(column, tag, _): &&mut (Option<String>, Tag, Counts)| {
                *column == clock.column && tag.to_json() == json
            };
            match self.sums.iter_mut().find(same) {
                Some((.., sum)) => sum.add(&clock.counts),
                None => self.sums.push((clock.column, clock.tag, clock.counts)),
            }
        }
    }

    pub(super) fn evidence(&self) -> Vec<TagEvidence> {
        let sums = self.sums.iter();
        sums.map(|(column, tag, counts)| TagEvidence {
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
            counts: Verdict::ALL
                .iter()
                .filter(|verdict| counts.of(**verdict) > 0)
                .map(|verdict| (verdict.word().to_owned(), counts.of(*verdict)))
                .collect(),
            expiring: counts.expiring,
            suspicious: counts.suspicious,
        })
        .collect()
    }
}

/// Legal holds, and which of them cover something that was looked at.
#[derive(Default)]
pub(super) struct Holds {
    known: Vec<(KnownHold, bool)>,
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
        let every = retention.map(|all| KnownHold::every(all, folder, as_of)).unwrap_or_default();
        let known = every.into_iter().map(|(known, why)| {
            if let Some(why) = why {
                let message = format!("hold `{}`: its subject tokens {why}", known.hold.id);
                findings.push(Finding {
                    next: Some("one token a line, at least one".to_owned()),
                    ..finding("ALO-R110", Severity::Unverified, &message)
                });
            }
            (known, false)
        });
        Holds { known: known.collect() }
    }

    /// The holds in force that cover a data set of these names.
    pub(super) fn covering(&mut self, names: &[String]) -> Vec<&KnownHold> {
        let covering =
            self.known.iter_mut().filter(|(hold, _)| hold.in_force && hold.is_for(names));
        covering
            .map(|(hold, covers)| {
                *covers = true;
                &*hold
            })
            .collect()
    }

    /// Holds that nobody has looked at again in time; they hold nevertheless.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let overdue = self.known.iter().filter(|(known, _)| known.overdue);
        overdue
            .map(|(known, _)| {
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
            .map(|(known, covers)| HoldEvidence {
                id: known.hold.id.clone(),
                authority: known.hold.authority.clone(),
                from: known.hold.from.to_string(),
                review_by: known.hold.review_by.to_string(),
                in_force: known.in_force,
                overdue: known.overdue,
                covers: *covers,
            })
            .collect()
    }
}
