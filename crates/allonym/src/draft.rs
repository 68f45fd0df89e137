//! A policy drafted from what a scan found.

use crate::scan::{Looker, Scan, ScanOptions};
use crate::{Failure, Result, RuleSet};
use allonym_core::Policy;
use allonym_io::{Found, ReadOptions};

/// Drafts a policy from a scan.
#[must_use]
pub fn draft(scan: &Scan, rules: &RuleSet, name: &str, purpose: &str) -> Policy {
    Policy::draft(&scan.judgements(), rules, name, purpose)
}

/// Scans every input and drafts one policy for all of them; also gives the scan it came from.
///
/// # Errors
/// Input that cannot be read, rules that do not compile.
pub fn draft_policy(
    inputs: &[Found],
    read: &ReadOptions,
    options: &ScanOptions,
    name: &str,
    purpose: &str,
    progress: &(dyn Fn(u64, Option<u64>) + Sync),
) -> Result<(Policy, Scan)> {
    let looker = Looker::new(&options.find)?;
    let mut all = None;
    for found in inputs {
        let evidence = looker.evidence_of(&found.input, read, options, progress)?;
        match &mut all {
            None => all = Some(evidence),
            Some(all) => all.merge(&evidence),
        }
    }
    let all = all.ok_or_else(|| Failure::new("ALO-D001", 3, "nothing to read"))?;
    let scan = looker.scan(name, &all, options);
    let drafted = draft(&scan, looker.rules(), name, purpose);
    let policy = all.schemas().fold(drafted, |policy, schema| policy.fitted(schema));
    Ok((policy, scan))
}
