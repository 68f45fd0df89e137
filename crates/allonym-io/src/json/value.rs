//! Values of any column as JSON.

use super::token::is_number;
use crate::cells::Cells;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

/// One column, written value by value.
pub(crate) enum Values<'a> {
    /// Strings, dates and others in quotes.
    Text(Cells<'a>),
    /// Numbers and booleans as they are spelled.
    Raw(Cells<'a>),
    List {
        items: Box<Values<'a>>,
        bounds: Bounds<'a>,
        nulls: Option<&'a NullBuffer>,
    },
    Object {
        fields: Vec<(String, Values<'a>)>,
        nulls: Option<&'a NullBuffer>,
    },
    Null,
}

/// Where the items of a list stand among all items.
pub(crate) enum Bounds<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
    Fixed(usize),
}

impl Bounds<'_> {
    pub(crate) fn of(&self, row: usize) -> std::ops::Range<usize> {
        let at = |offset: usize| -> usize {
            match self {
                Bounds::Small(offsets) => usize::try_from(offsets[offset]),
                Bounds::Large(offsets) => usize::try_from(offsets[offset]),
                Bounds::Fixed(length) => Ok(offset * length),
            }
            .expect("offsets of lists are not negative")
        };
        at(row)..at(row + 1)
    }
}

impl<'a> Values<'a> {
    /// The reason is a type, never a value.
    pub(crate) fn of(column: &'a ArrayRef) -> Result<Values<'a>, String> {
        let nulls = column.nulls();
        let list = |items: &'a ArrayRef, bounds| -> Result<Values<'a>, String> {
            Ok(Values::List { items: Box::new(Values::of(items)?), bounds, nulls })
        };
        match column.data_type() {
            DataType::Null => Ok(Values::Null),
            DataType::List(_) => {
                let lists = column.as_list::<i32>();
                list(lists.values(), Bounds::Small(lists.value_offsets()))
            }
            DataType::LargeList(_) => {
                let lists = column.as_list::<i64>();
                list(lists.values(), Bounds::Large(lists.value_offsets()))
            }
            DataType::FixedSizeList(_, length) => {
                let length = usize::try_from(*length).map_err(|_| refused(column))?;
                list(column.as_fixed_size_list().values(), Bounds::Fixed(length))
            }
            DataType::Struct(fields) => {
                let columns = column.as_struct().columns();
                let fields = fields.iter().zip(columns).map(|(field, column)| {
                    let mut key = Vec::new();
                    put_string(field.name(), false, &mut key);
                    let key = String::from_utf8(key).expect("an escaped key stays text");
                    Ok((key, Values::of(column)?))
                });
                Ok(Values::Object { fields: fields.collect::<Result<_, String>>()?, nulls })
            }
            data_type if !Cells::prints(data_type) => Err(refused(column)),
            data_type if is_raw(data_type) => Ok(Values::Raw(Cells::of(column)?)),
            _ => Ok(Values::Text(Cells::of(column)?)),
        }
    }

    /// Whether a type has a form in JSON.
    pub(crate) fn prints(data_type: &DataType) -> bool {
        match data_type {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Values::prints(item.data_type())
            }
            DataType::Struct(fields) => {
                fields.iter().all(|field| Values::prints(field.data_type()))
            }
            data_type => Cells::prints(data_type),
        }
    }

    /// Appends the value of a row; `null` for null and for numbers JSON has no spelling for
    /// (NaN, infinities).
    ///
    /// # Errors
    /// A value without a text form.
    pub(crate) fn put(
        &self,
        row: usize,
        ascii: bool,
        scratch: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), ()> {
        match self {
            Values::Text(cells) => match cells.cell(row, scratch)? {
                Some(text) => put_string(text, ascii, out),
                None => out.extend_from_slice(b"null"),
            },
            Values::Raw(cells) => match cells.cell(row, scratch)? {
                Some(text) if is_boolean(text) || is_number(text.as_bytes()) => {
                    out.extend_from_slice(text.as_bytes())
                }
                _ => out.extend_from_slice(b"null"),
            },
            Values::List { nulls: Some(nulls), .. } | Values::Object { nulls: Some(nulls), .. }
                if nulls.is_null(row) =>
            {
                out.extend_from_slice(b"null");
            }
            Values::List { items, bounds, .. } => {
                out.push(b'[');
                for (at, item) in bounds.of(row).enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    items.put(item, ascii, scratch, out)?;
                }
                out.push(b']');
            }
            Values::Object { fields, .. } => {
                out.push(b'{');
                for (at, (key, values)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(key.as_bytes());
                    out.push(b':');
                    values.put(row, ascii, scratch, out)?;
                }
                out.push(b'}');
            }
            Values::Null => out.extend_from_slice(b"null"),
        }
        Ok(())
    }
}

/// A text in quotes. With `ascii`, all other characters are escaped.
pub(crate) fn put_string(text: &str, ascii: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    let plain =
        |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\' && (!ascii || byte.is_ascii());
    if text.as_bytes().iter().all(plain) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for letter in text.chars() {
            match letter {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\u{8}' => out.extend_from_slice(b"\\b"),
                '\u{c}' => out.extend_from_slice(b"\\f"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                letter if letter < ' ' || (ascii && !letter.is_ascii()) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                    }
                }
                letter => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}

/// Whether a text is `true` or `false`.
pub(crate) fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "false")
}

fn is_raw(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_raw(value),
        DataType::RunEndEncoded(_, value) => is_raw(value.data_type()),
        DataType::Boolean => true,
        data_type => data_type.is_numeric(),
    }
}

fn refused(column: &ArrayRef) -> String {
    format!("a column of type {} has no form in JSON", column.data_type())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Int32Type;
    use arrow_array::{
        BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
    };
    use arrow_schema::Field;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn json(column: &ArrayRef) -> Vec<String> {
        let values = Values::of(column).unwrap();
        let rows = (0..column.len()).map(|row| {
            let mut out = Vec::new();
            values.put(row, false, &mut String::new(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        });
        rows.collect()
    }

    #[test]
    fn columns_have_json_values() {
        let check = |column: ArrayRef, expected: &[&str]| assert_eq!(json(&column), expected);
        check(Arc::new(StringArray::from(vec![Some("a\"b"), None])), &["\"a\\\"b\"", "null"]);
        check(Arc::new(Int64Array::from(vec![i64::MIN])), &["-9223372036854775808"]);
        check(Arc::new(BooleanArray::from(vec![true, false])), &["true", "false"]);
        let floats = vec![1.5, f64::NAN, f64::INFINITY, -0.0];
        check(Arc::new(Float64Array::from(floats)), &["1.5", "null", "null", "-0.0"]);
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]);
        let lists: ArrayRef = Arc::new(lists);
        check(Arc::clone(&lists), &["[1,null]", "null", "[]"]);
        check(lists.slice(2, 1), &["[]"]);
        let fields = vec![
            Arc::new(Field::new("l", lists.data_type().clone(), true)),
            Arc::new(Field::new("q\"", DataType::Utf8, true)),
        ];
        let words: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
        let object = StructArray::new(fields.into(), vec![lists, words], None);
        let object: ArrayRef = Arc::new(object);
        check(object.slice(0, 1), &["{\"l\":[1,null],\"q\\\"\":\"x\"}"]);
    }

    proptest! {
        #[test]
        fn strings_read_back(text in any::<String>(), ascii in any::<bool>()) {
            let mut out = Vec::new();
            put_string(&text, ascii, &mut out);
            prop_assert!(!ascii || out.is_ascii());
            let back: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
