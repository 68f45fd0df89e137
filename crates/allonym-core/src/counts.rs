//! What happened to a column, in numbers that add up over batches and files.

use crate::plan::PlannedColumn;
use crate::wording::quoted;
use std::collections::BTreeMap;
use std::fmt;

/// What happened to a column; sums over batches, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnCounts {
    /// Cells changed or removed.
    pub treated: u64,
    /// Null cells (before treatment).
    pub nulls: u64,
    /// Cells made null by a sentinel of the policy.
    pub sentinels: u64,
    /// Cells made null because they could not be read as what the treatment expects.
    pub unparseable: u64,
    /// Look-alike tokens in text that were replaced.
    pub lookalikes: u64,
    /// Findings replaced in text, by entity name.
    pub findings: BTreeMap<String, u64>,
    pub(crate) distinct: Sketch,
}

impl ColumnCounts {
    /// Adds what happened to other rows of the same column.
    pub fn add(&mut self, other: &ColumnCounts) {
        self.treated += other.treated;
        self.nulls += other.nulls;
        self.sentinels += other.sentinels;
        self.unparseable += other.unparseable;
        self.lookalikes += other.lookalikes;
        for (entity, count) in &other.findings {
            match self.findings.get_mut(entity) {
                Some(known) => *known += count,
                None => {
                    self.findings.insert(entity.clone(), *count);
                }
            }
        }
        self.distinct.merge(&other.distinct);
    }

    /// About how many distinct values got tokens (standard error 2.3 %); `None` for columns whose
    /// equal values do not get equal tokens.
    #[must_use]
    pub fn distinct(&self) -> Option<u64> {
        self.distinct.estimate()
    }

    /// What people should know about the column once all rows are through: cells that were lost to
    /// a treatment, and so few distinct values that their frequencies show through the tokens.
    #[must_use]
    pub fn warning(&self, column: &PlannedColumn) -> Option<String> {
        let mut said = Vec::new();
        if self.unparseable > 0 {
            said.push(format!(
                "{} cells did not have a form that `{}` reads and became null",
                grouped(self.unparseable),
                column.treatment
            ));
        }
        if let Some(distinct) = self.distinct()
            && distinct < FEW_DISTINCT
            && self.treated > FEW_DISTINCT_CELLS
        {
            said.push(format!(
                "about {} distinct values in {} cells, so that frequencies show through the tokens; \
                 consider `generalize`, or consistency = \"document\" or \"none\"",
                grouped(distinct),
                grouped(self.treated)
            ));
        }
        (!said.is_empty()).then(|| format!("column {}: {}", quoted(&column.name), said.join("; ")))
    }
}

/// `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A bounded estimate of distinct values: `HyperLogLog` (Flajolet et al. 2007) with linear counting
/// for small numbers. Fed with token bytes, which are uniform already; merging takes the greater
/// register, so that order and batch cuts do not matter.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Sketch {
    /// Empty until the first token.
    registers: Vec<u8>,
}

impl Sketch {
    pub(crate) fn add(&mut self, token: &[u8; 16]) {
        if self.registers.is_empty() {
            self.registers = vec![0; REGISTERS];
        }
        let mut half = [0_u8; 8];
        half.copy_from_slice(&token[..8]);
        let bits = u64::from_be_bytes(half);
        let register = usize::try_from(bits >> (64 - REGISTER_BITS)).unwrap_or(0);
        let rest = (bits << REGISTER_BITS) | (1 << (REGISTER_BITS - 1));
        let rank = u8::try_from(rest.leading_zeros() + 1).unwrap_or(u8::MAX);
        self.registers[register] = self.registers[register].max(rank);
    }

    pub(crate) fn merge(&mut self, other: &Sketch) {
        if self.registers.is_empty() {
            self.registers.clone_from(&other.registers);
            return;
        }
        for (mine, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *mine = (*mine).max(*theirs);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, never negative, far below 2^64"
    )]
    fn estimate(&self) -> Option<u64> {
        if self.registers.is_empty() {
            return None;
        }
        let m = REGISTERS_F64;
        let sum: f64 = self.registers.iter().map(|rank| 2_f64.powi(-i32::from(*rank))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.registers.iter().filter(|rank| **rank == 0).count();
        let empty = u32::try_from(empty).map_or(m, f64::from);
        let estimate = if raw <= 2.5 * m && empty > 0.0 { m * (m / empty).ln() } else { raw };
        Some(estimate.round() as u64)
    }
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sketch").field(&self.estimate()).finish()
    }
}

const REGISTER_BITS: u32 = 11;
const REGISTERS: usize = 1 << REGISTER_BITS;
const REGISTERS_F64: f64 = 2048.0;
/// Below this many distinct values tokens are easily matched by their frequency.
const FEW_DISTINCT: u64 = 1_000;
/// Fewer cells say nothing about how many distinct values there are.
const FEW_DISTINCT_CELLS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn token(n: u32) -> [u8; 16] {
        let mut token = [0; 16];
        token.copy_from_slice(&Sha256::digest(n.to_be_bytes())[..16]);
        token
    }

    #[test]
    fn distinct_values_are_estimated_within_ten_percent() {
        for n in [1_u32, 10, 999, 1_000, 20_000, 100_000] {
            let mut sketch = Sketch::default();
            (0..n).for_each(|value| sketch.add(&token(value)));
            (0..n).for_each(|value| sketch.add(&token(value)));
            let estimate = sketch.estimate().unwrap();
            let slack = u64::from(n) / 10 + 1;
            assert!(estimate.abs_diff(u64::from(n)) <= slack, "{n}: {estimate}");
        }
        assert_eq!(Sketch::default().estimate(), None);
    }

    #[test]
    fn merging_equals_counting_together() {
        let (mut all, mut left, mut right) =
            (Sketch::default(), Sketch::default(), Sketch::default());
        for value in 0..5_000 {
            all.add(&token(value));
            if value % 3 == 0 { left.add(&token(value)) } else { right.add(&token(value)) }
        }
        let mut other_way = right.clone();
        other_way.merge(&left);
        left.merge(&right);
        assert_eq!(left, all);
        assert_eq!(other_way, all);
    }

    #[test]
    fn few_distinct_values_and_lost_cells_are_told() {
        let column = PlannedColumn {
            name: "sex".to_owned(),
            treatment: "pseudonymize",
            detail: String::new(),
            entity: None,
        };
        let mut counts = ColumnCounts { treated: 10_001, ..ColumnCounts::default() };
        assert_eq!(counts.warning(&column), None);
        counts.distinct.add(&token(1));
        counts.distinct.add(&token(2));
        let said = counts.warning(&column).unwrap();
        assert!(
            said.starts_with("column `sex`: about 2 distinct values in 10,001 cells"),
            "{said}"
        );
        counts.treated = 10_000;
        assert_eq!(counts.warning(&column), None);
        counts.unparseable = 3;
        assert!(counts.warning(&column).unwrap().contains("3 cells"), "lost cells are told");
    }
}
