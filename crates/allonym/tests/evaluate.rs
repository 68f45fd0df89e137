//! Labelled text in, rates out, on documents whose every count is known.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use allonym::{EvaluateOptions, Evaluation, Evaluator, Which};

/// Marks what stands between brackets, `[LABEL:text]`.
fn document(source: &str, marked: &str) -> String {
    let (mut text, mut spans) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, behind) = after.split_once(']').unwrap();
        let (label, inside) = inside.split_once(':').unwrap();
        text.push_str(before);
        let start = text.chars().count();
        text.push_str(inside);
        let end = text.chars().count();
        spans.push(serde_json::json!({ "start": start, "end": end, "label": label }));
        rest = behind;
    }
    text.push_str(rest);
    serde_json::json!({ "text": text, "spans": spans, "source": source, "lang": "en" }).to_string()
}

fn evaluated(documents: &[String]) -> Evaluation {
    let mut evaluator = Evaluator::new(&EvaluateOptions::default()).unwrap();
    evaluator.add_lines(documents, "invented", 0).unwrap();
    evaluator.finish()
}

fn corpus() -> Vec<String> {
    vec![
        document(
            "a",
            "Grüße an [EMAIL:zora@example.org], [IBAN:IBAN DE89 3704 0044 0532 0130 00].",
        ),
        document("a", "From otto@example.org, card ending [CREDIT_CARD:1234], [MISC:whatever]"),
        document("b", "ping 192.0.2.7 and tell [EMAIL:nina@example.org]"),
    ]
}

#[test]
fn counts_and_rates() {
    let evaluation = evaluated(&corpus());
    let names: Vec<&str> = evaluation.entities.keys().map(String::as_str).collect();
    assert_eq!(names, ["CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE"]);

    let mail = evaluation.entities["EMAIL_ADDRESS"];
    assert_eq!((mail.gold, mail.found), (2, 3));
    assert_eq!(mail.strict.precision.value, Some(0.666_667));
    assert_eq!((mail.strict.recall.value, mail.leak_rate.value), (Some(1.0), Some(0.0)));
    // One false alarm in all the bytes.
    let alarms = mail.false_alarms_per_mb.value.unwrap();
    assert_eq!(evaluation.bytes, 151);
    assert!((alarms - 1e6 / 151.0).abs() < 1e-5);

    let iban = evaluation.entities["IBAN_CODE"];
    assert_eq!((iban.strict.recall.value, iban.overlap.recall.value), (Some(0.0), Some(1.0)));
    // `IBAN ` is marked and not covered.
    assert_eq!(iban.leak_rate.value, Some(5.0 / 32.0));

    let card = evaluation.entities["CREDIT_CARD"];
    assert_eq!((card.found, card.overlap.precision.value), (0, None));
    assert_eq!((card.overlap.recall.value, card.overlap.f1.value), (Some(0.0), Some(0.0)));
    assert_eq!(card.leak_rate.value, Some(1.0));
    // A single document says little.
    assert!(card.leak_rate.low < 0.05 && card.leak_rate.high == 1.0, "{card:?}");

    assert_eq!((evaluation.overall.gold, evaluation.overall.found), (4, 4));
    assert_eq!(evaluation.overall.overlap.precision.value, Some(0.75));
    assert_eq!(evaluation.languages["en"], evaluation.overall);
}

#[test]
fn what_a_source_never_marks_is_not_scored() {
    let evaluation = evaluated(&corpus());
    assert_eq!(evaluation.not_scored.entities["IP_ADDRESS"], 1);
    assert_eq!(evaluation.not_scored.labels["MISC"], 1);
    // Marked once in that source, it is scored in all of it.
    let mut documents = corpus();
    documents.push(document("b", "from [IP_ADDRESS:192.0.2.9]"));
    let evaluation = evaluated(&documents);
    assert_eq!(evaluation.entities["IP_ADDRESS"].found, 2);
    assert_eq!(evaluation.entities["IP_ADDRESS"].overlap.precision.value, Some(0.5));
    assert!(!evaluation.not_scored.entities.contains_key("IP_ADDRESS"));
}

#[test]
fn reliability_and_confusion_count_the_same_findings() {
    let evaluation = evaluated(&corpus());
    let findings = |rows: &[allonym::Reliability]| rows.iter().map(|row| row.findings).sum::<u64>();
    assert_eq!(findings(&evaluation.reliability), 4);
    assert_eq!(findings(&evaluation.by_rule), 4);
    for row in &evaluation.reliability {
        let Which::Scores { from, to } = row.which else { panic!("by score") };
        assert!((from..=to).contains(&row.score), "{row:?}");
    }
    let pairs: Vec<(Option<&str>, Option<&str>, u64)> = evaluation
        .confusion
        .iter()
        .map(|pair| (pair.gold.as_deref(), pair.found.as_deref(), pair.count))
        .collect();
    assert_eq!(
        pairs,
        [
            (Some("EMAIL_ADDRESS"), Some("EMAIL_ADDRESS"), 2),
            (None, Some("EMAIL_ADDRESS"), 1),
            (Some("CREDIT_CARD"), None, 1),
            (Some("IBAN_CODE"), Some("IBAN_CODE"), 1),
        ]
    );
}

#[test]
fn a_baseline_shows_what_changed_and_survives_its_json() {
    let before = evaluated(&corpus());
    let parsed = Evaluation::parse(&before.to_json(), "before").unwrap();
    assert_eq!(parsed, before);
    // Without the document that holds the false alarm and the card.
    let mut fewer = corpus();
    fewer.remove(1);
    let changes = evaluated(&fewer).since(&parsed).baseline.unwrap();
    let mail = changes.entities["EMAIL_ADDRESS"];
    assert!((mail.overlap_precision.unwrap() - 1.0 / 3.0).abs() < 1e-5);
    assert_eq!(mail.overlap_recall, Some(0.0));
    assert!(!changes.entities.contains_key("CREDIT_CARD"));
}

#[test]
fn broken_documents_are_named_by_line_and_never_quoted() {
    for (line, what) in [
        (r#"{"text":"canary-7f3a"#, "no labelled document"),
        (r#"{"text":"canary-7f3a"}"#, "no labelled document"),
        (r#"{"texts":"canary-7f3a","spans":[]}"#, "no field `text`"),
        (r#"{"text":"canary-7f3a","spans":[{"start":3,"end":3,"label":"EMAIL"}]}"#, "span 1"),
        (r#"{"text":"canary-7f3a","spans":[{"start":3,"end":12,"label":"EMAIL"}]}"#, "span 1"),
    ] {
        let mut evaluator = Evaluator::new(&EvaluateOptions::default()).unwrap();
        let good = document("a", "nothing");
        let failure = evaluator.add_lines(&[good.as_str(), line], "file", 40).unwrap_err();
        assert_eq!((failure.code, failure.exit), ("ALO-D001", 3));
        assert!(failure.message.contains("line 42"), "{}", failure.message);
        assert!(failure.message.contains(what), "{}", failure.message);
        assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    }
}

#[test]
fn an_empty_corpus_has_no_rates() {
    let evaluation = evaluated(&[]);
    assert_eq!((evaluation.documents, evaluation.overall.gold), (0, 0));
    assert_eq!(evaluation.overall.overlap.f1.value, None);
    assert!(evaluation.to_json().starts_with(r#"{"schema":"allonym.eval/1""#));
}
