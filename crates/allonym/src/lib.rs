//! The run loop both faces share: scan, draft, apply.
//!
//! The command line and the Python package are thin over this crate: it opens files, resolves
//! keys, compiles policy to plan, drives batches through it in order and in bounded memory, and
//! writes outputs that appear whole or not at all, with a receipt beside them.
//!
//! It reads no clock and no environment: both are arguments ([`Environment`], `now`).

mod canary;
mod canary_rows;
mod cells;
mod check;
mod compiled;
mod contract;
mod draft;
mod erase;
mod evaluate;
mod expire;
pub mod exposure;
mod failure;
mod find;
mod frame;
mod holds;
mod jobs;
mod keys;
mod lake;
mod manifest;
mod pages;
mod pipeline;
mod random;
mod receipt;
mod rewrite;
mod risk;
mod row_expiry;
mod rules;
mod run;
mod scan;
mod subjects;
mod succession;
mod suppression;
mod tags;
mod verify;

pub mod ledger;
pub mod retention;

pub use allonym_core::{
    AnchorSource, ExposureGate, ExposureMetric, Gates, KeyReference, Plan, PlannedColumn, Policy,
    RequireTags, Retention, Tag, TagMatch, explain as explain_policy_code,
};
pub use allonym_io::{
    Compression, Expanded, Format, Found, Input, IoError, ReadOptions, TextEncoding, expand,
    expand_with_tables, write_whole,
};
pub use allonym_keys::{
    Finding as KeyFinding, KeyInfo, KeyState, Keyring, Passphrase, Profile, Scope, Severity,
    TokenFormat, Tokenizer, Unlock, doctor as key_doctor,
};
pub use allonym_recognize::{
    CheckReport, Coverage, EntityCount, Group, Judgement, RuleFile, RuleSet, RuleSummary,
    check as check_rules,
};
pub use allonym_report::{
    CheckEvidence, RiskEvidence, Severity as CheckSeverity, Verdict as CheckVerdict,
};
pub use canary::{
    Canary, CanaryEvidence, CanaryPlace, CanaryPlan, ReceiptCanaries, canaries, score_canaries,
};
pub use canary_rows::{
    CANARY_ID, CanaryCells, CanaryColumn, ReceiptCanaryRows, canary_rows, write_canary_rows,
};
pub use check::{CheckJob, check, check_batches, check_exit, read_recall, record_check};
pub use contract::{TableContract, is_contract};
pub use draft::{draft, draft_policy};
pub use erase::{
    Certificate, EraseJob, EraseOutcome, ErasedFile, Searched, SearchedKey, Unsearchable, erase,
};
pub use evaluate::{
    Change, Changes, Confusion, EvaluateOptions, Evaluation, Evaluator, NotScored, Rates,
    Reliability, Scored, Value, Which,
};
pub use expire::{
    Derived, ExpireEvidence, ExpireJob, ExpireOutcome, FileEvidence, GroupEvidence, HoldEvidence,
    Quarantine, TagEvidence, Version, expire,
};
pub use failure::{Failure, Result};
pub use find::{FindOptions, Finder, Finding};
pub use frame::{BoundPolicy, FrameCounts, TokenColumn, tokenize};
pub use jobs::Work;
pub use keys::{Environment, KeyPlace, create_default_ring, open_ring, ring_place, unlock_for};
pub use lake::{EnginePlan, EngineStep, TableEvidence, expire_table, is_table};
pub use manifest::ReceiptField;
pub use pipeline::{Cancel, Treatment, treat_stream};
pub use receipt::{Digest, Receipt, ReceiptColumn, ReceiptFile, ReceiptKey};
pub use risk::{RiskGates, RiskOptions, RiskRole, RiskTable, measure_risk};
pub use rules::{builtin_rule_files, load_rules, read_rule_files, rule_folders};
pub use run::{ApplyJob, ApplyOutcome, PolicySource, Progress, Target, apply};
pub use scan::{
    DocumentFindings, DocumentId, RunnerUp, Scan, ScanColumn, ScanOptions, scan_batches, scan_path,
    scan_spans,
};
pub use suppression::Guard;
pub use tags::{Anchors, Tally};
pub use verify::{FileCheck, FileState, ReceiptCheck, SignatureState, verify_receipt};

/// Evidence and its views.
pub use allonym_report as report;

/// Doors that take raw secrets: for vectors and audits only.
pub mod danger {
    pub use allonym_keys::danger::derive_token;
}
