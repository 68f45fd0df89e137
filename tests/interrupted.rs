//! `kill -9` at a hundred random points of `expire` and of `erase`: a reader sees the old file or the
//! new one, and the same command, run again, ends with the bytes of an undisturbed run.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::Place;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const POINTS: u32 = 100;
const MAIL: &str = "kanarienvogel.4711@example.org";

type Files = BTreeMap<String, Vec<u8>>;

#[test]
fn expire_is_taken_up_where_it_was_killed() {
    let place = place();
    killed_again_and_again(
        &place,
        &["expire", "data", "--yes", "--quarantine", "aside"],
        0x5eed_0001,
    );
}

#[test]
fn erase_is_taken_up_where_it_was_killed() {
    let place = place();
    killed_again_and_again(
        &place,
        &["erase", "data", "--subjects", "who.csv", "--yes"],
        0x5eed_0002,
    );
}

/// Treated files of three formats in two folders; a third of the rows is the person's, a third has
/// expired.
fn place() -> Place {
    let place = Place::with_keys();
    place.write(
        "allonym.toml",
        "version = 1\n[policy]\nunlisted = \"keep\"\nunlisted_reason = \"test\"\n[columns.mail]\ntreat = \"pseudonymize\"\njoin = \"mail\"\n[retention]\nrequire_tags = \"none\"\n[retention.dataset]\nanchor = \"closed\"\nduration = \"P5Y\"\non_expiry = \"drop_row\"\non_null_anchor = \"quarantine\"\n[[retention.columns]]\nmatch = { name = \"note\" }\nanchor = \"closed\"\nduration = \"P1Y\"\non_expiry = \"null\"\n[[retention.columns]]\nmatch = { name = \"mail\" }\nanchor = \"closed\"\nduration = \"P1Y\"\non_expiry = \"retokenize_random\"\n",
    );
    for (n, name) in ["a.csv", "b.csv", "c/d.csv", "c/e.csv"].into_iter().enumerate() {
        let mut csv = String::from("mail,closed,note\n");
        for row in 0..150 {
            let mail =
                if (row + n) % 3 == 0 { MAIL.to_owned() } else { format!("p{row}@example.com") };
            let closed = ["2019-01-01", "2024-06-01", "2025-12-01", ""][(row / 2 + n) % 4];
            csv.push_str(&format!("{mail},{closed},note {row}\n"));
        }
        place.write(&format!("raw/{name}"), csv);
    }
    place.run(&["apply", "raw/a.csv", "--to", "data/a.csv"]).expect(0);
    place.run(&["apply", "raw/b.csv", "--to", "data/b.parquet"]).expect(0);
    place.run(&["apply", "raw/c/d.csv", "--to", "data/c/d.jsonl"]).expect(0);
    place.run(&["apply", "raw/c/e.csv", "--to", "data/c/e.csv.gz"]).expect(0);
    place.write("who.csv", format!("mail\n{MAIL}\n"));
    // The first erasure makes a key; all runs that are compared have it.
    let erase = ["erase", "data/a.csv", "--subjects", "who.csv", "--yes"];
    fs::create_dir(place.path("spare")).unwrap();
    copy(&place.path("data"), &place.path("spare"));
    place.run(&erase).expect(0);
    renew(&place);
    place
}

fn killed_again_and_again(place: &Place, command: &[&str], seed: u64) {
    let pristine = files(&place.path("data"));
    let started = Instant::now();
    place.run(command).expect(0);
    let took = started.elapsed();
    let undisturbed = (files(&place.path("data")), files(&place.path("aside")));
    assert_ne!(undisturbed.0, pristine);
    let whole: Vec<&String> = pristine.keys().collect();

    let mut random = seed;
    let mut killed = 0;
    for point in 0..POINTS {
        renew(place);
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = f64::from(u32::try_from(random >> 32).unwrap()) / f64::from(u32::MAX);
        let mut child = place.spawn(command);
        std::thread::sleep(Duration::from_secs_f64(took.as_secs_f64() * share));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let seen = files(&place.path("data"));
        for name in &whole {
            let there = seen.get(*name).unwrap_or_else(|| panic!("{name} is gone"));
            let is_whole = *there == pristine[*name] || *there == undisturbed.0[*name];
            assert!(is_whole, "point {point}: {name} is neither the old nor the new file");
        }
        place.run(command).expect(0);
        let now = (files(&place.path("data")), files(&place.path("aside")));
        for (name, bytes) in &undisturbed.0 {
            assert_eq!(now.0.get(name), Some(bytes), "point {point}: {name}");
        }
        assert_eq!(now.0.keys().collect::<Vec<_>>(), undisturbed.0.keys().collect::<Vec<_>>());
        assert_eq!(now.1, undisturbed.1, "point {point}");
    }
    assert!(killed >= POINTS / 2, "only {killed} runs were killed before their end");
}

/// The data as it was before any run.
fn renew(place: &Place) {
    for folder in ["data", "aside"] {
        if place.path(folder).exists() {
            fs::remove_dir_all(place.path(folder)).unwrap();
        }
    }
    fs::create_dir(place.path("data")).unwrap();
    copy(&place.path("spare"), &place.path("data"));
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// All files below a folder, hidden ones too.
fn files(folder: &Path) -> Files {
    let (mut found, mut folders) = (Files::new(), vec![folder.to_owned()]);
    while let Some(inner) = folders.pop() {
        let Ok(entries) = fs::read_dir(&inner) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}
