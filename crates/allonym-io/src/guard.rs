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
        DataType::Utf8View => {
            column.as_string_view().lengths().max().unwrap_or(0) as usize
        }
        DataType::BinaryView => {
            column.as_binary_view().lengths().max().unwrap_or(0) as usize
        }
        data_type if holds_bytes(data_type) => largest_in(&column.to_data()),
        _ => 0,
    }
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
    fn a_panic_is_caught() {
        assert!(matches!(guard(|| panic!("canary")), Guarded::<()>::Panicked));
    }
}
