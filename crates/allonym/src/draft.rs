//! A policy drafted from what a scan found.

use crate::scan::{Looker, Scan, ScanOptions};
use crate::{Result, RuleSet};
use allonym_core::Policy;
use allonym_io::{Found, ReadOptions};

/// Drafts a policy from a scan.
#[must_use]
pub fn draft(scan: &Scan, rules: &RuleSet, name: &str, purpose: &str) -> Policy {
    Policy::draft(&scan.judgements(), rules, name, purpose)
}

/// Scans every row of every input and drafts one policy for all of them.
pub(crate) fn draft_from_inputs(
    inputs: &[Found],
    read: &ReadOptions,
    options: &ScanOptions,
    name: &str,
    progress: &(dyn Fn(u64, Option<u64>) + Sync),
) -> Result<(Policy, Scan)> {
    let looker = Looker::new(&options.find)?;
    let options = ScanOptions { full: true, ..options.clone() };
    let mut all = None;
    for found in inputs {
        let evidence = looker.evidence_of(&found.input, read, &options, progress)?;
        match &mut all {
            None => all = Some(evidence),
            Some(all) => all.merge(&evidence),
        }
    }
    let all = all.expect("a job has at least one input");
    let scan = looker.scan(name, &all, &options);
    let policy = draft(&scan, looker.rules(), name, "");
    Ok((policy, scan))
}
