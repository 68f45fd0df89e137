//! National, tax, health and document numbers over the rules as shipped: what prose must not turn
//! into one.

use allonym_recognize::{Recognizer, RuleSet, Scratch, Selection, Tuning};

#[test]
fn order_numbers_are_rarely_taken_for_a_person() {
    let recognizer = national();
    let mut scratch = Scratch::default();
    let mut random = Random(3);
    for (length, share_max) in [
        (7, 0.0),
        (8, 0.0),
        (9, 0.0),
        (10, 0.0),
        // Tax numbers of Germany are 0.33 % of all numbers of eleven digits, register numbers of
        // Belgium 0.26 %.
        (11, 0.0075),
        (12, 0.0),
        (13, 0.003),
        (14, 0.0),
        // A social-security number of France: two first digits, most months, 1 of 97.
        (15, 0.003),
        (16, 0.0),
    ] {
        let drawn = 10_000;
        let found = (0..drawn).filter(|_| {
            let text =
                format!("Bestellung {} ist unterwegs, order shipped.", random.digits(length));
            !found(&recognizer, &mut scratch, &text).is_empty()
        });
        let share = f64::from(u32::try_from(found.count()).unwrap()) / f64::from(drawn);
        assert!(share <= share_max, "{length} digits: {share}");
    }
}

#[test]
fn timestamps_are_no_numbers_of_a_person() {
    let recognizer = national();
    let mut scratch = Scratch::default();
    let mut random = Random(5);
    for _ in 0..5_000 {
        let seconds = 1_000_000_000 + random.below(1_000_000_000);
        let (year, month, day) =
            (1990 + random.below(50), 1 + random.below(12), 1 + random.below(28));
        let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
        for text in [
            format!("ts={seconds}"),
            format!("created {seconds}{:03} ok", random.below(1000)),
            format!("{year}{month:02}{day:02} backup"),
            format!("log {year}{month:02}{day:02}{hour:02}{minute:02}"),
            format!("log {year}{month:02}{day:02}{hour:02}{minute:02}{second:02}"),
            format!("on {year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            format!("am {day:02}.{month:02}.{year} um {hour:02}.{minute:02}"),
        ] {
            assert_eq!(found(&recognizer, &mut scratch, &text), Vec::<String>::new(), "{text}");
        }
    }
}

#[test]
fn a_label_finds_the_mistyped_number_but_does_not_make_it_valid() {
    let recognizer = national();
    let mut scratch = Scratch::default();
    for (text, entity) in [
        ("BSN 111222334", "NL_BSN"),
        ("IdNr. 86095742710", "DE_TAX_ID"),
        ("NIF 12345678A", "ES_NIF"),
        ("PESEL 44051401459", "PL_PESEL"),
        ("NHS number 943 476 5918", "UK_NHS"),
    ] {
        assert_eq!(found(&recognizer, &mut scratch, text), ["NATIONAL_ID_NUMBER"], "{text}");
        let value = text.split_once(|c: char| c.is_ascii_digit()).map(|(label, _)| label.len());
        let value = text.get(value.unwrap()..).unwrap();
        assert_eq!(RuleSet::builtin().validate(entity, value, None), Some(false), "{entity}");
    }
    assert_eq!(found(&recognizer, &mut scratch, "BSN 111222333"), ["NL_BSN"]);
    assert_eq!(found(&recognizer, &mut scratch, "Kundennummer 111222334"), Vec::<String>::new());
}

/// The rules of all countries, with the default threshold.
fn national() -> Recognizer {
    let rules = RuleSet::builtin();
    let of_country = |path: &str| {
        let (folder, _) = path.split_once('/').unwrap_or_default();
        let files = ["common/national_id.toml", "common/passport.toml"];
        folder.len() == 2 || files.contains(&path)
    };
    let summaries = rules.summaries();
    let mut entities: Vec<String> = summaries
        .iter()
        .filter(|rule| of_country(rule.path.trim_start_matches("recognizers/")))
        .map(|rule| rule.entity.clone())
        .collect();
    entities.dedup();
    assert!(entities.len() >= 300, "{} entities", entities.len());
    let selection = Selection { entities, ..Selection::default() };
    let rules = rules.select(&selection).expect("the rules know their own entities");
    Recognizer::compile(&rules, &Tuning::default()).expect("the shipped rules compile")
}

fn found(recognizer: &Recognizer, scratch: &mut Scratch, text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    recognizer.scan(text, scratch, &mut spans);
    spans.iter().map(|span| recognizer.rules().entity(span.entity).name.clone()).collect()
}

/// `SplitMix64` (Steele, Lea, Flood 2014): the same draws on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn digits(&mut self, length: usize) -> String {
        (0..length).map(|_| self.below(10).to_string()).collect()
    }
}
