//! Canaries as rows: whole rows that nobody is, put between those of an output by keyed coins.
//!
//! A row is made of cells that stand apart: fresh tokens, invented words, and cells of other rows
//! that name nobody, no two of which come from one row. What is borrowed comes from the head of the
//! output, so whoever holds the key and the output can make every row again, planted or not.

use crate::canary::{Canary, ReceiptCanaries, pronounceable};
use crate::{Failure, Receipt, Result, canaries};
use allonym_core::{PlannedColumn, ROW_EXPIRY};
use allonym_io::{Dress, Format, Input, Output, ReadOptions, Reader, Shape, Writer, sha256_file};
use allonym_keys::{Key, Profile, Scope, TokenFormat, Tokenizer};
use allonym_retention::Anchor;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{
    Array as _, ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt32Array,
    new_null_array,
};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What a receipt says of canaries that are rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptCanaryRows {
    /// How many rows of the output are canaries.
    pub planted: u32,
    /// How many rows of the output, canaries left out, cells are borrowed from: those at its head.
    pub pool: u64,
    /// How the cells of each column are made.
    pub columns: Vec<CanaryColumn>,
}

/// How the cells of one column are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CanaryColumn {
    /// Name.
    pub name: String,
    /// How.
    pub cells: CanaryCells,
}

/// How the cells of a column are made for rows that nobody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CanaryCells {
    /// Fresh tokens of the column's form, which join with nothing.
    TokenBase62,
    /// The same in hexadecimal.
    TokenHex,
    /// The same in Crockford's alphabet.
    TokenCrockford,
    /// The same in bytes.
    TokenBinary,
    /// A cell that at least five rows share, as often as it stands there.
    Shared,
    /// The number, date or truth value of some row, which gives nothing else to the canary.
    Borrowed,
    /// The whole number half way between those of two rows.
    Between,
    /// Words that nobody wrote.
    Words,
    /// Nothing: what stands in the column could name somebody.
    Null,
}

/// Rows on their way into an output.
#[derive(Debug)]
pub(crate) struct RowPlanting {
    canaries: Vec<Canary>,
    registered: ReceiptCanaries,
    tokenizer: Tokenizer,
    planned: Vec<PlannedColumn>,
    /// Rows that wait until the head is whole.
    held: Vec<(RecordBatch, Dress)>,
    held_rows: usize,
    head: Option<Head>,
    next: usize,
    /// Rows of the output that were passed on, canaries left out.
    passed: u64,
    planted: u32,
}

impl RowPlanting {
    pub(crate) fn new(
        registered: ReceiptCanaries,
        planned: &[PlannedColumn],
        schema: &Schema,
        key: &Key<'_>,
    ) -> Result<RowPlanting> {
        if schema.column_with_name(ROW_EXPIRY).is_some() {
            let message = format!(
                "a row that nobody is has no expiry that column `{ROW_EXPIRY}` could be checked by"
            );
            return Err(Failure::new(UNMADE, 2, message)
                .hint("plant them in a text column: --canary-column NAME"));
        }
        let canaries = canaries(&registered, key)?;
        let tokenizer = key.tokenizer(&registered.domain, FIELD, Profile::Exact)?;
        Ok(RowPlanting {
            canaries,
            registered,
            tokenizer,
            planned: planned.to_vec(),
            held: Vec::new(),
            held_rows: 0,
            head: None,
            next: 0,
            passed: 0,
            planted: 0,
        })
    }

    /// Refuses formats in which a row has more of a form than its cells.
    pub(crate) fn check_format(format: Format) -> Result<()> {
        match format {
            Format::Csv | Format::Parquet | Format::Ipc => Ok(()),
            Format::JsonLines | Format::Text => Err(Failure::new(
                UNMADE,
                2,
                "canaries are rows of CSV, Parquet and Arrow files only",
            )
            .hint("plant them in a text column: --canary-column NAME")),
        }
    }

    /// What can be written by now, in order.
    pub(crate) fn pass(
        &mut self,
        records: &RecordBatch,
        dress: &Dress,
    ) -> Result<Vec<(RecordBatch, Dress)>> {
        if self.head.is_some() {
            return self.plant(records, dress);
        }
        self.held.push((records.clone(), dress.clone()));
        self.held_rows += records.num_rows();
        if self.held_rows < HEAD_ROWS { Ok(Vec::new()) } else { self.release() }
    }

    /// What was still held when the rows came to an end.
    pub(crate) fn rest(&mut self) -> Result<Vec<(RecordBatch, Dress)>> {
        if self.head.is_some() || self.held_rows == 0 { Ok(Vec::new()) } else { self.release() }
    }

    fn release(&mut self) -> Result<Vec<(RecordBatch, Dress)>> {
        let held = std::mem::take(&mut self.held);
        let mut left = HEAD_ROWS;
        let mut head = Vec::new();
        for (records, _) in &held {
            let rows = left.min(records.num_rows());
            head.push(records.slice(0, rows));
            left -= rows;
        }
        let head = concat_batches(&held[0].0.schema(), &head)?;
        self.head = Some(Head::judge(head, &self.planned)?);
        let mut out = Vec::new();
        for (records, dress) in &held {
            out.extend(self.plant(records, dress)?);
        }
        Ok(out)
    }

    fn plant(&mut self, records: &RecordBatch, dress: &Dress) -> Result<Vec<(RecordBatch, Dress)>> {
        let (first, rows) = (self.passed, records.num_rows());
        self.passed += rows as u64;
        let mut here = Vec::new();
        while let Some(canary) = self.canaries.get(self.next).filter(|c| c.row < self.passed) {
            if canary.planted {
                let at = usize::try_from(canary.row - first).expect("it is a row of this batch");
                here.push((at, canary.id));
            }
            self.next += 1;
        }
        let head = self.head.as_ref().expect("rows are passed on once the head is known");
        if here.is_empty() {
            return Ok(vec![(records.clone(), dress.clone())]);
        }
        self.planted += u32::try_from(here.len()).expect("there are at most as many as coins");
        let ids: Vec<u32> = here.iter().map(|(_, id)| *id).collect();
        let made = head.rows(&ids, &self.tokenizer)?;
        let part = |from: usize, to: usize| {
            let keep = BooleanBuffer::collect_bool(rows, |row| (from..to).contains(&row));
            (records.slice(from, to - from), dress.kept(&keep))
        };
        let (mut out, mut from) = (Vec::new(), 0);
        for (nth, (at, _)) in here.iter().enumerate() {
            if *at > from {
                out.push(part(from, *at));
                from = *at;
            }
            out.push((made.slice(nth, 1), Dress::default()));
        }
        out.push(part(from, rows));
        Ok(out)
    }

    /// What the receipt says, once the rows are at their end.
    pub(crate) fn finish(self) -> ReceiptCanaries {
        let reached = self.canaries.iter().filter(|canary| canary.row < self.passed).count();
        let registered = u32::try_from(reached).expect("there are at most as many as were drawn");
        let (pool, columns) = match self.head {
            Some(head) => (head.records.num_rows() as u64, head.recipe()),
            None => (0, Vec::new()),
        };
        let rows = Some(ReceiptCanaryRows { planted: self.planted, pool, columns });
        ReceiptCanaries { registered, rows, ..self.registered }
    }
}

/// All canary rows of a receipt, planted or not, as they are in the output: the columns of the
/// output behind [`CANARY_ID`]. `data` is where the output is now; `None` is where the receipt says.
///
/// # Errors
/// A receipt of other canaries, an output that is not what the receipt says.
pub fn canary_rows(
    receipt: &Receipt,
    folder: &Path,
    data: Option<&Path>,
    key: &Key<'_>,
) -> Result<RecordBatch> {
    let registered = receipt.registered_canaries()?;
    let (Some(rows), [output]) = (&registered.rows, receipt.outputs.as_slice()) else {
        return Err(Failure::new(UNMADE, 2, "the canaries of this receipt are no rows"));
    };
    let path = match data {
        Some(path) => path.to_path_buf(),
        None => folder.join(&output.path),
    };
    let changed = || {
        let message = format!(
            "`{}` is not the output that the receipt tells of, whose rows canaries are made of",
            path.display()
        );
        Failure::new(CHANGED, 3, message).hint(
            "list canaries before the output is expired or erased from, or name a copy: --data FILE",
        )
    };
    if !path.is_file() || sha256_file(&path)? != output.sha256 {
        return Err(changed());
    }
    let mut canaries = canaries(registered, key)?;
    canaries.sort_unstable_by_key(|canary| canary.row);
    let head = read_head(&path, rows.pool, &canaries)?;
    let cells: HashMap<&str, CanaryCells> =
        rows.columns.iter().map(|column| (column.name.as_str(), column.cells)).collect();
    let head = Head::of_recipe(head, &cells).ok_or_else(changed)?;
    let tokenizer = key.tokenizer(&registered.domain, FIELD, Profile::Exact)?;
    let ids: Vec<u32> = (0..registered.registered).collect();
    let made = head.rows(&ids, &tokenizer)?;
    let mut fields: Vec<FieldRef> = vec![Arc::new(Field::new(CANARY_ID, DataType::UInt32, false))];
    fields.extend(made.schema().fields().iter().cloned());
    let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from(ids))];
    columns.extend(made.columns().iter().cloned());
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// Writes canary rows where the name of the file asks for, or as JSON Lines to standard output.
///
/// # Errors
/// A format that holds no rows, storage that fails.
pub fn write_canary_rows(rows: &RecordBatch, to: Option<&Path>, force: bool) -> Result<()> {
    let (output, format) = match to {
        Some(path) => (Output::File(path.to_path_buf()), Format::of_path(path)),
        None => (Output::Stdout, None),
    };
    let shape = Shape::plain(format.unwrap_or(Format::JsonLines)).for_output(to, None);
    let untouched = vec![None; rows.num_columns()];
    let mut writer = Writer::create(&output, &shape, &rows.schema(), &untouched, force)?;
    writer.write(rows, &Dress::default())?;
    writer.finish()?.commit()?;
    Ok(())
}

/// The first rows of an output, canaries left out.
fn read_head(path: &Path, pool: u64, canaries: &[Canary]) -> Result<RecordBatch> {
    let mut reader = Reader::open(&Input::File(path.to_path_buf()), &ReadOptions::default())?;
    let schema = SchemaRef::clone(reader.schema());
    let mut planted = canaries.iter().filter(|canary| canary.planted).peekable();
    let (mut kept, mut rows) = (Vec::new(), 0);
    while rows < pool {
        let Some(chunk) = reader.next_chunk()? else { break };
        let mut real = Vec::new();
        for row in 0..u32::try_from(chunk.records.num_rows()).expect("a chunk is smaller") {
            if rows == pool {
                break;
            }
            if planted.next_if(|canary| canary.row == rows).is_none() {
                real.push(row);
                rows += 1;
            }
        }
        let real = UInt32Array::from(real);
        let columns = chunk.records.columns().iter().map(|column| take(column, &real, None));
        let columns = columns.collect::<std::result::Result<Vec<ArrayRef>, _>>()?;
        kept.push(RecordBatch::try_new(SchemaRef::clone(&schema), columns)?);
    }
    Ok(concat_batches(&schema, &kept)?)
}

/// The rows that cells are borrowed from.
#[derive(Debug)]
struct Head {
    records: RecordBatch,
    columns: Vec<Source>,
}

/// One column of the head.
#[derive(Debug)]
struct Source {
    cells: CanaryCells,
    /// Rows whose cell may be taken.
    eligible: Vec<u32>,
}

impl Head {
    /// Decides how the cells of each column are made.
    fn judge(records: RecordBatch, planned: &[PlannedColumn]) -> Result<Head> {
        if records.num_rows() < HEAD_ROWS_MIN {
            let message = format!(
                "{} rows are too few to make canary rows of; {HEAD_ROWS_MIN} are needed",
                records.num_rows()
            );
            return Err(Failure::new(UNMADE, 2, message));
        }
        let schema = records.schema();
        let mut columns = Vec::new();
        for (field, array) in schema.fields().iter().zip(records.columns()) {
            let known = planned.iter().find(|column| column.name == *field.name());
            let cells = judged(array, known)?;
            if cells == CanaryCells::Null && !field.is_nullable() {
                let message = format!(
                    "column `{}` must not be null, and nothing in it can stand in a row that \
                     nobody is",
                    field.name()
                );
                return Err(Failure::new(UNMADE, 2, message)
                    .hint("plant them in a text column: --canary-column NAME"));
            }
            columns.push(Source { cells, eligible: eligible(array, cells)? });
        }
        Ok(Head { records, columns })
    }

    /// The head as a receipt tells of it; `None` where its columns are others.
    fn of_recipe(records: RecordBatch, recipe: &HashMap<&str, CanaryCells>) -> Option<Head> {
        let schema = records.schema();
        let mut columns = Vec::new();
        for (field, array) in schema.fields().iter().zip(records.columns()) {
            let cells = *recipe.get(field.name().as_str())?;
            columns.push(Source { cells, eligible: eligible(array, cells).ok()? });
        }
        (columns.len() == recipe.len()).then_some(Head { records, columns })
    }

    fn recipe(&self) -> Vec<CanaryColumn> {
        let schema = self.records.schema();
        let columns = schema.fields().iter().zip(&self.columns);
        columns
            .map(|(field, source)| CanaryColumn { name: field.name().clone(), cells: source.cells })
            .collect()
    }

    /// The rows of these canaries.
    fn rows(&self, ids: &[u32], tokenizer: &Tokenizer) -> Result<RecordBatch> {
        // No two cells of a canary come from one row.
        let mut used: Vec<Vec<u32>> = vec![Vec::new(); ids.len()];
        let mut columns = Vec::new();
        let schema = self.records.schema();
        for ((field, source), array) in
            schema.fields().iter().zip(&self.columns).zip(self.records.columns())
        {
            let mut scratch = String::new();
            let mut draw = |id: u32, nth: u8| {
                let value = format!("{id}\u{1}{nth}\u{1}{}", field.name());
                tokenizer.mac(Scope::Dataset, &value, &mut scratch)
            };
            let column = match source.cells {
                CanaryCells::Null => new_null_array(field.data_type(), ids.len()),
                CanaryCells::Shared | CanaryCells::Borrowed => {
                    let donors = ids.iter().zip(&mut used).map(|(id, used)| {
                        let donor = source.donor(draw(*id, 0).bytes16(), used);
                        used.extend(donor);
                        donor
                    });
                    take(array, &donors.collect::<UInt32Array>(), None)?
                }
                CanaryCells::Between => {
                    let numbers = cast(array, &DataType::Int64)?;
                    let numbers = numbers.as_primitive::<Int64Type>();
                    let mut number = |id, nth| {
                        let donor = source.donor(draw(id, nth).bytes16(), &[])?;
                        Some(i128::from(numbers.value(donor as usize)))
                    };
                    let between = ids.iter().map(|id| {
                        let sum = number(*id, 0)? + number(*id, 1)?;
                        i64::try_from(sum.div_euclid(2)).ok()
                    });
                    cast(
                        &(Arc::new(between.collect::<Int64Array>()) as ArrayRef),
                        field.data_type(),
                    )?
                }
                CanaryCells::Words => {
                    let words = ids.iter().map(|id| Some(invented(draw(*id, 0).bytes16())));
                    cast(
                        &(Arc::new(words.collect::<StringArray>()) as ArrayRef),
                        field.data_type(),
                    )?
                }
                CanaryCells::TokenBinary => {
                    let tokens = ids.iter().map(|id| draw(*id, 0).bytes16());
                    let tokens = FixedSizeBinaryArray::try_from_iter(tokens)?;
                    if field.data_type() == &DataType::FixedSizeBinary(16) {
                        Arc::new(tokens)
                    } else {
                        // A format without bytes spells them.
                        let spelt = tokens.iter().map(|token| token.map(hex));
                        cast(
                            &(Arc::new(spelt.collect::<StringArray>()) as ArrayRef),
                            field.data_type(),
                        )?
                    }
                }
                CanaryCells::TokenBase62 | CanaryCells::TokenHex | CanaryCells::TokenCrockford => {
                    let format = match source.cells {
                        CanaryCells::TokenBase62 => TokenFormat::Base62,
                        CanaryCells::TokenHex => TokenFormat::Hex,
                        _ => TokenFormat::Crockford,
                    };
                    let tokens = ids.iter().map(|id| {
                        let mut token = String::new();
                        draw(*id, 0).push_column_token(format, &mut token);
                        Some(token)
                    });
                    cast(
                        &(Arc::new(tokens.collect::<StringArray>()) as ArrayRef),
                        field.data_type(),
                    )?
                }
            };
            columns.push(column);
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

impl Source {
    /// A row to take a cell from: the drawn one, or the next that gave nothing yet.
    fn donor(&self, drawn: [u8; 16], used: &[u32]) -> Option<u32> {
        let count = self.eligible.len();
        let start = u128::from_be_bytes(drawn) % (count.max(1) as u128);
        let start = usize::try_from(start).expect("it is below a length");
        let around = self.eligible.iter().cycle().skip(start).take(count);
        around.copied().find(|row| !used.contains(row))
    }
}

/// How the cells of a column are made, by what stands at its head.
fn judged(array: &ArrayRef, planned: Option<&PlannedColumn>) -> Result<CanaryCells> {
    let tokens = planned.is_some_and(|column| column.treatment == "pseudonymize");
    if tokens {
        return Ok(token_form(array));
    }
    let named = planned.is_some_and(|column| column.entity.is_some());
    Ok(match array.data_type() {
        DataType::Boolean
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(..)
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_) => CanaryCells::Borrowed,
        kind if kind.is_integer() => {
            let cells = texts(array)?;
            if shared(&cells).0 { CanaryCells::Shared } else { whole_numbers(&cells, named) }
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            judged_text(&texts(array)?, named)
        }
        DataType::Dictionary(_, values) if values.is_string() => judged_text(&texts(array)?, named),
        _ => CanaryCells::Null,
    })
}

fn judged_text(cells: &StringArray, named: bool) -> CanaryCells {
    let all =
        |is: &dyn Fn(&str) -> bool| cells.iter().flatten().filter(|cell| !cell.is_empty()).all(is);
    if shared(cells).0 {
        return CanaryCells::Shared;
    }
    if cells.iter().flatten().all(str::is_empty) {
        return CanaryCells::Null;
    }
    // Formats of text hold numbers and dates as text.
    if all(&|cell| cell.parse::<i64>().is_ok_and(|number| number.to_string() == cell)) {
        return whole_numbers(cells, named);
    }
    if all(&|cell| cell.bytes().all(|byte| byte.is_ascii_digit())) {
        return CanaryCells::Null;
    }
    let dated = |cell: &str| {
        matches!(Anchor::read(Some(cell)), Anchor::Date(_) | Anchor::Instant(_) | Anchor::Wall(_))
    };
    let measured = |cell: &str| cell.parse::<f64>().is_ok() && !cell.starts_with('+');
    let fractions = cells.iter().flatten().any(|cell| cell.contains('.'));
    if all(&dated) || !named && fractions && all(&measured) {
        return CanaryCells::Borrowed;
    }
    CanaryCells::Words
}

/// Whole numbers measure something or name somebody: what is known as an identifier, and what no
/// two rows share, is taken for a name.
fn whole_numbers(cells: &StringArray, named: bool) -> CanaryCells {
    let mut seen: Vec<&str> = cells.iter().flatten().collect();
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    if named || seen.len() == count { CanaryCells::Null } else { CanaryCells::Between }
}

/// Whether at least half of the cells are shared by five rows, and which rows have such a cell.
fn shared(cells: &StringArray) -> (bool, Vec<u32>) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for cell in cells.iter().flatten() {
        *counts.entry(cell).or_default() += 1;
    }
    let rows: Vec<u32> = (0_u32..)
        .zip(cells.iter())
        .filter(|(_, cell)| cell.is_some_and(|cell| counts[cell] >= SHARED_ROWS))
        .map(|(row, _)| row)
        .collect();
    let filled = cells.len() - cells.null_count();
    (!rows.is_empty() && 2 * rows.len() >= filled, rows)
}

/// Rows whose cell may be taken.
fn eligible(array: &ArrayRef, cells: CanaryCells) -> Result<Vec<u32>> {
    let rows = 0..u32::try_from(array.len()).expect("the head is short");
    let is_null = |row: u32| array.is_null(row as usize);
    Ok(match cells {
        CanaryCells::Borrowed => rows.collect(),
        CanaryCells::Between => {
            // An empty text is no number.
            let numbers = cast(array, &DataType::Int64)?;
            rows.filter(|row| numbers.is_valid(*row as usize)).collect()
        }
        CanaryCells::Shared => {
            let mut rows: Vec<u32> = rows.filter(|row| is_null(*row)).collect();
            rows.extend(shared(&texts(array)?).1);
            rows.sort_unstable();
            rows
        }
        _ => Vec::new(),
    })
}

fn texts(array: &ArrayRef) -> Result<StringArray> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// The form of a column's tokens.
fn token_form(array: &ArrayRef) -> CanaryCells {
    if array.data_type() == &DataType::FixedSizeBinary(16) {
        return CanaryCells::TokenBinary;
    }
    let Ok(cells) = texts(array) else { return CanaryCells::Null };
    let first = cells.iter().flatten().next().unwrap_or_default();
    let forms = [
        (TokenFormat::Base62, CanaryCells::TokenBase62),
        (TokenFormat::Hex, CanaryCells::TokenHex),
        (TokenFormat::Crockford, CanaryCells::TokenCrockford),
    ];
    let form = forms.iter().find(|(format, _)| format.read(first).is_some());
    form.map_or(CanaryCells::Null, |(_, form)| *form)
}

fn invented(bits: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(bits);
    let words: Vec<String> = (0..WORDS).map(|word| pronounceable(bits >> (16 * word))).collect();
    words.join(" ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The column of a list of canary rows that says which canary a row is.
pub const CANARY_ID: &str = "_allonym_canary";

const UNMADE: &str = "ALO-U080";
const CHANGED: &str = "ALO-U081";
/// A join field that no policy can spell.
const FIELD: &str = "\u{1}allonym canary row";
/// Rows that are held until the first canary can be made.
const HEAD_ROWS: usize = 4096;
const HEAD_ROWS_MIN: usize = 50;
/// A cell of so many rows names nobody.
const SHARED_ROWS: usize = 5;
/// Words of an invented text.
const WORDS: u32 = 4;
