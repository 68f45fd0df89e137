//! Cells in and cells out: columns of any type read as text, and columns of text being written.

use super::Fault;
use super::civil::Civil;
use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTimestampType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, LargeStringArray, PrimitiveArray, StringArray,
    StringViewArray,
};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt::{Display, Write as _};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

/// A column of strings, whatever its layout.
#[derive(Clone, Copy)]
pub(super) enum Texts<'a> {
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    /// `None` when it is no column of strings.
    pub(super) fn of(array: &'a dyn Array) -> Option<Texts<'a>> {
        array
            .as_string_opt::<i32>()
            .map(Texts::Utf8)
            .or_else(|| array.as_string_opt::<i64>().map(Texts::Large))
            .or_else(|| array.as_string_view_opt().map(Texts::View))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Texts::Utf8(array) => array.len(),
            Texts::Large(array) => array.len(),
            Texts::View(array) => array.len(),
        }
    }

    /// `None` is null.
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Texts::Utf8(array) => array.is_valid(row).then(|| array.value(row)),
            Texts::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Texts::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// The cells a kernel treats: all rows, or each distinct value once with the rows it stands for.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) texts: Texts<'a>,
    /// Rows to treat; all when `None`.
    pub(super) chosen: Option<&'a [u32]>,
    /// Rows each cell stands for; one when `None`.
    pub(super) weights: Option<&'a [u64]>,
}

impl<'a> Cells<'a> {
    pub(super) fn all(texts: Texts<'a>) -> Cells<'a> {
        Cells { texts, chosen: None, weights: None }
    }

    pub(super) fn len(&self) -> usize {
        self.chosen.map_or_else(|| self.texts.len(), <[u32]>::len)
    }

    pub(super) fn get(&self, n: usize) -> Option<&'a str> {
        match self.chosen {
            None => self.texts.get(n),
            Some(rows) => self.texts.get(index(rows[n])),
        }
    }

    pub(super) fn weight(&self, n: usize) -> u64 {
        self.weights.map_or(1, |weights| weights[n])
    }
}

/// Where equal cells of a column are, when there are few different ones.
pub(super) struct Distinct {
    /// For each row the number of its value, [`NULL_CELL`] for null.
    pub(super) value_of: Vec<u32>,
    /// First row of each value.
    pub(super) first: Vec<u32>,
    /// Rows of each value.
    pub(super) weights: Vec<u64>,
}

impl Distinct {
    /// `None` where treating every row is cheaper: many different values, or few rows.
    pub(super) fn of(texts: Texts<'_>) -> Option<Distinct> {
        let rows = texts.len();
        if rows < DISTINCT_ROWS_MIN || u32::try_from(rows).is_err() {
            return None;
        }
        let mut known: HashMap<&str, u32, Hasher> = HashMap::default();
        let mut distinct =
            Distinct { value_of: Vec::with_capacity(rows), first: Vec::new(), weights: Vec::new() };
        for row in 0..rows {
            if row == PROBE_ROWS && distinct.first.len() * PROBE_SHARE >= PROBE_ROWS
                || distinct.first.len() > DISTINCT_MAX
            {
                return None;
            }
            let Some(text) = texts.get(row) else {
                distinct.value_of.push(NULL_CELL);
                continue;
            };
            let next = u32::try_from(distinct.first.len()).unwrap_or(NULL_CELL);
            let value = *known.entry(text).or_insert(next);
            if value == next {
                distinct.first.push(u32::try_from(row).unwrap_or(NULL_CELL));
                distinct.weights.push(0);
            }
            distinct.weights[index(value)] += 1;
            distinct.value_of.push(value);
        }
        (distinct.first.len() * PROBE_SHARE < rows).then_some(distinct)
    }
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Treated,
    Unchanged,
    Sentinel,
    Unparseable,
}

/// Treated cells, being written.
pub(super) struct Written {
    text: String,
    ends: Vec<usize>,
    pub(super) kinds: Vec<Kind>,
}

impl Written {
    pub(super) fn with_capacity(cells: usize) -> Written {
        Written {
            text: String::with_capacity(cells * 24),
            ends: Vec::with_capacity(cells),
            kinds: Vec::with_capacity(cells),
        }
    }

    /// Writes one cell. What `write` appended is taken back when it says that the cell is null.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut String) -> Kind) {
        let start = self.text.len();
        let kind = write(&mut self.text);
        if !kind.holds_value() {
            self.text.truncate(start);
        }
        self.ends.push(self.text.len());
        self.kinds.push(kind);
    }

    fn get(&self, n: usize) -> Option<&str> {
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.kinds[n].holds_value().then(|| self.text.get(start..self.ends[n])).flatten()
    }

    /// One cell for each row of `distinct`.
    pub(super) fn spread(&self, distinct: &Distinct) -> Written {
        let mut spread = Written::with_capacity(distinct.value_of.len());
        for value in &distinct.value_of {
            spread.push(|out| {
                if *value == NULL_CELL {
                    return Kind::Null;
                }
                out.push_str(self.get(index(*value)).unwrap_or_default());
                self.kinds[index(*value)]
            });
        }
        spread
    }

    /// Equal cells once, in the order they first appear, and where each cell went; nulls nowhere.
    pub(super) fn unique(&self) -> (Written, Vec<Option<usize>>) {
        let mut known: HashMap<&str, usize, Hasher> = HashMap::default();
        let mut unique = Written::with_capacity(self.ends.len());
        let places = (0..self.ends.len())
            .map(|n| {
                let text = self.get(n)?;
                let next = unique.ends.len();
                let place = *known.entry(text).or_insert(next);
                if place == next {
                    unique.push(|out| {
                        out.push_str(text);
                        Kind::Treated
                    });
                }
                Some(place)
            })
            .collect();
        (unique, places)
    }

    /// As a column of `data_type`, one of the three layouts of strings.
    pub(super) fn finish(self, data_type: &DataType) -> Result<ArrayRef, Fault> {
        let mut nulls = NullBufferBuilder::new(self.kinds.len());
        for kind in &self.kinds {
            nulls.append(kind.holds_value());
        }
        let nulls = nulls.finish();
        Ok(match data_type {
            DataType::LargeUtf8 => {
                let ends = self.offsets::<i64>()?;
                let text = Buffer::from_vec(self.text.into_bytes());
                Arc::new(LargeStringArray::try_new(ends, text, nulls).map_err(|_| Fault::layout())?)
            }
            DataType::Utf8View => {
                let mut views = StringViewBuilder::with_capacity(self.kinds.len());
                for n in 0..self.kinds.len() {
                    views.append_option(self.get(n));
                }
                Arc::new(views.finish())
            }
            _ => {
                let ends = self.offsets::<i32>()?;
                let text = Buffer::from_vec(self.text.into_bytes());
                Arc::new(StringArray::try_new(ends, text, nulls).map_err(|_| Fault::layout())?)
            }
        })
    }

    fn offsets<O: arrow_buffer::ArrowNativeType + TryFrom<usize>>(
        &self,
    ) -> Result<OffsetBuffer<O>, Fault> {
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(O::default());
        for (row, end) in self.ends.iter().enumerate() {
            offsets.push(O::try_from(*end).map_err(|_| Fault::full(row))?);
        }
        Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
    }
}

impl Kind {
    pub(super) fn holds_value(self) -> bool {
        matches!(self, Kind::Treated | Kind::Unchanged)
    }
}

/// Tokens of sixteen bytes, being written.
pub(super) struct WrittenBytes {
    pub(super) bytes: Vec<u8>,
    pub(super) kinds: Vec<Kind>,
}

impl WrittenBytes {
    pub(super) fn with_capacity(cells: usize) -> WrittenBytes {
        WrittenBytes { bytes: Vec::with_capacity(cells * 16), kinds: Vec::with_capacity(cells) }
    }

    /// `None` writes a null of that kind.
    pub(super) fn push(&mut self, token: Result<[u8; 16], Kind>) {
        self.bytes.extend_from_slice(&token.unwrap_or_default());
        self.kinds.push(token.map_or_else(|kind| kind, |_| Kind::Treated));
    }

    /// One token for each place; `None` is null.
    pub(super) fn spread(&self, places: impl Iterator<Item = Option<usize>>) -> WrittenBytes {
        let mut spread = WrittenBytes::with_capacity(places.size_hint().0);
        for place in places {
            match place {
                None => spread.push(Err(Kind::Null)),
                Some(n) => {
                    spread.bytes.extend_from_slice(&self.bytes[n * 16..n * 16 + 16]);
                    spread.kinds.push(self.kinds[n]);
                }
            }
        }
        spread
    }

    pub(super) fn finish(self) -> Result<ArrayRef, Fault> {
        let nulls: NullBuffer = self.kinds.iter().map(|kind| kind.holds_value()).collect();
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        let array = FixedSizeBinaryArray::try_new(16, Buffer::from_vec(self.bytes), nulls);
        Ok(Arc::new(array.map_err(|_| Fault::layout())?))
    }
}

/// The canonical text of typed cells: integers in decimal, dates and times as in ISO 8601, instants
/// in UTC. `None` for types that have none.
pub(super) fn text_form(array: &dyn Array) -> Option<StringArray> {
    use DataType as D;
    use TimeUnit as U;
    Some(match array.data_type() {
        D::Int8 => plain::<Int8Type>(array),
        D::Int16 => plain::<Int16Type>(array),
        D::Int32 => plain::<Int32Type>(array),
        D::Int64 => plain::<Int64Type>(array),
        D::UInt8 => plain::<UInt8Type>(array),
        D::UInt16 => plain::<UInt16Type>(array),
        D::UInt32 => plain::<UInt32Type>(array),
        D::UInt64 => plain::<UInt64Type>(array),
        D::Float32 => plain::<Float32Type>(array),
        D::Float64 => plain::<Float64Type>(array),
        D::Decimal32(_, _) => {
            let array = array.as_primitive::<Decimal32Type>();
            texts(array, |row, out| out.push_str(&array.value_as_string(row)))
        }
        D::Decimal64(_, _) => {
            let array = array.as_primitive::<Decimal64Type>();
            texts(array, |row, out| out.push_str(&array.value_as_string(row)))
        }
        D::Decimal128(_, _) => {
            let array = array.as_primitive::<Decimal128Type>();
            texts(array, |row, out| out.push_str(&array.value_as_string(row)))
        }
        D::Decimal256(_, _) => {
            let array = array.as_primitive::<Decimal256Type>();
            texts(array, |row, out| out.push_str(&array.value_as_string(row)))
        }
        D::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            texts(days, |row, out| push_date(i64::from(days.value(row)), out))
        }
        D::Date64 => {
            let millis = array.as_primitive::<Date64Type>();
            texts(millis, |row, out| push_date(millis.value(row).div_euclid(DAY_MILLIS), out))
        }
        D::Timestamp(U::Second, zone) => instants::<TimestampSecondType>(array, zone.is_some()),
        D::Timestamp(U::Millisecond, zone) => {
            instants::<TimestampMillisecondType>(array, zone.is_some())
        }
        D::Timestamp(U::Microsecond, zone) => {
            instants::<TimestampMicrosecondType>(array, zone.is_some())
        }
        D::Timestamp(U::Nanosecond, zone) => {
            instants::<TimestampNanosecondType>(array, zone.is_some())
        }
        D::Time32(U::Second) => times::<Time32SecondType>(array, U::Second),
        D::Time32(_) => times::<Time32MillisecondType>(array, U::Millisecond),
        D::Time64(U::Microsecond) => times::<Time64MicrosecondType>(array, U::Microsecond),
        D::Time64(_) => times::<Time64NanosecondType>(array, U::Nanosecond),
        _ => return None,
    })
}

fn plain<T: ArrowPrimitiveType>(array: &dyn Array) -> StringArray
where
    T::Native: Display,
{
    let array = array.as_primitive::<T>();
    texts(array, |row, out| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{}", array.value(row));
    })
}

fn instants<T: ArrowTimestampType>(array: &dyn Array, is_instant: bool) -> StringArray {
    let array = array.as_primitive::<T>();
    let day = units_per_second(T::UNIT) * 86_400;
    texts(array, |row, out| {
        let value = array.value(row);
        push_date(value.div_euclid(day), out);
        out.push('T');
        push_time(value.rem_euclid(day), T::UNIT, out);
        if is_instant {
            out.push('Z');
        }
    })
}

fn times<T: ArrowPrimitiveType>(array: &dyn Array, unit: TimeUnit) -> StringArray
where
    T::Native: Into<i64>,
{
    let array = array.as_primitive::<T>();
    texts(array, |row, out| push_time(array.value(row).into(), unit, out))
}

fn texts<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    write: impl Fn(usize, &mut String),
) -> StringArray {
    let mut written =
        arrow_array::builder::StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            written.append_null();
            continue;
        }
        text.clear();
        write(row, &mut text);
        written.append_value(&text);
    }
    written.finish()
}

fn push_date(days: i64, out: &mut String) {
    let date = Civil::from_days(days);
    let sign = if date.year < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{:04}-{:02}-{:02}", date.year.unsigned_abs(), date.month, date.day);
}

/// The same text for the same time, whatever the unit: no zeros at the end of the fraction.
fn push_time(value: i64, unit: TimeUnit, out: &mut String) {
    let per_second = units_per_second(unit);
    let seconds = value.div_euclid(per_second);
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = value.rem_euclid(per_second);
    if fraction > 0 {
        let nanos = fraction * (1_000_000_000 / per_second);
        let digits = format!("{nanos:09}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}

pub(super) fn units_per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Rows and values are counted in 32 bits inside a batch.
pub(super) fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// No random seed: the order of a map never reaches the output, and the core takes no randomness.
pub(super) type Hasher = BuildHasherDefault<DefaultHasher>;

/// Marks a null row in [`Distinct::value_of`].
pub(super) const NULL_CELL: u32 = u32::MAX;
pub(super) const DAY_MILLIS: i64 = 86_400_000;
/// Rows looked at before it is decided whether equal cells are worth finding. A token costs about
/// 0.5 µs, a look-up in a warm map a tenth of that.
const PROBE_ROWS: usize = 4_096;
/// One in so many rows may be a new value.
const PROBE_SHARE: usize = 10;
/// Beyond this the map leaves the cache of the processor and costs more than it saves.
const DISTINCT_MAX: usize = 65_536;
/// Too few rows to be worth a map.
const DISTINCT_ROWS_MIN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[Option<&str>]) -> Written {
        let mut written = Written::with_capacity(cells.len());
        for cell in cells {
            written.push(|out| {
                out.push_str(cell.unwrap_or("taken back"));
                if cell.is_some() { Kind::Treated } else { Kind::Null }
            });
        }
        written
    }

    #[test]
    fn text_beyond_the_offsets_of_its_type_is_an_error_with_its_row() {
        let hundred = "x".repeat(100);
        let twenty_seven = "y".repeat(27);
        // With offsets of eight bits the limit is near: 127 bytes.
        let full = written(&[Some(&hundred), None, Some(&twenty_seven)]);
        assert_eq!(full.offsets::<i8>().unwrap().last(), Some(&127));
        let over = written(&[Some(&hundred), None, Some(&twenty_seven), Some("z")]);
        let fault = over.offsets::<i8>().unwrap_err();
        assert_eq!(fault.row, 3);
        assert!(fault.message.contains("2 GiB"));
        assert!(over.offsets::<i32>().is_ok());
    }

    #[test]
    fn null_cells_leave_nothing_behind() {
        let array = written(&[Some("a"), None, Some("b")]).finish(&DataType::Utf8).unwrap();
        let data = array.to_data();
        assert_eq!(data.buffers()[1].as_slice(), b"ab");
        assert_eq!(array.null_count(), 1);
    }

    #[test]
    fn equal_cells_are_looked_for_only_where_there_are_few() {
        let column = |rows: u32, values: u32| {
            StringArray::from((0..rows).map(|n| (n % values).to_string()).collect::<Vec<_>>())
        };
        let few = column(1_000, 99);
        let distinct = Distinct::of(Texts::Utf8(&few)).unwrap();
        assert_eq!((distinct.first.len(), distinct.weights[0]), (99, 11));
        for (rows, values) in [(1_000, 100), (63, 1), (8_192, 410), (5_000, 4_096)] {
            let found = Distinct::of(Texts::Utf8(&column(rows, values)));
            let expected = u64::from(values) * 10 < u64::from(rows) && rows >= 64;
            assert_eq!(
                found.is_some(),
                expected && values * 10 < 4_096,
                "{rows} rows, {values} values"
            );
        }
    }
}
