//! End-to-end figures: `cargo bench -p allonym-benches`.
//!
//! Every line is measured in turn with its baseline in the same run; the ratio is what counts, the
//! absolute figure depends on the machine. For one core: `taskset -c 0 cargo bench -p
//! allonym-benches`. `-- prose column tokens files` chooses; `ALLONYM_BENCH_MB` sets the size of the
//! files (600).
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads its size from the environment")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use allonym::ledger::Scribe;
use allonym::{
    ApplyJob, Cancel, Environment, Found, Input, Keyring, Policy, PolicySource, Profile,
    ReadOptions, Scope, Target, TokenFormat, Unlock, apply,
};
use allonym_benches::{COLUMNS, prose, table, values};
use allonym_io::{Output, Reader, Writer};
use allonym_recognize::{ColumnProfile, Recognizer, RuleSet, Scratch, Tuning};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    println!("{:<34} {:>14} {:>14} {:>8}  baseline", "what", "allonym", "baseline", "ratio");
    // Cargo adds a flag of its own.
    let chosen: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|word| word == name);
    if wanted("prose") {
        scan_of_prose();
    }
    if wanted("column") {
        scan_of_a_column();
    }
    if wanted("tokens") {
        tokens();
    }
    if wanted("files") {
        let megabytes = std::env::var("ALLONYM_BENCH_MB").ok().and_then(|mb| mb.parse().ok());
        files(megabytes.unwrap_or(600));
    }
}

fn scan_of_prose() {
    let text = prose(512 << 10);
    let recognizer = recognizer(0.5);
    let (mut scratch, mut spans) = (Scratch::default(), Vec::new());
    let patterns = patterns();
    let (ours, plain) = paired(
        3,
        || {
            recognizer.scan(&text, &mut scratch, &mut spans);
            black_box(spans.len());
        },
        || {
            let mut hits = 0;
            for pattern in &patterns {
                hits += pattern.find_iter(text.as_bytes()).count();
            }
            black_box(hits);
        },
    );
    let baseline = format!("{} passes of `regex`, one a pattern", patterns.len());
    let rates = [ours, plain].map(|time| rate(text.len(), time, "MB/s"));
    line("scan of prose", rates, ours, plain, &baseline);
}

fn scan_of_a_column() {
    let cells = values(10_000);
    let bytes: usize = cells.iter().map(String::len).sum();
    let recognizer = recognizer(0.0);
    let mut scratch = Scratch::default();
    let patterns = patterns();
    let (ours, plain) = paired(
        3,
        || {
            let mut profile = ColumnProfile::default();
            let mut cells = cells.iter().map(|cell| Some(cell.as_str()));
            profile.observe(&recognizer, &mut cells, &mut scratch);
            black_box(&profile);
        },
        || {
            let mut hits = 0;
            for cell in &cells {
                hits += patterns.iter().filter(|p| p.is_match(cell.as_bytes())).count();
            }
            black_box(hits);
        },
    );
    let baseline = "`is_match` of every pattern on every value";
    let rates = [ours, plain].map(|time| rate(bytes, time, "MB/s"));
    line("scan of a column", rates, ours, plain, baseline);
}

fn tokens() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ring = ring(folder.path());
    let key = ring.key(None, "default").expect("the ring has an active key");
    let tokenizer = key.tokenizer("default", "email", Profile::Exact).expect("a short field name");
    let cells = values(500_000);
    let (mut scratch, mut out) = (String::new(), String::with_capacity(cells.len() * 22));
    let secret = [7_u8; 32];
    let (ours, plain) = paired(
        5,
        || {
            out.clear();
            for cell in &cells {
                let mac = tokenizer.mac(Scope::Dataset, cell, &mut scratch);
                mac.push_column_token(TokenFormat::Base62, &mut out);
            }
            black_box(out.len());
        },
        || {
            // The bare MAC: no normalisation, no encoding.
            for cell in &cells {
                let mut mac = Hmac::<Sha256>::new_from_slice(&secret).expect("any key length");
                mac.update(b"\x00\x05exact");
                mac.update(cell.as_bytes());
                black_box(mac.finalize().into_bytes());
            }
        },
    );
    let per = |time| format!("{:.2} M/s", cells.len() as f64 / seconds(time) / 1e6);
    let baseline = "`hmac` keyed anew for each value, no encoding";
    line("tokens (base62)", [ours, plain].map(per), ours, plain, baseline);
}

fn files(megabytes: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let parquet = folder.path().join("table.parquet");
    write_table(&parquet, megabytes << 20);
    let csv = folder.path().join("table.csv");
    convert(&parquet, &csv);
    for (name, input) in [("apply, Parquet", &parquet), ("apply, CSV", &csv)] {
        let size = usize::try_from(std::fs::metadata(input).expect("it was written").len());
        let size = size.expect("it fits");
        let (ours, plain) = paired(2, || treat(input), || pass_through(input));
        let baseline = "the same reader and writer, nothing treated";
        let rates = [ours, plain].map(|time| rate(size, time, "MB/s"));
        line(&format!("{name} ({} MB)", size >> 20), rates, ours, plain, baseline);
    }
}

fn treat(input: &Path) {
    let folder = tempfile::tempdir_in(input.parent().expect("it stands in a folder"))
        .expect("a temporary folder");
    let keys = tempfile::tempdir().expect("a temporary folder");
    drop(ring(keys.path()));
    let mut text = String::from("version = 1\n[policy]\nname = \"bench\"\nunlisted = \"error\"\n");
    for column in COLUMNS {
        let treatment = match column {
            "email" | "name" | "account" | "phone" => "treat = \"pseudonymize\"",
            _ => "treat = \"keep\"\nreason = \"bench\"",
        };
        text.push_str(&format!("[columns.{column}]\n{treatment}\n"));
    }
    let policy = Policy::parse(&text, "bench").expect("the policy is well formed");
    let environment = Environment::new([]);
    let output = folder.path().join(input.file_name().expect("it has a name"));
    let job = ApplyJob {
        inputs: vec![Found {
            input: Input::File(input.to_path_buf()),
            relative: "table".to_owned(),
        }],
        target: Target::File(output),
        policy: PolicySource::Given { policy: Box::new(policy), folder: PathBuf::new() },
        keys: Some(format!("file:{}", ring_path(keys.path()).display())),
        environment: &environment,
        read: ReadOptions::default(),
        output_format: None,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        force: false,
        resume: false,
        dry_run: false,
        receipt: None,
        canaries: None,
        collected_at: None,
        now: &|| String::from("2026-01-01T00:00:00Z"),
        scribe: Scribe {
            place: None,
            actor: "bench",
            clock: &|| String::from("2026-01-01T00:00:00Z"),
        },
        cancel: Cancel::default(),
        progress: &|_| {},
    };
    apply(&job).expect("the bench's own data can be treated");
}

fn pass_through(input: &Path) {
    let folder = tempfile::tempdir_in(input.parent().expect("it stands in a folder"))
        .expect("a temporary folder");
    let output = folder.path().join(input.file_name().expect("it has a name"));
    copy(input, &output);
}

fn convert(from: &Path, to: &Path) {
    copy(from, to);
}

fn copy(from: &Path, to: &Path) {
    let input = Input::File(from.to_path_buf());
    let mut reader = Reader::open(&input, &ReadOptions::default()).expect("it was just written");
    let shape = reader.shape().for_output(Some(to), None);
    let schema = std::sync::Arc::clone(reader.schema());
    let untouched: Vec<Option<usize>> = (0..schema.fields().len()).map(Some).collect();
    let output = Output::File(to.to_path_buf());
    let mut writer =
        Writer::create(&output, &shape, &schema, &untouched, false).expect("the folder is ours");
    while let Some(chunk) = reader.next_chunk().expect("it was just written") {
        writer.write(&chunk.records, &chunk.dress).expect("the disk has room");
    }
    writer.finish().and_then(allonym_io::Finished::commit).expect("the disk has room");
    // `apply` proves its input by a digest, so the baseline pays for one too.
    black_box(reader.sha256().expect("it was just read"));
}

/// Writes [`table`] until the file has about `bytes` bytes.
fn write_table(path: &Path, bytes: usize) {
    let schema = table(0, 1).schema();
    let shape = allonym_io::Shape::plain(allonym_io::Format::Parquet);
    let output = Output::File(path.to_path_buf());
    let mut writer = Writer::create(&output, &shape, &schema, &vec![None; COLUMNS.len()], false)
        .expect("the folder is ours");
    let (mut row, rows) = (0, 65_536);
    // A row of the table takes about 48 bytes once compressed.
    while row < bytes / 48 {
        let batch = table(row, rows);
        writer.write(&batch, &allonym_io::Dress::default()).expect("the disk has room");
        row += rows;
    }
    writer.finish().and_then(allonym_io::Finished::commit).expect("the disk has room");
}

fn recognizer(min_score: f32) -> Recognizer {
    let tuning = Tuning { min_score, ..Tuning::default() };
    Recognizer::compile(RuleSet::builtin(), &tuning).expect("the shipped rules compile")
}

/// Every pattern of the shipped rules as the `regex` crate runs it fastest: over bytes, with ASCII
/// classes where the pattern allows it.
fn patterns() -> Vec<regex::bytes::Regex> {
    let mut patterns = Vec::new();
    for file in allonym::builtin_rule_files() {
        let rule: toml::Table = file.text.parse().expect("the shipped rules are TOML");
        for pattern in rule.get("pattern").and_then(toml::Value::as_array).into_iter().flatten() {
            let source = pattern["regex"].as_str().expect("a pattern has a regex");
            let ascii = regex::bytes::RegexBuilder::new(source).unicode(false).build();
            let compiled = ascii.or_else(|_| regex::bytes::Regex::new(source));
            patterns.push(compiled.expect("the shipped rules compile"));
        }
    }
    patterns
}

fn ring(folder: &Path) -> Keyring {
    let created = "2026-01-01T00:00:00Z";
    Keyring::create(&ring_path(folder), &Unlock::LocalFile, "bench", "default", created)
        .expect("the folder is ours")
}

fn ring_path(folder: &Path) -> PathBuf {
    folder.join("keys/bench.keyring")
}

/// Medians of `rounds` rounds, the two in turn, after one warm-up each.
fn paired(rounds: usize, mut ours: impl FnMut(), mut plain: impl FnMut()) -> (Duration, Duration) {
    ours();
    plain();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        a.push(timed(&mut ours));
        b.push(timed(&mut plain));
    }
    a.sort_unstable();
    b.sort_unstable();
    (a[rounds / 2], b[rounds / 2])
}

fn timed(work: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn rate(bytes: usize, time: Duration, unit: &str) -> String {
    format!("{:.1} {unit}", bytes as f64 / seconds(time) / 1e6)
}

fn line(what: &str, [ours, plain]: [String; 2], a: Duration, b: Duration, baseline: &str) {
    // Above 1 we are faster.
    let ratio = seconds(b) / seconds(a);
    println!("{what:<34} {ours:>14} {plain:>14} {ratio:>7.2}x  {baseline}");
}
