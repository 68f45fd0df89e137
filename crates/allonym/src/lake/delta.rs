//! Delta tables: what is past its date goes in one commit, and what old versions still hold is told.
//!
//! The log is read and written as the Delta transaction protocol says; data files are ours to read and
//! to write. What this does not understand (column mapping, deletion vectors, unknown features) `expire`
//! refuses, because a table that is half understood would keep what should go; `check` tells it.

use super::{Lake, LakeFile, Names, OldTable, TableEvidence, files_below, history, shown};
use crate::expire::{
    ExpireEvidence, ExpireJob, ExpireOutcome, Plan, conclude, free_place, keys_for, plan,
    seal_evidence, stamp_of, write_again,
};
use crate::holds::KnownHold;
use crate::jobs::{JobFile, refuse_future, storage, write_evidence};
use crate::ledger::{Action, AuditLog};
use crate::tags::{retention_of, sha256_hex};
use crate::{Failure, Result, load_rules, rule_folders};
use allonym_io::{Input, ReadOptions, Reader, make_folder_of, write_whole};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The table in a folder, as its log tells it.
///
/// # Errors
/// A log that cannot be read.
pub(super) fn lake(folder: &Path) -> Result<Lake> {
    let log = Log::read(folder)?;
    let mut untold = log.not_read();
    let partition_by = log.partition_columns();
    let (names, mapped) = log.column_names();
    untold.extend(mapped.clone());
    let stored: BTreeMap<String, String> =
        names.iter().map(|(stored, name)| (name.clone(), stored.clone())).collect();
    let names = Names::ByName(Arc::new(names));
    let types = log.types();
    let mut lake = Lake {
        folder: folder.to_owned(),
        version: log.version,
        snapshot: None,
        committed: log.committed.get(&log.version).cloned(),
        is_readable: mapped.is_none(),
        partition_by: partition_by.clone(),
        names: names.clone(),
        marks: log.live().values().filter(|add| has_vector(add)).count() as u64,
        files: Vec::new(),
        live: Vec::new(),
        old: Vec::new(),
        unreferenced: Vec::new(),
        told_values: 0,
        untold,
    };
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut outside = false;
    for (version, paths) in log.versions.iter().rev() {
        let is_current = *version == log.version;
        let is_there = |path: &String| folder.join(decoded(path)).is_file();
        if !is_current && !paths.keys().all(is_there) {
            continue;
        }
        let mut files = Vec::new();
        for (path, add) in paths {
            if is_outside(path) {
                outside = true;
                continue;
            }
            let at = *known.entry(path.clone()).or_insert_with(|| {
                let place = decoded(path);
                let value = |name: &String| {
                    let key = stored.get(name).unwrap_or(name);
                    let text = add.pointer("/partitionValues")?.get(key)?.as_str();
                    // Writers spell null as an empty text, too.
                    let text = text.filter(|text| !text.is_empty());
                    Some((name.clone(), constant(text, types.get(name).map_or("string", |t| t))))
                };
                lake.files.push(LakeFile {
                    path: folder.join(&place),
                    shown: shown(&place),
                    constants: partition_by.iter().filter_map(value).collect(),
                    names: names.clone(),
                    needed: Arc::default(),
                });
                lake.files.len() - 1
            });
            files.push(at);
        }
        if is_current {
            lake.live = files;
        } else {
            let committed = log.committed.get(version).cloned();
            let marked = paths.values().any(has_vector);
            lake.old.push(OldTable { version: *version, snapshot: None, committed, files, marked });
        }
    }
    lake.old.reverse();
    if outside {
        lake.untold.push("has files outside of its folder, which were not looked at".to_owned());
    }
    lake.unreferenced = log.unreferenced(folder)?;
    lake.told_values =
        log.told.iter().filter(|path| !folder.join(decoded(path)).exists()).count() as u64;
    Ok(lake)
}

/// Expires the rows of a Delta table: one commit removes and adds files. With `purge`, files that no
/// current version needs are removed as well, and the log forgets least and greatest values of what
/// they held.
///
/// # Errors
/// Those of [`crate::expire`]; a table that is not understood; a commit of somebody else in between.
pub(super) fn expire(table: &Path, purge: bool, job: &ExpireJob<'_>) -> Result<ExpireOutcome> {
    if job.work.apply {
        refuse_future(job.work.as_of, &job.work.scribe)?;
    }
    let retention = retention_of(job.work.policy)?;
    let rules = load_rules(&rule_folders(job.work.policy, job.work.folder))?;
    let holds = KnownHold::in_force(retention, job.work.folder, job.work.as_of)?;
    let log = Log::read(table)?;
    log.refuse_what_is_not_understood(job.work.apply)?;
    for name in log.partition_columns() {
        let entity = crate::run::header_entity(&rules, &name);
        if let Ok(None) = retention.tag_of(&name, entity.as_deref()) {
            continue;
        }
        let message = format!(
            "the Delta table divides its rows by the column `{name}`, which has a tag of its own: its \
             values stand in paths and in the log, and would stay there"
        );
        return Err(Failure::new("ALO-R021", 2, message)
            .hint("divide the table by another column, or tag whole rows"));
    }
    let ring = keys_for(job)?;
    let planned = |path: &str| -> Result<Plan> {
        let file = job_file(table, path);
        plan(job, &rules, &file, job.work.as_of, &holds, ring.as_ref())
    };
    let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
    for path in log.live().keys() {
        job.work.cancel.check()?;
        plans.insert(path.clone(), planned(path)?);
    }
    let quarantined: u64 = plans.values().map(|plan| plan.evidence.rows_quarantined).sum();
    if quarantined > 0 && job.work.apply && job.quarantine.is_none() {
        return Err(Failure::new("ALO-R006", 2, "rows are to be set aside, and no place is named")
            .hint("name a folder outside of the table: --quarantine FOLDER"));
    }
    if let Some(folder) = job.quarantine.as_ref().filter(|_| quarantined > 0 && job.work.apply) {
        make_folder_of(&folder.join("rows"))?;
        let inside = folder.canonicalize().ok().zip(table.canonicalize().ok());
        if inside.is_some_and(|(folder, table)| folder.starts_with(table)) {
            let what = "the place for rows set aside is inside the table";
            return Err(Failure::new("ALO-R006", 2, what).hint("name a folder outside of it"));
        }
    }
    let reference = Some((job.work.policy.keys(), job.work.folder));
    let audit = match job.work.apply {
        false => AuditLog::absent(job.work.scribe, "a plan changes nothing"),
        true => AuditLog::of_reference(
            job.work.keys.as_deref(),
            reference,
            job.work.environment,
            job.work.scribe,
        )?,
    };
    let mut record = None;
    if job.work.apply {
        let mut entry = audit.entry(Action::Expire);
        entry.policy_digest = crate::ledger::digests([job.work.policy.digest().as_str()]).pop();
        let as_of = job.work.as_of.to_string();
        let version = log.version.to_string();
        record = Some(audit.begin(entry, &["expire delta", &as_of, &version])?);
    }
    let mut told = TableEvidence {
        format: "delta".to_owned(),
        version_before: log.version,
        ..TableEvidence::default()
    };
    let done = (|| -> Result<Vec<crate::FileEvidence>> {
        let files = if job.work.apply {
            let (files, version) = commit(table, &log, plans, job, &rules, &holds)?;
            told.version_after = Some(version);
            files
        } else {
            plans.into_values().map(|plan| plan.evidence).collect()
        };
        let log = Log::read(table)?;
        if job.work.apply && purge {
            (told.purged_files, told.scrubbed_commits) = log.purge(table)?;
        }
        let now = lake(table)?;
        told.unreferenced_files = now.unreferenced.len() as u64;
        (told.old_versions, told.unreferenced_expired_rows) =
            history(job, &rules, &holds, ring.as_ref(), &now)?;
        Ok(files)
    })();
    let files = match (done, record.take()) {
        (Ok(files), taken) => {
            record = taken;
            files
        }
        (Err(failure), None) => return Err(failure),
        (Err(failure), Some(record)) => {
            return Err(match record.fail(&failure) {
                Ok(()) => failure,
                Err(unwritten) => failure.worse(unwritten),
            });
        }
    };
    let mut whole = ExpireEvidence::new(job, job.work.as_of, &holds, files, Vec::new());
    whole.table = Some(told);
    let exit = conclude(&mut whole);
    let changed = whole.table.as_ref().is_some_and(|told| {
        told.version_after.is_some_and(|after| after != told.version_before)
            || told.purged_files > 0
    });
    let json = seal_evidence(&whole, record.as_mut(), &audit)?;
    let place = match (&job.evidence, changed) {
        (Some(path), _) => Some(path.clone()),
        (None, true) => {
            let name = table.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_else(|| "table".to_owned());
            let name = format!("{name}.expired-{}.allonym.json", stamp_of(job.work.as_of));
            Some(free_place(&table.with_file_name(name), &json))
        }
        (None, false) => None,
    };
    if let Some(place) = &place {
        write_evidence(place, &json)?;
    }
    let evidence = serde_json::from_str(&json)
        .map_err(|_| Failure::new("ALO-X005", 5, "internal error: the evidence is not JSON"))?;
    let unrecorded = audit.why_absent().filter(|_| job.work.apply).map(str::to_owned);
    let (resumed, notes) = (false, Vec::new());
    Ok(ExpireOutcome { evidence, evidence_path: place, exit, resumed, unrecorded, notes })
}

/// Writes the new files and the commit that puts them in the place of the old ones.
fn commit(
    table: &Path,
    log: &Log,
    plans: BTreeMap<String, Plan>,
    job: &ExpireJob<'_>,
    rules: &allonym_recognize::RuleSet,
    holds: &[KnownHold],
) -> Result<(Vec<crate::FileEvidence>, u64)> {
    let clock = (job.work.scribe.clock)();
    let now: Timestamp = clock.parse().unwrap_or(job.work.as_of);
    let ring = keys_for(job)?;
    let (mut actions, mut files, mut removed) = (Vec::new(), Vec::new(), 0_u64);
    for (path, plan) in plans {
        job.work.cancel.check()?;
        if !plan.is_due {
            let mut evidence = plan.evidence;
            evidence.after = Some(evidence.before.clone());
            files.push(evidence);
            continue;
        }
        let old = job_file(table, &path);
        // Two files of one content are two files.
        let seed = format!("{} {} {path}", plan.evidence.before.sha256, job.work.as_of);
        let id: String = sha256_hex(seed.as_bytes()).chars().take(32).collect();
        let name = format!("part-00000-{id}-c000.parquet");
        let new = old.path.with_file_name(&name);
        let evidence = write_again(job, rules, &old, plan, holds, ring.as_ref(), &new)?;
        let after = evidence.after.clone().unwrap_or_else(|| evidence.before.clone());
        let add = &log.live()[&path];
        let values = add.get("partitionValues").cloned().unwrap_or_else(|| json!({}));
        actions.push(json!({"remove": {
            "path": path, "deletionTimestamp": now.as_millisecond(), "dataChange": true,
            "extendedFileMetadata": true, "partitionValues": values,
            "size": add.get("size").cloned().unwrap_or_else(|| json!(0)),
        }}));
        removed += evidence.before.rows - after.rows;
        if after.rows == 0 {
            fs::remove_file(&new).map_err(storage(&new))?;
        } else {
            let size = fs::metadata(&new).map_err(storage(&new))?.len();
            // The folder is spelt as the log spells it.
            let place = match path.rsplit_once('/') {
                Some((folder, _)) => format!("{folder}/{name}"),
                None => name,
            };
            actions.push(json!({"add": {
                "path": place, "partitionValues": values, "size": size,
                "modificationTime": now.as_millisecond(), "dataChange": true,
                "stats": json!({"numRecords": after.rows}).to_string(),
            }}));
        }
        files.push(evidence);
    }
    if actions.is_empty() {
        return Ok((files, log.version));
    }
    actions.insert(
        0,
        json!({"commitInfo": {
            "timestamp": now.as_millisecond(), "operation": "DELETE",
            "operationParameters": {"predicate": "[\"allonym expire\"]"},
            "operationMetrics": {"numDeletedRows": removed.to_string()},
            "engineInfo": concat!("allonym/", env!("CARGO_PKG_VERSION")),
        }}),
    );
    let lines: Vec<String> = actions.iter().map(|action| format!("{action}\n")).collect();
    let version = log.version + 1;
    let path = table.join(LOG).join(format!("{version:020}.json"));
    // Whoever is first has the version; nothing of ours is visible before.
    write_whole(&path, lines.concat().as_bytes(), false).map_err(|error| {
        if path.exists() {
            let message = format!("somebody else wrote version {version} of the table meanwhile");
            return Failure::new("ALO-S003", 75, message).hint("run again");
        }
        Failure::from(error)
    })?;
    Ok((files, version))
}

/// The log of a table.
struct Log {
    version: u64,
    /// The version of the checkpoint that the log begins with, where it is not whole.
    begins_at: Option<u64>,
    /// The files of each version that the log can tell: path and `add`.
    versions: BTreeMap<u64, BTreeMap<String, Value>>,
    protocol: Value,
    metadata: Value,
    /// When commits were made, RFC 3339, as far as they say so.
    committed: BTreeMap<u64, String>,
    /// Files of which some commit tells least and greatest values.
    told: BTreeSet<String>,
    /// Commits, by version.
    commits: BTreeMap<u64, PathBuf>,
    checkpoints: Vec<PathBuf>,
}

impl Log {
    fn read(table: &Path) -> Result<Log> {
        let folder = table.join(LOG);
        let broken = |what: String| {
            Failure::new("ALO-R020", 3, format!("the Delta table `{}` {what}", table.display()))
        };
        let entries = fs::read_dir(&folder)
            .map_err(|error| broken(format!("has a log that cannot be read: {}", error.kind())))?;
        let (mut commits, mut checkpoints) = (BTreeMap::new(), Vec::new());
        for entry in entries {
            let path =
                entry.map_err(|error| broken(format!("cannot be read: {}", error.kind())))?.path();
            let name =
                path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if name.contains(".checkpoint.") || name == "_last_checkpoint" || name.ends_with(".crc")
            {
                checkpoints.push(path);
            } else if let Some(number) = name.strip_suffix(".json")
                && number.len() == VERSION_DIGITS
                && let Ok(version) = number.parse::<u64>()
            {
                commits.insert(version, path);
            }
        }
        let Some(version) = commits.keys().next_back().copied() else {
            return Err(broken("has no commit in its log".to_owned()));
        };
        let whole = |from: u64| (from..=version).all(|n| commits.contains_key(&n));
        let begins = if whole(0) { BTreeMap::new() } else { whole_checkpoints(&checkpoints) };
        let begins = begins.into_iter().find(|(at, _)| *at == version || whole(at + 1));
        if begins.is_none() && !whole(0) {
            return Err(broken(
                "has a log of which the beginning was cleaned away, with no checkpoint before the rest"
                    .to_owned(),
            )
            .hint("look at it with the engine that keeps it"));
        }
        let begins_at = begins.as_ref().map(|(at, _)| *at);
        let mut log = Log {
            version,
            begins_at,
            versions: BTreeMap::new(),
            protocol: Value::Null,
            metadata: Value::Null,
            committed: BTreeMap::new(),
            told: BTreeSet::new(),
            commits,
            checkpoints,
        };
        let mut live: BTreeMap<String, Value> = BTreeMap::new();
        if let Some((at, parts)) = begins {
            let actions = read_checkpoint(&parts).ok_or_else(|| {
                broken(format!("has a checkpoint of version {at} that cannot be read"))
            })?;
            for (kind, told) in actions {
                log.take(at, &kind, told, &mut live);
            }
            log.versions.insert(at, live.clone());
        }
        let mut commits = log.commits.clone();
        commits.retain(|version, _| begins_at.is_none_or(|begins| *version > begins));
        for (version, path) in &commits {
            let text = fs::read_to_string(path).map_err(|error| {
                broken(format!("has a commit that cannot be read: {}", error.kind()))
            })?;
            let mut added = BTreeMap::new();
            for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let action: Map<String, Value> = serde_json::from_str(line).map_err(|_| {
                    broken(format!("has no action in line {} of version {version}", n + 1))
                })?;
                for (kind, told) in action {
                    match kind.as_str() {
                        "remove" => drop(told["path"].as_str().and_then(|path| live.remove(path))),
                        _ => log.take(*version, &kind, told, &mut added),
                    }
                }
            }
            // A file that gets other deletion marks is removed and added in one commit, in any order.
            live.append(&mut added);
            log.versions.insert(*version, live.clone());
        }
        Ok(log)
    }

    /// Notes what an action other than a removal tells.
    fn take(&mut self, version: u64, kind: &str, told: Value, added: &mut BTreeMap<String, Value>) {
        let place = told["path"].as_str().map(str::to_owned);
        if let Some(path) = place.as_ref().filter(|_| has_bounds(&told)) {
            self.told.insert(path.clone());
        }
        match (kind, place) {
            ("add", Some(path)) => drop(added.insert(path, told)),
            ("protocol", _) => self.protocol = told,
            ("metaData", _) => self.metadata = told,
            ("commitInfo", _) => {
                let at = told["inCommitTimestamp"].as_i64().or_else(|| told["timestamp"].as_i64());
                let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
                self.committed.extend(at.map(|at| (version, at.to_string())));
            }
            _ => {}
        }
    }

    fn live(&self) -> &BTreeMap<String, Value> {
        &self.versions[&self.version]
    }

    fn refuse_what_is_not_understood(&self, writes: bool) -> Result<()> {
        let refuse = |what: &str| {
            Err(Failure::new("ALO-R021", 2, format!("the Delta table {what}")).hint(
                "expire it with the engine that keeps it, then check the folder of its files",
            ))
        };
        let number = |key: &str| self.protocol.get(key).and_then(Value::as_u64).unwrap_or(0);
        let features = |key: &str| -> BTreeSet<String> {
            let listed = self.protocol.get(key).and_then(Value::as_array);
            let listed = listed.into_iter().flatten().filter_map(Value::as_str);
            listed.map(str::to_owned).collect()
        };
        if self.protocol.is_null() || self.metadata.is_null() {
            return refuse("has no protocol or no schema in its log");
        }
        if self.begins_at.is_some() {
            return Err(Failure::new(
                "ALO-R020",
                3,
                "the Delta table has a log of which the beginning was cleaned away, so that what it told \
                 of old files cannot be found",
            )
            .hint("expire it with the engine that keeps it, then check the folder of its files"));
        }
        let configured = |key: &str| {
            self.metadata.get("configuration").and_then(|all| all.get(key)).and_then(Value::as_str)
        };
        let understood = |feature: &String| UNDERSTOOD.contains(&feature.as_str());
        let all: BTreeSet<String> =
            features("readerFeatures").union(&features("writerFeatures")).cloned().collect();
        if let Some(feature) = all.iter().find(|feature| !understood(feature)) {
            return refuse(&format!("uses the feature `{feature}`, which is not understood here"));
        }
        if number("minReaderVersion") > 3 || number("minWriterVersion") > 7 {
            return refuse("has a protocol that is newer than this program");
        }
        if configured("delta.columnMapping.mode").is_some_and(|mode| mode != "none") {
            return refuse("maps its columns to other names");
        }
        if configured("delta.enableChangeDataFeed") == Some("true") {
            return refuse("keeps a feed of changes, which would hold the rows that go");
        }
        if writes && configured("delta.appendOnly") == Some("true") {
            return refuse("is append-only: nothing may be removed from it");
        }
        let marked = self.live().values().filter(|add| has_vector(add)).count();
        if marked > 0 {
            return refuse(&format!(
                "has {marked} files with deletion vectors: rows that were deleted are still in them"
            ));
        }
        if self.live().keys().any(|path| is_outside(path)) {
            return refuse("has files outside of its folder");
        }
        Ok(())
    }

    /// What a reader of this table would have to understand, and this one does not.
    fn not_read(&self) -> Vec<String> {
        let mut untold = Vec::new();
        if self.protocol.is_null() || self.metadata.is_null() {
            untold.push("has no protocol or no schema in its log".to_owned());
        }
        if self.protocol["minReaderVersion"].as_u64().unwrap_or(0) > READER_VERSION_MAX {
            untold.push("has a protocol that is newer than this program".to_owned());
        }
        let features = self.protocol["readerFeatures"].as_array().into_iter().flatten();
        for feature in features.filter_map(Value::as_str) {
            if !READ.contains(&feature) {
                untold.push(format!("uses the feature `{feature}`, which is not understood here"));
            }
        }
        untold
    }

    fn partition_columns(&self) -> Vec<String> {
        let listed = self.metadata["partitionColumns"].as_array();
        listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Columns of the table with their types, nested ones left out.
    fn types(&self) -> BTreeMap<String, String> {
        let fields = self.fields();
        let plain = fields.iter().filter_map(|field| {
            Some((field["name"].as_str()?.to_owned(), field["type"].as_str()?.to_owned()))
        });
        plain.collect()
    }

    fn fields(&self) -> Vec<Value> {
        let schema = self.metadata["schemaString"].as_str().unwrap_or_default();
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        schema["fields"].as_array().cloned().unwrap_or_default()
    }

    /// Names of columns by their names in files, where they differ, and what is not understood of that.
    fn column_names(&self) -> (BTreeMap<String, String>, Option<String>) {
        let mode = self.metadata["configuration"]["delta.columnMapping.mode"].as_str();
        let fields = self.fields();
        match mode {
            None | Some("none") => (BTreeMap::new(), None),
            Some("name") if fields.iter().all(|field| field["type"].is_string()) => {
                let names = fields.iter().filter_map(|field| {
                    let stored = field["metadata"]["delta.columnMapping.physicalName"].as_str()?;
                    Some((stored.to_owned(), field["name"].as_str()?.to_owned()))
                });
                (names.collect(), None)
            }
            _ => {
                let what = "maps its columns to other names in a way that is not understood here";
                (BTreeMap::new(), Some(what.to_owned()))
            }
        }
    }

    /// Data files in the folder that the current version does not list.
    fn unreferenced(&self, table: &Path) -> Result<Vec<PathBuf>> {
        let live: BTreeSet<PathBuf> =
            self.live().keys().map(|path| table.join(decoded(path))).collect();
        let mut found = files_below(table, LOG)?;
        found.retain(|path| {
            let is_data = path.extension().is_some_and(|kind| kind == "parquet" || kind == "tmp");
            is_data && !live.contains(path)
        });
        Ok(found)
    }

    /// Other paths for files that are gone and whose folders are named by values: an older version that
    /// needed them stays one that cannot be read.
    fn without_values(&self) -> BTreeMap<String, String> {
        let paths: BTreeSet<&String> = self.versions.values().flat_map(BTreeMap::keys).collect();
        let known = paths.iter().filter_map(|path| path.strip_prefix(PURGED)?.parse::<u64>().ok());
        let next = known.max().map_or(0, |last| last + 1);
        let with_values =
            paths.iter().filter(|path| path.contains('=') && !self.live().contains_key(**path));
        let renamed = with_values.zip(next..);
        renamed.map(|(path, n)| ((*path).clone(), format!("{PURGED}{n}"))).collect()
    }

    /// Removes what no current row stands in, and what the log tells of it; counts files and commits.
    fn purge(&self, table: &Path) -> Result<(u64, u64)> {
        let unreferenced = self.unreferenced(table)?;
        for path in &unreferenced {
            fs::remove_file(path).map_err(storage(path))?;
            // A folder may be named by a value; one that is not empty stays.
            let above = path.ancestors().skip(1).take_while(|folder| *folder != table);
            let _emptied = above.map(fs::remove_dir).take_while(io::Result::is_ok).count();
        }
        let renamed = self.without_values();
        let mut scrubbed = 0;
        for (version, path) in &self.commits {
            let text = fs::read_to_string(path).map_err(storage(path))?;
            let mut lines = String::new();
            let mut changed = false;
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let mut action: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
                for (kind, told) in &mut action {
                    let Some(told) = told.as_object_mut() else { continue };
                    let place = told.get("path").and_then(Value::as_str).map(str::to_owned);
                    if let Some(path) = place.filter(|path| !self.live().contains_key(path)) {
                        changed |= told.remove("stats").is_some_and(|stats| !stats.is_null());
                        changed |= told.remove("tags").is_some_and(|tags| !tags.is_null());
                        if let Some(other) = renamed.get(&path) {
                            told.insert("path".to_owned(), json!(other));
                            for (_, value) in values_of(told) {
                                *value = Value::Null;
                            }
                            changed = true;
                        }
                    }
                    // A predicate may quote a value.
                    if kind == "commitInfo" && *version <= self.version {
                        let ours = told.get("engineInfo").and_then(Value::as_str);
                        if !ours.is_some_and(|name| name.starts_with("allonym/")) {
                            changed |= told.remove("operationParameters").is_some();
                        }
                    }
                }
                lines.push_str(&format!("{}\n", Value::Object(action)));
            }
            if changed {
                write_whole(path, lines.as_bytes(), true)?;
                scrubbed += 1;
            }
        }
        // Every commit is there, so that a checkpoint is a copy of what they say, values included.
        for path in &self.checkpoints {
            fs::remove_file(path).map_err(storage(path))?;
        }
        Ok((unreferenced.len() as u64, scrubbed))
    }
}

/// Checkpoints in the form of version 1 of which all parts are there, by version.
fn whole_checkpoints(paths: &[PathBuf]) -> BTreeMap<u64, Vec<PathBuf>> {
    let mut found: BTreeMap<u64, (usize, Vec<PathBuf>)> = BTreeMap::new();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let parts: Vec<&str> = name.split('.').collect();
        let (version, of) = match parts.as_slice() {
            [version, "checkpoint", "parquet"] => (version, Some(1)),
            [version, "checkpoint", _, of, "parquet"] => (version, of.parse().ok()),
            _ => continue,
        };
        let (Ok(version), Some(of)) = (version.parse(), of) else { continue };
        let (all, files) = found.entry(version).or_insert_with(|| (of, Vec::new()));
        if of == 1 {
            (*all, *files) = (1, vec![path.clone()]);
        } else if *all == of {
            files.push(path.clone());
        }
    }
    let whole = found.into_iter().filter(|(_, (of, files))| *of == files.len());
    whole.map(|(version, (_, files))| (version, files)).collect()
}

/// The actions of a checkpoint; `None` for one that cannot be read, or that keeps them elsewhere.
fn read_checkpoint(parts: &[PathBuf]) -> Option<Vec<(String, Value)>> {
    let mut actions = Vec::new();
    for path in parts {
        let input = Input::File(path.clone());
        let mut reader = Reader::open(&input, &ReadOptions::default()).ok()?;
        while let Some(chunk) = reader.next_chunk().ok()? {
            let records = chunk.records;
            for (field, column) in records.schema_ref().fields().iter().zip(records.columns()) {
                let kind = field.name();
                let told = ["add", "metaData", "protocol", "sidecar"].contains(&kind.as_str());
                let rows = (0..records.num_rows()).filter(|row| told && column.is_valid(*row));
                actions.extend(rows.map(|row| (kind.clone(), json_of(column, row))));
            }
        }
    }
    (!actions.iter().any(|(kind, _)| kind == "sidecar")).then_some(actions)
}

/// A cell of a checkpoint as commits write it.
fn json_of(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    let list = |items: &ArrayRef| (0..items.len()).map(|at| json_of(items, at)).collect();
    match column.data_type() {
        DataType::Utf8 => json!(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => json!(column.as_string::<i64>().value(row)),
        DataType::Utf8View => json!(column.as_string_view().value(row)),
        DataType::Boolean => json!(column.as_boolean().value(row)),
        DataType::Int32 => json!(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(row)),
        DataType::List(_) => list(&column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(row)),
        DataType::Struct(fields) => {
            let parts = fields.iter().zip(column.as_struct().columns());
            Value::Object(parts.map(|(f, part)| (f.name().clone(), json_of(part, row))).collect())
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs = (0..entries.len()).filter_map(|at| {
                Some((json_of(keys, at).as_str()?.to_owned(), json_of(values, at)))
            });
            Value::Object(pairs.collect())
        }
        _ => Value::Null,
    }
}

/// A file of the log. The values that its folders are named by stand in no evidence.
fn job_file(table: &Path, path: &str) -> JobFile {
    let path = decoded(path);
    JobFile { name: shown(&path), path: table.join(path) }
}

/// A value of a column that rows are divided by, as one cell of its type; as text where it has not the
/// form of it.
fn constant(text: Option<&str>, type_name: &str) -> ArrayRef {
    let cell: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let wanted = match type_name {
        "date" => DataType::Date32,
        // Without an offset nobody knows the zone: it is that of the clock on a wall.
        "timestamp" | "timestamp_ntz" => {
            let has_zone = text.is_some_and(|text| text.ends_with('Z'));
            let zone = has_zone.then(|| Arc::from("UTC"));
            DataType::Timestamp(TimeUnit::Microsecond, zone)
        }
        "long" => DataType::Int64,
        "integer" => DataType::Int32,
        "short" => DataType::Int16,
        "byte" => DataType::Int8,
        "double" => DataType::Float64,
        "float" => DataType::Float32,
        "boolean" => DataType::Boolean,
        _ => DataType::Utf8,
    };
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&cell, &wanted, &options).unwrap_or(cell)
}

/// The values by which the rows of an action are divided.
fn values_of(told: &mut Map<String, Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    told.get_mut("partitionValues").and_then(Value::as_object_mut).into_iter().flatten()
}

/// Whether an action tells least and greatest values of columns.
fn has_bounds(add: &Value) -> bool {
    add["stats"].as_str().is_some_and(|stats| stats.contains("\"minValues\""))
}

fn has_vector(add: &Value) -> bool {
    add.get("deletionVector").is_some_and(|vector| !vector.is_null())
}

fn is_outside(path: &str) -> bool {
    path.contains("://") || path.starts_with('/') || path.split('/').any(|part| part == "..")
}

/// A path of the log: percent-encoded.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escape = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = escape.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const LOG: &str = "_delta_log";
/// Where the log says that files were which are gone for good.
const PURGED: &str = "purged/";
const VERSION_DIGITS: usize = 20;
const READER_VERSION_MAX: u64 = 3;
/// Features that readers must know, and that change nothing of which rows a file has, or are told:
/// deletion vectors, columns with other names.
const READ: &[&str] =
    &["columnMapping", "deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"];
/// Features of readers and writers that change nothing for rows that go. Deletion vectors may be
/// allowed; live files that have one are refused.
const UNDERSTOOD: &[&str] = &[
    "appendOnly",
    "changeDataFeed",
    "checkConstraints",
    "columnMapping",
    "deletionVectors",
    "generatedColumns",
    "invariants",
    "timestampNtz",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_log_are_decoded() {
        assert_eq!(decoded("p=a%20b/%C3%BC.parquet"), "p=a b/\u{fc}.parquet");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%25"), "%zz%");
    }
}
