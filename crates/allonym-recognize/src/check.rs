//! `allonym rules check`.

use crate::RuleFile;

/// One thing wrong with a rule file.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Problem {
    /// File.
    pub path: String,
    /// Rule, where known.
    pub rule: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Result of checking rule files.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CheckReport {
    /// Files read.
    pub files: usize,
    /// Rules in them.
    pub rules: usize,
    /// Entities in them.
    pub entities: usize,
    /// Examples run.
    pub examples: usize,
    /// Near-misses run.
    pub near_misses: usize,
    /// Rules that fall to the slow lane.
    pub slow: Vec<String>,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Checks rule files as `rules check` does.
pub fn check(_files: &[RuleFile]) -> CheckReport {
    todo!()
}
