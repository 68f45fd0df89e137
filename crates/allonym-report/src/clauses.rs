//! Which clauses a finding touches: a data file, to be read by whoever answers for them.

use serde::Deserialize;
use std::sync::LazyLock;

/// One row of the clause map.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// What codes of findings begin with.
    pub prefix: String,
    /// What these findings are about.
    pub topic: String,
    /// Clauses that ask for it. That a finding touches one says nothing of a duty being met.
    pub clauses: Vec<String>,
}

/// The clause map.
#[must_use]
pub fn clauses() -> &'static [Clause] {
    &CLAUSES
}

/// The row that a code belongs to.
pub(crate) fn clause_of(code: &str) -> Option<&'static Clause> {
    clauses().iter().find(|clause| code.starts_with(&clause.prefix))
}

static CLAUSES: LazyLock<Vec<Clause>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/clauses.json")).expect("a test reads the data file")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_reads_and_no_code_has_two_rows() {
        assert!(clauses().len() >= 4);
        for (at, clause) in clauses().iter().enumerate() {
            let others = clauses().iter().skip(at + 1);
            assert!(!others.clone().any(|other| other.prefix.starts_with(&clause.prefix)));
            assert!(!clause.clauses.is_empty() && !clause.topic.is_empty());
        }
        assert_eq!(
            clause_of("ALO-R101").map(|row| row.topic.as_str()),
            Some("Retention and legal holds")
        );
        assert!(clause_of("ALO-X005").is_none());
    }
}
