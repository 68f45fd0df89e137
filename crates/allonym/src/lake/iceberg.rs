//! Apache Iceberg tables: what is past its date is planned, and the engine that keeps the table does it.
//!
//! Metadata, manifest lists and manifests are read as the table specification says, versions 1 and 2. A
//! commit needs the catalog, which alone knows what is current, so nothing of a table is ever written here.

use super::{
    EnginePlan, EngineStep, Lake, LakeFile, Names, OldTable, TableEvidence, files_below, history,
    shown,
};
use crate::expire::{
    ExpireEvidence, ExpireJob, ExpireOutcome, conclude, keys_for, plan, seal_evidence,
};
use crate::holds::KnownHold;
use crate::jobs::{JobFile, write_evidence};
use crate::ledger::AuditLog;
use crate::tags::{Bound, BoundTag, FileName, Tags, retention_of};
use crate::{Failure, Result, load_rules, rule_folders};
use allonym_io::read_avro;
use allonym_retention::{OnExpiry, Verdict};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The table in a folder, as its newest metadata tells it.
///
/// # Errors
/// Metadata or manifests that cannot be read.
pub(super) fn lake(folder: &Path) -> Result<Lake> {
    let metadata = Metadata::read(folder)?;
    let mut untold = metadata.not_understood();
    let is_readable = untold.is_empty();
    untold.extend(metadata.elsewhere());
    let names = metadata.column_names();
    let needed = Arc::new(metadata.identities());
    let mut lake = Lake {
        folder: folder.to_owned(),
        version: 0,
        snapshot: None,
        committed: None,
        is_readable,
        partition_by: metadata.partition_by(),
        names: names.clone(),
        files: Vec::new(),
        live: Vec::new(),
        marks: 0,
        old: Vec::new(),
        unreferenced: Vec::new(),
        told_values: 0,
        untold,
    };
    let mut known: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut current = BTreeSet::new();
    let mut needed_lists = BTreeSet::new();
    for (at, snapshot) in metadata.snapshots().into_iter().enumerate() {
        let version = at as u64 + 1;
        let id = snapshot["snapshot-id"].as_i64();
        let is_current = id.is_some() && id == metadata.current();
        let id = id.map(|id| id.to_string());
        let committed = snapshot["timestamp-ms"].as_i64();
        let committed = committed.and_then(|at| Timestamp::from_millisecond(at).ok());
        if is_current {
            lake.version = version;
            lake.snapshot.clone_from(&id);
            lake.committed = committed.map(|at| at.to_string());
        }
        if !is_readable {
            continue;
        }
        let content = match metadata.content(&snapshot, &mut needed_lists) {
            Ok(content) => content,
            Err(failure) if is_current => return Err(failure),
            // Nobody can read what its list no longer tells.
            Err(_) => continue,
        };
        if !is_current && !content.data.iter().chain(&content.deletes).all(|path| path.is_file()) {
            continue;
        }
        let files = content.data.iter().map(|path| {
            *known.entry(path.clone()).or_insert_with(|| {
                let inside = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
                lake.files.push(LakeFile {
                    path: path.clone(),
                    shown: shown(&inside),
                    constants: Vec::new(),
                    names: names.clone(),
                    needed: Arc::clone(&needed),
                });
                lake.files.len() - 1
            })
        });
        let files = files.collect();
        if is_current {
            lake.live = files;
            lake.marks = content.deletes.len() as u64;
            lake.untold.extend(content.untold);
            current.extend(content.data);
            current.extend(content.deletes);
        } else {
            let committed = committed.map(|at| at.to_string());
            let marked = !content.deletes.is_empty();
            lake.old.push(OldTable { version, snapshot: id, committed, files, marked });
        }
    }
    for path in files_below(folder, METADATA)? {
        let is_data = path.extension().is_some_and(|kind| DATA.iter().any(|known| kind == *known));
        if is_data && !current.contains(&path) {
            lake.unreferenced.push(path);
        }
    }
    if is_readable {
        let lists = files_below(&folder.join(METADATA), "")?;
        let orphans = lists.iter().filter(|path| {
            path.extension().is_some_and(|kind| kind == "avro") && !needed_lists.contains(*path)
        });
        lake.told_values = orphans.count() as u64;
    }
    Ok(lake)
}

/// Tells what of a table is past its date, and what the engine has to do about it. Done again after
/// that, it tells whether anything is left: in the table, in its snapshots, among the files.
///
/// # Errors
/// Those of [`crate::expire`]; a table that is not understood; to be asked to do it.
pub(super) fn expire(table: &Path, job: &ExpireJob<'_>) -> Result<ExpireOutcome> {
    if job.work.apply {
        let what = "an Iceberg table is changed by the engine and catalog that keep it, and by nobody else";
        return Err(Failure::new("ALO-U090", 2, what).hint(
            "without --yes it is told what to run there; run that, then the same command again, which \
             tells whether anything is left",
        ));
    }
    let retention = retention_of(job.work.policy)?;
    let rules = load_rules(&rule_folders(job.work.policy, job.work.folder))?;
    let holds = KnownHold::in_force(retention, job.work.folder, job.work.as_of)?;
    let lake = lake(table)?;
    if let Some(what) = lake.untold.first() {
        return Err(Failure::new("ALO-R021", 2, format!("the Iceberg table {what}"))
            .hint("expire it with the engine that keeps it, then check the folder of its files"));
    }
    let ring = keys_for(job)?;
    let mut files = Vec::new();
    let mut schema = None;
    for file in lake.live.iter().map(|at| &lake.files[*at]) {
        job.work.cancel.check()?;
        let rows = file.open(&job.work.read)?;
        if rows.stored.fields().iter().zip(rows.schema.fields()).any(|(a, b)| a.name() != b.name())
        {
            let what = "has files that were written when its columns had other names";
            return Err(Failure::new("ALO-R021", 2, format!("the Iceberg table {what}")).hint(
                "write them again in the engine: CALL system.rewrite_data_files, with rewrite-all",
            ));
        }
        schema.get_or_insert(rows.schema);
        let place = JobFile { path: file.path.clone(), name: file.shown.clone() };
        let found = plan(job, &rules, &place, job.work.as_of, &holds, ring.as_ref())?;
        files.push(found.evidence);
    }
    let (old_versions, unreferenced_expired_rows) =
        history(job, &rules, &holds, ring.as_ref(), &lake)?;
    let mut whole = ExpireEvidence::new(job, job.work.as_of, &holds, files, Vec::new());
    let mut steps = Vec::new();
    if let (Some(schema), Some(first)) = (&schema, lake.live.first()) {
        let file = &lake.files[*first];
        let name = FileName { path: Some(&file.path), relative: &file.shown };
        let (policy, as_of) = (job.work.policy, job.work.as_of);
        let tags = Tags::bind(policy, &rules, &name, schema, &job.work.anchors, as_of, &holds)?;
        steps = deletes(&table_name(table), &tags, schema, &whole, as_of);
    }
    let has_expired = old_versions.iter().any(|old| old.expired_rows != Some(0));
    let has_left = lake.unreferenced.is_empty() || unreferenced_expired_rows == Some(0);
    if !steps.is_empty() || has_expired || !has_left || lake.marks > 0 {
        steps.extend(clean_up(&table_name(table), &lake, job.work.as_of));
    }
    whole.table = Some(TableEvidence {
        format: "iceberg".to_owned(),
        version_before: lake.version,
        snapshot: lake.snapshot.clone(),
        old_versions,
        unreferenced_files: lake.unreferenced.len() as u64,
        unreferenced_expired_rows,
        deletion_marks: lake.marks,
        engine: Some(EnginePlan { steps }),
        ..TableEvidence::default()
    });
    let exit = conclude(&mut whole);
    let audit = AuditLog::absent(job.work.scribe, "a plan changes nothing");
    let json = seal_evidence(&whole, None, &audit)?;
    if let Some(place) = &job.evidence {
        write_evidence(place, &json)?;
    }
    let evidence = serde_json::from_str(&json)
        .map_err(|_| Failure::new("ALO-X005", 5, "internal error: the evidence is not JSON"))?;
    Ok(ExpireOutcome {
        evidence,
        evidence_path: job.evidence.clone(),
        exit,
        resumed: false,
        unrecorded: None,
        notes: Vec::new(),
    })
}

/// What the engine has to run for what is due by each tag.
fn deletes(
    table: &str,
    tags: &Tags<'_>,
    schema: &SchemaRef,
    evidence: &ExpireEvidence,
    as_of: Timestamp,
) -> Vec<EngineStep> {
    let mut steps = Vec::new();
    for (at, tag) in tags.tags.iter().enumerate() {
        let due = evidence.files.iter().filter_map(|file| file.tags.get(at));
        let rows: u64 = due.map(|told| told.rows.rows(Verdict::Expired)).sum();
        if rows == 0 {
            continue;
        }
        let condition = match tags.holds() {
            [] => condition(tag, schema, as_of),
            _ => Err("a legal hold covers rows of the table, and the engine does not know which"
                .to_owned()),
        };
        let column = tag.column.as_ref().map_or_else(String::new, |(_, name)| quoted(name));
        let (what, sql) = match (tag.tag.on_expiry, condition) {
            (_, Err(why)) => (format!("{}: no statement is given: {why}", tag.of), None),
            (OnExpiry::DropRow, Ok(condition)) => (
                format!("{}: rows go", tag.of),
                Some(format!("DELETE FROM {table} WHERE {condition}")),
            ),
            (OnExpiry::Null, Ok(condition)) => (
                format!("{}: cells become empty", tag.of),
                Some(format!(
                    "UPDATE {table} SET {column} = NULL WHERE {column} IS NOT NULL AND ({condition})"
                )),
            ),
            (action @ (OnExpiry::Quarantine | OnExpiry::Generalize), Ok(condition)) => {
                let first = match action {
                    OnExpiry::Quarantine => {
                        "copy these rows to a place outside of the table, then delete them"
                    }
                    _ => "make these cells coarser, as the policy says how",
                };
                (
                    format!("{}: {first}", tag.of),
                    Some(format!("SELECT * FROM {table} WHERE {condition}")),
                )
            }
            (OnExpiry::RetokenizeRandom | OnExpiry::ShredEpoch, Ok(_)) => (
                format!(
                    "{}: `{}` is nothing that an engine can do; treat the data again",
                    tag.of,
                    tag.tag.on_expiry.word()
                ),
                None,
            ),
        };
        steps.push(EngineStep { what, sql, rows: Some(rows) });
    }
    steps
}

/// Which rows are due by a tag, as an engine asks for them; or why that cannot be said.
fn condition(
    tag: &BoundTag,
    schema: &SchemaRef,
    as_of: Timestamp,
) -> std::result::Result<String, String> {
    match &tag.anchor {
        Bound::Fixed(..) => Ok("true".to_owned()),
        Bound::Rows(at, _) => {
            let field = schema.field(*at);
            let DataType::Timestamp(TimeUnit::Microsecond, Some(_)) = field.data_type() else {
                return Err(format!("`{}` is a text", field.name()));
            };
            Ok(format!("{} <= {}", quoted(field.name()), instant(as_of.as_microsecond())?))
        }
        Bound::Column(at, judge) => {
            let field = schema.field(*at);
            let column = quoted(field.name());
            let ranges = judge.expired_ranges().ok_or_else(|| {
                format!("`{}` is a text, which an engine does not compare as a date", field.name())
            })?;
            let mut parts = Vec::new();
            for (from, to) in ranges {
                let to = format!("{column} < {}", literal(field.data_type(), to)?);
                parts.push(match from {
                    None => to,
                    Some(from) => {
                        format!("({column} >= {} AND {to})", literal(field.data_type(), from)?)
                    }
                });
            }
            if judge.nulls_expire() {
                parts.push(format!("{column} IS NULL"));
            }
            Ok(parts.join(" OR "))
        }
    }
}

/// What has to follow so that no older snapshot and no file keeps what went.
fn clean_up(table: &str, lake: &Lake, as_of: Timestamp) -> Vec<EngineStep> {
    // What is current now is old when its rows went.
    let current = lake.committed.as_ref().and_then(|at| at.parse().ok());
    let until = current.map_or(as_of, |current: Timestamp| as_of.max(current)).as_microsecond();
    let until = format!("TIMESTAMP '{}'", stamp(until + MILLISECOND).unwrap_or_default());
    let named = table.replace(['`', '\''], "");
    let call = |name: &str, rest: &str| {
        Some(format!("CALL catalog.system.{name}(table => 'database.{named}'{rest})"))
    };
    let mut steps = Vec::new();
    if lake.marks > 0 || !lake.live.is_empty() {
        steps.push(EngineStep {
            what: "write files again from which rows were deleted by a mark only".to_owned(),
            sql: call("rewrite_data_files", ", options => map('delete-file-threshold', '1')"),
            rows: None,
        });
    }
    steps.push(EngineStep {
        what: "expire the older snapshots, with a time after the rewrite where there was one; branches \
               and tags that hold one are to be dropped first"
            .to_owned(),
        sql: call("expire_snapshots", &format!(", older_than => {until}, retain_last => 1")),
        rows: None,
    });
    steps.push(EngineStep {
        what: "remove files that no snapshot needs; Spark refuses a time within the last 24 hours"
            .to_owned(),
        sql: call("remove_orphan_files", &format!(", older_than => {until}")),
        rows: None,
    });
    steps.push(EngineStep {
        what: "then run allonym expire on the folder again: it looks at the files that are there"
            .to_owned(),
        sql: None,
        rows: None,
    });
    steps
}

/// The folder's name as the name of a table; catalog and database stand before it.
fn table_name(folder: &Path) -> String {
    let name = folder.canonicalize().ok();
    let name =
        name.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    quoted(&name.unwrap_or_else(|| "table".to_owned()))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A number of a column as SQL says it.
fn literal(data_type: &DataType, number: i64) -> std::result::Result<String, String> {
    let beyond = || "its bound is beyond the calendar".to_owned();
    let (per_second, has_zone) = match data_type {
        DataType::Date32 => {
            let days = jiff::Span::new().try_days(number).map_err(|_| beyond())?;
            let date = Date::constant(1970, 1, 1).checked_add(days).map_err(|_| beyond())?;
            return Ok(format!("DATE '{date}'"));
        }
        DataType::Timestamp(unit, zone) => {
            let per_second: i64 = match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            };
            (per_second, zone.is_some())
        }
        other => return Err(format!("a column of type {other} is not compared")),
    };
    // A cut between two microseconds is the next one: engines count no finer.
    let microseconds = match per_second {
        1_000_000_000 => number.div_euclid(1_000) + i64::from(number.rem_euclid(1_000) > 0),
        coarser => number.checked_mul(1_000_000 / coarser).ok_or_else(beyond)?,
    };
    match has_zone {
        true => instant(microseconds),
        false => Ok(format!("TIMESTAMP_NTZ '{}'", wall(microseconds).ok_or_else(beyond)?)),
    }
}

fn instant(microseconds: i64) -> std::result::Result<String, String> {
    let stamp = stamp(microseconds).ok_or("its bound is beyond the calendar")?;
    Ok(format!("TIMESTAMP '{stamp}'"))
}

/// `2021-01-01 00:00:00+00:00`: with its offset, so that no setting of a session moves it.
fn stamp(microseconds: i64) -> Option<String> {
    Some(format!("{}+00:00", wall(microseconds)?))
}

fn wall(microseconds: i64) -> Option<String> {
    let at = Timestamp::from_microsecond(microseconds).ok()?;
    Some(Offset::UTC.to_datetime(at).to_string().replace('T', " "))
}

/// The newest metadata of a table.
struct Metadata {
    folder: PathBuf,
    json: Value,
}

/// The files of a snapshot.
#[derive(Default)]
struct Content {
    data: Vec<PathBuf>,
    deletes: Vec<PathBuf>,
    untold: Vec<String>,
}

impl Metadata {
    fn read(folder: &Path) -> Result<Metadata> {
        let broken = |what: &str| {
            Failure::new("ALO-R020", 3, format!("the Iceberg table `{}` {what}", folder.display()))
        };
        let place = newest(&folder.join(METADATA)).map_err(broken)?;
        let text =
            fs::read_to_string(&place).map_err(|_| broken("has metadata that cannot be read"))?;
        let json: Value =
            serde_json::from_str(&text).map_err(|_| broken("has metadata that is no JSON"))?;
        if !json["format-version"].is_u64() {
            return Err(broken("has metadata without a version of its format"));
        }
        Ok(Metadata { folder: folder.to_owned(), json })
    }

    /// The snapshots that can be asked for, by time.
    fn snapshots(&self) -> Vec<Value> {
        let mut snapshots = self.json["snapshots"].as_array().cloned().unwrap_or_default();
        snapshots.sort_by_key(|snapshot| snapshot["timestamp-ms"].as_i64());
        snapshots
    }

    fn current(&self) -> Option<i64> {
        self.json["current-snapshot-id"].as_i64().filter(|id| *id >= 0)
    }

    fn not_understood(&self) -> Vec<String> {
        let version = self.json["format-version"].as_u64().unwrap_or_default();
        let mut untold = Vec::new();
        if version > FORMAT_MAX {
            untold.push(format!("is of format version {version}, which is not understood here"));
        }
        if self.json["properties"]["encryption.key-id"].is_string() {
            untold.push("is encrypted".to_owned());
        }
        untold
    }

    /// That the table is kept elsewhere, and that this is a copy.
    fn elsewhere(&self) -> Option<String> {
        let location = self.json["location"].as_str().and_then(local);
        let here = self.folder.canonicalize().ok();
        let is_here = location.and_then(|path| path.canonicalize().ok()) == here;
        (!is_here)
            .then(|| "says of itself that it is kept at another place than this folder".to_owned())
    }

    fn schema(&self) -> &Value {
        let current = &self.json["current-schema-id"];
        let schemas = self.json["schemas"].as_array();
        let found =
            schemas.and_then(|all| all.iter().find(|schema| schema["schema-id"] == *current));
        found.unwrap_or_else(|| &self.json["schema"])
    }

    fn column_names(&self) -> Names {
        let fields = self.schema()["fields"].as_array();
        let names = fields.into_iter().flatten().filter_map(|field| {
            Some((field["id"].as_i64()?.to_string(), field["name"].as_str()?.to_owned()))
        });
        Names::ById(Arc::new(names.collect()))
    }

    /// The fields by which rows are divided now: name of the source column and transform.
    fn divisions(&self) -> Vec<(String, String)> {
        let current = &self.json["default-spec-id"];
        let specs = self.json["partition-specs"].as_array();
        let spec = specs.and_then(|all| all.iter().find(|spec| spec["spec-id"] == *current));
        let fields = match spec {
            Some(spec) => spec["fields"].as_array(),
            None => self.json["partition-spec"].as_array(),
        };
        let Names::ById(names) = self.column_names() else { return Vec::new() };
        let divisions = fields.into_iter().flatten().filter_map(|field| {
            let name = names.get(&field["source-id"].as_i64()?.to_string())?;
            Some((name.clone(), field["transform"].as_str()?.to_owned()))
        });
        divisions.filter(|(_, transform)| transform != "void").collect()
    }

    fn partition_by(&self) -> Vec<String> {
        self.divisions().into_iter().map(|(name, _)| name).collect()
    }

    /// Columns whose values manifests tell, so that files of other writers may lack them.
    fn identities(&self) -> Vec<String> {
        let divisions = self.divisions().into_iter();
        divisions.filter(|(_, transform)| transform == "identity").map(|(name, _)| name).collect()
    }

    /// The files of a snapshot; notes which files of metadata it needs.
    fn content(&self, snapshot: &Value, needed: &mut BTreeSet<PathBuf>) -> Result<Content> {
        let mut content = Content::default();
        let mut manifests: Vec<String> = Vec::new();
        if let Some(list) = snapshot["manifest-list"].as_str() {
            let place = self.place(list).ok_or_else(|| self.outside())?;
            for batch in self.read_lists(&place, LIST_SCHEMA)? {
                let paths = text(&batch, "manifest_path");
                manifests.extend(paths.iter().flatten().map(str::to_owned));
                if batch["key_metadata"].null_count() < batch.num_rows() {
                    content.untold.push("is encrypted".to_owned());
                }
            }
            needed.insert(place);
        } else {
            // Version 1 may list manifests in the metadata itself.
            let listed = snapshot["manifests"].as_array().into_iter().flatten();
            manifests.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        }
        let mut outside = false;
        let (mut equality, mut other) = (0_u64, 0_u64);
        for manifest in manifests {
            let place = self.place(&manifest).ok_or_else(|| self.outside())?;
            for batch in self.read_lists(&place, MANIFEST_SCHEMA)? {
                let status = batch["status"].as_primitive::<Int32Type>();
                let file = batch["data_file"].as_struct();
                let file = RecordBatch::from(file.clone());
                let (paths, formats) = (text(&file, "file_path"), text(&file, "file_format"));
                let kinds = file["content"].as_primitive::<Int32Type>();
                let rows = file["record_count"].as_primitive::<Int64Type>();
                let keys = &file["key_metadata"];
                for row in 0..batch.num_rows() {
                    if status.value(row) == DELETED || rows.value(row) == 0 {
                        continue;
                    }
                    let Some(path) = self.place(paths.value(row)) else {
                        outside = true;
                        continue;
                    };
                    if keys.is_valid(row) {
                        content.untold.push("is encrypted".to_owned());
                    }
                    other += u64::from(!formats.value(row).eq_ignore_ascii_case("parquet"));
                    match kinds.value(row) {
                        0 => content.data.push(path),
                        kind => {
                            equality += u64::from(kind != POSITION_DELETES);
                            content.deletes.push(path);
                        }
                    }
                }
            }
            needed.insert(place);
        }
        if outside {
            content
                .untold
                .push("has files outside of its folder, which were not looked at".to_owned());
        }
        if other > 0 {
            content.untold.push(format!("has {other} files that are not Parquet"));
        }
        if equality > 0 {
            content.untold.push(format!(
                "has {equality} files of equality deletes, which hold values of the rows they delete"
            ));
        }
        content.untold.dedup();
        Ok(content)
    }

    fn read_lists(&self, place: &Path, schema: &str) -> Result<Vec<RecordBatch>> {
        read_avro(place, schema).map_err(|_| {
            let name = place.file_name().map(|name| name.to_string_lossy().into_owned());
            let message = format!(
                "the Iceberg table `{}` has a list of files that cannot be read: `{}`",
                self.folder.display(),
                name.unwrap_or_default()
            );
            Failure::new("ALO-R020", 3, message)
        })
    }

    fn outside(&self) -> Failure {
        let message = format!(
            "the Iceberg table `{}` keeps its metadata outside of its folder",
            self.folder.display()
        );
        Failure::new("ALO-R020", 3, message)
    }

    /// Where a file of the table is, below the folder; `None` for one elsewhere.
    fn place(&self, path: &str) -> Option<PathBuf> {
        let location = self.json["location"].as_str()?.trim_end_matches('/');
        let inside = match path.strip_prefix(location).and_then(|rest| rest.strip_prefix('/')) {
            Some(inside) => PathBuf::from(inside),
            // Spellings of one place differ: file:/a, file:///a, /a.
            None => local(path)?.strip_prefix(local(location)?).ok()?.to_owned(),
        };
        let is_plain = |part| matches!(part, std::path::Component::Normal(_));
        inside.components().all(is_plain).then(|| self.folder.join(inside))
    }
}

/// The newest file of metadata: as the hint of a table without a catalog says, else by its number.
fn newest(folder: &Path) -> std::result::Result<PathBuf, &'static str> {
    if let Ok(hint) = fs::read_to_string(folder.join("version-hint.text")) {
        let hint = hint.trim();
        let Ok(mut version) = hint.parse::<u64>() else {
            let named = folder.join(format!("{hint}{ENDING}"));
            let is_name = !hint.contains(['/', '\\']) && named.is_file();
            return if is_name {
                Ok(named)
            } else {
                Err("has a hint to metadata that is not there")
            };
        };
        let place = |version: u64| folder.join(format!("v{version}{ENDING}"));
        // The hint may lag behind.
        while place(version + 1).is_file() {
            version += 1;
        }
        return match place(version).is_file() {
            true => Ok(place(version)),
            false => Err("has a hint to metadata that is not there, or is compressed"),
        };
    }
    let entries = fs::read_dir(folder).map_err(|_| "has metadata that cannot be read")?;
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|_| "has metadata that cannot be read")?.path();
        let name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(ENDING) else { continue };
        let number = stem.trim_start_matches('v').split('-').next().unwrap_or_default();
        let number = number.parse().map_err(|_| "has metadata without a number in its name")?;
        found.push((number, path));
    }
    found.sort();
    match found.as_slice() {
        [] => Err("has no metadata that can be read"),
        [.., (one, _), (two, _)] if one == two => {
            Err("has several newest files of metadata, and only its catalog knows which one counts")
        }
        [.., (_, path)] => Ok(path.clone()),
    }
}

/// A path of this machine.
fn local(path: &str) -> Option<PathBuf> {
    let path = match path.strip_prefix("file:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None => path,
    };
    path.starts_with('/').then(|| PathBuf::from(path))
}

fn text<'b>(batch: &'b RecordBatch, name: &str) -> &'b arrow_array::StringArray {
    batch[name].as_string::<i32>()
}

const MILLISECOND: i64 = 1_000;
const METADATA: &str = "metadata";
const ENDING: &str = ".metadata.json";
const FORMAT_MAX: u64 = 2;
/// Files of rows, whatever writes them.
const DATA: &[&str] = &["parquet", "orc", "avro", "puffin"];
const DELETED: i32 = 2;
const POSITION_DELETES: i32 = 1;
/// What is asked of manifest lists and manifests; version 1 knows no deletes.
const LIST_SCHEMA: &str = r#"{"type":"record","name":"manifest_file","fields":[
  {"name":"manifest_path","type":"string"},
  {"name":"key_metadata","type":["null","bytes"],"default":null}]}"#;
const MANIFEST_SCHEMA: &str = r#"{"type":"record","name":"manifest_entry","fields":[
  {"name":"status","type":"int"},
  {"name":"data_file","type":{"type":"record","name":"r2","fields":[
    {"name":"content","type":"int","default":0},
    {"name":"file_path","type":"string"},
    {"name":"file_format","type":"string"},
    {"name":"record_count","type":"long"},
    {"name":"key_metadata","type":["null","bytes"],"default":null}]}}]}"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn table(location: &str) -> Metadata {
        Metadata { folder: "/w/t".into(), json: serde_json::json!({"location": location}) }
    }

    #[test]
    fn files_are_found_below_the_folder_and_nowhere_else() {
        for location in ["file:///w/t", "file:/w/t/", "/w/t", "s3://bucket/t"] {
            let metadata = table(location);
            let path = format!("{}/data/a=1/f.parquet", location.trim_end_matches('/'));
            assert_eq!(metadata.place(&path), Some("/w/t/data/a=1/f.parquet".into()), "{location}");
            for outside in ["s3://other/f.parquet", "/etc/passwd", "file:///w/other/f"] {
                assert_eq!(metadata.place(outside), None, "{location} {outside}");
            }
            let up = format!("{}/../f.parquet", location.trim_end_matches('/'));
            assert_eq!(metadata.place(&up), None);
        }
        assert_eq!(table("file:/w/t").place("file:///w/t/data/f"), Some("/w/t/data/f".into()));
    }

    #[test]
    fn bounds_are_written_as_engines_read_them() {
        let of = |data_type: DataType, number| literal(&data_type, number).unwrap();
        let zoned = |unit| DataType::Timestamp(unit, Some("UTC".into()));
        assert_eq!(of(DataType::Date32, 18_628), "DATE '2021-01-01'");
        let whole = "TIMESTAMP '2021-01-01 00:00:00+00:00'";
        assert_eq!(of(zoned(TimeUnit::Microsecond), 1_609_459_200_000_000), whole);
        assert_eq!(of(zoned(TimeUnit::Second), 1_609_459_200), whole);
        assert_eq!(of(zoned(TimeUnit::Nanosecond), 1_609_459_199_999_999_001), whole);
        assert_eq!(
            of(DataType::Timestamp(TimeUnit::Microsecond, None), 1_609_459_200_000_001),
            "TIMESTAMP_NTZ '2021-01-01 00:00:00.000001'"
        );
        assert!(literal(&DataType::Date32, i64::MAX).is_err());
        assert_eq!(quoted("a`b"), "`a``b`");
    }
}
