//! Views of evidence: complete, inert, small, and the same each time.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use allonym_report::{
    CheckEvidence, ColumnEvidence, FileEvidence, Finding, HoldEvidence, KeyEvidence, LookedFor,
    OldVersion, PolicyEvidence, Residual, RetentionEvidence, Severity, TableEvidence, TagEvidence,
    Verdict, croissant, csv, html, markdown, odcs, openlineage, read, ropa, sarif, xlsx,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HOSTILE: &[&str] = &[
    "<img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script>",
    "'; DROP TABLE people; --",
    "javascript:alert(1)",
    "</style><svg onload=alert(1)>",
    "=HYPERLINK(\"http://evil.example\")",
    "[click](https://evil.example)",
    "a|b\r\n| c",
    "\u{202e}txt.exe",
    "\u{1b}[31mred",
    "{{7*7}}",
    "&lt;b&gt;",
];

fn evidence(names: &[String]) -> CheckEvidence {
    let column = |(at, name): (usize, &String)| ColumnEvidence {
        name: name.clone(),
        type_name: "string".to_owned(),
        treatment: Some("pseudonymize".to_owned()),
        reason: None,
        entity: Some("IBAN_CODE".to_owned()),
        group: Some("direct".to_owned()),
        share: Some(0.987),
        confidence: Some(0.9),
        category: Some("user.financial.bank_account".to_owned()),
        purpose: if at == 0 { Vec::new() } else { vec![name.clone()] },
        retention: Some("closed_on + P7Y, then drop_row".to_owned()),
        cells: 1_000,
        residual: at as u64,
    };
    let tag = |name: &String| TagEvidence {
        column: Some(name.clone()),
        anchor: "closed_on".to_owned(),
        duration: "P7Y".to_owned(),
        retain_at_least: None,
        on_expiry: "drop_row".to_owned(),
        generalize: None,
        on_null_anchor: Some("fail".to_owned()),
        assume_tz: None,
        category: None,
        purpose: vec!["pricing".to_owned()],
        legal_basis: Some("gdpr.6.1.b".to_owned()),
        jurisdiction: Some("DE".to_owned()),
        counts: BTreeMap::from([("retain".to_owned(), 900), ("expired".to_owned(), 100)]),
        expiring: 12,
        suspicious: 0,
    };
    let finding = |name: &String| Finding {
        code: "ALO-M102".to_owned(),
        severity: Severity::Note,
        file: Some(name.clone()),
        column: Some(name.clone()),
        count: None,
        message: format!("column `{name}` has no purpose in the policy"),
        next: Some("name its purpose in the policy, or drop the column".to_owned()),
    };
    let breach = Finding {
        code: "ALO-R101".to_owned(),
        severity: Severity::Breach,
        file: None,
        column: None,
        count: Some(100),
        message: "100 rows are past \"closed_on + P7Y, then drop_row\"".to_owned(),
        next: None,
    };
    CheckEvidence {
        schema: CheckEvidence::SCHEMA.to_owned(),
        tool: "allonym 0.1.0".to_owned(),
        actor: "nightly".to_owned(),
        as_of: "2026-11-21T00:00:00Z".to_owned(),
        source: names.first().cloned().unwrap_or_default(),
        verdict: Verdict::NotReady,
        policy: PolicyEvidence {
            name: names.first().cloned(),
            purpose: names.first().cloned(),
            owner: names.first().cloned(),
            sha256: "0".repeat(64),
        },
        looked_for: LookedFor {
            entities: (0..300).map(|n| format!("COUNTRY_TAX_NUMBER_{n}")).collect(),
            countries: vec!["DE".to_owned()],
            languages: Vec::new(),
            rules_sha256: "1".repeat(64),
        },
        rows: 1_204_318,
        rows_read: 50_000,
        seed: 0,
        files: vec![FileEvidence {
            path: names.first().cloned().unwrap_or_default(),
            sha256: Some("2".repeat(64)),
            rows: 1_204_318,
            made_from: names.first().map(|name| format!("raw/{name}")),
            manifest: Some("claims.parquet.allonym.json".to_owned()),
            signature: Some("known".to_owned()),
            key: Some("allonym/00+00+00".to_owned()),
            unchanged: Some(true),
            changed_by: Vec::new(),
        }],
        tables: names.iter().take(1).map(table).collect(),
        columns: names.iter().enumerate().map(column).collect(),
        residual: Residual {
            rows_read: 50_000,
            found: 0,
            upper_bound: 0.000_06,
            confidence: 0.95,
            recall: None,
            statement: "none found in 50000 rows searched".to_owned(),
        },
        retention: Some(RetentionEvidence {
            zone: "Europe/Berlin".to_owned(),
            tags: names.iter().map(tag).collect(),
            holds: vec![HoldEvidence {
                id: "LH-1".to_owned(),
                authority: names.first().cloned().unwrap_or_default(),
                from: "2026-03-01".to_owned(),
                review_by: "2027-03-01".to_owned(),
                in_force: true,
                overdue: false,
                covers: true,
            }],
        }),
        keys: vec![KeyEvidence { id: "K7Q2Z".to_owned(), epoch: 1, domain: "default".to_owned() }],
        findings: std::iter::once(breach).chain(names.iter().map(finding)).collect(),
        limits: vec!["Only the kinds of identifiers listed were looked for.".to_owned()],
        signature: Some(json!({"key": "allonym/00+00+00", "value": "AA=="})),
    }
}

/// Sixty older versions, one of which cannot be judged.
fn table(name: &String) -> TableEvidence {
    let old = |version: u64| OldVersion {
        version,
        snapshot: Some(name.clone()),
        committed: Some("2026-01-01T00:00:00Z".to_owned()),
        expired_rows: (version != 3).then_some(61_004 - version),
        at_most: version == 1,
    };
    TableEvidence {
        path: name.clone(),
        format: "iceberg".to_owned(),
        version: Some(60),
        snapshot: Some(name.clone()),
        files: 14,
        partition_by: vec![name.clone()],
        deletion_marks: 2,
        old_versions: (0..60).map(old).collect(),
        unreferenced_files: 31,
        unreferenced_expired_rows: None,
        unreferenced_residual: 7,
        told_values: 5,
        untold: vec![format!("uses the feature `{name}`")],
    }
}

#[test]
fn tables_with_versions_are_told_in_every_view_for_people() {
    let evidence = hostile();
    let page = html(&evidence);
    for said in [
        "Tables with versions",
        "The oldest 50 of 60 older versions that can still be read",
        "<td>61,004</td>",
        "<td>61,003 at most</td>",
        "<td>cannot be told</td>",
        "<dt>Marks that delete rows still in files</dt><dd>2</dd>",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let text = markdown(&evidence);
    assert!(text.contains("- Older versions that can be read: 60\n"), "{text}");
    assert!(text.contains("- Cells with identifiers in those: 7\n"), "{text}");
    // Without such a table nothing is said of any.
    let without = CheckEvidence { tables: Vec::new(), ..hostile() };
    assert!(!html(&without).contains("Tables with versions"));
}

fn hostile() -> CheckEvidence {
    evidence(&HOSTILE.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

fn wide() -> CheckEvidence {
    evidence(&(0..200).map(|n| format!("policy_holder_attribute_{n}")).collect::<Vec<_>>())
}

/// Every view that is a text.
fn texts(evidence: &CheckEvidence) -> [String; 8] {
    [html, markdown, csv, sarif, ropa, odcs, croissant, openlineage].map(|view| view(evidence))
}

/// Tags in order, each closed by its own; what is left open at the end is a fault.
fn check_nesting(page: &str) {
    const VOID: [&str; 4] = ["!doctype", "meta", "link", "rect"];
    let mut open: Vec<&str> = Vec::new();
    for part in page.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let name = tag.trim_end_matches('/').split([' ', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{tag}"),
            None if VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_is_whole_and_makes_no_request() {
    for evidence in [hostile(), wide()] {
        let page = html(&evidence);
        check_nesting(&page);
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
        for section in [
            "limits",
            "counts",
            "findings",
            "columns",
            "residual",
            "retention",
            "minimization",
            "keys",
            "clauses",
            "proof",
            "signoff",
            "glossary",
        ] {
            assert_eq!(page.matches(&format!("<h2 id=\"{section}\">")).count(), 1, "{section}");
        }
        let tags: Vec<&str> =
            page.split('<').skip(1).map(|part| part.split('>').next().unwrap()).collect();
        for absent in ["script", "iframe", "object", "embed", "form", "a ", "img", "base"] {
            assert!(!tags.iter().any(|tag| tag.starts_with(absent)), "{absent}");
        }
        for absent in ["src=", "action=", " on", "style=", "url("] {
            assert!(!tags.iter().any(|tag| tag.contains(absent)), "{absent}");
        }
        let links: Vec<&&str> = tags.iter().filter(|tag| tag.contains("href=")).collect();
        assert_eq!(links, [&"link rel=\"icon\" href=\"data:,\""]);
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(!style.contains("url(") && !style.contains("@import"));
        assert!(page.contains("default-src 'none'"));
        assert!(page.contains("1,204,318") && page.contains("sample of 50,000"));
        assert_eq!(page.matches("<svg").count(), 1, "columns with one rule share a chart");
        assert!(page.contains("<title id=\"t0\">") && page.contains("<desc id=\"d0\">"));
        assert_eq!(html(&evidence), page);
    }
}

#[test]
fn hostile_names_are_inert_in_every_view() {
    let evidence = hostile();
    let page = html(&evidence);
    for markup in ["<img", "<script", "<svg onload", "</style><svg", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(markup), "{markup:?} in the page");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(page.contains("&amp;lt;b&amp;gt;"), "what looks escaped is escaped again");

    let note = markdown(&evidence);
    for markup in ["<img", "<script", "](https", "://", "\u{1b}", "\u{202e}"] {
        assert!(!note.contains(markup), "{markup:?} in\n{note}");
    }
    let rows = note.lines().filter(|line| line.starts_with('|')).count();
    assert_eq!(rows, evidence.findings.len() + 2, "no name breaks a row");

    let table = csv(&evidence);
    assert_eq!(table.lines().count(), evidence.findings.len() + 1);
    for line in table.lines().skip(1) {
        for cell in line.split(',') {
            assert!(!cell.trim_start_matches('"').starts_with(['=', '+', '@']), "{cell}");
        }
    }
}

#[test]
fn two_hundred_columns_fit_in_150_kilobytes() {
    let page = html(&wide());
    assert!(page.len() <= 150_000, "{} bytes", page.len());
    assert!(page.contains("policy_holder_attribute_199"));
}

#[test]
fn no_view_uses_the_words_of_the_law() {
    for evidence in [hostile(), wide()] {
        for view in texts(&evidence) {
            let view = view.to_lowercase();
            for word in ["compliant", "compliance", "anonymous", "anonymised", "anonymized"] {
                assert!(!view.contains(word), "{word}");
            }
        }
    }
}

#[test]
fn every_result_of_sarif_has_a_physical_location_and_a_rule() {
    let evidence = hostile();
    let log: Value = serde_json::from_str(&sarif(&evidence)).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: Vec<&Value> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
    assert_eq!(rules, ["ALO-M102", "ALO-R101"]);
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), evidence.findings.len());
    for result in results {
        assert!(rules.contains(&&result["ruleId"]));
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str();
        let uri = uri.unwrap();
        assert!(!uri.is_empty() && uri.is_ascii() && !uri.contains([' ', '<', '"', ':']), "{uri}");
    }
}

#[test]
fn evidence_comes_back_and_anything_else_is_refused() {
    let evidence = hostile();
    let text = evidence.to_json();
    assert_eq!(read(&text).unwrap(), evidence);
    for wrong in [
        "",
        "{}",
        "[1]",
        &text.replace("allonym.check/1", "allonym.check/2"),
        &text.replace("\"rows\"", "\"rowz\""),
        &text.replace("\"not_ready\"", "\"compliant\""),
    ] {
        let error = read(wrong).unwrap_err();
        assert!(error.to_string().starts_with("no evidence of allonym.check/1 (line "));
        assert!(!error.to_string().contains("compliant"), "the reader's words quote");
    }
    let schema = CheckEvidence::json_schema();
    let written: Value = serde_json::from_str(&text).unwrap();
    let told: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    for member in written.as_object().unwrap().keys() {
        assert!(told.contains(&member), "{member}");
    }
}

#[test]
fn every_view_goes_by_the_evidence_alone() {
    let evidence = hostile();
    assert_eq!(texts(&evidence), texts(&evidence));
    let workbook = xlsx(&evidence).unwrap();
    assert_eq!(workbook, xlsx(&evidence).unwrap());
    let later = CheckEvidence { as_of: "2027-01-01T00:00:00Z".to_owned(), ..hostile() };
    assert_ne!(workbook, xlsx(&later).unwrap());
    assert_ne!(openlineage(&evidence), openlineage(&later), "another run");
}

#[test]
fn the_register_asks_the_controller_for_what_no_tool_knows() {
    let mut evidence = wide();
    evidence.columns.truncate(3);
    evidence.columns[0].category = None;
    evidence.columns[0].entity = None;
    let table = ropa(&evidence);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "one row a purpose:\n{table}");
    assert!(lines[0].starts_with("processing activity,data,\"controller, representative"));
    for line in &lines[1..] {
        let asked = line.matches("to be completed by the controller").count();
        // The first column has neither purpose nor category.
        assert_eq!(asked, if line == &lines[1] { 6 } else { 4 }, "{line}");
        assert!(line.contains("\"closed_on + P7Y, then drop_row\""), "{line}");
        assert!(line.contains("gdpr.6.1.b,DE"), "{line}");
    }
    let hostile = ropa(&hostile());
    for line in hostile.lines().skip(1) {
        for cell in line.split(',') {
            assert!(!cell.trim_start_matches('"').starts_with(['=', '+', '@']), "{cell}");
        }
    }
}

#[test]
fn lineage_masks_what_was_treated() {
    let mut evidence = hostile();
    evidence.columns[0].treatment = Some("keep".to_owned());
    evidence.columns[1].treatment = None;
    let text = openlineage(&evidence);
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [start, complete] = events.as_slice() else { panic!("two events") };
    assert_eq!(
        (&start["eventType"], &complete["eventType"]),
        (&json!("START"), &json!("COMPLETE"))
    );
    assert_eq!(start["run"], complete["run"]);
    assert_eq!(complete["inputs"][0]["name"], format!("raw/{}", HOSTILE[0]));
    let fields = &complete["outputs"][0]["facets"]["columnLineage"]["fields"];
    for (at, name) in HOSTILE.iter().enumerate() {
        let how = &fields[name]["inputFields"][0]["transformations"][0];
        assert_eq!(how["masking"], at > 1, "{name}");
        assert_eq!(how["description"].as_str().unwrap().contains("key K7Q2Z"), at > 1);
    }
}

#[test]
fn files_of_one_format_are_a_set_and_mixed_ones_are_not_described() {
    let described = |paths: &[&str]| -> Value {
        let files = paths.iter().map(|path| FileEvidence::of(path, None, 1)).collect();
        serde_json::from_str(&croissant(&CheckEvidence { files, ..hostile() })).unwrap()
    };
    let one = described(&["a.csv"]);
    let source = |dataset: &Value| dataset["recordSet"][0]["field"][0]["source"].clone();
    assert_eq!(source(&one)["fileObject"]["@id"], "file-0");
    let two = described(&["a.csv", "b.csv"]);
    assert_eq!(source(&two)["fileSet"]["@id"], "files");
    assert_eq!(two["distribution"][2]["includes"], json!(["a.csv", "b.csv"]));
    assert!(described(&["a.csv", "b.parquet"]).get("recordSet").is_none());
}
