//! Rule files: what is read, what is refused, and what a recognizer makes of them.

use allonym_recognize::{
    FILE_BYTES_MAX, LIST_MAX, PATTERN_BYTES_MAX, PATTERNS_MAX, PHRASE_BYTES_MAX, PHRASES_MAX,
    Recognizer, RuleFile, RuleSet, RuleSummary, Scratch, Selection, Tuning, WITHIN_MAX, check,
    rule_schema,
};
use std::path::{Path, PathBuf};

/// A rule file of an entity with the given tables.
fn file(entity: &str, tables: &str) -> RuleFile {
    let text = format!(
        "entity = \"{entity}\"\nname = \"invented thing\"\ngroup = \"direct\"\n\
         category = \"user.unique_id\"\ntreatment = \"pseudonymize\"\nsource = \"invented\"\n{tables}"
    );
    RuleFile { path: format!("{entity}.toml"), text }
}

/// A rule file with one pattern that always scores 0.9.
fn plain(entity: &str, regex: &str) -> RuleFile {
    file(entity, &format!("[[pattern]]\nregex = '{regex}'\nscore = {{ bare = 0.9 }}\n"))
}

fn rules(files: &[RuleFile]) -> RuleSet {
    RuleSet::parse(files).expect("the rules are sound")
}

fn error(files: &[RuleFile]) -> String {
    RuleSet::parse(files).expect_err("the rules are not sound").to_string()
}

/// Findings as `ENTITY:text:score`.
fn found_with(rules: &RuleSet, tuning: &Tuning, text: &str) -> Vec<String> {
    let recognizer = Recognizer::compile(rules, tuning).expect("the rules compile");
    let (mut scratch, mut spans) = (Scratch::default(), Vec::new());
    recognizer.scan(text, &mut scratch, &mut spans);
    spans
        .iter()
        .map(|span| {
            let entity = &recognizer.rules().entity(span.entity).name;
            let part = text.get(span.start..span.end).expect("spans end between characters");
            format!("{entity}:{part}:{}", span.score)
        })
        .collect()
}

fn found(files: &[RuleFile], text: &str) -> Vec<String> {
    found_with(&rules(files), &Tuning::default(), text)
}

#[track_caller]
fn assert_found(files: &[RuleFile], text: &str, expected: &[&str]) {
    assert_eq!(found(files, text), expected, "{text}");
}

// What is shipped.

fn shipped() -> Vec<RuleFile> {
    let root = recognizers();
    let mut folders = vec![root.clone()];
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder of rules can be read") {
            let path = entry.expect("the folder of rules can be read").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "sets") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let file = |path: &PathBuf| RuleFile {
        path: path.strip_prefix(&root).expect("it is below").display().to_string(),
        text: std::fs::read_to_string(path).expect("rules are UTF-8"),
    };
    paths.iter().map(file).collect()
}

fn recognizers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recognizers")
}

#[test]
fn shipped_rules_pass_their_check() {
    let report = check(&shipped());
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|problem| format!("{}: {:?}: {}", problem.path, problem.rule, problem.message))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(report.entities >= 350, "{} entities", report.entities);
    assert!(report.examples >= 3 * report.files);
    assert!(report.near_misses >= 2 * report.files);
}

#[test]
fn builtin_is_what_is_shipped() {
    let builtin = RuleSet::builtin();
    assert_eq!(builtin.digest(), rules(&shipped()).digest());
    assert!(builtin.entity_by_name("EMAIL_ADDRESS").is_some());
    assert!(builtin.entity_by_name("EMAIL_ADRESS").is_none());
}

#[test]
fn shipped_rules_know_many_countries() {
    let entities = RuleSet::builtin().entities();
    let of = |country: &str| {
        entities.iter().filter(|entity| entity.countries.iter().any(|of| of == country)).count()
    };
    let countries: std::collections::BTreeSet<&String> =
        entities.iter().flat_map(|entity| &entity.countries).collect();
    assert!(countries.len() >= 90, "{} countries", countries.len());
    // The European Union, the European Economic Area, Switzerland, the United Kingdom, the United
    // States and Canada.
    for country in [
        "AT", "BE", "BG", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR",
        "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO",
        "SE", "SI", "SK", "US",
    ] {
        assert!(of(country) >= 4, "{country} has {}", of(country));
    }
}

#[test]
fn shipped_sets_narrow() {
    let builtin = RuleSet::builtin();
    let of_set = |set: &str| {
        let selection = Selection { set: Some(set.to_owned()), ..Selection::default() };
        builtin.select(&selection).expect("the set is shipped").summaries()
    };
    let (all, default) = (builtin.summaries().len(), of_set("default").len());
    let (strict, finance) = (of_set("strict").len(), of_set("eu-finance"));
    // Rules that need to know the country are of no use where none is named.
    let of_phones = Selection { countries: vec!["DE".to_owned()], ..Selection::default() };
    let phones = |rules: Vec<RuleSummary>| {
        rules.into_iter().filter(|rule| rule.entity == "PHONE_NUMBER").count()
    };
    let german = phones(builtin.select(&of_phones).expect("DE is a country").summaries());
    assert_eq!(all - default, german - phones(of_set("default")));
    assert_eq!(german, phones(builtin.summaries()));
    assert!(strict > all / 2 && strict < all, "{strict} of {all}");
    assert!(finance.iter().all(|rule| rule.countries.iter().all(|country| country != "US")));
    assert!(finance.iter().any(|rule| rule.countries.iter().any(|country| country == "DE")));
    assert!(finance.iter().any(|rule| rule.countries.is_empty()));
}

#[test]
fn schema_on_disk_is_the_schema_of_the_code() {
    let path = recognizers().join("schema.json");
    let disk = std::fs::read_to_string(&path).unwrap_or_default();
    let mut code = serde_json::to_string_pretty(&rule_schema()).expect("schemas are JSON");
    code.push('\n');
    if disk != code {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schema.json");
        std::fs::write(&fresh, code).expect("the target folder is writable");
        panic!("recognizers/schema.json is stale: copy {} there", fresh.display());
    }
}

// Context.

fn with_context(context: &str) -> RuleFile {
    file(
        "NUMBER",
        &format!(
            "[[pattern]]\nregex = '\\b\\d{{5}}\\b'\nscore = {{ bare = 0.2, context = 0.8 }}\n\
             [context]\n{context}\n"
        ),
    )
}

#[test]
fn context_lifts_a_score_over_the_threshold() {
    let rule = [with_context("near = ['customer id', 'Kunden-Nr']")];
    for text in [
        "customer id 12345",
        "Customer-ID: 12345",
        "CUSTOMER_ID=12345",
        "{\"customerId\": 12345}",
        "12345 is the customer's customer id",
        "kundennr. 12345",
        "KUNDEN\u{2011}NR 12345",
        "cústomer id 12345",
        "cu\u{301}stomer id 12345",
    ] {
        assert_found(&rule, text, &["NUMBER:12345:0.8"]);
    }
    for text in [
        "12345",
        "customer 12345",
        "customer idx 12345",
        "mycustomer id 12345",
        "customer, id 12345",
        "customer id 123456",
        "customer            id 12345",
        "customer id\u{1e}12345",
    ] {
        assert_found(&rule, text, &[]);
    }
}

#[test]
fn context_counts_up_to_its_distance_in_characters() {
    let rule = [with_context("near = ['id']\nwithin = 10")];
    for (gap, expected) in
        [(" 34567890 ", true), (" 345678901 ", false), (" ééééééé, ", true), (" éééééééé, ", false)]
    {
        assert_eq!(found(&rule, &format!("id{gap}12345")).len(), usize::from(expected), "{gap}");
        assert_eq!(found(&rule, &format!("12345{gap}id")).len(), usize::from(expected), "{gap}");
    }
}

#[test]
fn context_may_be_asked_for_on_one_side() {
    for (side, left, right) in [("either", 1, 1), ("left", 1, 0), ("right", 0, 1)] {
        let rule = [with_context(&format!("near = ['id']\nside = '{side}'"))];
        assert_eq!(found(&rule, "id 12345").len(), left, "{side}");
        assert_eq!(found(&rule, "12345 id").len(), right, "{side}");
    }
}

#[test]
fn context_may_speak_against() {
    let rule = [file(
        "NUMBER",
        "[[pattern]]\nregex = '\\b\\d{5}\\b'\nscore = { bare = 0.6, context = 0.8 }\n\
         [context]\nnear = ['id']\nnot_near = ['invoice']\n",
    )];
    assert_found(&rule, "12345", &["NUMBER:12345:0.6"]);
    assert_found(&rule, "id 12345", &["NUMBER:12345:0.8"]);
    assert_found(&rule, "invoice 12345", &[]);
    assert_found(&rule, "id 12345 of invoice", &[]);
    let all = Tuning { min_score: 0.0, ..Tuning::default() };
    let against = found_with(&rules(&rule), &all, "id 12345 of invoice");
    assert_eq!(against, [format!("NUMBER:12345:{}", 0.6_f32 * 0.3)]);
}

#[test]
fn the_nearest_phrase_is_named() {
    let set = rules(&[with_context("near = ['alpha', 'Beta-Zahl', 'gamma']")]);
    let recognizer = Recognizer::compile(&set, &Tuning::default()).expect("it compiles");
    let (mut scratch, mut spans) = (Scratch::default(), Vec::new());
    recognizer.scan("alpha, beta zahl 12345 - gamma", &mut scratch, &mut spans);
    let phrase = spans[0].evidence.phrase.expect("there is context");
    assert_eq!(recognizer.rules().phrase(spans[0].rule, phrase), "Beta-Zahl");
    recognizer.scan("12345", &mut scratch, &mut spans);
    assert!(spans.is_empty(), "what was found before is forgotten");
}

#[test]
fn languages_narrow_phrases_that_declare_one() {
    let set = rules(&[with_context(
        "near = ['id', { phrase = 'nummer', language = 'de' }, { phrase = 'numéro', language = 'fr' }]",
    )]);
    let selection = Selection { languages: vec!["de".to_owned()], ..Selection::default() };
    let german = set.select(&selection).expect("de is a language");
    for (text, all, de) in [("id 12345", 1, 1), ("Nummer 12345", 1, 1), ("numéro 12345", 1, 0)] {
        assert_eq!(found_with(&set, &Tuning::default(), text).len(), all, "{text}");
        assert_eq!(found_with(&german, &Tuning::default(), text).len(), de, "{text}");
    }
}

// What is chosen.

#[test]
fn stronger_evidence_wins_an_overlap() {
    let checked = file(
        "CHECKED",
        "[[pattern]]\nregex = '\\b\\d{8}\\b'\nvalidate = 'verhoeff'\nscore = { validated = 0.6 }\n",
    );
    let near = file(
        "NEAR",
        "[[pattern]]\nregex = '\\b\\d{8}-\\d\\b'\nscore = { bare = 0.9, context = 0.95 }\n\
         [context]\nnear = ['near']\n",
    );
    let long = plain("LONG", r"\b\d{8}-\d-\d\b");
    let early = plain("EARLY", r"\w \d{8}\b");
    let files = [checked, near, long, early];
    assert_found(&files, "near a 18000007-0-0", &["CHECKED:18000007:0.6"]);
    assert_found(&files, "near a 18000003-0-0", &["NEAR:18000003-0:0.95"]);
    assert_found(&files, "far a 18000003-0-0", &["LONG:18000003-0-0:0.9"]);
    assert_found(&files, "far a 18000003", &["EARLY:a 18000003:0.9"]);
}

#[test]
fn equal_matches_go_to_the_first_rule_by_name() {
    let files = [plain("BETA", "x{3}"), plain("ALPHA", "xxx"), plain("GAMMA", "yx|xy")];
    assert_found(&files, "xxx", &["ALPHA:xxx:0.9"]);
    assert_found(&files, "yxy", &["GAMMA:yx:0.9"]);
}

#[test]
fn a_failed_check_hides_nothing() {
    let checked =
        "[[pattern]]\nregex = '\\d{4}'\nvalidate = 'verhoeff'\nscore = { validated = 0.9 }\n";
    let files = [file("CHECKED", checked)];
    // 1200 and 2000 fail; 0002 passes and begins inside both.
    assert_found(&files, "120002", &["CHECKED:0002:0.9"]);
    assert_found(&files, "120003", &[]);
    assert_found(&files, "0002000200", &["CHECKED:0002:0.9", "CHECKED:0002:0.9"]);
}

#[test]
fn thresholds_hold_per_entity() {
    let files = [with_context("near = ['id']"), plain("WORD", r"\bw\d\b")];
    let mut tuning = Tuning { min_score: 0.2, ..Tuning::default() };
    let set = rules(&files);
    assert_eq!(found_with(&set, &tuning, "w1 12345"), ["WORD:w1:0.9", "NUMBER:12345:0.2"]);
    tuning.entity_min_score.insert("WORD".to_owned(), 0.91);
    assert_eq!(found_with(&set, &tuning, "w1 12345"), ["NUMBER:12345:0.2"]);
    tuning.min_score = 0.21;
    tuning.entity_min_score.insert("WORD".to_owned(), 0.9);
    assert_eq!(found_with(&set, &tuning, "w1 12345"), ["WORD:w1:0.9"]);
    tuning.entity_min_score.insert("WROD".to_owned(), 0.5);
    let error = Recognizer::compile(&set, &tuning).expect_err("WROD is no entity").to_string();
    assert!(error.contains("no entity `WROD`") && error.contains("`WORD`"), "{error}");
    for score in [-0.1, 1.1, f32::NAN] {
        let tuning = Tuning { min_score: score, ..Tuning::default() };
        assert!(Recognizer::compile(&set, &tuning).is_err(), "{score}");
    }
}

fn lists(entries: &[&str]) -> Vec<String> {
    entries.iter().map(ToString::to_string).collect()
}

#[test]
fn allowed_findings_are_none() {
    let set = rules(&[plain("NUMBER", r"\b\d{3,5}\b"), plain("PAIR", r"\b\d{3,5} x")]);
    let mut tuning = Tuning::default();
    tuning.allow.insert("NUMBER".to_owned(), lists(&["112", "/0800|9{5}/"]));
    for (text, expected) in [
        ("112", &[][..]),
        ("0800 99999", &[]),
        ("1120", &["NUMBER:1120:0.9"]),
        ("08001", &["NUMBER:08001:0.9"]),
        ("9999", &["NUMBER:9999:0.9"]),
        ("112 x", &["PAIR:112 x:0.9"]),
    ] {
        assert_eq!(found_with(&set, &tuning, text), expected, "{text}");
    }
    tuning.allow.insert("NUMBER".to_owned(), lists(&["/(/"]));
    let error = Recognizer::compile(&set, &tuning).expect_err("( is no regex").to_string();
    assert!(error.contains("NUMBER.allow[0]"), "{error}");
}

#[test]
fn listed_texts_are_always_findings() {
    let set = rules(&[plain("NUMBER", r"\b\d{5}\b")]);
    let mut tuning = Tuning { min_score: 1.0, ..Tuning::default() };
    tuning.deny.insert("CUSTOMER_NO".to_owned(), lists(&[r"/^K-\d{8}$/", "Project Zebra", "+1"]));
    tuning.deny.insert("NUMBER".to_owned(), lists(&["7"]));
    tuning.allow.insert("NUMBER".to_owned(), lists(&["7"]));
    for (text, expected) in [
        ("K-12345678", &["CUSTOMER_NO:K-12345678:1"][..]),
        ("of K-12345678, due", &["CUSTOMER_NO:K-12345678:1"]),
        ("K-123456789 XK-12345678 éK-12345678", &[]),
        ("Project Zebra's budget", &["CUSTOMER_NO:Project Zebra:1"]),
        ("project zebra, Project Zebras", &[]),
        ("call +1 now", &["CUSTOMER_NO:+1:1"]),
        ("7 77", &["NUMBER:7:1"]),
        ("12345", &[]),
    ] {
        assert_eq!(found_with(&set, &tuning, text), expected, "{text}");
    }
    let recognizer = Recognizer::compile(&set, &tuning).expect("it compiles");
    let id = recognizer.rules().entity_by_name("CUSTOMER_NO").expect("the list adds it");
    assert_eq!(recognizer.rules().entity(id).label, "CUSTOMER_NO");
    let (mut scratch, mut spans) = (Scratch::default(), Vec::new());
    recognizer.scan("Project Zebra", &mut scratch, &mut spans);
    assert!(spans[0].evidence.listed && !spans[0].evidence.validated);
    assert_eq!(recognizer.rules().rule_name(spans[0].rule), "CUSTOMER_NO/deny-2");
    assert_ne!(recognizer.rules().digest(), set.digest(), "a list changes what is found");
}

#[test]
fn lists_that_cannot_be_used_are_refused() {
    let set = rules(&[plain("NUMBER", r"\b\d{5}\b")]);
    for (entity, entries, message) in [
        ("customer", lists(&["x"]), "upper-case"),
        ("CUSTOMER", lists(&["x", "/a*/"]), "CUSTOMER.deny[1]: the pattern matches the empty text"),
        ("CUSTOMER", lists(&[""]), "CUSTOMER.deny[0]: the pattern matches the empty text"),
        ("CUSTOMER", vec!["x".to_owned(); LIST_MAX + 1], "more than 1000"),
    ] {
        let mut tuning = Tuning::default();
        tuning.deny.insert(entity.to_owned(), entries);
        let error = Recognizer::compile(&set, &tuning).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
    let mut tuning = Tuning::default();
    tuning.deny.insert("CUSTOMER".to_owned(), vec!["x".to_owned(); LIST_MAX]);
    assert!(Recognizer::compile(&set, &tuning).is_ok());
}

// The dialect.

#[test]
fn words_go_on_outside_ascii() {
    let rule = [plain("NUMBER", r"\b\d{5}\b")];
    for text in ["é12345", "12345é", "Ж12345", "e\u{301}12345", "_12345", "12345x", "１2345６"]
    {
        assert_found(&rule, text, &[]);
    }
    for text in
        ["号12345号", "전화12345입니다", "nº12345", "«12345»", "12345²", "(12345)", "\u{a0}12345"]
    {
        assert_found(&rule, text, &["NUMBER:12345:0.9"]);
    }
    // Without `\b` the rule does not ask.
    assert_found(&[plain("NUMBER", r"\d{5}")], "é12345é", &["NUMBER:12345:0.9"]);
    // A match cut at one place does not hide the next.
    assert_found(&rule, "é12345 67890", &["NUMBER:67890:0.9"]);
}

#[test]
fn classes_are_ascii() {
    assert_found(&[plain("D", r"[\d]\d")], "٣٣ 12", &["D:12:0.9"]);
    assert_found(&[plain("W", r"x\w")], "xé xs", &["W:xs:0.9"]);
    assert_found(&[plain("N", r"x[^\w]y")], "xéy x1y", &["N:xéy:0.9"]);
    assert_found(&[plain("S", r"x\sy")], "x\u{a0}y x\ty", &["S:x\ty:0.9"]);
    assert_found(&[plain("I", "(?i)kiss")], "\u{212a}iſs KISS", &["I:KISS:0.9"]);
}

#[test]
fn edges_of_the_text_are_anchors() {
    let rule = [plain("WHOLE", r"^\d+$")];
    assert_found(&rule, "123", &["WHOLE:123:0.9"]);
    assert_found(&rule, "123\n", &[]);
    assert_found(&rule, "x\n123", &[]);
    assert_found(&rule, "12\u{1e}34\u{1e}x5", &["WHOLE:12:0.9", "WHOLE:34:0.9"]);
}

#[test]
fn a_separator_ends_a_text() {
    assert_found(&[plain("ANY", "a[^x]b")], "a\u{1e}b a-b", &["ANY:a-b:0.9"]);
    assert_found(&[plain("DOT", "(?s)a.b")], "a\u{1e}b a\nb", &["DOT:a\nb:0.9"]);
}

#[test]
fn the_value_group_is_what_is_reported_and_checked() {
    let files = [file(
        "SECRET",
        "[[pattern]]\nregex = '(?i)pin[:=] ?(?P<value>\\d{4})'\nvalidate = 'verhoeff'\n\
         score = { validated = 0.9 }\n",
    )];
    assert_found(&files, "PIN: 2363", &["SECRET:2363:0.9"]);
    assert_found(&files, "PIN: 2364", &[]);
    let set = rules(&files);
    assert_eq!(set.validate("SECRET", "2363", None), Some(true));
    assert_eq!(set.validate("SECRET", "PIN: 2363", None), Some(false));
}

#[test]
fn unbounded_patterns_are_found_and_named() {
    let files = [
        plain("BLOCK", r"-----BEGIN [A-Z ]{1,30}-----[^-]*-----END"),
        plain("BOUNDED", r"\bB\d{1,20}\b"),
    ];
    let report = check(&files);
    assert_eq!(report.slow, ["BLOCK"]);
    let block = format!("-----BEGIN MADE UP-----{}-----END", "x\n".repeat(9000));
    let text = format!("before B12 {block} after B34");
    let expected = ["BOUNDED:B12:0.9", &format!("BLOCK:{block}:0.9"), "BOUNDED:B34:0.9"];
    assert_found(&files, &text, &expected);
}

// Describing.

#[test]
fn rules_are_described() {
    let set = rules(&[
        file(
            "XX_TWO",
            "countries = ['DE']\nlabel = 'TWO'\nprofile = 'casefold'\n\
             [[pattern]]\nid = 'b'\nregex = 'bb'\nscore = { bare = 0.9 }\n\
             [[pattern]]\nid = 'a'\nregex = 'aa'\nvalidate = ['verhoeff']\nscore = { validated = 0.9 }\n",
        ),
        plain("ONE", "one"),
    ]);
    let summaries = set.summaries();
    let ids: Vec<_> = summaries.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["ONE", "XX_TWO/a", "XX_TWO/b"]);
    assert_eq!(summaries[1].checks, ["verhoeff"]);
    assert_eq!(summaries[1].countries, ["DE"]);
    assert_eq!(summaries[1].path, "XX_TWO.toml");
    let two = set.entity(set.entity_by_name("XX_TWO").expect("it is there"));
    assert_eq!((two.label.as_str(), two.profile.as_str()), ("TWO", "casefold"));
    assert_eq!(two.treatment, "pseudonymize");
    for id in ["XX_TWO", "XX_TWO/a", "ONE"] {
        assert!(set.source_of(id).is_some_and(|text| text.starts_with("entity =")), "{id}");
    }
    for id in ["XX_TWO/c", "ONE/a", "TWO", ""] {
        assert_eq!(set.source_of(id), None, "{id}");
    }
}

#[test]
fn the_digest_is_of_what_is_found() {
    let one = plain("ONE", "one");
    let two = plain("TWO", "two");
    let digest = rules(&[one.clone(), two.clone()]).digest();
    assert_eq!(digest.len(), 64);
    let same = |files: &[RuleFile]| rules(files).digest() == digest;
    assert!(same(&[two.clone(), one.clone()]), "the order of files does not count");
    let moved = RuleFile { path: "elsewhere.toml".to_owned(), ..one.clone() };
    let example = "[[example]]\ntext = 'one'\nfind = 'one'\n";
    let explained = RuleFile { text: format!("# why\n{}{example}", one.text), ..one.clone() };
    assert!(same(&[moved, two.clone()]));
    assert!(same(&[explained, two.clone()]));
    for (from, to) in [("0.9", "0.8"), ("regex = 'one'", "regex = 'on'"), ("direct", "quasi")] {
        let changed = RuleFile { text: one.text.replace(from, to), ..one.clone() };
        assert!(!same(&[changed, two.clone()]), "{to}");
    }
    assert!(!same(&[one]));
}

#[test]
fn selections_narrow() {
    let of_country = |entity: &str, country: &str| {
        let text = plain(entity, "x{3}");
        RuleFile {
            text: text.text.replace("[[", &format!("countries = ['{country}']\n[[")),
            ..text
        }
    };
    let set = rules(&[of_country("DE_A", "DE"), of_country("FR_A", "FR"), plain("ANY", "y{3}")]);
    let select = |selection: Selection| {
        let names = |set: RuleSet| -> Vec<String> {
            set.entities().iter().map(|entity| entity.name.clone()).collect()
        };
        set.select(&selection).map(names).map_err(|error| error.to_string())
    };
    let none = Selection::default();
    assert_eq!(select(none.clone()).expect("all stay"), ["ANY", "DE_A", "FR_A"]);
    let countries = vec!["de".to_owned()];
    assert_eq!(select(Selection { countries, ..none.clone() }).expect("de"), ["ANY", "DE_A"]);
    let entities = vec!["FR_A".to_owned()];
    assert_eq!(select(Selection { entities, ..none.clone() }).expect("FR_A"), ["FR_A"]);
    for (selection, message) in [
        (Selection { set: Some("stric".to_owned()), ..none.clone() }, "the nearest is `strict`"),
        (Selection { entities: vec!["DEA".to_owned()], ..none.clone() }, "the nearest is `DE_A`"),
        (Selection { countries: vec!["DEU".to_owned()], ..none.clone() }, "country `DEU`"),
        (Selection { languages: vec!["german".to_owned()], ..none }, "language `german`"),
    ] {
        let error = select(selection).expect_err(message);
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn whole_values_are_validated() {
    let set = rules(&[file(
        "XX_NO",
        "countries = ['DE', 'AT']\n\
         [[pattern]]\nid = 'a'\nregex = '\\b\\d{4}\\b'\nvalidate = 'verhoeff'\nscore = { validated = 0.1 }\n\
         [[pattern]]\nid = 'b'\nregex = 'X(?:1|12)'\nscore = { bare = 0.1 }\n",
    )]);
    for value in ["2363", " 2363\t", "X1", "X12"] {
        assert_eq!(set.validate("XX_NO", value, None), Some(true), "{value}");
    }
    for value in ["2364", "2363 2363", "x2363", "", "X123", "2363-"] {
        assert_eq!(set.validate("XX_NO", value, None), Some(false), "{value}");
    }
    assert_eq!(set.validate("XX_NO", "2363", Some("at")), Some(true));
    assert_eq!(set.validate("XX_NO", "2363", Some("FR")), Some(false));
    assert_eq!(set.validate("XX_OTHER", "2363", None), None);
    let header_only = rules(&[file("HEADER", "[context]\nheader = ['x']\n")]);
    assert_eq!(header_only.validate("HEADER", "x", None), None);
}

#[test]
fn headers_point_to_entities() {
    let header =
        |entity: &str, words: &str| file(entity, &format!("[context]\nheader = [{words}]\n"));
    let set = rules(&[
        header("EMAIL", "'email', 'e-mail-adresse'"),
        header("FIRST_NAME", "'first name', 'Vorname'"),
        header("NAME", "'=name', 'full name'"),
        header("PHONE", "'phone', 'telefon'"),
        header("ADDRESS", "'address'"),
    ]);
    let best = |text: &str| {
        let hits = set.header_hits(text);
        hits.first().map(|(id, strength)| (set.entity(*id).name.clone(), *strength))
    };
    for (text, entity) in [
        ("E-Mail-Adresse", "EMAIL"),
        ("eMail", "EMAIL"),
        ("customer_email_2", "EMAIL"),
        ("firstname", "FIRST_NAME"),
        ("FirstName", "FIRST_NAME"),
        ("VORNAME", "FIRST_NAME"),
        ("name", "NAME"),
        ("Telefon (privat)", "PHONE"),
        ("phone1", "PHONE"),
        ("email_address", "ADDRESS"),
    ] {
        assert_eq!(best(text).map(|(entity, _)| entity).as_deref(), Some(entity), "{text}");
    }
    for text in ["file_name", "names", "phonetics", "", "42", "mail"] {
        assert_eq!(best(text), None, "{text}");
    }
    let strength = |text: &str| best(text).expect(text).1;
    assert!(strength("phone") > strength("home_phone"));
    assert!(strength("home_phone") > strength("phone_kind"));
    assert!(strength("home_phone") > strength("private_home_phone"));
    let phrases: Vec<_> = set.headers().map(|(_, phrase)| phrase).collect();
    assert!(phrases.contains(&"=name") && phrases.len() == 9);
}

// What is refused.

#[test]
fn mistakes_are_named_with_file_and_key() {
    let base = plain("ONE", "one").text;
    for (from, to, message) in [
        ("score", "scroe", "unknown key `pattern[0].scroe`; the nearest is `score`"),
        ("source", "sauce", "unknown key `sauce`"),
        ("bare", "bear", "unknown key `pattern[0].score.bear`; the nearest is `bare`"),
        ("'one'", "'(one'", "ONE: the regex is not valid at byte 0: unclosed group"),
        ("'one'", "'(?=one)'", "look-around"),
        ("'one'", r"'(o)\1'", "backreferences are not supported"),
        ("'one'", "'x*'", "ONE: the pattern matches the empty text"),
        ("'one'", "'[^\\s\\S]'", "the pattern can never match"),
        ("'one'", "'(?m)^one'", "write `(?:^|\\n)`"),
        ("'one'", "'a(?P<value>x?)'", "the group `value` matches the empty text"),
        ("'one'", "'a\\x1e'", "U+001E"),
        ("'one'", "'one'\nvalidate = 'verhoef'", "no check `verhoef`; the nearest is `verhoeff`"),
        ("'one'", "'one'\nvalidate = 'verhoeff'", "score = { validated = ..."),
        ("'one'", "'one'\nvalidate = 7", "the name of a check, or a list of names"),
        ("bare = 0.9", "validated = 0.9", "score = { bare = ..."),
        ("bare = 0.9", "bare = 1.9", "between 0 and 1"),
        ("bare = 0.9", "bare = 0.9, context = 0.8", "context does not lower"),
        ("bare = 0.9", "", "score = { bare = ..."),
        ("'one'", "'one'\nid = 'Big'", "pattern id `Big`"),
        ("'one'", "'one'\nid = 'deny'", "`deny` is taken"),
        ("\"ONE\"", "\"One\"", "entity `One`"),
        ("direct", "personal", "unknown variant `personal`"),
        ("pseudonymize", "encrypt", "unknown variant `encrypt`"),
        ("user.unique_id", "User Id", "fideslang"),
        ("\"invented\"", "\" \"", "`source` is empty"),
        ("[[pattern", "countries = ['Germany']\n[[pattern", "country `Germany`"),
        ("[[pattern", "countries = ['de']\n[[pattern", "country `de` is not in capitals"),
        ("[[pattern", "label = 'one'\n[[pattern", "label `one`"),
        ("[[pattern", "profile = 'soundex'\n[[pattern", "unknown variant `soundex`"),
        (
            "[[pattern",
            "[context]\nnaer = ['x']\n[[pattern",
            "unknown key `context.naer`; the nearest is `near`",
        ),
        ("[[pattern", "[context]\nnear = ['-']\n[[pattern", "`-` has no letter"),
        ("[[pattern", "[context]\nheader = ['1']\n[[pattern", "`1` has no letter"),
        (
            "[[pattern",
            "[context]\nnear = [{ phrase = 'x', lang = 'de' }]\n[[pattern",
            "`context.near.lang`",
        ),
        (
            "[[pattern",
            "[context]\nnear = [{ phrase = 'x', language = 'German' }]\n[[pattern",
            "ISO 639-1",
        ),
        ("[[pattern", "[context]\nside = 'above'\n[[pattern", "unknown variant `above`"),
        ("[[pattern", "[context]\nwithin = 0\n[[pattern", "context.within is 0"),
        ("[[pattern", "[pattern", "line 7"),
        ("entity = ", "entity ", "line 1"),
        ("name = ", "nom = ", "unknown key `nom`"),
        ("source = \"invented\"", "", "missing field `source`"),
    ] {
        let text = base.replacen(from, to, 1);
        assert_ne!(text, base, "{from}");
        let error = error(&[RuleFile { path: "folder/one.toml".to_owned(), text }]);
        assert!(error.contains(message), "expected `{message}` in `{error}`");
        assert!(error.starts_with("folder/one.toml: "), "{error}");
    }
}

#[test]
fn ids_are_unique() {
    let twice = error(&[plain("ONE", "a"), RuleFile { path: "b".to_owned(), ..plain("ONE", "b") }]);
    assert!(twice.contains("b: entity `ONE` already stands in `ONE.toml`"), "{twice}");
    let pattern = |id: &str| format!("[[pattern]]\n{id}regex = 'x'\nscore = {{ bare = 0.9 }}\n");
    let same = file("ONE", &(pattern("id = 'a'\n") + &pattern("id = 'a'\n")));
    assert!(error(&[same]).contains("ONE/a: the id stands twice"));
    let nameless = file("ONE", &(pattern("id = 'a'\n") + &pattern("")));
    assert!(error(&[nameless]).contains("pattern[1] needs an `id`"));
    let more = rules(&[plain("ONE", "b")]);
    assert!(rules(&[plain("ONE", "a")]).with(&more).is_err());
    let both = rules(&[plain("TWO", "a")]).with(&more).expect("they differ");
    assert_eq!(both.summaries().len(), 2);
}

// Limits, at the limit.

#[test]
fn files_patterns_and_phrases_have_limits() {
    let at = |files: &[RuleFile]| assert!(RuleSet::parse(files).is_ok());
    let over = |files: &[RuleFile], message: &str| {
        let error = error(files);
        assert!(error.contains(message), "{error}");
    };
    let padded = |length: usize| {
        let file = plain("ONE", "one");
        let text = format!("{}#{}", file.text, "x".repeat(length - file.text.len() - 1));
        RuleFile { text, ..file }
    };
    at(&[padded(FILE_BYTES_MAX)]);
    over(&[padded(FILE_BYTES_MAX + 1)], "are allowed");
    at(&[plain("ONE", &"x".repeat(PATTERN_BYTES_MAX))]);
    over(&[plain("ONE", &"x".repeat(PATTERN_BYTES_MAX + 1))], "the pattern is 8193 bytes long");
    let patterns = |count: usize| {
        let pattern =
            |id| format!("[[pattern]]\nid = '{id}'\nregex = 'x'\nscore = {{ bare = 0.9 }}\n");
        file("ONE", &(0..count).map(pattern).collect::<String>())
    };
    at(&[patterns(PATTERNS_MAX)]);
    over(&[patterns(PATTERNS_MAX + 1)], "257 patterns");
    let phrases = |key: &str, count: usize| {
        let list: Vec<_> =
            (0..count).map(|place| format!("'{}'", "x".repeat(place % 90 + 1))).collect();
        with_context(&format!("{key} = [{}]", list.join(",")))
    };
    for key in ["near", "not_near", "header"] {
        at(&[phrases(key, PHRASES_MAX)]);
        over(&[phrases(key, PHRASES_MAX + 1)], "257 phrases");
    }
    at(&[with_context(&format!("near = ['{}']", "x".repeat(PHRASE_BYTES_MAX)))]);
    over(&[with_context(&format!("near = ['{}']", "x".repeat(PHRASE_BYTES_MAX + 1)))], "97 bytes");
    at(&[with_context(&format!("near = ['x']\nwithin = {WITHIN_MAX}"))]);
    over(&[with_context(&format!("near = ['x']\nwithin = {}", WITHIN_MAX + 1))], "within is 501");
}

#[test]
fn programs_have_a_limit() {
    let compile =
        |regex: &str| Recognizer::compile(&rules(&[plain("ONE", regex)]), &Tuning::default());
    assert!(compile(r"(?:\w{50}\d){50}").is_ok());
    let error = compile(r"(?:\p{L}{50}\d){50}").expect_err("it is far too large").to_string();
    assert!(error.contains("ONE: ") && error.contains("repeat fewer"), "{error}");
}

// `check`.

/// A sound file.
fn sound() -> String {
    let examples = "[[example]]\ntext = 'a K-11'\nfind = 'K-11'\n".repeat(3);
    let misses = "[[near_miss]]\ntext = 'K-111'\nwhy = 'too long'\n".repeat(2);
    plain("ONE", r"\bK-\d\d\b").text + &examples + &misses
}

#[test]
fn a_sound_file_passes_its_check() {
    let report = check(&[RuleFile { path: "one.toml".to_owned(), text: sound() }]);
    assert_eq!(report.problems, []);
    assert_eq!((report.files, report.rules, report.entities), (1, 1, 1));
    assert_eq!((report.examples, report.near_misses), (3, 2));
    assert!(report.slow.is_empty() && report.contested.is_empty());
}

#[test]
fn check_names_what_is_wrong() {
    for (from, to, message) in [
        ("'a K-11'", "'a K-1'", "example[0]: `K-11` does not stand in `a K-1`"),
        ("find = 'K-11'", "find = 'a K-11'", "`a K-11` is not found in `a K-11`, but `K-11`"),
        ("find = 'K-11'", "find = 'K'", "but `K-11`"),
        ("'a K-11'", "'aK-11'", "`K-11` is not found in `aK-11`, but nothing"),
        ("'K-111'", "'K-11.'", "near_miss[0]: `K-11` is found in `K-11.` by ONE"),
        ("'too long'", "''", "near_miss[0]: `why` is empty"),
        (
            "text = 'a K-11'\nfind = 'K-11'",
            "header = 'k_no'",
            "header `k_no` does not point to ONE",
        ),
        ("text = 'a K-11'\n", "", "an example has `text` and `find`, or `header`"),
        ("[[example]]\ntext = 'a K-11'\nfind = 'K-11'\n", "", "2 examples; at least 3"),
        ("[[near_miss]]\ntext = 'K-111'\nwhy = 'too long'\n", "", "1 near-misses; at least 2"),
        ("[[example", "[context]\n[[example", "`[context]` is empty"),
        ("bare = 0.9", "bare = 0.9, context = 0.95", "`context.near` is empty"),
        ("bare = 0.9", "bare = 0.4", "never reaches the default threshold"),
        ("'\\bK", "'\\bK(", "the regex is not valid"),
    ] {
        let text = sound().replacen(from, to, 1);
        assert_ne!(text, sound(), "{from}");
        let report = check(&[RuleFile { path: "one.toml".to_owned(), text }]);
        let messages: Vec<_> = report.problems.iter().map(|problem| &problem.message).collect();
        assert!(messages.iter().any(|found| found.contains(message)), "{message}: {messages:?}");
        assert!(report.problems.iter().all(|problem| problem.path == "one.toml"));
    }
}

#[test]
fn check_sees_what_only_shows_together() {
    let one = RuleFile { path: "one.toml".to_owned(), text: sound() };
    let same = RuleFile { path: "same.toml".to_owned(), text: sound() };
    let report = check(&[one.clone(), same]);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].path, "same.toml");
    let longer =
        sound().replace("ONE", "TWO").replace("'\\bK", "'\\ba K").replace("'K-11'", "'a K-11'");
    let report = check(&[one, RuleFile { path: "two.toml".to_owned(), text: longer }]);
    assert_eq!(report.problems, []);
    assert_eq!(report.contested[0], "ONE: example[0] goes to TWO");
}
