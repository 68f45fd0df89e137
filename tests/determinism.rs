//! Same input, policy, rules and keys: same bytes, whatever the threads, batches and cuts.

mod command;

use command::{Place, example, policy};
use std::fs;

const KEEP: &str = "treat = \"keep\"\nreason = \"test\"";

/// 20,000 rows with text, identifiers, empty cells and quoting.
fn table() -> String {
    let mut csv = String::from("id,mail,note,day,amount\n");
    for row in 0..20_000 {
        let mail = format!("zora{}@example.org", row % 700);
        match row % 5 {
            0 => csv.push_str(&format!(
                "{row},{mail},\"wrote, to {mail}\",2026-03-{:02},1.50\n",
                row % 28 + 1
            )),
            1 => csv.push_str(&format!("{row},,\"\",,\n")),
            2 => csv.push_str(&format!(
                "{row},{mail},\"two\nlines with 192.0.2.{}\",2026-04-01,7\n",
                row % 250
            )),
            _ => csv.push_str(&format!("{row},{mail},plain,2026-05-01,{row}\n")),
        }
    }
    csv
}

fn rules() -> String {
    policy(&[
        ("id", "treat = \"pseudonymize\""),
        ("mail", "treat = \"pseudonymize\""),
        ("note", "treat = \"text\""),
        ("day", "treat = \"generalize\"\nto = \"month\""),
        ("amount", KEEP),
    ])
}

#[test]
fn threads_and_batches_do_not_show() {
    let place = Place::with_keys();
    place.write("in.csv", table());
    place.write("allonym.toml", rules());
    place.run(&["apply", "in.csv", "--to", "in.parquet"]).expect(0);
    place.run(&["apply", "in.csv", "--to", "in.jsonl"]).expect(0);
    place.run(&["apply", "in.csv", "--to", "in.arrow"]).expect(0);
    // What the first pass wrote is the input of the second, so that every reader is cut too; the
    // month is text by now.
    place.write("again.toml", rules().replace("treat = \"generalize\"\nto = \"month\"", KEEP));
    for name in ["in.csv", "in.parquet", "in.jsonl", "in.arrow"] {
        let policy = if name == "in.csv" { "allonym.toml" } else { "again.toml" };
        let mut first: Option<Vec<u8>> = None;
        for threads in ["1", "2", "7"] {
            for rows in ["1000", "8192", "65536"] {
                let to = format!("out-{threads}-{rows}.{name}");
                let arguments = [
                    "apply",
                    name,
                    "--to",
                    &to,
                    "--policy",
                    policy,
                    "--jobs",
                    threads,
                    "--batch-rows",
                    rows,
                ];
                place.run(&arguments).expect(0);
                let bytes = place.bytes(&to);
                assert!(bytes.len() > 100_000, "{to}");
                match &first {
                    None => first = Some(bytes),
                    Some(first) => assert!(*first == bytes, "{to} differs"),
                }
                fs::remove_file(place.path(&to)).unwrap();
            }
        }
    }
}

#[test]
fn two_runs_give_the_same_receipt_but_for_times() {
    let place = Place::with_keys();
    place.write("in.csv", table());
    place.write("allonym.toml", rules());
    for to in ["one.csv", "two.csv"] {
        place.run(&["apply", "in.csv", "--to", to]).expect(0);
    }
    let one = place.read("one.csv.allonym.json");
    let two = place.read("two.csv.allonym.json");
    // SOURCE_DATE_EPOCH stops the clock, so only the name differs, and what is signed with it.
    let unsigned = |receipt: &str| -> serde_json::Value {
        let mut receipt: serde_json::Value = serde_json::from_str(receipt).unwrap();
        receipt.as_object_mut().unwrap().remove("signature");
        receipt
    };
    assert_eq!(unsigned(&one.replace("one.csv", "two.csv")), unsigned(&two));
    assert!(one.contains("2026-01-01T00:00:00Z"), "{one}");
    place.run(&["apply", "in.csv", "--to", "one.csv", "--force"]).expect(0);
    assert_eq!(place.read("one.csv.allonym.json"), one);
}

#[test]
fn work_that_is_done_is_not_done_again() {
    let place = Place::with_keys();
    place.write("in.csv", table());
    place.write("allonym.toml", rules());
    place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(0);
    let before = fs::metadata(place.path("out.csv")).unwrap().modified().unwrap();
    let again = place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(0);
    assert!(again.err.contains("nothing to do"), "{}", again.err);
    assert_eq!(fs::metadata(place.path("out.csv")).unwrap().modified().unwrap(), before);
    // Another policy, another input, a changed output: each is no longer that work.
    place.write("other.toml", rules().replace("month", "year"));
    let other = ["apply", "in.csv", "--to", "out.csv", "--policy", "other.toml"];
    place.run(&other).expect(2).says(&["--force"]);
    place.write("out.csv", "changed");
    place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(2).says(&["receipt"]);
}

#[test]
fn a_folder_appears_whole_and_a_killed_run_resumes() {
    let place = Place::with_keys();
    for name in ["a.csv", "deep/b.csv", "c.csv"] {
        place.write(&format!("in/{name}"), table());
    }
    place.write("in/bad.csv", "id,mail,note,day,amount\n1,2\n");
    place.write("allonym.toml", rules());
    let arguments = ["apply", "in", "--to", "out", "--resume"];
    place.run(&arguments).expect(3).says(&["bad.csv", "row 1"]);
    assert!(!place.path("out").exists());
    let kept = place.path("out.allonym-partial/a.csv");
    let written = fs::metadata(&kept).unwrap().modified().unwrap();
    place.write("in/bad.csv", "id,mail,note,day,amount\n1,2,3,2026-01-01,5\n");
    let ended = place.run(&arguments).expect(0);
    assert!(ended.err.contains("1 kept from an interrupted run"), "{}", ended.err);
    assert_eq!(fs::metadata(place.path("out/a.csv")).unwrap().modified().unwrap(), written);
    assert!(place.path("out/deep/b.csv").exists());
    assert!(place.path("out/allonym.receipt.json").exists());
    assert!(!place.path("out.allonym-partial").exists());
    assert!(!place.path("out/a.csv.allonym.json").exists());
    let again = place.run(&arguments).expect(0);
    assert!(again.err.contains("nothing to do"), "{}", again.err);
    // One file alone gives the bytes it gives among many: tokens do not depend on the job.
    place.run(&["apply", "in/a.csv", "--to", "a.csv"]).expect(0);
    assert_eq!(place.bytes("a.csv"), place.bytes("out/a.csv"));
}

#[test]
fn what_the_policy_keeps_comes_out_byte_for_byte() {
    let place = Place::with_keys();
    let keep = policy(&[]).replace(
        "name = \"test\"\n",
        "name = \"test\"\nunlisted = \"keep\"\nunlisted_reason = \"test\"\n",
    );
    place.write("allonym.toml", keep);
    let odd_csv = "\u{feff}a;b;c\r\n\"\";;\"x;\"\"y\"\"\"\r\n00123;\"q\";1.50\r\n";
    let odd_json =
        "{\"b\" : 1.50, \"a\":{\"x\":[ {\"n\":\"\\u00e9\"},{} ]},\"z\":1e400 }\n\n{\"n\":null}\n";
    for (name, bytes) in [("in.csv", odd_csv), ("in.jsonl", odd_json), ("in.txt", "a\r\nb\n\nc")] {
        place.write(name, bytes);
        let to = format!("out.{name}");
        place.run(&["apply", name, "--to", &to]).expect(0);
        assert_eq!(place.read(&to), bytes, "{name}");
    }
    let claims = fs::read(example("claims.csv")).unwrap();
    place.write("claims.csv", &claims);
    place.run(&["apply", "claims.csv", "--to", "same.csv"]).expect(0);
    assert_eq!(place.bytes("same.csv"), claims);
}
