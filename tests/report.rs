//! `allonym report`, and 10,000 people who are in no report.

mod command;

use command::Place;
use serde_json::Value;
use std::fmt::Write as _;

const POLICY: &str = r#"version = 1
[policy]
name = "canaries"
purpose = "a test"
[columns.mail]
treat = "pseudonymize"
[columns.notes]
treat = "text"
[columns."<img src=x onerror=alert(1)>"]
treat = "keep"
reason = "hostile"
[retention.dataset]
anchor = "dataset.collected_at"
duration = "P5Y"
on_expiry = "drop_row"
"#;

/// What the names of all invented people begin with.
const CANARY: &str = "kanarie.zora";

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digit = |at: usize| (0..6).fold(0, |sum, next| sum << 1 | usize::from(bit(at + next)));
    (0..bytes.len() * 8 / 6).map(|n| char::from(DIGITS[digit(n * 6)])).collect()
}

#[test]
fn ten_thousand_canaries_are_in_no_view_in_no_spelling() {
    let place = Place::with_keys();
    let mut csv = String::from("mail,notes,<img src=x onerror=alert(1)>\n");
    for n in 0..10_000 {
        let name = format!("{CANARY}{n:05}");
        writeln!(csv, "{name}@example.org,mail from {name}@example.org,{n}").unwrap();
    }
    place.write("in.csv", csv);
    place.write("allonym.toml", POLICY);
    let apply = ["apply", "in.csv", "--to", "safe.csv", "--collected-at", "2026-01-01"];
    place.run(&apply).expect(0);
    // The raw file passed off as the treated one: every finding there is, and still nothing shown.
    place.write("safe.csv", place.read("in.csv"));
    let check = [
        "check",
        "safe.csv",
        "--full",
        "--as-of",
        "2026-06-01T00:00:00Z",
        "--evidence",
        "e.json",
        "--report",
        "report.html",
    ];
    let mut shown = vec![place.run(&check).expect(1)];
    let mut views = vec![place.read("e.json"), place.read("report.html")];
    for (format, ending) in [
        ("html", "html"),
        ("md", "md"),
        ("csv", "csv"),
        ("sarif", "sarif"),
        ("json", "json"),
        ("ropa", "ropa.csv"),
        ("odcs", "odcs.yaml"),
        ("croissant", "croissant.json"),
        ("openlineage", "openlineage.jsonl"),
    ] {
        let to = format!("view.{ending}");
        shown.push(place.run(&["report", "e.json", "--to", &to]).expect(0));
        views.push(place.read(&to));
        let printed = place.run(&["report", "e.json", "--format", format]).expect(0);
        assert_eq!(printed.out, place.read(&to), "{format}");
    }
    // What is packed in the workbook, python/tests/test_formats.py unpacks.
    shown.push(place.run(&["report", "e.json", "--to", "view.xlsx"]).expect(0));
    assert!(place.bytes("view.xlsx").starts_with(b"PK"));
    assert_eq!(views[1], views[2], "check and report render alike");
    views.extend(shown.into_iter().flat_map(|ended| [ended.out, ended.err]));
    assert!(views[0].contains("ALO-I102") && views[0].contains("10000 cells"), "{}", views[0]);
    // One text to look in: lower case covers the spellings that have one.
    let all = views.join("\n").to_lowercase();
    // All 10,000 begin alike: what is not there of the beginning is there of none.
    let percent: String = CANARY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert!(!all.contains(CANARY) && !all.contains(&percent));
    for before in ["", "x", "xx"] {
        // Whatever stands before it, the middle of one of three shifts is spelt alike.
        let text = base64(format!("{before}{CANARY}").as_bytes()).to_lowercase();
        let middle: String = text.chars().skip(4).take(6).collect();
        assert!(!all.contains(&middle), "{middle}");
    }
    let page = place.read("report.html");
    assert!(!page.contains("<img") && page.contains("&lt;img src=x"));
    let sarif: Value = serde_json::from_str(&place.read("view.sarif")).unwrap();
    assert!(sarif["runs"][0]["results"].as_array().unwrap().len() >= 3);
}

/// The views of evidence that is not of a check: page, Markdown, CSV, and the JSON itself.
fn views_of(place: &Place, evidence: &str, words: &[&str]) {
    for ending in ["html", "md", "csv"] {
        let to = format!("{evidence}.{ending}");
        place.run(&["report", evidence, "--to", &to]).expect(0);
        let printed = place.run(&["report", evidence, "--format", ending]).expect(0);
        assert_eq!(printed.out, place.read(&to), "{to}");
        for word in words {
            let inert = word.replace('_', "\\_");
            let told = printed.out.contains(word) || printed.out.contains(&inert);
            assert!(told, "no {word} in {to}:\n{}", printed.out);
        }
        assert!(!printed.out.contains(CANARY), "{to}");
    }
    assert_eq!(
        place.run(&["report", evidence, "--format", "json"]).expect(0).out,
        place.read(evidence)
    );
    let page = place.read(&format!("{evidence}.html"));
    assert!(page.contains("default-src 'none'") && !page.contains("<img"), "{page}");
    place.run(&["report", evidence, "--format", "sarif"]).expect(2).says(&["ALO-U013"]);
}

#[test]
fn an_expiry_and_an_erasure_have_a_page_too() {
    let place = Place::with_keys();
    let policy = "version = 1\n[policy]\nunlisted = \"keep\"\nunlisted_reason = \"a test\"\n\
                  [columns.mail]\ntreat = \"keep\"\nreason = \"a test\"\n\
                  [retention.dataset]\nanchor = \"closed\"\nduration = \"P5Y\"\n\
                  on_expiry = \"drop_row\"\n";
    place.write("allonym.toml", policy);
    let rows: String = ["2019-01-31", "2024-01-31", "2025-01-31"]
        .iter()
        .enumerate()
        .map(|(n, closed)| format!("{CANARY}{n}@example.org,{closed}\n"))
        .collect();
    place.write("data/<img src=x>.csv", format!("mail,closed\n{rows}"));
    let as_of = ["--as-of", "2026-01-01T00:00:00Z"];
    let expire = ["expire", "data", "--yes", "--evidence", "expired.json"];
    place.run(&[&expire[..], &as_of].concat()).expect(0);
    let told = ["DONE", "1 rows went", "closed + P5Y, then drop_row", "1 expired, 2 retain"];
    views_of(&place, "expired.json", &told);

    place.write("who.txt", format!("{CANARY}1@example.org\n"));
    let erase = ["erase", "data", "--subjects", "who.txt", "--yes", "--certificate", "erased.json"];
    let people = ["--operator", "desk", "--approver", "officer", "--residual", "tape until May"];
    place.run(&[&erase[..], &people, &as_of].concat()).expect(0);
    let told = ["ERASED", "1 rows of 1 people were removed", "desk", "officer", "tape until May"];
    views_of(&place, "erased.json", &told);
    assert!(place.read("erased.json.html").contains("Agreed to by"));

    // Not what it says it is, and not quoted.
    let broken = place.read("erased.json").replace("\"people\": 1", "\"people\": \"zora\"");
    place.write("broken.json", broken);
    let refused = place.run(&["report", "broken.json"]).expect(3).says(&["ALO-D007"]);
    assert!(!refused.err.contains("zora"), "{}", refused.err);
}

#[test]
fn evidence_is_as_its_schema_says() {
    let place = Place::fresh();
    for (name, title) in [
        ("check", "CheckEvidence"),
        ("risk", "RiskEvidence"),
        ("exposure", "Evidence"),
        ("expire", "ExpireEvidence"),
        ("certificate", "Certificate"),
        ("receipt", "Receipt"),
    ] {
        let schema: Value =
            serde_json::from_str(&place.run(&["schema", name]).expect(0).out).unwrap();
        assert_eq!(schema["title"], title);
    }
}

#[test]
fn wrong_use() {
    let place = Place::fresh();
    place.write("e.json", "{}");
    place.run(&["report", "e.json"]).expect(3).says(&["ALO-D007"]);
    place.run(&["report", "absent.json"]).expect(3);
    place.run(&["report", "e.json", "--to", "report.pdf"]).expect(3);
    place.run(&["check", "e.json", "--report", "report.pdf"]).expect(2).says(&["ALO-U013"]);
    for format in ["html", "xlsx", "odcs"] {
        place.run(&["scan", "e.json", "--format", format]).expect(2).says(&["ALO-U013"]);
    }
    place.run(&["report"]).expect(2);
}
