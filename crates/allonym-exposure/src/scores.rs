//! What an attack gives: one score for each record, and why some have none.

use crate::signals::{References, Series, SignalError, block_records};
use rayon::prelude::*;
use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// One score for each record, in the order of the records; larger means more likely a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// NaN where the record could not be scored; its flags say why.
    pub values: Vec<f64>,
    /// What a reader must know of each score.
    pub flags: Vec<Flags>,
}

impl Scores {
    /// Number of records, scored or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Number of records without a score.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.values.iter().filter(|value| value.is_nan()).count()
    }

    /// Number of records with a flag.
    #[must_use]
    pub fn count(&self, flag: Flags) -> usize {
        self.flags.iter().filter(|flags| flags.contains(flag)).count()
    }

    /// Mean of the scores of several queries of the same records, as with augmented inputs; a
    /// record that one query could not score has none.
    ///
    /// # Errors
    /// [`AttackError::Length`] when the queries do not have equally many records.
    pub fn mean(queries: &[Scores]) -> Result<Scores, AttackError> {
        let Some((first, rest)) = queries.split_first() else {
            return Ok(Scores { values: Vec::new(), flags: Vec::new() });
        };
        let mut mean = first.clone();
        for query in rest {
            same_length("a query", query.len(), first.len())?;
            for (at, value) in query.values.iter().enumerate() {
                mean.values[at] += value;
                mean.flags[at] |= query.flags[at];
            }
        }
        let count = crate::special::size(queries.len());
        mean.values.iter_mut().for_each(|value| *value /= count);
        Ok(mean)
    }

    pub(crate) fn from_each(
        records: usize,
        score: impl Fn(usize) -> (f64, Flags) + Sync + Send,
    ) -> Scores {
        let (values, flags) = (0..records).into_par_iter().map(score).unzip();
        Scores { values, flags }
    }
}

/// What a reader must know of a score; several may hold.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// A signal was NaN or infinite: the record was dropped.
    pub const NOT_FINITE: Flags = Flags(1);
    /// No reference was trained on the record: attacks that need one did not score it.
    pub const NEVER_IN: Flags = Flags(2);
    /// Every reference was trained on the record: attacks that need one that was not did not
    /// score it.
    pub const NEVER_OUT: Flags = Flags(4);
    /// The signals of a side do not vary (or there is one): their spread was set to the smallest
    /// that single precision resolves.
    pub const NO_SPREAD: Flags = Flags(8);
    /// A signal was moved to the nearest value that has a logarithm, or to a declared limit.
    pub const CLAMPED: Flags = Flags(16);
    /// No record of the record's group is in the population: there is nothing to compare with.
    pub const NO_GROUP: Flags = Flags(32);

    /// Every flag with its name.
    pub const NAMED: [(&'static str, Flags); 6] = [
        ("not_finite", Flags::NOT_FINITE),
        ("never_in", Flags::NEVER_IN),
        ("never_out", Flags::NEVER_OUT),
        ("no_spread", Flags::NO_SPREAD),
        ("clamped", Flags::CLAMPED),
        ("no_group", Flags::NO_GROUP),
    ];

    /// Whether nothing is to be said.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all flags of `other` hold.
    #[must_use]
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn is_one_sided(self) -> bool {
        self.contains(Flags::NEVER_IN) || self.contains(Flags::NEVER_OUT)
    }

    /// `self` where the condition holds, else none.
    pub(crate) fn when(self, condition: bool) -> Flags {
        if condition { self } else { Flags::default() }
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Flags::NAMED.iter().filter(|(_, flag)| self.contains(*flag));
        f.debug_set().entries(held.map(|(name, _)| name)).finish()
    }
}

/// Which references an attack uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those trained on the record and those not.
    Online,
    /// Only those not trained on the record: cheaper for an attacker, and weaker.
    Offline,
}

/// Why an attack cannot be run. Records are named by position, values never.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttackError {
    /// Two arguments do not have equally many records.
    #[error("{what} has {found} records, expected {expected}")]
    Length {
        /// Which argument.
        what: &'static str,
        /// How many it has.
        found: usize,
        /// How many it must have.
        expected: usize,
    },
    /// A probability outside of `[0, 1]`.
    #[error(
        "{what}, record {record}: a confidence must lie in [0, 1]; pass probabilities, not logits"
    )]
    NoConfidence {
        /// Which argument.
        what: &'static str,
        /// Position of the first such record.
        record: usize,
    },
    /// No reference left any record out.
    #[error("every reference was trained on every record; each must leave some out")]
    AllIn,
    /// No reference was trained on any record.
    #[error("no reference was trained on any record; online attacks need some that were")]
    AllOut,
    /// A parameter that cannot mean anything.
    #[error("{what} must be {expected}")]
    Parameter {
        /// Which one.
        what: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A label that names no class.
    #[error("record {record}: its label must be one of the {classes} classes, from 0")]
    Label {
        /// Position of the record.
        record: usize,
        /// Number of classes.
        classes: usize,
    },
    /// Too few records to compare with.
    #[error("the population has {found} usable records; this `fpr` and the features take {needed}")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Not one usable record to compare with.
    #[error("{what} has no usable record")]
    Empty {
        /// Which argument.
        what: &'static str,
    },
    /// The signals do not fit or cannot be read.
    #[error(transparent)]
    Signals(#[from] SignalError),
}

pub(crate) fn same_length(
    what: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), AttackError> {
    if found == expected { Ok(()) } else { Err(AttackError::Length { what, found, expected }) }
}

/// Refuses numbers outside of `[0, 1]`; what is not finite is left to the attack.
pub(crate) fn confidences(what: &'static str, values: Series<'_>) -> Result<(), AttackError> {
    // Nearly always there is none, which is seen many at a time.
    let outside = match values {
        Series::F32(values) => {
            values.iter().map(|p| usize::from(*p < 0.0) + usize::from(*p > 1.0)).sum::<usize>()
        }
        Series::F64(values) => {
            values.iter().map(|p| usize::from(*p < 0.0) + usize::from(*p > 1.0)).sum::<usize>()
        }
    };
    if outside == 0 {
        return Ok(());
    }
    match (0..values.len()).find(|&record| out_of_range(values.at(record))) {
        Some(record) => Err(AttackError::NoConfidence { what, record }),
        None => Ok(()),
    }
}

pub(crate) fn out_of_range(confidence: f64) -> bool {
    confidence.is_finite() && !(0.0..=1.0).contains(&confidence)
}

/// The signals of some records, reference after reference, and 1 where the record was in.
#[derive(Default)]
pub(crate) struct Block {
    /// Position of the first record.
    pub(crate) start: usize,
    /// Number of records.
    pub(crate) width: usize,
    pub(crate) signals: Vec<f64>,
    pub(crate) members: Vec<f64>,
}

impl Block {
    /// Splits the signals of one record of the block into those with it and those without.
    pub(crate) fn split<'a>(&self, column: usize, sides: &'a mut Sides) -> [&'a mut [f64]; 2] {
        let (mut inside, mut outside) = (0, 0);
        let signals = self.signals[column..].iter().step_by(self.width);
        let members = self.members[column..].iter().step_by(self.width);
        // Written to both sides and counted on one: a branch would be wrong every other time.
        for (signal, member) in signals.zip(members) {
            let member = usize::from(*member != 0.0);
            sides.inside[inside] = *signal;
            sides.outside[outside] = *signal;
            inside += member;
            outside += 1 - member;
        }
        [&mut sides.inside[..inside], &mut sides.outside[..outside]]
    }
}

/// Room for the signals of one record.
pub(crate) struct Sides {
    inside: Vec<f64>,
    outside: Vec<f64>,
}

impl Sides {
    pub(crate) fn new(references: usize) -> Sides {
        Sides { inside: vec![0.0; references], outside: vec![0.0; references] }
    }
}

/// Calls `score` with every block of records, on all threads. Blocks are cut at fixed places and
/// a record's score may depend on no other record, so threads change nothing.
pub(crate) fn score_blocks(
    references: &References<'_>,
    score: impl Fn(&Block, &mut [f64], &mut [Flags]) -> Result<(), AttackError> + Sync,
) -> Result<Scores, AttackError> {
    let records = references.records();
    let mut scores =
        Scores { values: vec![f64::NAN; records], flags: vec![Flags::default(); records] };
    let width = block_records(references.references());
    scores
        .values
        .par_chunks_mut(width)
        .zip(scores.flags.par_chunks_mut(width))
        .enumerate()
        .try_for_each_init(Block::default, |block, (at, (values, flags))| {
            read_block(references, at * width, values.len(), block)?;
            score(block, values, flags)
        })?;
    Ok(scores)
}

/// Gives one value for each record of every block, on all threads, in the order of the records.
pub(crate) fn score_blocks_with<T: Send>(
    references: &References<'_>,
    score: impl Fn(&Block, usize) -> T + Sync,
) -> Result<Vec<T>, AttackError> {
    let (records, width) = (references.records(), block_records(references.references()));
    let blocks: Vec<Vec<T>> = (0..records.div_ceil(width))
        .into_par_iter()
        .map_init(Block::default, |block, at| {
            let start = at * width;
            read_block(references, start, width.min(records - start), block)?;
            Ok((0..block.width).map(|column| score(block, column)).collect())
        })
        .collect::<Result<_, AttackError>>()?;
    Ok(blocks.into_iter().flatten().collect())
}

/// Folds every block of records into one value; `merge` must not care for order.
pub(crate) fn fold_blocks<T: Default + Send>(
    references: &References<'_>,
    fold: impl Fn(&Block, &mut T) + Sync,
    merge: impl Fn(T, T) -> T + Sync + Send,
) -> Result<T, AttackError> {
    let (records, width) = (references.records(), block_records(references.references()));
    (0..records.div_ceil(width))
        .into_par_iter()
        .map_init(Block::default, |block, at| {
            let start = at * width;
            read_block(references, start, width.min(records - start), block)?;
            let mut folded = T::default();
            fold(block, &mut folded);
            Ok(folded)
        })
        .try_reduce(T::default, |left, right| Ok(merge(left, right)))
}

fn read_block(
    references: &References<'_>,
    start: usize,
    width: usize,
    block: &mut Block,
) -> Result<(), AttackError> {
    (block.start, block.width) = (start, width);
    references.signals.fill_block(start..start + width, &mut block.signals)?;
    references.members.fill_block(start..start + width, &mut block.members)?;
    Ok(())
}

/// Turns "no record could be scored because all are on one side" into an error.
pub(crate) fn refuse_one_sided(scores: &Scores, mode: Mode) -> Result<(), AttackError> {
    let usable = scores.len() - scores.count(Flags::NOT_FINITE);
    if usable > 0 && scores.count(Flags::NEVER_OUT) == usable {
        return Err(AttackError::AllIn);
    }
    if usable > 0 && mode == Mode::Online && scores.count(Flags::NEVER_IN) == usable {
        return Err(AttackError::AllOut);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(values: &[f64], flag: Flags) -> Scores {
        Scores { values: values.to_vec(), flags: vec![flag; values.len()] }
    }

    #[test]
    fn queries_are_averaged_and_keep_their_flags() {
        let queries =
            [scores(&[1.0, 4.0], Flags::CLAMPED), scores(&[2.0, f64::NAN], Flags::default())];
        let mean = Scores::mean(&queries).unwrap();
        assert_eq!((mean.values[0], mean.dropped(), mean.count(Flags::CLAMPED)), (1.5, 1, 2));
        assert!(mean.values[1].is_nan());
        assert!(Scores::mean(&[]).unwrap().is_empty());
        assert!(
            Scores::mean(&[scores(&[1.0], Flags::CLAMPED), scores(&[], Flags::CLAMPED)]).is_err()
        );
    }

    #[test]
    fn flags_are_told_by_name() {
        let both = Flags::NEVER_IN | Flags::CLAMPED;
        assert_eq!(format!("{both:?}"), r#"{"never_in", "clamped"}"#);
        assert!(both.contains(Flags::CLAMPED) && !both.contains(Flags::NO_SPREAD));
        assert!(Flags::default().is_empty() && both.is_one_sided());
    }
}
