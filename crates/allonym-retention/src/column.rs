//! Verdicts on columns of anchors.

use crate::anchor::{DAY, SECOND, day_of, wall_nanoseconds};
use crate::cut::{Cuts, Units};
use crate::rule::Finding;
use crate::{Anchor, OnNullAnchor, Rule, Verdict};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};
use jiff::{SignedDuration, Timestamp};

/// One rule on one date, ready for columns of one type.
///
/// The verdicts are those of [`Rule::decide`], row by row. Rows are compared with a handful of
/// numbers, so that counting costs about as much as reading the column.
///
/// ```
/// use allonym_retention::{Anchor, Judge, Rule, Term, Verdict, Zone};
/// use arrow_array::{Array, Date32Array};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rule = Rule::new(Term::new("P5Y".parse()?, None)?, Zone::utc());
/// let closed = Date32Array::from(vec![Some(16_436), None, Some(19_000)]);
/// let judge =
///     Judge::new(&rule, "2024-01-01T00:00:00Z".parse()?, Anchor::Null, closed.data_type())?;
/// let counts = judge.count(&closed, None)?;
/// assert_eq!(counts.of(Verdict::Expired), 1);
/// assert_eq!(counts.of(Verdict::NullAnchor), 1);
/// assert_eq!(counts.rows(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Judge {
    reading: Reading,
    null: Class,
    data_type: DataType,
}

impl Judge {
    /// Prepares a rule for columns of a type: dates, timestamps of any unit with or without a zone,
    /// strings of ISO 8601 dates and timestamps, and dictionaries of these.
    ///
    /// `dataset` is the anchor of the whole data set, which stands in for a missing one where the
    /// rule says [`OnNullAnchor::DatasetAnchor`]; [`Anchor::Null`] when there is none.
    ///
    /// # Errors
    /// A type that holds no anchors.
    pub fn new(
        rule: &Rule,
        as_of: Timestamp,
        dataset: Anchor,
        data_type: &DataType,
    ) -> Result<Judge, AnchorTypeError> {
        let null = match rule.on_null_anchor {
            OnNullAnchor::Expire => Class::of(Finding::Expired),
            OnNullAnchor::DatasetAnchor if dataset != Anchor::Null => {
                AnyCuts::new(rule, as_of).class(dataset)
            }
            _ => Class::of(Finding::Null),
        };
        let reading = Reading::new(rule, as_of, data_type)?;
        Ok(Judge { reading, null, data_type: data_type.clone() })
    }

    /// Which anchors have expired, as ranges of the column's own numbers (days, or units from 1970) in
    /// order: from a number on, or from the beginning, up to another that is not among them. Nearly
    /// always there is one range; the ends of months and clocks that are turned can make several.
    /// `None` for columns of text, and for times without a zone. Nulls are told by
    /// [`Judge::nulls_expire`].
    #[must_use]
    pub fn expired_ranges(&self) -> Option<Vec<(Option<i64>, i64)>> {
        match &self.reading {
            Reading::Numbers(cuts) => Some(cuts.expired.ranges()),
            Reading::Text(_) | Reading::Dictionary(_) | Reading::Naive => None,
        }
    }

    /// Whether rows without an anchor have expired.
    #[must_use]
    pub fn nulls_expire(&self) -> bool {
        self.null.finding == Finding::Expired
    }

    /// Counts the verdicts of a column in one pass. `held` says which rows a legal hold covers;
    /// none when left out. An empty column counts nothing.
    ///
    /// # Errors
    /// A column of another type than the judge was made for.
    ///
    /// # Panics
    /// When `held` is not as long as the column.
    pub fn count(
        &self,
        anchors: &dyn Array,
        held: Option<&BooleanBuffer>,
    ) -> Result<Counts, AnchorTypeError> {
        self.check(anchors, held)?;
        let mut counts = Counts::default();
        if let Reading::Numbers(cuts) = &self.reading {
            match anchors.data_type() {
                DataType::Date32 => self.tally::<Date32Type>(cuts, anchors, held, &mut counts),
                DataType::Date64 => self.tally::<Date64Type>(cuts, anchors, held, &mut counts),
                DataType::Timestamp(unit, _) => {
                    let tally = match unit {
                        TimeUnit::Second => Self::tally::<TimestampSecondType>,
                        TimeUnit::Millisecond => Self::tally::<TimestampMillisecondType>,
                        TimeUnit::Microsecond => Self::tally::<TimestampMicrosecondType>,
                        TimeUnit::Nanosecond => Self::tally::<TimestampNanosecondType>,
                    };
                    tally(self, cuts, anchors, held, &mut counts);
                }
                other => return Err(AnchorTypeError { found: other.clone() }),
            }
        } else {
            self.each(anchors, &mut |row, class| counts.put(class, is_held(held, row)));
        }
        Ok(counts)
    }

    /// Counts rows by two anchors between which all of theirs lie, and by how many have none, without
    /// looking at any of them: what the footer of a file knows. `least` and `greatest` are columns
    /// of bounds of which the one at `place` counts. No hold is looked at.
    ///
    /// `None` when that does not settle every row: bounds that are missing, of another type or the
    /// wrong way round, a verdict that changes between them, text.
    #[must_use]
    pub fn count_between(
        &self,
        least: &dyn Array,
        greatest: &dyn Array,
        place: usize,
        rows: u64,
        nulls: u64,
    ) -> Option<Counts> {
        let mut counts = Counts::default();
        let present = rows.checked_sub(nulls)?;
        counts.put_many(self.null, nulls);
        if present == 0 {
            return Some(counts);
        }
        let alike = |bounds: &dyn Array| *bounds.data_type() == self.data_type;
        if !alike(least) || !alike(greatest) || least.is_null(place) || greatest.is_null(place) {
            return None;
        }
        let class = match &self.reading {
            Reading::Naive => Class::of(Finding::Naive),
            Reading::Numbers(cuts) => {
                let from = numbers(least, least.data_type()).at(place);
                let to = numbers(greatest, greatest.data_type()).at(place);
                cuts.class_between(from, to)?
            }
            Reading::Text(_) | Reading::Dictionary(_) => return None,
        };
        counts.put_many(class, present);
        Some(counts)
    }

    /// What is to be said of each row.
    ///
    /// # Errors
    /// A column of another type than the judge was made for.
    ///
    /// # Panics
    /// When `held` is not as long as the column.
    pub fn rulings(
        &self,
        anchors: &dyn Array,
        held: Option<&BooleanBuffer>,
    ) -> Result<Vec<Ruling>, AnchorTypeError> {
        self.check(anchors, held)?;
        let mut rulings = Vec::with_capacity(anchors.len());
        self.each(anchors, &mut |row, class| rulings.push(class.ruling(is_held(held, row))));
        Ok(rulings)
    }

    /// The verdict on each row.
    ///
    /// # Errors
    /// A column of another type than the judge was made for.
    ///
    /// # Panics
    /// When `held` is not as long as the column.
    pub fn verdicts(
        &self,
        anchors: &dyn Array,
        held: Option<&BooleanBuffer>,
    ) -> Result<Vec<Verdict>, AnchorTypeError> {
        Ok(self.rulings(anchors, held)?.into_iter().map(|ruling| ruling.verdict).collect())
    }

    fn check(
        &self,
        anchors: &dyn Array,
        held: Option<&BooleanBuffer>,
    ) -> Result<(), AnchorTypeError> {
        assert!(held.is_none_or(|held| held.len() == anchors.len()), "one flag for each row");
        if *anchors.data_type() == self.data_type {
            Ok(())
        } else {
            Err(AnchorTypeError { found: anchors.data_type().clone() })
        }
    }

    /// Hands on every row, in order.
    fn each(&self, anchors: &dyn Array, take: &mut dyn FnMut(usize, Class)) {
        if let (Reading::Dictionary(inner), Some(dictionary)) =
            (&self.reading, anchors.as_any_dictionary_opt())
        {
            let values = dictionary.values();
            let mut classes = Vec::with_capacity(values.len());
            let inner = Judge {
                reading: inner.as_ref().clone(),
                null: self.null,
                data_type: values.data_type().clone(),
            };
            inner.each(values.as_ref(), &mut |_, class| classes.push(class));
            // A dictionary of nothing has only nulls, and no key of it is one.
            let keys = if values.is_empty() {
                vec![0; anchors.len()]
            } else {
                dictionary.normalized_keys()
            };
            for (row, key) in keys.into_iter().enumerate() {
                let null = dictionary.keys().is_null(row);
                take(row, if null { self.null } else { classes[key] });
            }
            return;
        }
        let nulls = anchors.nulls();
        let is_null = |row| nulls.is_some_and(|nulls| nulls.is_null(row));
        let mut with = |class: &dyn Fn(usize) -> Class| {
            for row in 0..anchors.len() {
                take(row, if is_null(row) { self.null } else { class(row) });
            }
        };
        match (&self.reading, anchors.data_type()) {
            (Reading::Text(cuts), DataType::Utf8) => {
                let texts = anchors.as_string::<i32>();
                with(&|row| cuts.class(Anchor::read(Some(texts.value(row)))));
            }
            (Reading::Text(cuts), DataType::LargeUtf8) => {
                let texts = anchors.as_string::<i64>();
                with(&|row| cuts.class(Anchor::read(Some(texts.value(row)))));
            }
            (Reading::Text(cuts), DataType::Utf8View) => {
                let texts = anchors.as_string_view();
                with(&|row| cuts.class(Anchor::read(Some(texts.value(row)))));
            }
            (Reading::Numbers(cuts), data_type) => {
                let values = numbers(anchors, data_type);
                with(&|row| cuts.class(values.at(row)));
            }
            // A column without a zone where none is assumed.
            _ => with(&|_| Class::of(Finding::Naive)),
        }
    }

    /// Counts a column of numbers: in blocks where every row is plain (not held, within the usual
    /// years, or null), one by one elsewhere.
    fn tally<T: ArrowPrimitiveType<Native: Into<i64>>>(
        &self,
        cuts: &Cuts<i64>,
        anchors: &dyn Array,
        held: Option<&BooleanBuffer>,
        counts: &mut Counts,
    ) {
        let anchors: &PrimitiveArray<T> = anchors.as_primitive();
        let nulls = anchors.nulls().filter(|nulls| nulls.null_count() > 0);
        let quick = Quick::of(cuts);
        let rows = if held.is_none() { BLOCK_ROWS } else { 64 };
        let mut filled = Vec::new();
        for (block, values) in anchors.values().chunks(rows).enumerate() {
            let first = block * rows;
            if let Some(quick) = &quick
                && held.is_none_or(|held| held.slice(first, values.len()).count_set_bits() == 0)
            {
                let nulls = nulls.map(|nulls| nulls.slice(first, values.len()));
                let counted = match nulls.filter(|nulls| nulls.null_count() > 0) {
                    None => quick.count(values, counts),
                    Some(nulls) => {
                        filled.clear();
                        filled.extend(values.iter().map(|value| -> i64 { (*value).into() }));
                        quick.count_with_nulls(&mut filled, &nulls, self.null, counts)
                    }
                };
                if counted {
                    continue;
                }
            }
            for (n, value) in values.iter().enumerate() {
                let row = first + n;
                let class = match nulls {
                    Some(nulls) if nulls.is_null(row) => self.null,
                    _ => cuts.class((*value).into()),
                };
                counts.put(class, is_held(held, row));
            }
        }
    }
}

/// What one rule says of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether a row to retain expires within [`Counts::EXPIRING_DAYS`].
    pub soon: bool,
    /// Whether the anchor looks made up ([`Counts::suspicious`]).
    pub suspicious: bool,
}

impl Ruling {
    /// What a rule says of one anchor.
    #[must_use]
    pub fn of(rule: &Rule, anchor: Anchor, held: bool, as_of: Timestamp) -> Ruling {
        let class = match (anchor, rule.on_null_anchor) {
            (Anchor::Null, OnNullAnchor::Expire) => Class::of(Finding::Expired),
            _ => AnyCuts::new(rule, as_of).class(anchor),
        };
        class.ruling(held)
    }

    /// What two rules say of one row together: the earlier expiry counts. Where neither has come, the
    /// first is right about the rest, as in whether there is an anchor at all.
    #[must_use]
    pub fn or_earlier(self, other: Ruling) -> Ruling {
        let has_come = |of: Ruling| matches!(of.verdict, Verdict::Expired | Verdict::ExpiredOnHold);
        let verdict = match has_come(other) && !has_come(self) {
            true => other.verdict,
            false => self.verdict,
        };
        Ruling {
            verdict,
            soon: verdict == Verdict::Retain && (self.soon || other.soon),
            suspicious: self.suspicious || other.suspicious,
        }
    }
}

/// How many rows have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    verdicts: [u64; Verdict::ALL.len()],
    /// Rows to retain that expire within [`Counts::EXPIRING_DAYS`].
    pub expiring: u64,
    /// Rows, of whatever verdict, whose anchor is before 1900 or exactly the first moment of 1970,
    /// as programs write it that know none.
    pub suspicious: u64,
}

impl Counts {
    /// How near an expiry is to be counted as [`Counts::expiring`], in days of 24 hours.
    pub const EXPIRING_DAYS: i64 = 30;

    /// Rows of a verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts[verdict as usize]
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.verdicts.iter().sum()
    }

    /// Adds the counts of another part of the data.
    pub fn add(&mut self, other: &Counts) {
        for (mine, theirs) in self.verdicts.iter_mut().zip(other.verdicts) {
            *mine += theirs;
        }
        self.expiring += other.expiring;
        self.suspicious += other.suspicious;
    }

    /// Adds rows of which the same is to be said.
    pub fn put_ruling(&mut self, ruling: Ruling, rows: u64) {
        self.verdicts[ruling.verdict as usize] += rows;
        self.expiring += if ruling.soon { rows } else { 0 };
        self.suspicious += if ruling.suspicious { rows } else { 0 };
    }

    fn put_many(&mut self, class: Class, rows: u64) {
        self.put_ruling(class.ruling(false), rows);
    }

    fn put(&mut self, class: Class, held: bool) {
        self.put_ruling(class.ruling(held), 1);
    }
}

/// A column that holds no anchors, or not those the judge was made for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a column of type {found} is no anchor; dates, timestamps and ISO 8601 strings are")]
pub struct AnchorTypeError {
    /// Its type.
    pub found: DataType,
}

/// How the cells of a type are read.
#[derive(Clone, Debug)]
enum Reading {
    Numbers(Cuts<i64>),
    Text(Box<AnyCuts>),
    Dictionary(Box<Reading>),
    Naive,
}

impl Reading {
    fn new(
        rule: &Rule,
        as_of: Timestamp,
        data_type: &DataType,
    ) -> Result<Reading, AnchorTypeError> {
        let nanoseconds = |unit: TimeUnit| match unit {
            TimeUnit::Second => Units::Coarser(SECOND),
            TimeUnit::Millisecond => Units::Coarser(SECOND / 1_000),
            TimeUnit::Microsecond => Units::Coarser(SECOND / 1_000_000),
            TimeUnit::Nanosecond => Units::Coarser(1),
        };
        Ok(match data_type {
            DataType::Date32 => {
                Reading::Numbers(Cuts::of_dates(rule, as_of, SOON).scaled(Units::Coarser(1)))
            }
            DataType::Date64 => {
                let cuts = Cuts::of_dates(rule, as_of, SOON);
                Reading::Numbers(cuts.scaled(Units::Finer(DAY / (SECOND / 1_000))))
            }
            DataType::Timestamp(unit, Some(_)) => {
                Reading::Numbers(Cuts::of_instants(rule, as_of, SOON).scaled(nanoseconds(*unit)))
            }
            DataType::Timestamp(unit, None) => match &rule.assume_zone {
                None => Reading::Naive,
                Some(zone) => {
                    let cuts = Cuts::of_walls(rule, zone, as_of, SOON);
                    Reading::Numbers(cuts.scaled(nanoseconds(*unit)))
                }
            },
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Reading::Text(Box::new(AnyCuts::new(rule, as_of)))
            }
            DataType::Dictionary(_, values) => {
                Reading::Dictionary(Box::new(Reading::new(rule, as_of, values)?))
            }
            other => return Err(AnchorTypeError { found: other.clone() }),
        })
    }
}

/// Cuts for anchors of every kind, for cells that may be of any.
#[derive(Clone, Debug)]
struct AnyCuts {
    dates: Cuts<i128>,
    instants: Cuts<i128>,
    walls: Option<Cuts<i128>>,
}

impl AnyCuts {
    fn new(rule: &Rule, as_of: Timestamp) -> AnyCuts {
        AnyCuts {
            dates: Cuts::of_dates(rule, as_of, SOON),
            instants: Cuts::of_instants(rule, as_of, SOON),
            walls: rule.assume_zone.as_ref().map(|zone| Cuts::of_walls(rule, zone, as_of, SOON)),
        }
    }

    fn class(&self, anchor: Anchor) -> Class {
        match (anchor, &self.walls) {
            (Anchor::Null, _) => Class::of(Finding::Null),
            (Anchor::Unreadable, _) => Class::of(Finding::Unreadable),
            (Anchor::Date(date), _) => self.dates.class(i128::from(day_of(date))),
            (Anchor::Instant(instant), _) => self.instants.class(instant.as_nanosecond()),
            (Anchor::Wall(wall), Some(walls)) => walls.class(wall_nanoseconds(wall)),
            (Anchor::Wall(_), None) => Class::of(Finding::Naive),
        }
    }
}

/// What a number says of its row.
#[derive(Clone, Copy, Debug)]
struct Class {
    finding: Finding,
    soon: bool,
    suspicious: bool,
}

impl Class {
    fn of(finding: Finding) -> Class {
        Class { finding, soon: false, suspicious: false }
    }

    fn ruling(self, held: bool) -> Ruling {
        let verdict = self.finding.verdict(held);
        let soon = verdict == Verdict::Retain && self.soon;
        Ruling { verdict, soon, suspicious: self.suspicious }
    }
}

impl<T: Ord + Copy + Default> Cuts<T> {
    fn class(&self, at: T) -> Class {
        if at < self.least {
            return Class::of(Finding::Unreadable);
        }
        let finding = if !self.present.holds(at) {
            Finding::Future
        } else if self.expired.holds(at) {
            Finding::Expired
        } else {
            Finding::Kept
        };
        Class {
            finding,
            soon: finding == Finding::Kept && self.soon.holds(at),
            suspicious: at < self.suspicious || at == T::default(),
        }
    }
}

impl Cuts<i64> {
    /// What all numbers between two say of their rows, if they say one thing.
    fn class_between(&self, from: i64, to: i64) -> Option<Class> {
        let crossed = |cut: i64| from < cut && cut <= to;
        // The first moment of 1970 is suspicious all by itself.
        let around_zero = from != to && from <= 0 && 0 <= to;
        let settled = from <= to
            && !around_zero
            && !crossed(self.least)
            && !crossed(self.suspicious)
            && !self.present.changes(from, to)
            && !self.expired.changes(from, to)
            && !self.soon.changes(from, to);
        settled.then(|| self.class(from))
    }
}

/// Cuts that are one number each, none further from zero than 2^62: what is taken from them cannot
/// overflow, so a sign bit says on which side of a cut a number lies. Every x86-64 counts sign bits
/// several at a time, and few compare so.
struct Quick {
    suspicious: i64,
    expired: i64,
    soon: i64,
    /// The last number that is not in the future.
    last: i64,
}

impl Quick {
    fn of(cuts: &Cuts<i64>) -> Option<Quick> {
        let quick = Quick {
            suspicious: cuts.suspicious,
            expired: cuts.expired.single()?,
            soon: cuts.soon.single()?,
            last: cuts.present.single()?.checked_sub(1)?,
        };
        let all = [quick.suspicious, quick.expired, quick.soon, quick.last];
        let is_near = all.iter().all(|cut| cut.unsigned_abs() < 1 << 62);
        (is_near && quick.expired <= quick.soon).then_some(quick)
    }

    /// Counts a block; false, and nothing counted, when a row of it is out of the ordinary.
    fn count<N: Copy + Into<i64>>(&self, values: &[N], counts: &mut Counts) -> bool {
        let (mut expired, mut soon) = (0_u64, 0_u64);
        // Negative once a number was out of bounds, and no longer negative once one was zero.
        let (mut beyond, mut not_zero) = (0_i64, -1_i64);
        for value in values {
            let at: i64 = (*value).into();
            expired += at.wrapping_sub(self.expired).cast_unsigned() >> 63;
            soon += at.wrapping_sub(self.soon).cast_unsigned() >> 63;
            // The last of the three: a number further from zero than 2^62.
            beyond |=
                at.wrapping_sub(self.suspicious) | self.last.wrapping_sub(at) | (at ^ (at << 1));
            not_zero &= at | at.wrapping_neg();
        }
        if beyond < 0 || not_zero >= 0 {
            return false;
        }
        counts.verdicts[Verdict::Expired as usize] += expired;
        counts.verdicts[Verdict::Retain as usize] += values.len() as u64 - expired;
        counts.expiring += soon - expired;
        true
    }

    /// As [`Quick::count`], of a block with nulls. What stands in their places may be anything, so a
    /// number that is kept takes them for the time of counting.
    fn count_with_nulls(
        &self,
        values: &mut [i64],
        nulls: &NullBuffer,
        null: Class,
        counts: &mut Counts,
    ) -> bool {
        if self.last < self.soon || self.last == 0 {
            return false;
        }
        let missing = !nulls.inner();
        missing.set_indices().for_each(|row| values[row] = self.last);
        let counted = self.count(values, counts);
        if counted {
            let missing = nulls.null_count() as u64;
            counts.verdicts[Verdict::Retain as usize] -= missing;
            counts.put_many(null, missing);
        }
        counted
    }
}

/// The numbers of a column, whatever their width.
enum Numbers<'a> {
    Narrow(&'a [i32]),
    Wide(&'a [i64]),
}

impl Numbers<'_> {
    fn at(&self, row: usize) -> i64 {
        match self {
            Numbers::Narrow(values) => values[row].into(),
            Numbers::Wide(values) => values[row],
        }
    }
}

fn numbers<'a>(anchors: &'a dyn Array, data_type: &DataType) -> Numbers<'a> {
    match data_type {
        DataType::Date32 => Numbers::Narrow(anchors.as_primitive::<Date32Type>().values()),
        DataType::Timestamp(TimeUnit::Second, _) => {
            Numbers::Wide(anchors.as_primitive::<TimestampSecondType>().values())
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Numbers::Wide(anchors.as_primitive::<TimestampMillisecondType>().values())
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Numbers::Wide(anchors.as_primitive::<TimestampMicrosecondType>().values())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Numbers::Wide(anchors.as_primitive::<TimestampNanosecondType>().values())
        }
        _ => Numbers::Wide(anchors.as_primitive::<Date64Type>().values()),
    }
}

fn is_held(held: Option<&BooleanBuffer>, row: usize) -> bool {
    held.is_some_and(|held| held.value(row))
}

/// Rows looked at together; fits the first cache.
const BLOCK_ROWS: usize = 2_048;
const SOON: SignedDuration = SignedDuration::from_hours(24 * Counts::EXPIRING_DAYS);
