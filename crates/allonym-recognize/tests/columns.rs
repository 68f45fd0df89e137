//! Columns judged as a whole: invented tables with traps, and labelled public tables.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop, and say what they left out"
)]

use allonym_recognize::{
    ColumnKind, ColumnProfile, Group, Judgement, Recognizer, RuleFile, RuleSet, Scratch, Selection,
    TableColumn, Tuning, judge,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The shipped rules, weak shapes too.
static SHIPPED: LazyLock<Recognizer> = LazyLock::new(|| recognizer(RuleSet::builtin()));

fn recognizer(rules: &RuleSet) -> Recognizer {
    Recognizer::compile(rules, &Tuning { min_score: 0.0, ..Tuning::default() })
        .expect("the rules compile")
}

fn profile(recognizer: &Recognizer, cells: &[Option<&str>]) -> ColumnProfile {
    let mut profile = ColumnProfile::default();
    profile.observe(recognizer, &mut cells.iter().copied(), &mut Scratch::default());
    profile
}

/// A table as a test writes it.
#[derive(Default)]
struct Table {
    columns: Vec<(Option<String>, ColumnKind, Vec<Option<String>>)>,
}

impl Table {
    fn new() -> Table {
        Table::default()
    }

    fn text<T: Into<String>>(self, name: &str, cells: impl IntoIterator<Item = T>) -> Table {
        self.typed(name, ColumnKind::Text, cells.into_iter().map(|cell| Some(cell.into())))
    }

    fn typed(
        mut self,
        name: &str,
        kind: ColumnKind,
        cells: impl IntoIterator<Item = Option<String>>,
    ) -> Table {
        let name = (!name.is_empty()).then(|| name.to_owned());
        self.columns.push((name, kind, cells.into_iter().collect()));
        self
    }

    fn without_headers(mut self) -> Table {
        self.columns.iter_mut().for_each(|column| column.0 = None);
        self
    }

    fn judge(&self) -> Vec<Judgement> {
        self.judge_with(&SHIPPED)
    }

    fn judge_with(&self, recognizer: &Recognizer) -> Vec<Judgement> {
        let profiles: Vec<ColumnProfile> = self
            .columns
            .iter()
            .map(|(_, _, cells)| {
                let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
                profile(recognizer, &cells)
            })
            .collect();
        let columns: Vec<TableColumn<'_>> = self
            .columns
            .iter()
            .zip(&profiles)
            .map(|((name, kind, _), profile)| TableColumn {
                name: name.as_deref(),
                kind: *kind,
                profile,
            })
            .collect();
        judge(recognizer.rules(), &columns)
    }

    /// Asserts the entity of every column; `-` is none, `text` is free text.
    #[track_caller]
    fn check(&self, expected: &[&str]) -> Vec<Judgement> {
        let judged = self.judge();
        let seen: Vec<(&str, &str, &str)> = self
            .columns
            .iter()
            .zip(&judged)
            .map(|((name, ..), j)| {
                let entity = j.entity.as_deref().unwrap_or(if j.free_text { "text" } else { "-" });
                (name.as_deref().unwrap_or(""), entity, j.reason.as_str())
            })
            .collect();
        let wrong: Vec<_> =
            seen.iter().zip(expected).filter(|((_, entity, _), want)| entity != *want).collect();
        assert!(wrong.is_empty(), "(column, judged, reason), expected: {wrong:#?}");
        assert_eq!(seen.len(), expected.len(), "one expectation per column");
        judged
    }
}

const GIVEN: &[&str] = &[
    "Anna", "Jonas", "Maria", "Peter", "Sophie", "Lukas", "Elena", "Thomas", "Julia", "Karl",
    "Laura", "Erik", "Nina", "Paul", "Clara",
];
const FAMILY: &[&str] = &[
    "Muster",
    "Beispiel",
    "Schmidt",
    "Example",
    "Sample",
    "Meyer",
    "Tester",
    "Probst",
    "Invented",
    "Keller",
    "Fiktiv",
    "Dummer",
    "Schulz",
    "Placehold",
    "Novak",
    "Erfunden",
    "Specimen",
];

fn given(i: usize) -> &'static str {
    GIVEN[i % GIVEN.len()]
}

fn family(i: usize) -> &'static str {
    FAMILY[(i * 5 + 1) % FAMILY.len()]
}

fn times<T>(n: usize, cell: impl Fn(usize) -> T) -> Vec<T> {
    (0..n).map(cell).collect()
}

/// Digits without a pattern (Knuth's multiplier), the first not a zero.
fn digits(i: usize, n: usize) -> String {
    let mut state = (u64::try_from(i).unwrap() + 1).wrapping_mul(6_364_136_223_846_793_005) + 1;
    (0..n)
        .map(|place| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let digit = (state >> 33) % 10;
            char::from_digit(
                u32::try_from(if place == 0 { 1 + digit % 9 } else { digit }).unwrap(),
                10,
            )
            .unwrap()
        })
        .collect()
}

/// Appends the Luhn digit (ISO/IEC 7812-1, annex B).
fn luhn(payload: &str) -> String {
    let sum: u32 = payload
        .chars()
        .rev()
        .enumerate()
        .map(|(i, c)| {
            let d = c.to_digit(10).unwrap();
            if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { d }
        })
        .sum();
    format!("{payload}{}", (10 - sum % 10) % 10)
}

/// A German IBAN of an invented account (ISO 13616).
fn iban(i: usize) -> String {
    let bban = format!("37040044{}", digits(i, 10));
    let number: u128 = format!("{bban}131400").parse().unwrap();
    format!("DE{:02}{bban}", 98 - number % 97)
}

fn date(i: usize) -> String {
    format!("{}-{:02}-{:02}", 1940 + (i * 7) % 65, 1 + i % 12, 1 + (i * 3) % 28)
}

#[test]
fn a_customer_table_in_english() {
    Table::new()
        .text("customer_id", times(60, |i| (i + 1).to_string()))
        .text("first_name", times(60, given))
        .text("last_name", times(60, family))
        .text("email", times(60, |i| format!("{}.{i}@mail.example", given(i).to_lowercase())))
        .text("phone", times(60, |i| format!("(202) 555-01{i:02}")))
        .text("birth_date", times(60, date))
        .text("street_address", times(60, |i| format!("{} Sample Street", i + 1)))
        .text("amount", times(60, |i| format!("{}.50", i * 13)))
        .text("tenant_name", times(60, |i| format!("{} {}", family(i), given(i))))
        .text("newsletter", times(60, |i| if i % 3 == 0 { "yes" } else { "no" }))
        .text("created_at", times(60, |i| format!("2024-03-{:02} 10:15:{i:02}", 1 + i % 28)))
        .check(&[
            "CUSTOMER_NUMBER",
            "PERSON",
            "PERSON",
            "EMAIL_ADDRESS",
            "PHONE_NUMBER",
            "DATE_OF_BIRTH",
            "STREET_ADDRESS",
            "-",
            "PERSON",
            "-",
            "-",
        ]);
}

#[test]
fn headers_in_german() {
    Table::new()
        .text("Vorname", times(30, given))
        .text("Nachname", times(30, family))
        .text("E-Mail", times(30, |i| format!("k{i}@beispiel.example")))
        .text("Telefon", times(30, |i| format!("030 5550{i:03}")))
        .text(
            "Geburtsdatum",
            times(30, |i| format!("{:02}.{:02}.{}", 1 + i % 28, 1 + i % 12, 1950 + i)),
        )
        .text("Straße", times(30, |i| format!("Musterstraße {}", i + 1)))
        .text("Betrag", times(30, |i| format!("{},99", i * 7)))
        .text("Artikelnummer", times(30, |i| digits(i, 8)))
        .check(&[
            "PERSON",
            "PERSON",
            "EMAIL_ADDRESS",
            "PHONE_NUMBER",
            "DATE_OF_BIRTH",
            "STREET_ADDRESS",
            "-",
            "-",
        ]);
}

#[test]
fn headers_in_french_spanish_dutch_and_italian() {
    let rows = 25;
    for (first, last, mail, phone, address, birth) in [
        ("prénom", "nom_de_famille", "courriel", "téléphone", "adresse", "date_de_naissance"),
        ("nombre", "apellidos", "correo_electronico", "telefono", "direccion", "fecha_nacimiento"),
        ("voornaam", "achternaam", "e-mailadres", "telefoonnummer", "adres", "geboortedatum"),
        ("nome", "cognome", "posta_elettronica", "telefono", "indirizzo", "data_di_nascita"),
    ] {
        Table::new()
            .text(first, times(rows, given))
            .text(last, times(rows, family))
            .text(mail, times(rows, |i| format!("p{i}@courrier.example")))
            .text(phone, times(rows, |i| format!("01 99 00 {:02} {:02}", i, 99 - i)))
            .text(address, times(rows, |i| format!("{} rue de l'Exemple", i + 1)))
            .text(birth, times(rows, date))
            .check(&[
                "PERSON",
                "PERSON",
                "EMAIL_ADDRESS",
                "PHONE_NUMBER",
                "STREET_ADDRESS",
                "DATE_OF_BIRTH",
            ]);
    }
}

#[test]
fn products_are_not_people() {
    Table::new()
        .text("id", times(40, |i| (1000 + i).to_string()))
        .text("name", times(40, |i| format!("Widget {}", i * 100)))
        .text("product_name", times(40, |i| format!("Blue Lamp {}", given(i))))
        .text("brand_name", times(40, |i| ["Acme", "Globex", "Initech"][i % 3]))
        .text("sku", times(40, |i| format!("SK-{}", digits(i, 7))))
        .text("order_no", times(40, |i| digits(i, 10)))
        .text("price", times(40, |i| format!("{}.99", i * 3)))
        .text("phone_type", times(40, |i| ["home", "mobile"][i % 2]))
        .text("email_verified", times(40, |i| ["true", "false"][i % 2]))
        .text("status", times(40, |i| ["active", "inactive", "pending"][i % 3]))
        .text("state", times(40, |i| ["open", "closed"][i % 2]))
        .check(&["-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"]);
}

#[test]
fn machines_are_not_people() {
    let judged = Table::new()
        .text("hostname", times(40, |i| format!("web-{i:02}.internal")))
        .text("file_name", times(40, |i| format!("report_{i}.pdf")))
        .text("table_name", times(40, |i| format!("orders_{i}")))
        .text("process_id", times(40, |i| (30_000 + i * 17).to_string()))
        .text("version", times(40, |i| format!("1.{i}.0")))
        .text("timestamp", times(40, |i| (1_700_000_000 + i * 61).to_string()))
        .text("duration_ms", times(40, |i| (i * 911).to_string()))
        .text("checksum", times(40, |i| format!("{:016x}", i.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
        .judge();
    for (judgement, column) in judged.iter().zip(0..) {
        assert_ne!(judgement.group, Some(Group::Direct), "column {column}: {}", judgement.reason);
        assert_ne!(judgement.group, Some(Group::Secret), "column {column}: {}", judgement.reason);
    }
}

#[test]
fn counters_amounts_and_codes_are_nobody() {
    let rows = 500;
    for name in ["", "row_id", "nr", "value", "reference"] {
        Table::new()
            .text(name, times(rows, |i| (100_000_001 + i).to_string()))
            .text(name, times(rows, |i| (4_000_000_000_000_000 + i).to_string()))
            .text(name, times(rows, |i| (i * 7919 % 100_000).to_string()))
            .text(name, times(rows, |i| format!("{}.{:02}", digits(i, 7), i % 100)))
            .text(name, times(rows, |i| ["A", "B", "C"][i % 3]))
            .typed(name, ColumnKind::Float, times(rows, |i| Some(format!("{}.5", digits(i, 9)))))
            .typed(name, ColumnKind::Boolean, times(rows, |i| Some((i % 2 == 0).to_string())))
            .typed(
                name,
                ColumnKind::Timestamp,
                times(rows, |i| Some(format!("{}T00:00:00", date(i)))),
            )
            .check(&["-"; 8]);
    }
}

#[test]
fn counters_are_no_phones_where_plans_are_known() {
    let countries = ["ES", "DK", "NO", "PL", "DE"].map(str::to_owned).to_vec();
    let selection = Selection { countries, ..Selection::default() };
    let recognizer = recognizer(&RuleSet::builtin().select(&selection).unwrap());
    let table = Table::new()
        .text("", times(300, |i| (612_345_000 + i).to_string()))
        .text("", times(300, |i| (20_123_000 + i).to_string()))
        .text("", times(300, |i| (30_123_456_000 + i).to_string()));
    for judgement in table.judge_with(&recognizer) {
        assert_eq!(judgement.entity.as_deref(), None, "{}", judgement.reason);
    }
}

#[test]
fn random_numbers_pass_checks_by_chance_only() {
    let judged = Table::new()
        .text("", times(400, |i| digits(i, 9)))
        .text("", times(400, |i| digits(i, 10)))
        .text("", times(400, |i| digits(i, 11)))
        .text("", times(400, |i| digits(i, 16)))
        .check(&["-", "-", "-", "-"]);
    assert!(judged.iter().all(|j| !j.free_text), "numbers are no text");
}

#[test]
fn valid_check_digits_speak_without_a_header() {
    let judged = Table::new()
        .text("", times(80, iban))
        .text("", times(80, |i| luhn(&format!("4{}", digits(i, 14)))))
        .check(&["IBAN_CODE", "CREDIT_CARD"]);
    assert!(judged.iter().all(|j| j.confidence > 0.8), "{judged:#?}");
    assert_eq!(judged[0].shape.as_deref(), Some("AA99…9999"));
    assert_eq!((judged[0].cells, judged[0].nulls, judged[0].distinct), (80, 0, 80));
}

#[test]
fn a_few_valid_numbers_prove_nothing() {
    let judged = Table::new()
        .text("", [luhn("70000000")])
        .text("", [luhn("70000000"), luhn("71000000")])
        .judge();
    assert!(judged.iter().all(|j| j.entity.is_none()), "{judged:#?}");
}

#[test]
fn without_headers_names_stand_beside_names() {
    Table::new()
        .text("", times(60, |i| (i + 1).to_string()))
        .text("", times(60, given))
        .text("", times(60, family))
        .text("", times(60, |i| format!("{}.{i}@mail.example", given(i).to_lowercase())))
        .text("", times(60, |i| format!("{} Sample Street", i + 1)))
        .text("", times(60, |i| ["red", "green", "blue"][i % 3]))
        .check(&["-", "PERSON", "PERSON", "EMAIL_ADDRESS", "STREET_ADDRESS", "-"]);
}

#[test]
fn values_correct_a_misleading_header() {
    Table::new()
        .text("address", times(40, |i| format!("user{i}@mail.example")))
        .text("name", times(40, |i| digits(i, 6)))
        .text(
            "contact_name",
            times(40, |i| {
                format!(
                    "the customer called on day {i} and asked for a new lamp, which we will send"
                )
            }),
        )
        .text("telephone", times(40, |i| if i % 2 == 0 { "none" } else { "yes, registered" }))
        .text("mobile", times(40, |i| ["true", "false"][i % 2]))
        .check(&["EMAIL_ADDRESS", "-", "text", "-", "-"]);
}

#[test]
fn a_header_counts_where_the_strict_form_does_not_match() {
    let judged = Table::new()
        .text("phone", times(50, |i| digits(i, 11)))
        .text(
            "fax",
            times(50, |i| if i % 2 == 0 { " ".to_owned() } else { format!("0{}", digits(i, 8)) }),
        )
        .typed("mobile", ColumnKind::Integer, times(50, |i| Some(digits(i, 10))))
        .check(&["PHONE_NUMBER"; 3]);
    assert!(judged[0].reason.contains("header `phone`"), "{}", judged[0].reason);
    assert!((judged[1].coverage.share - 1.0).abs() < 1e-9, "blank cells speak for nothing");
}

#[test]
fn blank_and_constant_columns_are_judged_by_their_header() {
    let judged = Table::new()
        .text("address2", times(30, |_| " "))
        .text("address2", times(30, |_| "Flat"))
        .typed("email", ColumnKind::Text, times(30, |_| None))
        .typed("first_name", ColumnKind::Text, [])
        .typed("price", ColumnKind::Text, times(30, |_| None))
        .typed("", ColumnKind::Text, times(30, |_| None))
        .typed("", ColumnKind::Other, [])
        .check(&["STREET_ADDRESS", "STREET_ADDRESS", "EMAIL_ADDRESS", "PERSON", "-", "-", "-"]);
    assert_eq!((judged[2].cells, judged[2].nulls, judged[2].distinct), (0, 30, 0));
    assert_eq!((judged[2].coverage.low, judged[2].coverage.high), (0.0, 1.0));
    assert!(judged[2].confidence < 0.8, "a header alone is no proof");
    assert_eq!((judged[0].cells, judged[0].shape.as_deref()), (30, None));
}

#[test]
fn eight_rows_are_enough_with_headers() {
    Table::new()
        .text("EmployeeId", times(8, |i| (i + 1).to_string()))
        .text("LastName", times(8, family))
        .text("FirstName", times(8, given))
        .text("ReportsTo", times(8, |i| (1 + i / 3).to_string()))
        .text("BirthDate", times(8, |i| format!("{}T00:00:00", date(i))))
        .text("Address", times(8, |i| format!("{} Sample Ave NW", 100 + i)))
        .text("Phone", times(8, |i| format!("+1 (403) 555-01{i:02}")))
        .text("Email", times(8, |i| format!("e{i}@firm.example")))
        .check(&[
            "CUSTOMER_NUMBER",
            "PERSON",
            "PERSON",
            "-",
            "DATE_OF_BIRTH",
            "STREET_ADDRESS",
            "PHONE_NUMBER",
            "EMAIL_ADDRESS",
        ]);
}

#[test]
fn texts_are_treated_in_place() {
    let judged = Table::new()
        .text(
            "notes",
            times(40, |i| match i % 4 {
                0 => {
                    format!("Customer {i} wrote from p{i}@mail.example about the lamp, answer soon")
                }
                1 => format!("called back on +49 30 5550{i:03}, nobody there, try again next week"),
                _ => format!("parcel number {i} was delivered late and the box had been opened"),
            }),
        )
        .text(
            "contact",
            times(40, |i| match i % 2 {
                0 => format!("p{i}@mail.example"),
                _ => format!("+49 30 5550{i:03}"),
            }),
        )
        .text(
            "reason",
            times(400, |i| {
                ["late again, not our fault at all", "lost by the carrier on the way"][i % 2]
            }),
        )
        .check(&["text", "text", "-"]);
    let mail = judged[0].entities.iter().find(|count| count.entity == "EMAIL_ADDRESS").unwrap();
    assert_eq!((mail.cells, mail.spans), (10, 10));
    assert!(
        judged[0].reason.starts_with("free text with findings in at least 25 %"),
        "{}",
        judged[0].reason
    );
    assert_eq!(judged[1].entities.len(), 2, "{:?}", judged[1].entities);
}

#[test]
fn reasons_and_shapes_hold_no_cell() {
    let judged = Table::new()
        .text("iban", times(60, iban))
        .text("holder_name", times(60, |i| format!("{} {}", given(i), family(i))))
        .text("code", times(9, |_| "QX-77"))
        .text("code", times(10, |_| "QX-77"))
        .text("code", times(40, |i| format!("{}ß€{i}", "x".repeat(i % 3))))
        .text("code", times(40, |i| "9-".repeat(i) + "X"))
        .judge();
    assert_eq!(judged[1].shape.as_deref(), Some("Aaaa Aaaa"));
    assert_eq!(judged[2].shape, None, "nine cells are too few");
    assert_eq!(judged[3].shape.as_deref(), Some("AA-99"));
    assert_eq!(judged[4].shape, None, "other characters are not shown");
    assert_eq!(judged[5].shape, None, "too many shapes");
    let all = format!("{judged:?}");
    for cell in [iban(0), iban(7), "Muster".to_owned(), "QX-77".to_owned(), given(3).to_owned()] {
        assert!(!all.contains(&cell), "a cell in {all}");
    }
    assert!(judged[0].reason.contains("pass the check") || judged[0].reason.contains("cells"));
}

#[test]
fn debug_of_a_profile_shows_counts_only() {
    let seen = profile(&SHIPPED, &[Some("48151623420"), Some("48151623420"), None]);
    let shown = format!("{seen:?}");
    assert!(!shown.contains("4815"), "{shown}");
    assert!(shown.contains("cells: 2") && shown.contains("nulls: 1"), "{shown}");
}

#[test]
fn coverage_is_an_interval() {
    let judged = Table::new()
        .text(
            "email",
            times(
                100,
                |i| if i < 90 { format!("p{i}@mail.example") } else { "see file".to_owned() },
            ),
        )
        .check(&["EMAIL_ADDRESS"]);
    let coverage = judged[0].coverage;
    // Wilson's interval of 90 in 100 (Newcombe 1998, method 3).
    assert!((coverage.share - 0.9).abs() < 1e-9);
    assert!(
        (coverage.low - 0.8256).abs() < 5e-4 && (coverage.high - 0.9448).abs() < 5e-4,
        "{coverage:?}"
    );
}

#[test]
fn empty_tables_have_no_judgements() {
    assert!(judge(SHIPPED.rules(), &[]).is_empty());
}

#[test]
fn a_rule_of_ones_own_is_judged_too() {
    let file = RuleFile {
        path: "customer.toml".to_owned(),
        text: r#"
            entity = "CUSTOMER_NO"
            name = "customer number"
            group = "direct"
            category = "user.unique_id"
            treatment = "pseudonymize"
            source = "house rule 12"
            [[pattern]]
            regex = '\bK-\d{8}\b'
            score = { bare = 0.9 }
            [context]
            header = ["customer no"]
        "#
        .to_owned(),
    };
    let rules = RuleSet::parse(&[file]).unwrap();
    let judged = Table::new()
        .text("", times(30, |i| format!("K-{}", digits(i, 8))))
        .text("CustomerNo", times(30, |i| format!("K-{}", digits(i, 8))))
        .text("CustomerNo", times(30, |i| ["gold", "silver"][i % 2]))
        .judge_with(&recognizer(&rules));
    let entities: Vec<_> = judged.iter().map(|j| j.entity.as_deref()).collect();
    assert_eq!(entities, [Some("CUSTOMER_NO"), Some("CUSTOMER_NO"), None]);
    assert!(judged[1].confidence > judged[0].confidence);
}

#[test]
fn types_say_what_a_column_cannot_be() {
    let ssn = |i: usize| format!("{}.0", digits(i, 9));
    Table::new()
        .typed("ssn", ColumnKind::Float, times(40, |i| Some(ssn(i))))
        .text("ssn", times(40, ssn))
        .typed("phone", ColumnKind::Integer, times(40, |i| Some((5_550_100 + i).to_string())))
        .typed("phone", ColumnKind::Boolean, times(40, |i| Some((i % 2 == 0).to_string())))
        .typed("email", ColumnKind::Boolean, times(40, |_| None))
        .typed("age", ColumnKind::Float, times(40, |i| Some(format!("{}.5", 18 + i))))
        .typed("date_of_birth", ColumnKind::Date, times(40, |i| Some(date(i))))
        .typed("delivered", ColumnKind::Date, times(40, |i| Some(date(i))))
        .typed("birth_year", ColumnKind::Integer, times(40, |i| Some((1950 + i).to_string())))
        .check(&["-", "-", "-", "-", "-", "AGE", "DATE_OF_BIRTH", "-", "DATE_OF_BIRTH"]);
}

#[test]
fn header_words_are_put_together() {
    Table::new()
        .text("driver_name", times(30, |i| format!("{} {}", given(i), family(i))))
        .text("addr1", times(30, |i| format!("{} Sample Road", i + 1)))
        .text("mob_no", times(30, |i| digits(i, 10)))
        .text("customer_file_name", times(30, |i| format!("{}.pdf", given(i))))
        .text("branch_name", times(30, |i| ["North", "South", "East"][i % 3]))
        .text("phone_id", times(30, |i| digits(i, 10)))
        .text("years_employment", times(30, |i| ["< 1", "1 to 4", "> 4"][i % 3]))
        .check(&["PERSON", "STREET_ADDRESS", "PHONE_NUMBER", "-", "-", "-", "-"]);
}

#[test]
fn a_bare_name_takes_its_meaning_from_the_table() {
    let odd = |i: usize| format!("Qx{}", ["ado", "ebi", "iru", "ohm", "uza"][i % 5]);
    Table::new()
        .text("name", times(40, odd))
        .text("price", times(40, |i| i.to_string()))
        .check(&["-", "-"]);
    Table::new()
        .text("name", times(40, odd))
        .text("email", times(40, |i| format!("p{i}@mail.example")))
        .check(&["PERSON", "EMAIL_ADDRESS"]);
    Table::new().text("name", times(40, given)).check(&["PERSON"]);
    Table::new().text("name", times(40, |i| format!("Sample {} GmbH", family(i)))).check(&["-"]);
}

#[test]
fn placeholders_are_no_values() {
    let judged = Table::new()
        .text("email", times(40, |i| ["n/a", "-", "", "NULL"][i % 4]))
        .text(
            "email",
            times(40, |i| if i < 30 { "none".to_owned() } else { format!("p{i}@mail.example") }),
        )
        .check(&["EMAIL_ADDRESS", "EMAIL_ADDRESS"]);
    assert!(judged[0].reason.contains("no value to judge by"), "{}", judged[0].reason);
    assert!((judged[1].coverage.share - 1.0).abs() < 1e-9);
    assert_eq!(judged[1].cells, 40);
}

#[test]
fn equal_checks_share_the_blame() {
    let file = |name: &str| RuleFile {
        path: format!("{name}.toml"),
        text: format!(
            r#"
            entity = "{name}"
            name = "number with a check digit"
            group = "direct"
            category = "user.unique_id"
            treatment = "pseudonymize"
            source = "house rule 13"
            [[pattern]]
            regex = '\b\d{{9}}\b'
            validate = "fr_siren"
            score = {{ validated = 0.1 }}
            "#
        ),
    };
    let column = Table::new()
        .text("", times(60, |i| luhn(&digits(i, 8))))
        .text("", times(60, |i| digits(i, 9)));
    let one = RuleSet::parse(&[file("A_NUMBER")]).unwrap();
    let two = RuleSet::parse(&[file("A_NUMBER"), file("B_NUMBER")]).unwrap();
    let alone = column.judge_with(&recognizer(&one));
    let equals = column.judge_with(&recognizer(&two));
    assert_eq!(alone[0].entity.as_deref(), Some("A_NUMBER"));
    assert_eq!(equals[0].entity.as_deref(), Some("A_NUMBER"));
    assert_eq!(equals[0].runner_up.as_ref().map(|(name, _)| name.as_str()), Some("B_NUMBER"));
    assert!(alone[0].confidence > 0.8 && equals[0].confidence < alone[0].confidence);
    assert!(alone[0].reason.contains("100 % of 60 distinct cells pass the check (10 % would"));
    assert!(alone[1].entity.is_none() && equals[1].entity.is_none());
}

#[test]
fn findings_of_another_detector_count() {
    let mut seen = profile(&SHIPPED, &[Some("met Qxado and Ebi at the Iru"); 40]);
    let judged = |seen: &ColumnProfile| {
        judge(SHIPPED.rules(), &[TableColumn { name: None, kind: ColumnKind::Text, profile: seen }])
            .remove(0)
    };
    assert!(!judged(&seen).free_text);
    seen.add_findings(SHIPPED.rules().entity_by_name("PERSON").unwrap(), 20, 40);
    let with = judged(&seen);
    assert!(with.free_text);
    assert_eq!((with.entities[0].entity.as_str(), with.entities[0].cells), ("PERSON", 20));
    assert_eq!(with.entities[0].spans, 40);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any cut of a column into shards, merged in any order, is judged as the whole.
    #[test]
    fn shards_merge_to_the_whole(
        cells in prop::collection::vec(prop::option::weighted(0.9, cell()), 0..300),
        cuts in prop::collection::vec(0usize..300, 0..6),
        turn in 0usize..7,
        name in prop::sample::select(vec![None, Some("phone"), Some("name"), Some("notes")]),
    ) {
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        let whole = profile(&SHIPPED, &cells);
        let mut edges: Vec<usize> = cuts.into_iter().map(|cut| cut.min(cells.len())).collect();
        edges.extend([0, cells.len()]);
        edges.sort_unstable();
        let mut shards: Vec<ColumnProfile> =
            edges.windows(2).map(|edge| profile(&SHIPPED, &cells[edge[0]..edge[1]])).collect();
        let n = shards.len();
        shards.rotate_left(turn % n);
        // Merged from the left, and as a tree from the right.
        let mut left = ColumnProfile::default();
        shards.iter().for_each(|shard| left.merge(shard));
        let right = shards.into_iter().rev().reduce(|mut a, b| { let mut c = b; c.merge(&a); a = c; a }).unwrap();
        let judged = |profile: &ColumnProfile| {
            judge(SHIPPED.rules(), &[TableColumn { name, kind: ColumnKind::Text, profile }])
        };
        prop_assert_eq!(judged(&whole), judged(&left));
        prop_assert_eq!(judged(&whole), judged(&right));
    }

    /// Whatever the cells, numbers stay in their ranges and nothing panics.
    #[test]
    fn any_cells_are_judged(cells in prop::collection::vec(any::<String>(), 0..40), name in any::<Option<String>>()) {
        let cells: Vec<Option<&str>> = cells.iter().map(|cell| Some(cell.as_str())).collect();
        let seen = profile(&SHIPPED, &cells);
        for kind in [ColumnKind::Text, ColumnKind::Integer, ColumnKind::Float, ColumnKind::Date] {
            let judged = &judge(SHIPPED.rules(), &[TableColumn { name: name.as_deref(), kind, profile: &seen }])[0];
            prop_assert!((0.0..=1.0).contains(&judged.confidence));
            prop_assert!(judged.coverage.low <= judged.coverage.share && judged.coverage.share <= judged.coverage.high);
            prop_assert!((0.0..=1.0).contains(&judged.coverage.low) && (0.0..=1.0).contains(&judged.coverage.high));
            prop_assert_eq!(judged.entity.is_some(), judged.group.is_some());
            prop_assert!(!(judged.entity.is_some() && judged.free_text));
            prop_assert_eq!(judged.cells, u64::try_from(cells.len()).unwrap());
        }
    }
}

/// Cells as columns hold them, few enough kinds to repeat.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        (0usize..400).prop_map(|i| digits(i, 9)),
        (0usize..40).prop_map(|i| format!("{} {}", given(i), family(i))),
        (0usize..40).prop_map(|i| format!("p{i}@mail.example")),
        (0usize..40).prop_map(iban),
        (0usize..40).prop_map(date),
        (0usize..9).prop_map(|i| " ".repeat(i)),
        "[ -~]{0,30}",
    ]
}

/// Share of labelled direct identifiers that are found, and of found ones that are labelled.
#[derive(Default)]
struct Tally {
    hit: u32,
    missed: u32,
    wrong: u32,
}

impl Tally {
    fn f1(&self) -> f64 {
        2.0 * f64::from(self.hit) / f64::from(2 * self.hit + self.missed + self.wrong)
    }
}

#[test]
fn labelled_tables_with_headers() {
    let Some(tables) = labelled() else { return };
    let tally = compare(&tables, true, &|_| true);
    assert!(tally.f1() >= 0.93, "F1 {:.3}", tally.f1());
    for (name, table) in &tables {
        if ["sp500_constituents.csv", "german_credit.csv", "taxis_sample.csv"]
            .contains(&name.as_str())
        {
            let direct: Vec<_> = table
                .table
                .judge()
                .iter()
                .filter(|j| j.group == Some(Group::Direct))
                .map(|j| j.reason.clone())
                .collect();
            assert!(direct.is_empty(), "{name} holds no direct identifier: {direct:?}");
        }
    }
}

#[test]
fn labelled_tables_without_headers() {
    let Some(tables) = labelled() else { return };
    // A column of names needs its header; every other direct identifier should do without.
    let tally = compare(&tables, false, &|class| !class.contains("NAME"));
    assert!(tally.f1() >= 0.6, "F1 {:.3}", tally.f1());
    println!("with names:");
    compare(&tables, false, &|_| true);
}

struct Labelled {
    table: Table,
    /// Class and whether it is a direct identifier.
    labels: Vec<(String, bool)>,
}

fn compare(
    tables: &BTreeMap<String, Labelled>,
    headers: bool,
    counts: &dyn Fn(&str) -> bool,
) -> Tally {
    let mut tally = Tally::default();
    for (file, labelled) in tables {
        let bare;
        let table = if headers {
            &labelled.table
        } else {
            bare = Table { columns: labelled.table.columns.clone() }.without_headers();
            &bare
        };
        for ((column, judged), (class, direct)) in
            labelled.table.columns.iter().zip(table.judge()).zip(&labelled.labels)
        {
            if !counts(class) {
                continue;
            }
            let found = judged.group == Some(Group::Direct);
            match (direct, found) {
                (true, true) => tally.hit += 1,
                (true, false) => tally.missed += 1,
                (false, true) => tally.wrong += 1,
                (false, false) => {}
            }
            let sign = if *direct == found { ' ' } else { '!' };
            println!(
                "{sign} {file} {} {class} -> {} {:.2} ({}) {}; then {:?}",
                column.0.as_deref().unwrap_or(""),
                judged.entity.as_deref().unwrap_or(if judged.free_text { "text" } else { "-" }),
                judged.confidence,
                judged.reason,
                judged.shape.as_deref().unwrap_or(""),
                judged.runner_up,
            );
        }
    }
    println!(
        "hit {} missed {} wrong {} F1 {:.3}",
        tally.hit,
        tally.missed,
        tally.wrong,
        tally.f1()
    );
    tally
}

/// The labelled tables, or `None` (and a line that says so) where they are not at hand.
fn labelled() -> Option<BTreeMap<String, Labelled>> {
    #[expect(clippy::disallowed_methods, reason = "tests are told where the optional data is")]
    let folder = std::env::var("ALLONYM_DATA").ok().map(|data| PathBuf::from(data).join("tabular"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("left out: ALLONYM_DATA names no folder with tabular/");
        return None;
    };
    let labels: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("labels.json")).unwrap())
            .unwrap();
    let tables =
        labels["files"].as_array().unwrap().iter().map(|entry| read(&folder, entry)).collect();
    Some(tables)
}

fn read(folder: &Path, entry: &serde_json::Value) -> (String, Labelled) {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let file = text(&entry["file"]);
    let delimiter = text(&entry["delimiter"]).chars().next().unwrap();
    let content = std::fs::read_to_string(folder.join(&file)).unwrap();
    let mut records = records(&content, delimiter).into_iter();
    let header = records.next().unwrap();
    let mut cells: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
    for record in records {
        for (column, cell) in cells.iter_mut().zip(record) {
            column.push((!cell.is_empty()).then_some(cell));
        }
    }
    let columns =
        header.iter().zip(cells).map(|(name, cells)| (Some(name.clone()), ColumnKind::Text, cells));
    let labels: BTreeMap<String, (String, bool)> = entry["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            (text(&column["name"]), (text(&column["class"]), column["identifier"] == "direct"))
        })
        .collect();
    let labels = header.iter().map(|name| labels[name].clone()).collect();
    (file, Labelled { table: Table { columns: columns.collect() }, labels })
}

/// Records of a delimited text with quoted fields (RFC 4180).
fn records(content: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut all, mut record, mut field, mut quoted) =
        (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = content.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                field.push('"');
                rest.next();
            }
            '"' => quoted = !quoted,
            _ if quoted => field.push(c),
            '\r' => {}
            '\n' => {
                record.push(std::mem::take(&mut field));
                all.push(std::mem::take(&mut record));
            }
            _ if c == delimiter => record.push(std::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        all.push(record);
    }
    all
}
