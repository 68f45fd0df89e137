//! Tables with versions: the files of the current version are looked at as one table, and what lies
//! beside them, for older versions or for none, is told.

use super::{Check, Table, clocks, finding, proof};
use crate::holds::{KnownHold, held_rows};
use crate::lake::{Lake, LakeFile, LakeRows, united};
use crate::tags::FileName;
use crate::{Failure, Receipt, Result};
use allonym_io::{Found, TableFormat, sha256_file};
use allonym_report::{FileEvidence, Finding, KeyEvidence, OldVersion, Severity, TableEvidence};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files of the current version of which one manifest tells, or none.
struct Current<'l> {
    manifest: Option<PathBuf>,
    receipt: Option<Receipt>,
    files: Vec<&'l LakeFile>,
    schemas: Vec<SchemaRef>,
    /// Where the evidence of each stands.
    evidence: Vec<usize>,
}

/// Expired rows of files, by path; `None` where that cannot be told.
type Expired = BTreeMap<PathBuf, Option<u64>>;

/// What files hold that the current version does not need.
#[derive(Default)]
struct Left {
    /// All of them together.
    expired_rows: Option<u64>,
    residual: u64,
    columns: Vec<String>,
    unread: u64,
}

impl Check<'_> {
    /// A table that cannot be read is a finding; only an interrupt ends the check.
    pub(super) fn versions(
        &mut self,
        found: &Found,
        folder: &Path,
        format: TableFormat,
        proofs: &mut proof::Proofs,
    ) -> Result<()> {
        let name = found.relative.as_str();
        let mut told = TableEvidence {
            path: name.to_owned(),
            format: format.name().to_lowercase(),
            ..TableEvidence::default()
        };
        let done = Lake::read(folder).and_then(|lake| self.lake(name, &lake, proofs, &mut told));
        match done {
            Err(failure) if failure.exit == 130 => return Err(failure),
            Err(failure) => {
                let hint = failure.hint.as_deref().unwrap_or_default();
                self.tell(name, "ALO-R124", Severity::Unverified, None, &failure.message, hint);
                self.files.push(FileEvidence::of(name, None, 0));
                told.untold.push(failure.message);
            }
            Ok(()) => {}
        }
        self.tables.push(told);
        Ok(())
    }

    fn lake(
        &mut self,
        name: &str,
        lake: &Lake,
        proofs: &mut proof::Proofs,
        told: &mut TableEvidence,
    ) -> Result<()> {
        told.version = Some(lake.version);
        told.snapshot.clone_from(&lake.snapshot);
        told.files = lake.live.len() as u64;
        told.partition_by.clone_from(&lake.partition_by);
        told.deletion_marks = lake.marks;
        told.unreferenced_files = lake.unreferenced.len() as u64;
        told.told_values = lake.told_values;
        told.untold.clone_from(&lake.untold);
        let mut expired = Expired::new();
        let mut has_clocks = false;
        let mut left = Left::default();
        if lake.is_readable {
            for current in self.proven(name, lake, proofs)? {
                has_clocks |= self.current(name, &lake.folder, &current, &mut expired)?;
            }
            left = self.left(name, lake, &mut expired)?;
        }
        told.unreferenced_expired_rows = left.expired_rows;
        told.unreferenced_residual = left.residual;
        told.old_versions = lake
            .old
            .iter()
            .map(|old| OldVersion {
                version: old.version,
                snapshot: old.snapshot.clone(),
                committed: old.committed.clone(),
                expired_rows: old
                    .files
                    .iter()
                    .map(|at| expired.get(&lake.files[*at].path).copied().flatten())
                    .sum(),
                at_most: old.marked,
            })
            .collect();
        self.tell_of_versions(name, told, has_clocks);
        self.tell_of_left(name, told, &left, has_clocks);
        for what in &lake.untold {
            let message = format!("the table {what}");
            let next = "look at it with the engine that keeps it";
            self.tell(name, "ALO-R124", Severity::Unverified, None, &message, next);
        }
        Ok(())
    }

    /// The files of the current version by the manifest that tells of them, with what is wrong with that.
    fn proven<'l>(
        &mut self,
        name: &str,
        lake: &'l Lake,
        proofs: &mut proof::Proofs,
    ) -> Result<Vec<Current<'l>>> {
        let mut groups: Vec<Current<'l>> = Vec::new();
        let mut unproven = 0;
        for file in lake.live.iter().map(|at| &lake.files[*at]) {
            self.job.cancel.check()?;
            let shown = format!("{name}/{}", file.shown);
            let opened = file.open(&self.job.read).and_then(|rows| {
                let sha256 = sha256_file(&file.path).map_err(|_| {
                    Failure::new("ALO-D001", 3, "the file cannot be read to its end")
                })?;
                Ok((rows, sha256))
            });
            let (rows, sha256) = match opened {
                Ok(opened) => opened,
                Err(failure) => {
                    self.unreadable(&shown, &failure);
                    self.files.push(FileEvidence::of(&shown, None, 0));
                    continue;
                }
            };
            let LakeRows { stored, schema, .. } = rows;
            let known = &self.job.known_keys;
            let proof = proofs.of(Some(&file.path), known);
            let mut evidence = FileEvidence::of(&shown, Some(sha256.clone()), 0);
            match &proof {
                None => unproven += 1,
                Some(told) => self.findings.extend(proof::judge(
                    proof.as_ref(),
                    proofs.succeeded(told, Some(&file.path), &sha256, known),
                    &mut evidence,
                    &stored,
                    self.policy,
                    &shown,
                )),
            }
            let (manifest, receipt) = match proof {
                None => (None, None),
                Some(proof) => (Some(proof.place), Some(proof.receipt)),
            };
            self.keys.extend(receipt.iter().flat_map(|receipt| &receipt.keys).map(|key| {
                KeyEvidence { id: key.id.clone(), epoch: key.epoch, domain: key.domain.clone() }
            }));
            let at = groups.iter().position(|group| group.manifest == manifest);
            let at = at.unwrap_or_else(|| {
                groups.push(Current {
                    manifest,
                    receipt,
                    files: Vec::new(),
                    schemas: Vec::new(),
                    evidence: Vec::new(),
                });
                groups.len() - 1
            });
            groups[at].files.push(file);
            groups[at].schemas.push(schema);
            groups[at].evidence.push(self.files.len());
            self.files.push(evidence);
        }
        if unproven > 0 {
            let message = format!(
                "no manifest tells of {unproven} of the {} files of the table: nobody knows how they \
                 were made and how long they may be kept",
                lake.live.len()
            );
            self.tell(name, "ALO-V101", Severity::Unverified, Some(unproven), &message, "");
        }
        Ok(groups)
    }

    /// One pass over the rows of the current version; gives whether any tag is for them.
    fn current(
        &mut self,
        name: &str,
        folder: &Path,
        current: &Current<'_>,
        expired: &mut Expired,
    ) -> Result<bool> {
        let schema = united(current.schemas.iter());
        let receipt = current.receipt.as_ref();
        let table = Table { path: Some(folder), name, schema: &schema, receipt };
        let entities = self.entities(&table);
        let bind = |_| clocks::bind(self, &table, &entities).0;
        let mut clocks: Vec<clocks::Bindings> = current.files.iter().map(bind).collect();
        let names = FileName { path: table.path, relative: name }.names(self.policy);
        let holds: Vec<KnownHold> = self.holds.covering(&names).into_iter().cloned().collect();
        let holds: Vec<&KnownHold> = holds.iter().collect();
        let job = self.job;
        let mut rows = vec![0; current.files.len()];
        let mut failed: BTreeMap<usize, Failure> = BTreeMap::new();
        let (mut at, mut open) = (0, None);
        let mut next = || -> Result<Option<RecordBatch>> {
            while let Some(file) = current.files.get(at) {
                let records = match &mut open {
                    None => file.open(&job.read).map(|rows| {
                        open = Some(rows);
                        None
                    }),
                    Some(open) => open.next(&schema).map(|records| records.ok_or(())).map(Some),
                };
                match records {
                    Ok(None) => {}
                    Ok(Some(Ok(records))) => {
                        rows[at] += records.num_rows() as u64;
                        clocks[at].count(&records, held_rows(&holds, &records).as_ref())?;
                        (job.progress)(name, at as u64, Some(current.files.len() as u64));
                        return Ok(Some(records));
                    }
                    Ok(Some(Err(()))) => (at, open) = (at + 1, None),
                    Err(failure) => {
                        failed.insert(at, failure);
                        (at, open) = (at + 1, None);
                    }
                }
            }
            Ok(None)
        };
        self.table(&table, &mut next)?;
        for (at, file) in current.files.iter().enumerate() {
            self.files[current.evidence[at]].rows = rows[at];
            let told = clocks[at].expired().filter(|_| !failed.contains_key(&at));
            expired.insert(file.path.clone(), told);
        }
        for (at, failure) in failed {
            let shown = self.files[current.evidence[at]].path.clone();
            self.unreadable(&shown, &failure);
        }
        Ok(clocks.iter().any(clocks::Bindings::has_tags))
    }

    /// One pass over the rows of files that the current version does not need.
    fn left(&mut self, name: &str, lake: &Lake, expired: &mut Expired) -> Result<Left> {
        let files = lake.left();
        let mut left = Left { expired_rows: Some(0), ..Left::default() };
        if files.is_empty() {
            return Ok(left);
        }
        let mut readable = Vec::new();
        for file in &files {
            self.job.cancel.check()?;
            match file.open(&self.job.read) {
                Ok(rows) => readable.push((file, rows.schema)),
                Err(_) => left.unread += 1,
            }
        }
        let schema = united(readable.iter().map(|(_, schema)| schema));
        let table = Table { path: Some(&lake.folder), name, schema: &schema, receipt: None };
        let entities = self.entities(&table);
        let names = FileName { path: table.path, relative: name }.names(self.policy);
        let holds: Vec<KnownHold> = self.holds.covering(&names).into_iter().cloned().collect();
        let holds: Vec<&KnownHold> = holds.iter().collect();
        let job = self.job;
        let mut residue = self.residue.begin(&schema, &entities);
        for (file, own) in &readable {
            let alone = Table { schema: own, ..table };
            // What a file lacks would be a missing anchor among the others' columns.
            let is_told = clocks::bind(self, &alone, &entities).0.expired().is_some();
            let mut clocks = clocks::bind(self, &table, &entities).0;
            let mut pass = || -> Result<()> {
                let mut rows = file.open(&job.read)?;
                while let Some(records) = rows.next(&schema)? {
                    job.cancel.check()?;
                    clocks.count(&records, held_rows(&holds, &records).as_ref())?;
                    residue.offer(&records, &job.cancel);
                }
                Ok(())
            };
            let told = match pass() {
                Err(failure) if failure.exit == 130 => return Err(failure),
                Err(_) => {
                    left.unread += 1;
                    None
                }
                Ok(()) => clocks.expired().filter(|_| is_told),
            };
            expired.insert(file.path.clone(), told);
            left.expired_rows = left.expired_rows.zip(told).map(|(sum, rows)| sum + rows);
        }
        if left.unread > 0 {
            left.expired_rows = None;
        }
        let (columns, ..) = residue.finish(name, &job.cancel)?;
        for column in columns.into_iter().filter(|column| column.residual > 0) {
            left.residual += column.residual;
            left.columns.push(column.name);
        }
        Ok(left)
    }

    fn tell_of_versions(&mut self, name: &str, told: &TableEvidence, has_clocks: bool) {
        if let Some(oldest) = told.old_versions.first() {
            let holding = || told.old_versions.iter().filter_map(|old| old.expired_rows);
            let holding = || holding().filter(|rows| *rows > 0);
            let is_untold = told.old_versions.iter().any(|old| old.expired_rows.is_none());
            let (severity, what) = match (holding().max(), is_untold) {
                (Some(most), _) => (
                    Severity::Breach,
                    format!("{} of them hold expired rows, {most} at most", holding().count()),
                ),
                (None, true) if has_clocks => (
                    Severity::Unverified,
                    "how many expired rows they hold cannot be told".to_owned(),
                ),
                (None, true) => {
                    (Severity::Note, "nothing says how long their rows may be kept".to_owned())
                }
                (None, false) => (Severity::Note, "none of them holds expired rows".to_owned()),
            };
            let of = match &oldest.committed {
                Some(committed) => format!(" of {committed}"),
                None => String::new(),
            };
            let holds = match oldest.expired_rows {
                Some(rows) => format!(", holds {rows} expired rows"),
                None => String::new(),
            };
            let message = format!(
                "{} older versions of the table can still be read; the oldest, version {}{of}{holds}; \
                 {what}",
                told.old_versions.len(),
                oldest.version
            );
            let count = Some(told.old_versions.len() as u64);
            self.tell(name, "ALO-R120", severity, count, &message, next_of(told));
        }
        if told.deletion_marks > 0 {
            let message = format!(
                "{} marks (deletion vectors, files of deletes) delete rows that are still in the files \
                 of the current version; how many of the rows counted here are such cannot be told",
                told.deletion_marks
            );
            let next = match told.format.as_str() {
                "delta" => {
                    "write them again: REORG TABLE ... APPLY (PURGE), then remove old versions"
                }
                _ => "write them again: CALL system.rewrite_data_files, then remove old snapshots",
            };
            let count = Some(told.deletion_marks);
            self.tell(name, "ALO-R122", Severity::Unverified, count, &message, next);
        }
    }

    fn tell_of_left(&mut self, name: &str, told: &TableEvidence, left: &Left, has_clocks: bool) {
        if told.unreferenced_files > 0 {
            let (severity, what) = match told.unreferenced_expired_rows {
                Some(0) => (Severity::Note, "none of their rows has expired".to_owned()),
                Some(rows) => (Severity::Breach, format!("they hold {rows} expired rows")),
                None if left.unread > 0 => (
                    Severity::Unverified,
                    format!(
                        "{} of them cannot be read, and nobody knows what they hold",
                        left.unread
                    ),
                ),
                None if has_clocks => (
                    Severity::Unverified,
                    "how many of their rows have expired cannot be told".to_owned(),
                ),
                None => (Severity::Note, "nothing says how long their rows may be kept".to_owned()),
            };
            let message = format!(
                "{} data files that the current version does not need are still in the folder; {what}",
                told.unreferenced_files
            );
            let count = Some(told.unreferenced_files);
            self.tell(name, "ALO-R121", severity, count, &message, next_of(told));
        }
        if left.residual > 0 {
            let columns: Vec<String> =
                left.columns.iter().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "{} cells of files that the current version does not need hold identifiers, in {}",
                left.residual,
                columns.join(", ")
            );
            let count = Some(left.residual);
            self.tell(name, "ALO-R123", Severity::Breach, count, &message, next_of(told));
        }
        if told.told_values > 0 {
            let n = told.told_values;
            let message = match told.format.as_str() {
                "delta" => format!(
                    "the log still tells least and greatest values of {n} files that are gone, which \
                     nobody searched"
                ),
                _ => format!(
                    "{n} lists of files that no snapshot needs are still in the folder; they tell least \
                     and greatest values, which nobody searched"
                ),
            };
            let count = Some(told.told_values);
            self.tell(name, "ALO-R125", Severity::Unverified, count, &message, next_of(told));
        }
    }

    fn unreadable(&mut self, shown: &str, failure: &Failure) {
        let hint = failure.hint.as_deref().unwrap_or_default();
        self.tell(shown, "ALO-V109", Severity::Unverified, None, &failure.message, hint);
    }

    fn tell(
        &mut self,
        file: &str,
        code: &str,
        severity: Severity,
        count: Option<u64>,
        message: &str,
        next: &str,
    ) {
        self.findings.push(Finding {
            file: Some(file.to_owned()),
            count,
            next: (!next.is_empty()).then(|| next.to_owned()),
            ..finding(code, severity, message)
        });
    }
}

fn next_of(told: &TableEvidence) -> &'static str {
    match told.format.as_str() {
        "delta" => {
            "remove what only old versions need: allonym expire TABLE --yes --purge, or VACUUM"
        }
        _ => {
            "expire the snapshots and remove orphan files in the engine; allonym expire TABLE names \
             the calls"
        }
    }
}
