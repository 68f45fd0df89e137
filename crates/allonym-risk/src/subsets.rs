//! The smallest sets of columns that single people out.

use crate::RiskError;
use crate::classes::{Keyed, classes};
use crate::math::real;

/// Columns that together single out more rows than the limit, while no part of them does.
#[derive(Clone, Debug, PartialEq)]
pub struct UniqueSet {
    /// Positions of the columns, rising.
    pub columns: Vec<usize>,
    /// Rows that are alone.
    pub uniques: u64,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct UniqueSets {
    /// Sets: fewer columns first, then more rows singled out, then by position.
    pub sets: Vec<UniqueSet>,
    /// Sets that were measured.
    pub measured: u64,
    /// Sets of up to so many columns were all looked at.
    pub complete_to: usize,
}

/// Looks for the smallest sets of columns that leave at least `share` of the rows alone, small sets
/// first, in sets of at most `columns_max` and no more than `sets_max` of them.
///
/// A set that holds one which was found is not looked at: it singles out at least as many.
///
/// # Errors
/// The caller asked to stop.
pub fn unique_sets(
    columns: &[Keyed<'_>],
    share: f64,
    columns_max: usize,
    sets_max: u64,
    stop: &dyn Fn() -> bool,
) -> Result<UniqueSets, RiskError> {
    let rows = columns.first().map_or(0, Keyed::len);
    let mut found = UniqueSets { sets: Vec::new(), measured: 0, complete_to: 0 };
    for size in 1..=columns_max.min(columns.len()) {
        let mut made = Vec::new();
        let mut next = Some((0..size).collect::<Vec<usize>>());
        while let Some(set) = next {
            let holds = |part: &UniqueSet| part.columns.iter().all(|column| set.contains(column));
            if !found.sets.iter().any(holds) {
                if found.measured == sets_max {
                    found.sets.extend(sorted(made));
                    return Ok(found);
                }
                if stop() {
                    return Err(RiskError::Stopped);
                }
                found.measured += 1;
                let keyed: Vec<Keyed<'_>> = set.iter().map(|&at| columns[at].clone()).collect();
                let uniques = classes(&keyed).uniques();
                if real(uniques) >= share * real(rows as u64) && uniques > 0 {
                    made.push(UniqueSet { columns: set.clone(), uniques });
                }
            }
            next = following(set, columns.len());
        }
        found.sets.extend(sorted(made));
        found.complete_to = size;
    }
    Ok(found)
}

fn sorted(mut sets: Vec<UniqueSet>) -> Vec<UniqueSet> {
    sets.sort_by(|a, b| b.uniques.cmp(&a.uniques).then_with(|| a.columns.cmp(&b.columns)));
    sets
}

/// The next set of as many columns, in lexicographic order.
fn following(mut set: Vec<usize>, columns: usize) -> Option<Vec<usize>> {
    let size = set.len();
    let last = (0..size).rev().find(|&at| set[at] < columns - size + at)?;
    set[last] += 1;
    for at in last + 1..size {
        set[at] = set[at - 1] + 1;
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_follow_each_other() {
        let mut next = Some(vec![0, 1]);
        let mut all = Vec::new();
        while let Some(set) = next {
            all.push(set.clone());
            next = following(set, 4);
        }
        assert_eq!(all, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
    }

    /// A row number singles out everybody; two columns of a grid do so together, the third never.
    #[test]
    fn the_smallest_sets_are_found() {
        let id: Vec<u32> = (0..16).collect();
        let across: Vec<u32> = (0..16).map(|n| n % 4).collect();
        let down: Vec<u32> = (0..16).map(|n| n / 4).collect();
        let same = [0; 16];
        let keyed = |codes| Keyed { codes: vec![codes], cardinality: 16 };
        let columns = [keyed(&same[..]), keyed(&across), keyed(&id), keyed(&down)];
        let found = unique_sets(&columns, 0.5, 3, 100, &|| false).unwrap();
        let sets: Vec<_> =
            found.sets.iter().map(|set| (set.columns.clone(), set.uniques)).collect();
        assert_eq!(sets, [(vec![2], 16), (vec![1, 3], 16)]);
        assert_eq!((found.measured, found.complete_to), (7, 3));
        let short = unique_sets(&columns, 0.5, 3, 4, &|| false).unwrap();
        assert_eq!((short.sets.len(), short.complete_to), (1, 1));
        assert_eq!(unique_sets(&columns, 0.5, 3, 4, &|| true), Err(RiskError::Stopped));
    }
}
