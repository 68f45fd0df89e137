//! Bad input: the exit code of the contract, a message that names the place, nothing written, and
//! no cell anywhere. Every cell of every input here holds the canary.

mod command;

use command::{Ended, Place, policy};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const CANARY: &str = "kanarienvogel.4711@example.org";
const KEEP: &str = "treat = \"keep\"\nreason = \"test\"";
const TOKEN: &str = "treat = \"pseudonymize\"";

/// Runs `apply IN --to out.csv` at trace level and checks what must hold for every failure.
fn refused(place: &Place, input: &str, more: &[&str], exit: i32, fragments: &[&str]) -> Ended {
    let before = place.names();
    let mut arguments = vec!["apply", input, "--to", "out.csv", "-vvv"];
    arguments.extend_from_slice(more);
    let ended = place.run(&arguments).expect(exit).says(fragments);
    assert_eq!(place.names(), before, "something was left behind");
    silent(&ended);
    ended
}

fn silent(ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        assert!(!text.contains("kanarienvogel"), "the canary sings:\n{text}");
        assert!(!text.contains(".4711"), "the canary sings:\n{text}");
    }
}

fn place() -> Place {
    let place = Place::with_keys();
    place.write("allonym.toml", policy(&[("a", KEEP), ("b", TOKEN)]));
    place
}

fn good_csv() -> String {
    format!("a,b\n1,{CANARY}\n2,{CANARY}\n")
}

#[test]
fn missing_and_empty_files() {
    let place = place();
    refused(&place, "nowhere.csv", &[], 3, &["nowhere.csv"]);
    place.write("in.csv", "");
    refused(&place, "in.csv", &[], 3, &["in.csv", "empty"]);
    place.write("in.parquet", "");
    refused(&place, "in.parquet", &[], 3, &["in.parquet", "empty"]);
}

#[test]
fn ragged_rows_name_the_row() {
    let place = place();
    place.write("in.csv", format!("a,b\n1,{CANARY}\n2,{CANARY},{CANARY}\n"));
    refused(&place, "in.csv", &[], 3, &["in.csv", "row 2", "3", "2"]);
    place.write("in.csv", format!("a,b\n1,{CANARY}\n{CANARY}\n"));
    refused(&place, "in.csv", &[], 3, &["in.csv", "row 2"]);
}

#[test]
fn an_unclosed_quote_names_where_it_opened() {
    let place = place();
    place.write("in.csv", format!("a,b\n1,{CANARY}\n2,\"{CANARY}\n3,{CANARY}\n"));
    refused(&place, "in.csv", &[], 3, &["in.csv", "quote", "row 2"]);
}

#[test]
fn nul_bytes() {
    let place = place();
    place.write("in.csv", format!("a,b\n1,{CANARY}\0{CANARY}\n"));
    refused(&place, "in.csv", &[], 3, &["in.csv", "NUL", "row 1"]);
}

#[test]
fn a_cell_of_fifty_megabytes() {
    let place = place();
    let cell = CANARY.repeat(50_000_000 / CANARY.len());
    place.write("in.csv", format!("a,b\n1,{cell}\n"));
    refused(&place, "in.csv", &[], 3, &["in.csv", "row 1"]);
    place.write("in.jsonl", format!("{{\"a\":1,\"b\":\"{cell}\"}}\n"));
    refused(&place, "in.jsonl", &[], 3, &["in.jsonl", "line 1"]);
}

#[test]
fn wrong_encoding() {
    let place = place();
    place.write("in.csv", [b"a,b\n1,kanarienvogel.4711\xff\xfe\xe9\n".as_slice()].concat());
    refused(&place, "in.csv", &["--encoding", "utf-8"], 3, &["in.csv", "UTF-8", "row 1"]);
}

#[test]
fn a_broken_json_line_names_the_line() {
    let place = place();
    let good = format!("{{\"a\":1,\"b\":\"{CANARY}\"}}\n");
    place.write("in.jsonl", format!("{good}{{\"a\":1,\"b\":\"{CANARY}\n{good}"));
    refused(&place, "in.jsonl", &[], 3, &["in.jsonl", "line 2"]);
    place.write("in.jsonl", format!("{good}[\"{CANARY}\"]\n"));
    refused(&place, "in.jsonl", &[], 3, &["in.jsonl", "line 2", "object"]);
}

#[test]
fn duplicate_column_names() {
    let place = place();
    place.write("in.csv", format!("a,a\n1,{CANARY}\n"));
    refused(&place, "in.csv", &[], 3, &["in.csv", "`a`"]);
}

#[test]
fn truncated_and_corrupt_parquet() {
    let place = place();
    // 20,000 rows of incompressible hex make several pages.
    let mut csv = String::from("a,b\n");
    let mut x = 1_u64;
    for row in 0..20_000 {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        csv.push_str(&format!("{x:016x},{row}{CANARY}\n"));
    }
    place.write("good.csv", csv);
    place.write("keep.toml", policy(&[("a", KEEP), ("b", KEEP)]));
    place.run(&["apply", "good.csv", "--to", "good.parquet", "--policy", "keep.toml"]).expect(0);
    let whole = place.bytes("good.parquet");
    for part in [whole.len() / 20, whole.len() / 2, whole.len() - 1] {
        place.write("in.parquet", &whole[..part]);
        refused(&place, "in.parquet", &[], 3, &["in.parquet"]);
    }
    let mut corrupt = whole.clone();
    for byte in &mut corrupt[whole.len() / 3..whole.len() / 3 + 4_000] {
        *byte = !*byte;
    }
    place.write("in.parquet", corrupt);
    refused(&place, "in.parquet", &[], 3, &["in.parquet"]);
    place.write("in.parquet", good_csv());
    refused(&place, "in.parquet", &[], 3, &["in.parquet"]);
}

#[test]
fn a_column_that_the_data_lacks_and_one_that_the_policy_lacks() {
    let place = place();
    place.write("in.csv", good_csv());
    place.write("p.toml", policy(&[("a", KEEP), ("b", TOKEN), ("bb", TOKEN)]));
    refused(&place, "in.csv", &["--policy", "p.toml"], 3, &["`bb`"]);
    place.write("p.toml", policy(&[("a", KEEP)]));
    let fragments = ["ALO-P003", "`b`", "init --update"];
    refused(&place, "in.csv", &["--policy", "p.toml"], 1, &fragments);
}

#[test]
fn policies_that_cannot_be_used() {
    let place = place();
    place.write("in.csv", good_csv());
    let cases: &[(&str, &[&str])] = &[
        ("version = 1\n[columns.a]\ntreat = \"hash\"\n", &["p.toml:3:9", "`hash`", "pseudonymize"]),
        ("version = 1\n[colums.a]\ntreat = \"keep\"\n", &["p.toml:2:2", "`colums`", "`columns`"]),
        (
            "version = 1\n[columns.a]\ntreat = \"mask\"\nkeep_lats = 3\n",
            &["p.toml:4:1", "`keep_last`"],
        ),
        ("version = 1\n[columns.a]\ntreat = \n", &["p.toml:3"]),
        (
            "version = 1\n[[match]]\nglob = \"a*\"\ntreat = \"redact\"\n[[match]]\nglob = \"*\"\n\
             treat = \"drop\"\n",
            &["`a`", "a*"],
        ),
    ];
    for (text, fragments) in cases {
        place.write("p.toml", text);
        refused(&place, "in.csv", &["--policy", "p.toml"], 2, fragments);
    }
}

#[test]
fn a_float_column_is_no_id() {
    let place = place();
    // Three rows, a double `id` and a string `b`, written by PyArrow.
    let bytes = include_bytes!("data/float_id.parquet");
    place.write("in.parquet", bytes);
    place.write("p.toml", policy(&[("id", TOKEN), ("b", KEEP)]));
    refused(&place, "in.parquet", &["--policy", "p.toml"], 2, &["`id`", "float"]);
}

#[test]
fn keys_that_cannot_be_used() {
    let place = place();
    place.write("in.csv", good_csv());
    let with_key = format!("{}[keys]\nkey = \"prod-2026\"\n", policy(&[("a", KEEP), ("b", TOKEN)]));
    place.write("p.toml", with_key);
    refused(&place, "in.csv", &["--policy", "p.toml"], 4, &["prod-2026", "default"]);

    // No keyring at all: a policy never silently mints keys.
    let none = Place::fresh();
    none.write("in.csv", good_csv());
    none.write("allonym.toml", policy(&[("a", KEEP), ("b", TOKEN)]));
    refused(&none, "in.csv", &[], 4, &["allonym key new"]);
    assert!(!none.config().exists(), "a keyring was made");

    // World-readable ring and key file.
    for name in ["default.keyring", "default.keyring.key"] {
        let path = place.config().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        refused(&place, "in.csv", &[], 4, &["chmod 600", name]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    // A passphrase that is wrong, and one that is missing.
    let secret = place.path("../passphrase");
    fs::write(&secret, "sehr geheim und lang\n").unwrap();
    let wrong = place.path("../wrong");
    fs::write(&wrong, "falsch geraten\n").unwrap();
    let ring = format!("file:{}", place.path("../locked.keyring").display());
    let secret = secret.to_str().unwrap();
    place.run(&["key", "new", "--keys", &ring, "--passphrase-file", secret]).expect(0);
    let wrong = wrong.to_str().unwrap();
    let more = ["--keys", &ring, "--passphrase-file", wrong];
    let ended = refused(&place, "in.csv", &more, 4, &["passphrase"]);
    assert!(!ended.err.contains("falsch") && !ended.err.contains("geheim"));
    refused(&place, "in.csv", &["--keys", &ring], 4, &["passphrase", "--passphrase-file"]);
    let right =
        ["apply", "in.csv", "--to", "out.csv", "--keys", &ring, "--passphrase-file", secret];
    place.run(&right).expect(0);
}

#[test]
fn a_keyring_must_not_travel_with_the_data() {
    let place = place();
    place.write("in.csv", good_csv());
    let ring = format!("file:{}", place.path("out/keys/ring.keyring").display());
    place.run(&["key", "new", "--keys", &ring]).expect(0);
    let ended = place.run(&["apply", "in.csv", "--to", "out/", "--keys", &ring, "--force"]);
    silent(&ended.expect(4).says(&["keyring", "output"]));
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 1);
    let ring_file = place.path("out/keys/ring.keyring");
    let ring_file = ring_file.to_str().unwrap();
    let ended = place.run(&[
        "apply",
        ring_file,
        "--to",
        "x.csv",
        "--keys",
        &ring,
        "--input-format",
        "text",
    ]);
    assert_eq!(ended.exit, 4, "{}", ended.err);
}

#[test]
fn an_output_that_exists_and_one_that_is_the_input() {
    let place = place();
    place.write("in.csv", good_csv());
    place.write("out.csv", "older");
    refused(&place, "in.csv", &[], 2, &["out.csv", "--force"]);
    assert_eq!(place.read("out.csv"), "older");
    let ended = place.run(&["apply", "in.csv", "--to", "in.csv", "--force"]).expect(2);
    silent(&ended.says(&["in.csv"]));
    std::os::unix::fs::symlink(place.path("in.csv"), place.path("link.csv")).unwrap();
    silent(&place.run(&["apply", "in.csv", "--to", "link.csv", "--force"]).expect(2));
    assert_eq!(place.read("in.csv"), good_csv());
    place.run(&["apply", "in.csv", "--to", "out.csv", "--force"]).expect(0);
    assert_ne!(place.read("out.csv"), "older");
}

/// Needs the right to mount a small tmpfs; `unshare` gives it to an ordinary user where the kernel
/// allows user namespaces. Where it does not, `/dev/full` stands in.
#[test]
fn a_full_disk_is_worth_a_retry() {
    let place = place();
    let mut csv = String::from("a,b\n");
    for row in 0..200_000 {
        csv.push_str(&format!("{row},{CANARY}{row}\n"));
    }
    place.write("in.csv", csv);
    fs::create_dir(place.path("small")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs small && {} apply in.csv --to small/out.csv -vvv; \
         code=$?; ls -A small; exit $code",
        env!("CARGO_BIN_EXE_allonym")
    );
    let output = std::process::Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &script])
        .current_dir(place.path(""))
        .env("ALLONYM_CONFIG_HOME", place.config())
        .output();
    match output.as_ref().map(command::ended) {
        Ok(ended) if !ended.err.contains("unshare:") && !ended.err.contains("mount:") => {
            silent(&ended.expect(75).says(&["out.csv"]));
        }
        _ => {
            let ended = place
                .run_with(&["apply", "in.csv", "--to", "-"], |command| {
                    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
                    command.stdout(full);
                })
                .expect(75);
            silent(&ended);
        }
    }
    assert!(!place.path("out.csv").exists());
}

#[test]
fn signals_leave_nothing_visible() {
    for (signal, exit) in [("INT", 130), ("TERM", 143)] {
        let place = place();
        let mut csv = String::from("a,b\n");
        for row in 0..4_000_000 {
            csv.push_str(&format!("{row},{CANARY}\n"));
        }
        place.write("in.csv", csv);
        let before = place.names();
        let child = place.spawn(&["apply", "in.csv", "--to", "out.csv", "-vvv"]);
        // The temporary output shows that the run is in the middle of it.
        let started = Instant::now();
        while place.names() == before {
            assert!(started.elapsed() < Duration::from_secs(60), "the run never began to write");
            std::thread::sleep(Duration::from_millis(2));
        }
        let id = child.id().to_string();
        let killed = std::process::Command::new("kill").args(["-s", signal, &id]).status().unwrap();
        assert!(killed.success());
        let ended = command::ended(&child.wait_with_output().unwrap());
        silent(&ended.expect(exit));
        assert_eq!(place.names(), before, "something was left behind after SIG{signal}");
    }
}

#[test]
fn what_is_not_an_error() {
    let place = place();
    place.write("in.csv", "a,b\n");
    place.run(&["apply", "in.csv", "--to", "zero.csv"]).expect(0);
    assert_eq!(place.read("zero.csv"), "a,b\n");
    assert!(place.read("zero.csv.allonym.json").contains("\"rows\": 0"));

    // Few distinct values: a warning, in words and in the receipt.
    let mut csv = String::from("a,b\n");
    for row in 0..12_000 {
        csv.push_str(&format!("{row},{}\n", row % 3));
    }
    place.write("few.csv", csv);
    let ended = place.run(&["apply", "few.csv", "--to", "few.out.csv"]).expect(0);
    assert!(ended.err.contains("distinct"), "{}", ended.err);
    assert!(place.read("few.out.csv.allonym.json").contains("distinct"));

    // A planted token: replaced, counted, not an error.
    place.write("text.toml", policy(&[("note", "treat = \"text\"")]));
    let planted = "PERSON_A6Y3B666JY4HZ1DYW";
    place.write("text.csv", format!("note\nfrom {planted} to {CANARY}\n"));
    let arguments = ["apply", "text.csv", "--to", "text.out.csv", "--policy", "text.toml"];
    silent(&place.run(&arguments).expect(0));
    let treated = place.read("text.out.csv");
    assert!(!treated.contains(planted) && treated.contains("TOKEN_"), "{treated}");
    assert!(treated.contains("EMAIL_") && !treated.contains("kanarienvogel"), "{treated}");
    let receipt = place.read("text.out.csv.allonym.json");
    assert!(receipt.contains("\"lookalikes\": 1"), "{receipt}");
    assert!(!receipt.contains("kanarienvogel"));
}
