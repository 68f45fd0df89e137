//! Cells of any flat column as text.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, FieldRef};
use std::fmt::Write;
use std::sync::Arc;

/// One column, read cell by cell.
pub(crate) enum Cells<'a> {
    Text(&'a StringArray),
    /// Numbers, dates and others in the words of `arrow-cast`: ISO 8601, decimal points,
    /// hexadecimal for bytes.
    Other(ArrayFormatter<'a>, Option<NullBuffer>),
}

impl<'a> Cells<'a> {
    /// The reason is a type, never a value.
    pub(crate) fn of(column: &'a ArrayRef) -> Result<Cells<'a>, String> {
        if *column.data_type() == DataType::Utf8 {
            return Ok(Cells::Text(column.as_string()));
        }
        let formatter = ArrayFormatter::try_new(column.as_ref(), &FORMAT);
        let formatter = formatter
            .map_err(|_| format!("a column of type {} has no text form", column.data_type()))?;
        Ok(Cells::Other(formatter, column.logical_nulls()))
    }

    /// Whether a type has a text form on one line of a table.
    pub(crate) fn prints(data_type: &DataType) -> bool {
        match data_type {
            DataType::Dictionary(_, value) => Cells::prints(value),
            DataType::RunEndEncoded(_, value) => Cells::prints(value.data_type()),
            DataType::Union(_, _) => false,
            other => !other.is_nested(),
        }
    }

    /// A cell; `None` for null.
    ///
    /// # Errors
    /// A value without a text form, such as a date outside the calendar.
    pub(crate) fn cell<'s>(
        &'s self,
        row: usize,
        scratch: &'s mut String,
    ) -> Result<Option<&'s str>, ()> {
        match self {
            Cells::Text(column) => Ok(column.is_valid(row).then(|| column.value(row))),
            Cells::Other(formatter, nulls) => {
                if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    return Ok(None);
                }
                scratch.clear();
                write!(scratch, "{}", formatter.value(row)).map_err(|_| ())?;
                Ok(Some(scratch))
            }
        }
    }
}

/// Columns with all times in UTC: the same instants, printed without a table of time zones.
pub(crate) fn in_utc(records: &RecordBatch) -> Result<Vec<ArrayRef>, ArrowError> {
    let in_utc = |column: &ArrayRef| {
        let data_type = utc_type(column.data_type());
        if data_type == *column.data_type() {
            Ok(Arc::clone(column))
        } else {
            cast(column, &data_type)
        }
    };
    records.columns().iter().map(in_utc).collect()
}

fn utc_type(data_type: &DataType) -> DataType {
    let item = |field: &FieldRef| -> FieldRef {
        let data_type = utc_type(field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    };
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::List(field) => DataType::List(item(field)),
        DataType::LargeList(field) => DataType::LargeList(item(field)),
        DataType::FixedSizeList(field, length) => DataType::FixedSizeList(item(field), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(item).collect()),
        DataType::Dictionary(key, value) => {
            DataType::Dictionary(key.clone(), Box::new(utc_type(value)))
        }
        other => other.clone(),
    }
}

/// Why a cell is refused.
pub(crate) const FORMLESS: &str = "a value is out of the range that has a text form";
/// Errors must not be printed into the output, where they would look like data.
const FORMAT: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Int8Type;
    use arrow_array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
        Int64Array, TimestampSecondArray,
    };

    #[test]
    fn flat_types_print() {
        let check = |column: ArrayRef, expected: &[Option<&str>]| {
            assert!(Cells::prints(column.data_type()));
            let cells = Cells::of(&column).unwrap();
            let mut scratch = String::new();
            for (row, expected) in expected.iter().enumerate() {
                assert_eq!(cells.cell(row, &mut scratch), Ok(*expected));
            }
        };
        check(Arc::new(Int64Array::from(vec![Some(-7), None])), &[Some("-7"), None]);
        check(Arc::new(Float64Array::from(vec![1.5, 1e300])), &[Some("1.5"), Some("1e300")]);
        check(Arc::new(BooleanArray::from(vec![true])), &[Some("true")]);
        check(Arc::new(Date32Array::from(vec![0])), &[Some("1970-01-01")]);
        check(Arc::new(TimestampSecondArray::from(vec![1])), &[Some("1970-01-01T00:00:01")]);
        let decimal = Decimal128Array::from(vec![12_345]).with_precision_and_scale(9, 2).unwrap();
        check(Arc::new(decimal), &[Some("123.45")]);
        check(Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]])), &[Some("00ff")]);
        let words: DictionaryArray<Int8Type> = vec![Some("a"), None].into_iter().collect();
        check(Arc::new(words), &[Some("a"), None]);
    }

    #[test]
    fn a_date_outside_the_calendar_is_an_error_not_a_cell() {
        let column: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX]));
        let cells = Cells::of(&column).unwrap();
        assert_eq!(cells.cell(0, &mut String::new()), Err(()));
    }
}
