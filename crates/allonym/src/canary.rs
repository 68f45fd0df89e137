//! A10: sentences that nobody else wrote, planted in a treated column by keyed coins, or rows that
//! nobody is, and what a model that was trained on them remembers.
//!
//! Each canary's text, row and coin come from the keyring, so whoever holds it can list and score
//! them later, and nobody else can tell which were planted. The coins are fair and independent:
//! that is what a one-run bound of epsilon needs (Steinke, Nasr and Jagielski, arXiv 2305.08846).

use crate::canary_rows::{ReceiptCanaryRows, RowPlanting};
use crate::{Failure, Receipt, Result};
use allonym_core::PlannedColumn;
use allonym_exposure::{canary_exposure, one_run_audit};
use allonym_io::Dress;
use allonym_keys::{Key, Profile, Scope};
use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, LargeStringArray, RecordBatch, StringArray, StringViewArray};
use arrow_schema::{DataType, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What `apply` is to plant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryPlan {
    /// How many coins are thrown; about half of the canaries are planted.
    pub count: u32,
    /// Where they stand.
    pub place: CanaryPlace,
    /// One canary in so many rows.
    pub every: u32,
}

/// Where canaries stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CanaryPlace {
    /// At the end of cells of this text column of the output.
    Column(String),
    /// Between the rows of the output, as rows of their own.
    Rows,
}

/// What a receipt says of canaries: enough for the keyring's holder to list them, and no coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptCanaries {
    /// How many canaries had a row to stand in; the coin of each decided.
    pub registered: u32,
    /// Text column they stand in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is known of them where they are rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<ReceiptCanaryRows>,
    /// One in so many rows.
    pub every: u32,
    /// Key id.
    pub key: String,
    /// Tenant of the key.
    pub tenant: String,
    /// Domain.
    pub domain: String,
}

/// One canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Its number, from 0.
    pub id: u32,
    /// What stands in a cell if it was planted there; a canary that is a row is another one.
    pub text: String,
    /// The fair coin.
    pub planted: bool,
    /// Row whose cell it stands at the end of, or that it is put before.
    pub(crate) row: u64,
}

/// The canaries of a receipt, by the key that it names.
///
/// # Errors
/// A domain that is too long.
pub fn canaries(registered: &ReceiptCanaries, key: &Key<'_>) -> Result<Vec<Canary>> {
    // No policy can name such a join field, so no token of data shares its bits.
    let tokenizer = key.tokenizer(&registered.domain, FIELD, Profile::Exact)?;
    // No column can be named so.
    let place = registered.column.as_deref().unwrap_or("\u{1}rows");
    let mut scratch = String::new();
    let mut draw = |id: u32| {
        let value = format!("{place}\u{1}{id}");
        let bits =
            u128::from_be_bytes(tokenizer.mac(Scope::Dataset, &value, &mut scratch).bytes16());
        let words: Vec<String> =
            (0..WORDS).map(|word| pronounceable(bits >> (16 * word))).collect();
        let offset = (bits >> 64 & u128::from(u64::MAX >> 1)) % u128::from(registered.every);
        Canary {
            id,
            text: format!("(ref {})", words.join("-")),
            planted: bits >> 127 == 1,
            row: u64::from(id) * u64::from(registered.every)
                + u64::try_from(offset).expect("it is below a u32"),
        }
    };
    Ok((0..registered.registered).map(&mut draw).collect())
}

/// Canaries on their way into an output.
#[derive(Debug)]
pub(crate) enum Planting {
    Cells(CellPlanting),
    Rows(Box<RowPlanting>),
}

impl Planting {
    /// Draws them for an output of these columns.
    pub(crate) fn new(
        plan: &CanaryPlan,
        planned: &[PlannedColumn],
        schema: &Schema,
        domain: &str,
        key: &Key<'_>,
    ) -> Result<Planting> {
        if plan.every == 0 || plan.count == 0 {
            return Err(Failure::new(MISPLANTED, 2, "canaries: both numbers must be at least 1"));
        }
        let info = key.info();
        let registered = ReceiptCanaries {
            registered: plan.count,
            column: None,
            rows: None,
            every: plan.every,
            key: info.id.clone(),
            tenant: info.tenant.clone(),
            domain: domain.to_owned(),
        };
        Ok(match &plan.place {
            CanaryPlace::Column(column) => {
                Planting::Cells(CellPlanting::new(column, registered, schema, key)?)
            }
            CanaryPlace::Rows => {
                let rows = RowPlanting::new(registered, planned, schema, key)?;
                Planting::Rows(Box::new(rows))
            }
        })
    }

    /// What can be written by now, in order; the first of these rows is row `first` of the output,
    /// canaries left out.
    pub(crate) fn pass(
        &mut self,
        records: &RecordBatch,
        dress: &Dress,
        first: u64,
    ) -> Result<Vec<(RecordBatch, Dress)>> {
        match self {
            Planting::Cells(cells) => Ok(vec![(cells.plant(records, first)?, dress.clone())]),
            Planting::Rows(rows) => rows.pass(records, dress),
        }
    }

    /// What is left to write when the rows are at their end.
    pub(crate) fn rest(&mut self) -> Result<Vec<(RecordBatch, Dress)>> {
        match self {
            Planting::Cells(_) => Ok(Vec::new()),
            Planting::Rows(rows) => rows.rest(),
        }
    }

    /// What the receipt says, once the number of rows is known: a canary whose row never came is
    /// not registered, whatever its coin.
    pub(crate) fn finish(self, rows: u64) -> ReceiptCanaries {
        match self {
            Planting::Cells(cells) => cells.finish(rows),
            Planting::Rows(rows) => rows.finish(),
        }
    }
}

/// Canaries on their way into cells of a text column.
#[derive(Debug)]
pub(crate) struct CellPlanting {
    column: usize,
    canaries: Vec<Canary>,
    registered: ReceiptCanaries,
    next: usize,
}

impl CellPlanting {
    fn new(
        name: &str,
        registered: ReceiptCanaries,
        schema: &Schema,
        key: &Key<'_>,
    ) -> Result<CellPlanting> {
        let Some((column, field)) = schema.column_with_name(name) else {
            let names: Vec<String> =
                schema.fields().iter().map(|field| format!("`{}`", field.name())).collect();
            let message = format!(
                "no column `{name}` to plant canaries in; the output has {}",
                names.join(", ")
            );
            return Err(Failure::new(MISPLANTED, 2, message));
        };
        if !matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
            let message =
                format!("canaries are text, and column `{name}` is of type {}", field.data_type());
            return Err(Failure::new(MISPLANTED, 2, message));
        }
        let registered = ReceiptCanaries { column: Some(name.to_owned()), ..registered };
        let canaries = canaries(&registered, key)?;
        Ok(CellPlanting { column, canaries, registered, next: 0 })
    }

    /// Which output column is changed.
    pub(crate) fn column(&self) -> usize {
        self.column
    }

    /// Plants what belongs into these rows, the first of which is row `first` of the output.
    fn plant(&mut self, records: &RecordBatch, first: u64) -> Result<RecordBatch> {
        let end = first + records.num_rows() as u64;
        let mut here: BTreeMap<u64, &str> = BTreeMap::new();
        while let Some(canary) = self.canaries.get(self.next).filter(|canary| canary.row < end) {
            if canary.planted {
                here.insert(canary.row - first, &canary.text);
            }
            self.next += 1;
        }
        if here.is_empty() {
            return Ok(records.clone());
        }
        let array = records.column(self.column);
        let cells: Vec<Option<&str>> = match array.data_type() {
            DataType::LargeUtf8 => array.as_string::<i64>().iter().collect(),
            DataType::Utf8View => array.as_string_view().iter().collect(),
            _ => array.as_string::<i32>().iter().collect(),
        };
        let planted = cells.into_iter().zip(0_u64..).map(|(cell, row)| match here.get(&row) {
            None => cell.map(str::to_owned),
            Some(text) => Some(match cell {
                Some(cell) if !cell.is_empty() => format!("{cell} {text}"),
                _ => (*text).to_owned(),
            }),
        });
        let column: ArrayRef = match array.data_type() {
            DataType::LargeUtf8 => Arc::new(planted.collect::<LargeStringArray>()),
            DataType::Utf8View => Arc::new(planted.collect::<StringViewArray>()),
            _ => Arc::new(planted.collect::<StringArray>()),
        };
        let mut columns = records.columns().to_vec();
        columns[self.column] = column;
        Ok(RecordBatch::try_new(records.schema(), columns)?)
    }

    fn finish(self, rows: u64) -> ReceiptCanaries {
        let reached = self.canaries.iter().filter(|canary| canary.row < rows).count();
        let registered = u32::try_from(reached).expect("there are at most as many as were drawn");
        ReceiptCanaries { registered, ..self.registered }
    }
}

/// What a model remembers of the canaries: `allonym.canaries/1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CanaryEvidence {
    /// `allonym.canaries/1`.
    pub schema: String,
    /// Coins.
    pub registered: u64,
    /// Canaries that were planted.
    pub planted: u64,
    /// Lower bound of epsilon that one run proves; zero proves nothing.
    pub epsilon_at_least: f64,
    /// The delta it holds for.
    pub delta: f64,
    /// Probability of a bound that is too high.
    pub alpha: f64,
    /// Median exposure of the planted, in bits: against those that were not planted.
    pub exposure_median: f64,
    /// Highest exposure of a planted canary, in bits.
    pub exposure_max: f64,
    /// Exposure that cannot be exceeded with so many references, in bits.
    pub exposure_limit: f64,
    /// The answer in one sentence.
    pub sentence: String,
}

/// Scores canaries by a model's mean log-probabilities, one for each id, larger for what it knows
/// better.
///
/// # Errors
/// A canary without a score, a score that is no number, coins that all fell on one side.
pub fn score_canaries(
    canaries: &[Canary],
    scores: &BTreeMap<u32, f64>,
    delta: f64,
    confidence: f64,
) -> Result<CanaryEvidence> {
    let unfit = |message: String| Failure::new("ALO-D006", 3, message);
    let score = |canary: &Canary| match scores.get(&canary.id) {
        Some(score) if score.is_finite() => Ok(*score),
        Some(_) => Err(unfit(format!("canary {}: its score is no finite number", canary.id))),
        None => Err(unfit(format!("canary {} has no score; score all that are listed", canary.id))),
    };
    let values = canaries.iter().map(score).collect::<Result<Vec<f64>>>()?;
    let coins: Vec<bool> = canaries.iter().map(|canary| canary.planted).collect();
    // A perplexity grows where a log-probability falls.
    let side = |planted: bool| -> Vec<f64> {
        let of = values.iter().zip(&coins).filter(|(_, coin)| **coin == planted);
        of.map(|(value, _)| -value).collect()
    };
    let (inside, outside) = (side(true), side(false));
    if inside.is_empty() || outside.is_empty() {
        return Err(unfit("all coins fell on one side; plant more canaries".to_owned()));
    }
    let m = values.len() as u64;
    let grid: Vec<u64> = GRID.iter().map(|part| m / part).filter(|guesses| *guesses > 0).collect();
    let alpha = 1.0 - confidence;
    let audit = one_run_audit(&values, &coins, &grid, delta, alpha)
        .map_err(|error| unfit(error.to_string()))?;
    let mut exposures: Vec<f64> =
        inside.iter().map(|perplexity| canary_exposure(*perplexity, &outside)).collect();
    exposures.sort_unstable_by(f64::total_cmp);
    let epsilon = audit.epsilon;
    let answer = if epsilon > 0.0 {
        format!("the model remembers canaries: epsilon is at least {epsilon:.2}")
    } else {
        "no memory of canaries is proven; that is no proof that there is none".to_owned()
    };
    Ok(CanaryEvidence {
        schema: "allonym.canaries/1".to_owned(),
        registered: m,
        planted: inside.len() as u64,
        epsilon_at_least: epsilon,
        delta,
        alpha,
        exposure_median: exposures[exposures.len() / 2],
        exposure_max: exposures[exposures.len() - 1],
        exposure_limit: canary_exposure(f64::NEG_INFINITY, &outside),
        sentence: format!("{answer} ({} planted of {m})", inside.len()),
    })
}

impl Receipt {
    /// The canaries that this receipt registers.
    ///
    /// # Errors
    /// A receipt without any.
    pub fn registered_canaries(&self) -> Result<&ReceiptCanaries> {
        self.canaries.as_ref().ok_or_else(|| {
            Failure::new(MISPLANTED, 2, "the receipt registers no canaries").hint(
                "plant some: allonym apply IN --to OUT --canary-column NAME (or --canary-rows)",
            )
        })
    }
}

/// Sixteen bits as five letters that can be spoken (Wilkerson, arXiv 0901.4016).
pub(crate) fn pronounceable(bits: u128) -> String {
    const CONSONANTS: [char; 16] =
        ['b', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z'];
    const VOWELS: [char; 4] = ['a', 'i', 'o', 'u'];
    let part = |shift: u32, width: u32| -> usize {
        let masked = (bits >> shift) & ((1 << width) - 1);
        usize::try_from(masked).expect("at most four bits are left")
    };
    [
        CONSONANTS[part(12, 4)],
        VOWELS[part(10, 2)],
        CONSONANTS[part(6, 4)],
        VOWELS[part(4, 2)],
        CONSONANTS[part(0, 4)],
    ]
    .iter()
    .collect()
}

const MISPLANTED: &str = "ALO-U051";
/// A join field that no policy can spell.
const FIELD: &str = "\u{1}allonym canary";
/// Sixteen bits each, below the bits of the row and the coin.
const WORDS: u32 = 4;
/// Guesses of the one-run bound, as parts of the coins.
const GRID: [u64; 4] = [10, 4, 2, 1];

#[cfg(test)]
mod tests {
    use super::*;

    fn made(count: u32) -> Vec<Canary> {
        let canary = |id: u32| Canary {
            id,
            text: format!("(ref {id})"),
            planted: id.is_multiple_of(2),
            row: u64::from(id) * 3,
        };
        (0..count).map(canary).collect()
    }

    #[test]
    fn published_words() {
        // 127.0.0.1 and 63.84.220.193 of the proposal.
        assert_eq!([0x7f00, 0x0001].map(pronounceable), ["lusab", "babad"]);
        assert_eq!([0x3f54, 0xdcc1].map(pronounceable), ["gutih", "tugad"]);
    }

    #[test]
    fn canaries_are_planted_where_they_belong_however_rows_are_cut() {
        let registered = ReceiptCanaries {
            registered: 4,
            column: Some("notes".to_owned()),
            rows: None,
            every: 3,
            key: "k".to_owned(),
            tenant: "t".to_owned(),
            domain: "d".to_owned(),
        };
        let cells: Vec<Option<&str>> =
            (0..8).map(|row| if row == 6 { None } else { Some("cell") }).collect();
        let whole =
            RecordBatch::try_from_iter([("notes", Arc::new(StringArray::from(cells)) as ArrayRef)])
                .unwrap();
        let planted = |cuts: &[usize]| -> (Vec<Option<String>>, u32) {
            let registered = registered.clone();
            let mut planting = CellPlanting { column: 0, canaries: made(4), registered, next: 0 };
            let (mut from, mut cells) = (0, Vec::new());
            for &cut in cuts {
                let part = planting.plant(&whole.slice(from, cut - from), from as u64).unwrap();
                let part = part.column(0).as_string::<i32>().iter();
                cells.extend(part.map(|cell| cell.map(str::to_owned)));
                from = cut;
            }
            (cells, planting.finish(8).registered)
        };
        let (cells, registered) = planted(&[8]);
        // Canary 3 stands in row 9, which never came.
        assert_eq!(registered, 3);
        assert_eq!(cells[0].as_deref(), Some("cell (ref 0)"));
        assert_eq!(cells[3].as_deref(), Some("cell"));
        assert_eq!(cells[6].as_deref(), Some("(ref 2)"));
        assert_eq!(planted(&[1, 2, 6, 8]), (cells, registered));
    }

    #[test]
    fn memory_is_proven_and_its_absence_is_not() {
        let canaries = made(200);
        let known: BTreeMap<u32, f64> =
            canaries.iter().map(|c| (c.id, if c.planted { -1.0 } else { -9.0 })).collect();
        let told = score_canaries(&canaries, &known, 1e-5, 0.95).unwrap();
        assert!(told.epsilon_at_least > 2.0 && told.sentence.contains("at least"));
        assert_eq!((told.registered, told.planted), (200, 100));
        assert_eq!(told.exposure_median, told.exposure_limit);
        let blind: BTreeMap<u32, f64> =
            canaries.iter().map(|c| (c.id, -f64::from(c.id / 2 % 7))).collect();
        let told = score_canaries(&canaries, &blind, 1e-5, 0.95).unwrap();
        assert_eq!(told.epsilon_at_least, 0.0);
        assert!(told.sentence.contains("no proof"));
        let mut short = known.clone();
        short.remove(&7);
        let failure = score_canaries(&canaries, &short, 1e-5, 0.95).unwrap_err();
        assert!(failure.message.contains("canary 7"));
        short.insert(7, f64::NAN);
        assert!(score_canaries(&canaries, &short, 1e-5, 0.95).is_err());
        assert!(score_canaries(&canaries[..1], &known, 1e-5, 0.95).is_err());
    }
}
