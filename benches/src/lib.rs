//! Invented data for the benches: prose, values, tables. Made from a fixed seed, so that every run
//! measures the same bytes.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use std::fmt::Write as _;
use std::sync::Arc;

/// A small generator (`SplitMix64`), good enough to choose words.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ (z >> 31);
        usize::try_from(z % n as u64).expect("the remainder is below a usize")
    }
}

/// Business prose of about `bytes` bytes: a number in every third sentence, an identifier in every
/// twentieth.
#[must_use]
pub fn prose(bytes: usize) -> String {
    let mut dice = Dice::new(7);
    let mut text = String::with_capacity(bytes + 200);
    let mut sentence = 0;
    while text.len() < bytes {
        let words = 6 + dice.below(12);
        for at in 0..words {
            let word = WORDS[dice.below(WORDS.len())];
            if at == 0 {
                let mut letters = word.chars();
                text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
                text.push_str(letters.as_str());
            } else {
                text.push(' ');
                text.push_str(word);
            }
        }
        sentence += 1;
        if sentence % 3 == 0 {
            let _ = write!(text, " {}", dice.below(5000));
        }
        if sentence % 20 == 0 {
            match dice.below(4) {
                0 => {
                    let _ = write!(text, " to zora.musterfeld{}@example.org", dice.below(100));
                }
                1 => text.push_str(" on 2026-03-14"),
                2 => {
                    let _ = write!(text, " from 192.0.2.{}", dice.below(255));
                }
                _ => text.push_str(" call +49 30 5550 1234"),
            }
        }
        text.push_str(if sentence % 9 == 0 { ".\n\n" } else { ". " });
    }
    text
}

/// `n` short values of 10 to 40 bytes: e-mail addresses, ids, words.
#[must_use]
pub fn values(n: usize) -> Vec<String> {
    let mut dice = Dice::new(11);
    (0..n)
        .map(|at| match at % 4 {
            0 => format!("{}.{}@example.org", WORDS[dice.below(WORDS.len())], at),
            1 => format!("customer-{at:012}"),
            2 => format!("{} {}", WORDS[dice.below(WORDS.len())], WORDS[dice.below(WORDS.len())]),
            _ => format!("{:016}", dice.below(usize::MAX)),
        })
        .collect()
}

/// Ten string columns, `rows` rows starting at `first`: four to be pseudonymized (`email`, `name`,
/// `account`, `phone`) and six to be kept.
#[must_use]
pub fn table(first: usize, rows: usize) -> RecordBatch {
    let mut dice = Dice::new(first as u64 + 1);
    let mut columns: Vec<Vec<String>> = vec![Vec::with_capacity(rows); COLUMNS.len()];
    for row in first..first + rows {
        let word = |dice: &mut Dice| WORDS[dice.below(WORDS.len())];
        let (a, b) = (word(&mut dice), word(&mut dice));
        columns[0].push(format!("{row:09}"));
        columns[1].push(format!("{a}.{b}{row}@example.org"));
        columns[2].push(format!("{a} {b} {}", row % 9973));
        columns[3].push(format!("ACC{:012}", dice.below(1_000_000_000_000)));
        columns[4].push(format!("+49 30 555{:07}", dice.below(10_000_000)));
        columns[5].push(word(&mut dice).to_owned());
        columns[6].push(format!("{}.{:02}", dice.below(90_000), dice.below(100)));
        columns[7].push(format!("2026-{:02}-{:02}", 1 + dice.below(12), 1 + dice.below(28)));
        columns[8].push(format!("{} {} {}", word(&mut dice), word(&mut dice), word(&mut dice)));
        columns[9].push(format!("{:05}", dice.below(99_999)));
    }
    let columns = COLUMNS
        .iter()
        .zip(columns)
        .map(|(name, cells)| (*name, Arc::new(StringArray::from(cells)) as ArrayRef));
    RecordBatch::try_from_iter(columns).expect("all columns have the same length")
}

/// Names of the columns of [`table`].
pub const COLUMNS: [&str; 10] =
    ["id", "email", "name", "account", "phone", "product", "amount", "day", "remark", "postcode"];

const WORDS: &[&str] = &[
    "the",
    "claim",
    "was",
    "reported",
    "after",
    "hail",
    "damaged",
    "roof",
    "and",
    "window",
    "of",
    "insured",
    "house",
    "policy",
    "covers",
    "repair",
    "costs",
    "within",
    "thirty",
    "days",
    "please",
    "send",
    "invoice",
    "photos",
    "estimate",
    "workshop",
    "customer",
    "agreed",
    "with",
    "proposal",
    "premium",
    "changed",
    "because",
    "vehicle",
    "sold",
    "transfer",
    "pending",
    "until",
    "bank",
    "confirms",
    "account",
    "letter",
    "arrived",
    "late",
    "der",
    "Schaden",
    "wurde",
    "gemeldet",
    "und",
    "die",
    "Rechnung",
    "liegt",
    "vor",
    "bitte",
    "um",
    "Prüfung",
    "Vertrag",
    "Versicherung",
    "Kunde",
    "hat",
    "angerufen",
    "Termin",
    "Werkstatt",
    "Größe",
    "Straße",
    "für",
    "nächste",
    "Woche",
];
