//! Findings in free text, and tokens that somebody planted there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's helpers do is the test's")]

mod setup;

use allonym_core::Plan;
use allonym_keys::{Profile, Scope, find_text_tokens};
use allonym_recognize::{Recognizer, Tuning};
use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, DictionaryArray};
use setup::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The token of a value in text.
fn token(field: &str, profile: Profile, label: &str, value: &str) -> String {
    let key = ring(0).key(None, "default").unwrap();
    let tokenizer = key.tokenizer("default", field, profile).unwrap();
    let mut token = String::new();
    tokenizer.mac(Scope::Dataset, value, &mut String::new()).push_text_token(label, &mut token);
    token
}

fn email(value: &str) -> String {
    token("EMAIL_ADDRESS", Profile::Casefold, "EMAIL", value)
}

fn person(value: &str) -> String {
    token("PERSON", Profile::Casefold, "PERSON", value)
}

fn check(options: &str, text: &str, expected: &str) {
    let (treated, _) = treat(&format!("treat = \"text\"\n{options}"), texts(&[Some(text)]));
    assert_eq!(cells(&treated)[0].as_deref(), Some(expected), "{options}: {text}");
}

#[test]
fn findings_are_replaced_in_place() {
    let text = "Ada Testperson (ada@b.example) wrote to zoe@b.example.";
    check(
        "",
        text,
        &format!(
            "{} ({}) wrote to {}.",
            person("Ada Testperson"),
            email("ada@b.example"),
            email("zoe@b.example")
        ),
    );
    check("with = \"label\"", text, "<PERSON> (<EMAIL>) wrote to <EMAIL>.");
    check("with = \"redact\"", text, "[REDACTED] ([REDACTED]) wrote to [REDACTED].");
    check(
        "with = \"label\"\nentities = [\"EMAIL_ADDRESS\"]",
        text,
        "Ada Testperson (<EMAIL>) wrote to <EMAIL>.",
    );
    check("", "nothing here", "nothing here");
    check("", "", "");
}

#[test]
fn the_profile_of_the_entity_holds_in_text() {
    let (treated, _) = treat("treat = \"text\"", texts(&[Some("ADA@b.example ada@B.example")]));
    let cell = cells(&treated)[0].clone().unwrap();
    let (first, second) = cell.split_once(' ').unwrap();
    assert_eq!(first, second);
}

#[test]
fn text_around_findings_stays_byte_for_byte() {
    for (before, between, after) in [
        ("日本語 ", " — ", " 😀"),
        ("\u{301}", "\u{200b}", "\r\n\0"),
        ("„", "“ und „", "“"),
        ("é", "ß", "ü"),
    ] {
        let text = format!("{before}ada@b.example{between}Zoë Ümlaut Zoë Test{after}");
        let expected = format!("{before}<EMAIL>{between}Zoë Ümlaut <PERSON>{after}");
        check("with = \"label\"", &text, &expected);
    }
}

#[test]
fn what_is_found_is_counted_by_entity() {
    let column = texts(&[
        Some("ada@b.example, Ada Test"),
        None,
        Some("nothing"),
        Some("K-123456 and zoe@b.example"),
    ]);
    let (_, counts) = treat("treat = \"text\"", column);
    let findings: Vec<_> = counts.findings.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(findings, [("CUSTOMER_NO", 1), ("EMAIL_ADDRESS", 2), ("PERSON", 1)]);
    assert_eq!((counts.treated, counts.nulls, counts.lookalikes), (2, 1, 0));
}

#[test]
fn repeated_text_is_counted_by_row_whatever_its_layout() {
    let column: Vec<Option<&str>> =
        (0..1_000).map(|n| [Some("ada@b.example"), Some("x"), None][n % 3]).collect();
    let (plain, counts) = treat("treat = \"text\"", texts(&column));
    assert_eq!((counts.findings["EMAIL_ADDRESS"], counts.treated, counts.nulls), (334, 334, 333));
    let dictionary: DictionaryArray<Int8Type> = column.into_iter().collect();
    let (treated, again) = treat("treat = \"text\"", Arc::new(dictionary));
    assert_eq!(again, counts);
    assert_eq!(cells(&treated), cells(&plain));
}

#[test]
fn planted_tokens_are_replaced_and_counted() {
    let planted = person("Somebody Else");
    let fresh = token("TOKEN", Profile::Exact, "TOKEN", &planted);
    let (treated, counts) =
        treat("treat = \"text\"", texts(&[Some(&format!("see {planted}, ada@b.example"))]));
    assert_eq!(
        cells(&treated)[0].as_deref(),
        Some(format!("see {fresh}, {}", email("ada@b.example")).as_str())
    );
    assert_eq!((counts.lookalikes, counts.treated), (1, 1));
    check("with = \"label\"", &planted, "<TOKEN>");
    check("with = \"redact\"", &format!("a {planted} b"), "a [REDACTED] b");
    // The last character of a token is a check: another one is no token.
    let mut wrong = planted;
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    let (treated, counts) = treat("treat = \"text\"", texts(&[Some(&wrong)]));
    assert_eq!((cells(&treated)[0].as_deref(), counts.lookalikes), (Some(wrong.as_str()), 0));
}

#[test]
fn treated_text_holds_no_token_but_fresh_ones() {
    let planted = person("Somebody Else");
    for text in [
        // Glued to a finding, the planted token is a word of its own only once the finding is gone.
        format!("ada@b.example{planted}"),
        format!("K-123456{planted}"),
        format!("{planted}ada@b.example"),
        format!("x{planted} {planted}"),
        format!("Ada Test{planted}"),
    ] {
        for with in ["token", "label", "redact"] {
            let (treated, _) =
                treat(&format!("treat = \"text\"\nwith = \"{with}\""), texts(&[Some(&text)]));
            let cell = cells(&treated)[0].clone().unwrap();
            let mut tokens = Vec::new();
            find_text_tokens(&cell, &mut tokens);
            assert!(
                tokens.iter().all(|range| cell.get(range.clone()) != Some(planted.as_str())),
                "{with}: {text} gave {cell}"
            );
        }
    }
}

#[test]
fn tokens_are_words_of_their_own() {
    // Two findings side by side, and one inside a word.
    check("", "K-123456K-654321", &{
        let number = |value| token("CUSTOMER_NO", Profile::Exact, "CUSTOMER", value);
        format!("{} {}", number("K-123456"), number("K-654321"))
    });
    check(
        "",
        "noK-123456",
        &format!("no {}", token("CUSTOMER_NO", Profile::Exact, "CUSTOMER", "K-123456")),
    );
    check("with = \"label\"", "noK-123456", "no<CUSTOMER>");
}

#[test]
fn findings_and_planted_tokens_that_overlap_go_together() {
    let planted = person("Somebody Else");
    let tuning = |pattern: String| Tuning {
        deny: [("EMAIL_ADDRESS".to_owned(), vec![pattern])].into(),
        ..Tuning::default()
    };
    let (head, tail) = planted.split_at(9);
    for (pattern, text, expected, lookalikes) in [
        // The finding holds the token: nothing of it may stay.
        (r"/[A-Z0-9_]+@x/".to_owned(), format!("a {planted}@x b"), "a <EMAIL> b", 0),
        // The finding is a part of the token: it is a planted token.
        (format!("/{tail}/"), format!("a {planted} b"), "a <TOKEN> b", 1),
        // Each holds a part of the other.
        (format!("/a {head}/"), format!("a {planted} b"), "<EMAIL> b", 0),
        (format!("/{tail} b/"), format!("a {planted} b"), "a <EMAIL>", 0),
    ] {
        let recognizer = Recognizer::compile(recognizer().rules(), &tuning(pattern)).unwrap();
        let batch = batch(vec![("x", texts(&[Some(&text)]))]);
        let policy = policy("[columns.x]\ntreat = \"text\"\nwith = \"label\"");
        let recognizer = Some(Arc::new(recognizer));
        let plan = Plan::compile(&policy, batch.schema_ref(), None, recognizer, &BTreeMap::new());
        let treated = plan.unwrap().apply(&batch, DOCUMENT).unwrap();
        let cell = cells(treated.records().column(0))[0].clone().unwrap();
        assert_eq!(
            (cell.as_str(), treated.counts()[0].lookalikes),
            (expected, lookalikes),
            "{text}"
        );
    }
}

#[test]
fn consistency_narrows_to_the_cell_and_to_the_finding() {
    let column = || texts(&[Some("ada@b.example ada@b.example"), Some("ada@b.example")]);
    let tokens = |options: &str| -> Vec<String> {
        let (treated, _) = treat(&format!("treat = \"text\"\n{options}"), column());
        cells(&treated)
            .into_iter()
            .flat_map(|cell| cell.unwrap().split(' ').map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    let all = tokens("");
    assert!(all.iter().all(|token| *token == email("ada@b.example")));
    let document = tokens("consistency = \"document\"");
    assert_eq!(document[0], document[1]);
    assert_ne!(document[0], document[2]);
    assert_ne!(document[0], all[0]);
    let none = tokens("consistency = \"none\"");
    assert!(none[0] != none[1] && none[1] != none[2] && none[0] != none[2]);
}

#[test]
fn rows_are_counted_from_the_start_of_the_document() {
    let column = texts(&[Some("ada@b.example"), Some("ada@b.example"), Some("zoe@b.example")]);
    let whole = batch(vec![("x", column)]);
    for consistency in ["document", "none"] {
        let policy =
            policy(&format!("[columns.x]\ntreat = \"text\"\nconsistency = \"{consistency}\""));
        let plan = compile(&policy, &whole).unwrap();
        let at = |first_row| allonym_core::Position { document: "d", first_row };
        let together = cells(plan.apply(&whole, at(0)).unwrap().records().column(0));
        let mut apart = cells(plan.apply(&whole.slice(0, 1), at(0)).unwrap().records().column(0));
        apart.extend(cells(plan.apply(&whole.slice(1, 2), at(1)).unwrap().records().column(0)));
        assert_eq!(together, apart, "{consistency}");
    }
}

#[test]
fn many_threads_share_a_plan() {
    let rows: Vec<String> =
        (0..500).map(|n| format!("row {n}: user{}@b.example", "x".repeat(n % 7))).collect();
    let column: ArrayRef = texts(&rows.iter().map(|row| Some(row.as_str())).collect::<Vec<_>>());
    let whole = batch(vec![("x", column)]);
    let plan = compile(&policy("[columns.x]\ntreat = \"text\""), &whole).unwrap();
    let expected = cells(plan.apply(&whole, DOCUMENT).unwrap().records().column(0));
    std::thread::scope(|scope| {
        for _ in 0..7 {
            scope.spawn(|| {
                let treated = plan.apply(&whole, DOCUMENT).unwrap();
                assert_eq!(cells(treated.records().column(0)), expected);
            });
        }
    });
}
