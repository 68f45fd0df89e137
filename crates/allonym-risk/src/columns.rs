//! Cells become small numbers: equal cells of a column the same one, in every table.

use crate::RiskError;
use crate::classes::Keyed;
use crate::math::{long, mixed, short};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};
use rayon::prelude::*;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Most columns that are measured together.
pub const COLUMNS_MAX: usize = 64;

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The table that is released, and measured.
    Data,
    /// The rows it was made from.
    Original,
    /// Rows of the same kind that it was not made from.
    Control,
    /// Everybody an outsider may know of.
    Population,
}

impl Role {
    /// The table, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Role::Data => "the data",
            Role::Original => "the original",
            Role::Control => "the control",
            Role::Population => "the population",
        }
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Number,
    /// Text.
    Text,
    /// Days.
    Date,
    /// Moments.
    Time,
    /// Truth values.
    Truth,
}

impl Kind {
    /// The kind, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Kind::Number => "numbers",
            Kind::Text => "text",
            Kind::Date => "dates",
            Kind::Time => "timestamps",
            Kind::Truth => "truth values",
        }
    }
}

/// Tables being taken in.
#[derive(Debug)]
pub struct Tables {
    columns: Vec<Growing>,
    tables: Vec<Table>,
}

/// One table: its columns by their number, and where they stand in its batches.
#[derive(Debug)]
struct Table {
    role: Role,
    rows: u64,
    places: Vec<(usize, usize)>,
}

/// A column whose cells are still coming.
#[derive(Debug)]
struct Growing {
    name: String,
    kind: Option<Kind>,
    cells: Cells,
    /// One list for each table, in the order of tables; empty where it was not asked for.
    codes: Vec<Vec<u32>>,
}

impl Tables {
    /// Columns by name; tables have some of them or all.
    ///
    /// # Errors
    /// No column, too many, or one twice.
    pub fn new(names: &[String]) -> Result<Tables, RiskError> {
        if names.is_empty() || names.len() > COLUMNS_MAX {
            return Err(RiskError::Columns { given: names.len() });
        }
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(RiskError::Twice { column: name.clone() });
            }
        }
        let columns = names.iter().map(|name| Growing {
            name: name.clone(),
            kind: None,
            cells: Cells::default(),
            codes: Vec::new(),
        });
        Ok(Tables { columns: columns.collect(), tables: Vec::new() })
    }

    /// Begins a table with the columns `wanted`, by their numbers; batches that are pushed belong to it.
    /// A table may come in several pieces of the same role, one behind the other.
    ///
    /// # Errors
    /// Columns that are missing, doubled, or hold what cannot be compared.
    pub fn begin(
        &mut self,
        role: Role,
        schema: &Schema,
        wanted: &[usize],
    ) -> Result<(), RiskError> {
        let mut places = Vec::new();
        for &at in wanted {
            let name = &self.columns[at].name;
            let mut found = schema.fields().iter().enumerate().filter(|(_, f)| f.name() == name);
            let Some((place, field)) = found.next() else {
                let known: Vec<_> =
                    schema.fields().iter().map(|field| field.name().as_str()).collect();
                let known = known.join(", ");
                return Err(RiskError::Missing { column: name.clone(), table: role, known });
            };
            if found.next().is_some() {
                return Err(RiskError::Duplicate { column: name.clone(), table: role });
            }
            let kind = kind(field.data_type()).ok_or_else(|| RiskError::Type {
                column: name.clone(),
                table: role,
                type_name: type_name(field.data_type()),
            })?;
            match self.columns[at].kind {
                Some(expected) if expected != kind => {
                    return Err(RiskError::Kinds {
                        column: name.clone(),
                        table: role,
                        found: kind.words(),
                        expected: expected.words(),
                    });
                }
                _ => self.columns[at].kind = Some(kind),
            }
            places.push((at, place));
        }
        match self.tables.last_mut() {
            Some(table) if table.role == role => table.places = places,
            _ => {
                self.tables.push(Table { role, rows: 0, places });
                for column in &mut self.columns {
                    column.codes.push(Vec::new());
                }
            }
        }
        Ok(())
    }

    /// Takes in rows of the table that was begun last.
    ///
    /// # Errors
    /// NaN, or more rows than are counted.
    ///
    /// # Panics
    /// Before the first [`Tables::begin`].
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), RiskError> {
        let table = self.tables.last_mut().expect("a table was begun");
        let (role, first_row) = (table.role, table.rows);
        let rows = first_row + batch.num_rows() as u64;
        if rows >= u64::from(u32::MAX) {
            return Err(RiskError::TooMany { table: role });
        }
        let places = &table.places;
        let done: Vec<Result<(), RiskError>> = self
            .columns
            .par_iter_mut()
            .enumerate()
            .filter_map(|(at, column)| {
                let place = places.iter().find(|(wanted, _)| *wanted == at)?.1;
                let codes = column.codes.last_mut().expect("every table has its list");
                let taken = column.cells.take(batch.column(place).as_ref(), codes);
                Some(taken.map_err(|trouble| match trouble {
                    Trouble::NotANumber(row) => RiskError::NotANumber {
                        column: column.name.clone(),
                        table: role,
                        row: first_row + row as u64,
                    },
                    Trouble::Full => RiskError::TooMany { table: role },
                }))
            })
            .collect();
        done.into_iter().collect::<Result<(), RiskError>>()?;
        table.rows = rows;
        Ok(())
    }

    /// All rows are in.
    ///
    /// # Errors
    /// Tables with fewer than two rows, columns without a value.
    pub fn finish(self) -> Result<Encoded, RiskError> {
        for table in &self.tables {
            if table.rows < 2 {
                return Err(RiskError::TooFew { table: table.role, rows: table.rows });
            }
        }
        for column in &self.columns {
            for (codes, table) in column.codes.iter().zip(&self.tables) {
                if !codes.is_empty() && codes.par_iter().all(|&code| code == NULL) {
                    let column = column.name.clone();
                    return Err(RiskError::AllNull { column, table: table.role });
                }
            }
        }
        let tables = self.tables.iter().map(|table| (table.role, table.rows)).collect();
        let columns = self.columns.into_par_iter().map(Growing::finish).collect();
        Ok(Encoded { columns, tables })
    }
}

/// Tables as numbers.
#[derive(Debug)]
pub struct Encoded {
    columns: Vec<Column>,
    tables: Vec<(Role, u64)>,
}

impl Encoded {
    /// Rows of a table; none when it was not taken in.
    #[must_use]
    pub fn rows(&self, role: Role) -> u64 {
        self.tables.iter().find(|(known, _)| *known == role).map_or(0, |(_, rows)| *rows)
    }

    /// A column.
    #[must_use]
    pub fn column(&self, at: usize) -> &Column {
        &self.columns[at]
    }

    /// A column of a table, to be grouped by.
    ///
    /// # Panics
    /// When the table was not taken in, or not with that column.
    #[must_use]
    pub fn keyed(&self, role: Role, at: usize) -> Keyed<'_> {
        let place = self.tables.iter().position(|(known, _)| *known == role);
        let column = &self.columns[at];
        let codes = &column.codes[place.expect("the table was taken in")];
        Keyed { codes: vec![codes], cardinality: column.cardinality() }
    }

    /// A column of several tables, one behind the other.
    #[must_use]
    pub fn keyed_together(&self, roles: &[Role], at: usize) -> Keyed<'_> {
        let mut all = self.keyed(roles[0], at);
        for &role in &roles[1..] {
            all.codes.extend(self.keyed(role, at).codes);
        }
        all
    }

    /// Cells without a value.
    #[must_use]
    pub fn nulls(&self, role: Role, at: usize) -> u64 {
        let keyed = self.keyed(role, at);
        let count = |codes: &&[u32]| codes.par_iter().filter(|&&code| code == NULL).count() as u64;
        keyed.codes.iter().map(count).sum()
    }
}

/// A column, its cells by number: 0 is null.
#[derive(Debug)]
pub struct Column {
    name: String,
    kind: Kind,
    cells: Cells,
    order: Option<Vec<f64>>,
    codes: Vec<Vec<u32>>,
}

impl Column {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its cells are; text of nothing but numbers or dates counts as those.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Distinct cells of all tables, a null among them.
    #[must_use]
    pub fn cardinality(&self) -> u32 {
        short(self.cells.len()) + 1
    }

    /// Places of the cells on a line, by number, NaN for null; none where they have no order.
    #[must_use]
    pub fn order(&self) -> Option<&[f64]> {
        self.order.as_deref()
    }

    /// The text behind a number.
    pub(crate) fn text(&self, code: u32) -> Option<&str> {
        match (&self.cells.values, code) {
            (Values::Text { .. }, NULL) | (Values::Numbers(_), _) => None,
            (Values::Text { bytes, ends }, code) => {
                std::str::from_utf8(slice(bytes, ends, long(code) - 1)).ok()
            }
        }
    }
}

impl Growing {
    fn finish(self) -> Column {
        let kind = self.kind.unwrap_or(Kind::Text);
        let (kind, order) = match &self.cells.values {
            Values::Numbers(keys) => {
                let ordered = kind != Kind::Truth;
                let places = keys.iter().map(|&key| place_of(key));
                (kind, ordered.then(|| std::iter::once(f64::NAN).chain(places).collect()))
            }
            Values::Text { bytes, ends } => {
                let texts = || (0..ends.len()).map(|at| slice(bytes, ends, at));
                let all = |place: fn(&[u8]) -> Option<f64>| -> Option<Vec<f64>> {
                    let places: Option<Vec<f64>> = texts().map(place).collect();
                    places
                        .filter(|places| !places.is_empty())
                        .map(|places| std::iter::once(f64::NAN).chain(places).collect())
                };
                match (all(number_of), all(day_of)) {
                    (Some(order), _) => (Kind::Number, Some(order)),
                    (None, Some(order)) => (Kind::Date, Some(order)),
                    (None, None) => (Kind::Text, None),
                }
            }
        };
        Column { name: self.name, kind, cells: self.cells, order, codes: self.codes }
    }
}

/// Distinct cells, numbered from 1 in the order they came.
#[derive(Debug, Default)]
struct Cells {
    values: Values,
    /// Open addressing; 0 is a free slot.
    slots: Vec<u32>,
}

#[derive(Debug)]
enum Values {
    Numbers(Vec<i128>),
    Text { bytes: Vec<u8>, ends: Vec<usize> },
}

impl Default for Values {
    fn default() -> Values {
        Values::Numbers(Vec::new())
    }
}

enum Trouble {
    NotANumber(usize),
    Full,
}

impl Cells {
    fn len(&self) -> usize {
        match &self.values {
            Values::Numbers(keys) => keys.len(),
            Values::Text { ends, .. } => ends.len(),
        }
    }

    /// Appends the numbers of an array's cells.
    fn take(&mut self, array: &dyn Array, codes: &mut Vec<u32>) -> Result<(), Trouble> {
        codes.reserve(array.len());
        if let DataType::Dictionary(_, _) = array.data_type() {
            return self.take_dictionary(array, codes);
        }
        match array.data_type() {
            DataType::Null => {
                codes.extend(std::iter::repeat_n(NULL, array.len()));
                Ok(())
            }
            DataType::Utf8 => self.take_texts(array.as_string::<i32>().iter(), codes),
            DataType::LargeUtf8 => self.take_texts(array.as_string::<i64>().iter(), codes),
            DataType::Utf8View => self.take_texts(array.as_string_view().iter(), codes),
            DataType::Boolean => {
                let cells = array.as_boolean().iter();
                self.take_numbers(cells.map(|cell| cell.map(i128::from)), codes)
            }
            DataType::Int8 => self.take_whole::<Int8Type>(array, 1, codes),
            DataType::Int16 => self.take_whole::<Int16Type>(array, 1, codes),
            DataType::Int32 => self.take_whole::<Int32Type>(array, 1, codes),
            DataType::Int64 => self.take_whole::<Int64Type>(array, 1, codes),
            DataType::UInt8 => self.take_whole::<UInt8Type>(array, 1, codes),
            DataType::UInt16 => self.take_whole::<UInt16Type>(array, 1, codes),
            DataType::UInt32 => self.take_whole::<UInt32Type>(array, 1, codes),
            DataType::UInt64 => self.take_whole::<UInt64Type>(array, 1, codes),
            DataType::Date32 => self.take_whole::<Date32Type>(array, 1, codes),
            DataType::Date64 => {
                let cells = array.as_primitive::<Date64Type>().iter();
                let days = cells.map(|cell| cell.map(|ms| i128::from(ms).div_euclid(86_400_000)));
                self.take_numbers(days, codes)
            }
            DataType::Time32(TimeUnit::Second) => {
                self.take_whole::<Time32SecondType>(array, 1, codes)
            }
            DataType::Time32(_) => self.take_whole::<Time32MillisecondType>(array, 1, codes),
            DataType::Time64(TimeUnit::Microsecond) => {
                self.take_whole::<Time64MicrosecondType>(array, 1, codes)
            }
            DataType::Time64(_) => self.take_whole::<Time64NanosecondType>(array, 1, codes),
            DataType::Timestamp(TimeUnit::Second, _) => {
                self.take_whole::<TimestampSecondType>(array, 1_000_000_000, codes)
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                self.take_whole::<TimestampMillisecondType>(array, 1_000_000, codes)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.take_whole::<TimestampMicrosecondType>(array, 1_000, codes)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                self.take_whole::<TimestampNanosecondType>(array, 1, codes)
            }
            DataType::Float16 => {
                let cells = array.as_primitive::<Float16Type>().iter();
                self.take_reals(cells.map(|cell| cell.map(|value| value.to_f64())), codes)
            }
            DataType::Float32 => {
                let cells = array.as_primitive::<Float32Type>().iter();
                self.take_reals(cells.map(|cell| cell.map(f64::from)), codes)
            }
            DataType::Float64 => self.take_reals(array.as_primitive::<Float64Type>().iter(), codes),
            _ => self.take_decimals(array, codes),
        }
    }

    /// Every distinct cell of a dictionary is looked up once.
    fn take_dictionary(&mut self, array: &dyn Array, codes: &mut Vec<u32>) -> Result<(), Trouble> {
        let dictionary = array.as_any_dictionary();
        if dictionary.values().is_empty() {
            codes.extend(std::iter::repeat_n(NULL, array.len()));
            return Ok(());
        }
        let mut known = Vec::new();
        self.take(dictionary.values().as_ref(), &mut known)?;
        let keys = dictionary.normalized_keys();
        let nulls = dictionary.keys().nulls();
        codes.extend(keys.iter().enumerate().map(|(row, &key)| {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) { NULL } else { known[key] }
        }));
        Ok(())
    }

    fn take_whole<T: ArrowPrimitiveType>(
        &mut self,
        array: &dyn Array,
        unit: i128,
        codes: &mut Vec<u32>,
    ) -> Result<(), Trouble>
    where
        i128: From<T::Native>,
    {
        let cells = array.as_primitive::<T>().iter();
        self.take_numbers(cells.map(|cell| cell.map(|value| i128::from(value) * unit)), codes)
    }

    fn take_reals(
        &mut self,
        cells: impl Iterator<Item = Option<f64>>,
        codes: &mut Vec<u32>,
    ) -> Result<(), Trouble> {
        for (row, cell) in cells.enumerate() {
            codes.push(match cell {
                None => NULL,
                Some(value) if value.is_nan() => return Err(Trouble::NotANumber(row)),
                Some(value) => self.number(key_of(value))?,
            });
        }
        Ok(())
    }

    fn take_numbers(
        &mut self,
        cells: impl Iterator<Item = Option<i128>>,
        codes: &mut Vec<u32>,
    ) -> Result<(), Trouble> {
        for cell in cells {
            codes.push(match cell {
                None => NULL,
                Some(key) => self.number(key)?,
            });
        }
        Ok(())
    }

    fn take_texts<'t>(
        &mut self,
        cells: impl Iterator<Item = Option<&'t str>>,
        codes: &mut Vec<u32>,
    ) -> Result<(), Trouble> {
        for cell in cells {
            codes.push(match cell {
                None => NULL,
                Some(text) => self.string(text.as_bytes())?,
            });
        }
        Ok(())
    }

    /// Decimals as their shortest text, so that none is rounded.
    fn take_decimals(&mut self, array: &dyn Array, codes: &mut Vec<u32>) -> Result<(), Trouble> {
        use arrow_array::types::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type};
        for row in 0..array.len() {
            if array.is_null(row) {
                codes.push(NULL);
                continue;
            }
            let text = match array.data_type() {
                DataType::Decimal32(_, _) => {
                    array.as_primitive::<Decimal32Type>().value_as_string(row)
                }
                DataType::Decimal64(_, _) => {
                    array.as_primitive::<Decimal64Type>().value_as_string(row)
                }
                DataType::Decimal128(_, _) => {
                    array.as_primitive::<Decimal128Type>().value_as_string(row)
                }
                _ => array.as_primitive::<Decimal256Type>().value_as_string(row),
            };
            let text = match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.'),
                false => text.as_str(),
            };
            codes.push(self.string(text.as_bytes())?);
        }
        Ok(())
    }

    fn number(&mut self, key: i128) -> Result<u32, Trouble> {
        self.make_room(|values, at| hash_number(values.number_at(at)));
        let mut slot = self.first_slot(hash_number(key));
        let Values::Numbers(keys) = &mut self.values else {
            unreachable!("a column is of one kind")
        };
        loop {
            match self.slots[slot] {
                0 => {
                    let code = u32::try_from(keys.len() + 1).map_err(|_| Trouble::Full)?;
                    keys.push(key);
                    self.slots[slot] = code;
                    return Ok(code);
                }
                code if keys[long(code) - 1] == key => return Ok(code),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    fn string(&mut self, text: &[u8]) -> Result<u32, Trouble> {
        if let Values::Numbers(none) = &self.values {
            debug_assert!(none.is_empty(), "a column is of one kind");
            self.values = Values::Text { bytes: Vec::new(), ends: Vec::new() };
        }
        self.make_room(|values, at| hash_text(values.text_at(at)));
        let mut slot = self.first_slot(hash_text(text));
        let Values::Text { bytes, ends } = &mut self.values else {
            unreachable!("it was made text above")
        };
        loop {
            match self.slots[slot] {
                0 => {
                    let code = u32::try_from(ends.len() + 1).map_err(|_| Trouble::Full)?;
                    bytes.extend_from_slice(text);
                    ends.push(bytes.len());
                    self.slots[slot] = code;
                    return Ok(code);
                }
                code if slice(bytes, ends, long(code) - 1) == text => return Ok(code),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// Keeps at least half of the slots free.
    fn make_room(&mut self, hash: impl Fn(&Values, usize) -> u64) {
        let held = self.len();
        if 2 * (held + 1) <= self.slots.len() {
            return;
        }
        self.slots = vec![0; (4 * (held + 1)).next_power_of_two().max(SLOTS_MIN)];
        for at in 0..held {
            let mut slot = self.first_slot(hash(&self.values, at));
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = short(at + 1);
        }
    }

    fn first_slot(&self, hash: u64) -> usize {
        usize::try_from(hash & (self.slots.len() as u64 - 1)).expect("below the number of slots")
    }
}

impl Values {
    fn number_at(&self, at: usize) -> i128 {
        match self {
            Values::Numbers(keys) => keys[at],
            Values::Text { .. } => 0,
        }
    }

    fn text_at(&self, at: usize) -> &[u8] {
        match self {
            Values::Text { bytes, ends } => slice(bytes, ends, at),
            Values::Numbers(_) => &[],
        }
    }
}

fn slice<'b>(bytes: &'b [u8], ends: &[usize], at: usize) -> &'b [u8] {
    let from = if at == 0 { 0 } else { ends[at - 1] };
    &bytes[from..ends[at]]
}

#[expect(clippy::cast_possible_truncation, reason = "both halves of the number are mixed in")]
#[expect(clippy::cast_sign_loss, reason = "bits are bits")]
fn hash_number(key: i128) -> u64 {
    mixed(key as u64 ^ mixed((key >> 64) as u64))
}

fn hash_text(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whole numbers are themselves; others stand beyond all of them by their bits.
#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn key_of(value: f64) -> i128 {
    if value.fract() == 0.0 && value.abs() < WHOLE_MAX {
        return value as i128;
    }
    BROKEN + i128::from(value.to_bits())
}

#[expect(clippy::cast_precision_loss, reason = "a place on a line, not the number itself")]
fn place_of(key: i128) -> f64 {
    match u64::try_from(key - BROKEN) {
        Ok(bits) => f64::from_bits(bits),
        Err(_) => key as f64,
    }
}

/// A number as people and programs write it: `007` and `1e5` are names, not numbers.
fn number_of(text: &[u8]) -> Option<f64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits.split(|&byte| byte == b'.').next()?;
    let canonical = whole == b"0" || whole.first().is_some_and(|&first| first != b'0');
    let plain = digits.iter().all(|&byte| byte.is_ascii_digit() || byte == b'.');
    let closed = digits.first() != Some(&b'.') && digits.last() != Some(&b'.');
    if !(canonical && plain && closed) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The day of `2026-11-21`, counted from 1970.
fn day_of(text: &[u8]) -> Option<f64> {
    if text.len() != 10 {
        return None;
    }
    let date: jiff::civil::Date = std::str::from_utf8(text).ok()?.parse().ok()?;
    let days = date.since(jiff::civil::date(1970, 1, 1)).ok()?.get_days();
    Some(f64::from(days))
}

fn kind(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Dictionary(_, value) => kind(value)?,
        // A column of type null is told to be empty, not to be of a strange type.
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Kind::Text,
        DataType::Decimal32(_, _)
        | DataType::Decimal64(_, _)
        | DataType::Decimal128(_, _)
        | DataType::Decimal256(_, _) => Kind::Text,
        DataType::Boolean => Kind::Truth,
        DataType::Date32 | DataType::Date64 => Kind::Date,
        DataType::Timestamp(_, _) => Kind::Time,
        DataType::Time32(_) | DataType::Time64(_) => Kind::Number,
        data_type if data_type.is_integer() || data_type.is_floating() => Kind::Number,
        _ => return None,
    })
}

fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary",
        DataType::FixedSizeBinary(_) => "binary of fixed size",
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => "list",
        DataType::Struct(_) => "struct",
        DataType::Map(_, _) => "map",
        _ => "another kind",
    }
}

pub(crate) const NULL: u32 = 0;
const SLOTS_MIN: usize = 64;
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Beyond every whole number that a column of ours can hold.
const BROKEN: i128 = 1 << 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_whatever_their_type() {
        assert_eq!(key_of(5.0), 5);
        assert_eq!(key_of(-0.0), 0);
        assert_ne!(key_of(0.5), key_of(0.25));
        assert_eq!(place_of(key_of(-2.5)), -2.5);
        assert_eq!(place_of(key_of(f64::INFINITY)), f64::INFINITY);
        assert_eq!(place_of(-7), -7.0);
    }

    #[test]
    fn only_canonical_text_is_a_number_or_a_day() {
        for (text, number) in [("0", 0.0), ("-12", -12.0), ("3.50", 3.5), ("0.5", 0.5)] {
            assert_eq!(number_of(text.as_bytes()), Some(number), "{text}");
        }
        for text in ["", "-", "007", "1e5", ".5", "5.", "1.2.3", "NaN", "+1", "1 "] {
            assert_eq!(number_of(text.as_bytes()), None, "{text}");
        }
        assert_eq!(day_of(b"1970-01-02"), Some(1.0));
        assert_eq!(day_of(b"1969-12-31"), Some(-1.0));
        assert_eq!(day_of(b"2026-02-30"), None);
        assert_eq!(day_of(b"2026-1-1"), None);
    }
}
