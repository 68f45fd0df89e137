//! Foreign decoders on foreign bytes: panics become errors, cells are measured.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_data::ArrayData;
use arrow_schema::DataType;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What became of a decoder.
pub(crate) enum Guarded<T> {
    Done(T),
    /// It panicked. What it said may quote data and is not kept.
    Panicked,
}

/// Runs a decoder on bytes that may be corrupt. After a panic the caller drops the decoder, so
/// that no half-changed state is looked at.
pub(crate) fn guard<T>(decode: impl FnOnce() -> T) -> Guarded<T> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(done) => Guarded::Done(done),
        Err(_) => Guarded::Panicked,
    }
}

/// Bytes of the largest string or binary value in a column, its children included.
pub(crate) fn largest_cell(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Utf8View => column.as_string_view().lengths().max().unwrap_or(0) as usize,
        DataType::BinaryView => column.as_binary_view().lengths().max().unwrap_or(0) as usize,
        data_type if holds_bytes(data_type) => largest_in(&column.to_data()),
        _ => 0,
    }
}

/// Bytes of all strings and binary values in a column that is no list, whatever buffers they
/// share; a dictionary's values are not counted.
pub(crate) fn text_bytes(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Utf8 => span(column.as_string::<i32>().value_offsets()),
        DataType::Binary => span(column.as_binary::<i32>().value_offsets()),
        DataType::LargeUtf8 => span(column.as_string::<i64>().value_offsets()),
        DataType::LargeBinary => span(column.as_binary::<i64>().value_offsets()),
        DataType::Utf8View => column.as_string_view().lengths().map(|bytes| bytes as usize).sum(),
        DataType::BinaryView => column.as_binary_view().lengths().map(|bytes| bytes as usize).sum(),
        DataType::Struct(_) => column.as_struct().columns().iter().map(text_bytes).sum(),
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let offsets = lists.value_offsets();
            let start = usize::try_from(offsets[0]).unwrap_or(0);
            text_bytes(&lists.values().slice(start, span(offsets)))
        }
        _ => 0,
    }
}

fn span<T: Copy + TryInto<i64>>(offsets: &[T]) -> usize {
    let at = |offset: Option<&T>| offset.and_then(|at| (*at).try_into().ok()).unwrap_or(0);
    usize::try_from(at(offsets.last()) - at(offsets.first())).unwrap_or(0)
}

fn largest_in(data: &ArrayData) -> usize {
    let range = data.offset()..data.offset() + data.len() + 1;
    match data.data_type() {
        DataType::Utf8 | DataType::Binary if !data.is_empty() => {
            let offsets = &data.buffers()[0].typed_data::<i32>()[range];
            let longest = offsets.windows(2).map(|pair| pair[1] - pair[0]).max();
            longest.and_then(|longest| usize::try_from(longest).ok()).unwrap_or(0)
        }
        DataType::LargeUtf8 | DataType::LargeBinary if !data.is_empty() => {
            let offsets = &data.buffers()[0].typed_data::<i64>()[range];
            let longest = offsets.windows(2).map(|pair| pair[1] - pair[0]).max();
            longest.and_then(|longest| usize::try_from(longest).ok()).unwrap_or(0)
        }
        _ => data.child_data().iter().map(largest_in).max().unwrap_or(0),
    }
}

/// Whether a type has values of any length.
fn holds_bytes(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => true,
        DataType::Dictionary(_, value) => holds_bytes(value),
        data_type => data_type.is_nested(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Int32Type;
    use arrow_array::{DictionaryArray, Int32Array, StringArray, StringViewArray, StructArray};
    use arrow_schema::Field;
    use std::sync::Arc;

    #[test]
    fn the_largest_cell_is_found_in_every_layout() {
        let check = |column: ArrayRef, expected| assert_eq!(largest_cell(&column), expected);
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("abcd")]));
        check(Arc::clone(&words), 4);
        check(words.slice(0, 2), 1);
        check(words.slice(0, 0), 0);
        check(Arc::new(StringViewArray::from(vec!["a", "abc"])), 3);
        check(Arc::new(Int32Array::from(vec![1])), 0);
        let dictionary: DictionaryArray<Int32Type> = vec!["x", "xyz"].into_iter().collect();
        check(Arc::new(dictionary), 3);
        let field = Arc::new(Field::new("w", DataType::Utf8, true));
        check(Arc::new(StructArray::from(vec![(field, words)])), 4);
    }

    #[test]
    fn text_is_counted_by_what_rows_hold() {
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("abcd")]));
        assert_eq!(text_bytes(&words), 5);
        assert_eq!(text_bytes(&words.slice(1, 2)), 4);
        let views: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "abc"]));
        assert_eq!(text_bytes(&views.slice(1, 1)), 3);
        assert_eq!(text_bytes(&(Arc::new(Int32Array::from(vec![1])) as ArrayRef)), 0);
    }

    #[test]
    fn a_panic_is_caught() {
        assert!(matches!(guard(|| panic!("canary")), Guarded::<()>::Panicked));
    }
}
