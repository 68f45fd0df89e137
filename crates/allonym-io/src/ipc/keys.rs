//! One growing dictionary for each dictionary column of a file.
//!
//! Batches arrive with dictionaries of their own. A file may only ever append to a dictionary,
//! and its bytes must not depend on how rows were cut, so values get their keys in the order in
//! which rows first use them. A copied column keeps the whole dictionary it came with, in its
//! order: categories may be ordered, and may be listed without being used.

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, LargeBinaryArray, RecordBatch, RecordBatchOptions, UInt64Array, make_array,
    new_empty_array,
};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};
use arrow_select::concat::concat;
use arrow_select::take::take;
use std::collections::HashMap;
use std::sync::Arc;

/// The dictionaries of all columns, nested ones included.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    schema: SchemaRef,
    /// The schema with keys in place of dictionaries.
    keyed: SchemaRef,
    columns: Vec<Dictionary>,
}

#[derive(Debug)]
struct Dictionary {
    /// Keep each dictionary whole and in order.
    copied: bool,
    /// Values by key, in parts.
    parts: Vec<ArrayRef>,
    length: usize,
    keys: HashMap<Option<Vec<u8>>, usize>,
    /// The dictionary met last and the key of each of its values.
    last: Option<(ArrayRef, Vec<Option<usize>>)>,
}

impl Dictionaries {
    /// `copied`: for each column of the schema.
    pub(crate) fn new(schema: &SchemaRef, copied: &[bool]) -> Dictionaries {
        let mut columns = Vec::new();
        for (field, copied) in schema.fields().iter().zip(copied) {
            for _ in 0..dictionaries_in(field.data_type()) {
                columns.push(Dictionary::new(*copied));
            }
        }
        let fields: Vec<Field> = schema.fields().iter().map(|field| keyed(field)).collect();
        Dictionaries { schema: Arc::clone(schema), keyed: Arc::new(Schema::new(fields)), columns }
    }

    pub(crate) fn keyed_schema(&self) -> &SchemaRef {
        &self.keyed
    }

    /// Rows with keys in place of dictionaries.
    pub(crate) fn take_apart(&mut self, records: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut at = 0;
        let mut columns = Vec::with_capacity(records.num_columns());
        for column in records.columns() {
            columns.push(self.keys_of(column, &mut at)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(records.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.keyed), columns, &options)
    }

    /// Rows with dictionaries in place of keys: all values met so far.
    pub(crate) fn put_together(
        &mut self,
        records: &RecordBatch,
    ) -> Result<RecordBatch, ArrowError> {
        let mut at = 0;
        let mut columns = Vec::with_capacity(records.num_columns());
        let schema = Arc::clone(&self.schema);
        for (column, field) in records.columns().iter().zip(schema.fields()) {
            columns.push(self.dictionary_of(column, field.data_type(), &mut at)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(records.num_rows()));
        RecordBatch::try_new_with_options(schema, columns, &options)
    }

    fn keys_of(&mut self, column: &ArrayRef, at: &mut usize) -> Result<ArrayRef, ArrowError> {
        if dictionaries_in(column.data_type()) == 0 {
            return Ok(Arc::clone(column));
        }
        if let DataType::Dictionary(key_type, _) = column.data_type() {
            *at += 1;
            return self.columns[*at - 1].keys_of(column, key_type);
        }
        // Items outside the rows of this slice must not be seen.
        let rows = UInt64Array::from_iter_values(0..column.len() as u64);
        let data = take(column, &rows, None)?.to_data();
        let mut children = Vec::with_capacity(data.child_data().len());
        for child in data.child_data() {
            children.push(self.keys_of(&make_array(child.clone()), at)?.to_data());
        }
        let data_type = keyed_type(data.data_type());
        Ok(make_array(data.into_builder().data_type(data_type).child_data(children).build()?))
    }

    fn dictionary_of(
        &mut self,
        column: &ArrayRef,
        data_type: &DataType,
        at: &mut usize,
    ) -> Result<ArrayRef, ArrowError> {
        if dictionaries_in(data_type) == 0 {
            return Ok(Arc::clone(column));
        }
        if matches!(data_type, DataType::Dictionary(_, _)) {
            *at += 1;
            return self.columns[*at - 1].dictionary_of(column, data_type);
        }
        let data = column.to_data();
        let mut children = Vec::with_capacity(data.child_data().len());
        for (child, child_type) in data.child_data().iter().zip(child_types(data_type)) {
            let child = make_array(child.clone());
            children.push(self.dictionary_of(&child, &child_type, at)?.to_data());
        }
        let builder = data.into_builder().data_type(data_type.clone()).child_data(children);
        Ok(make_array(builder.build()?))
    }
}

impl Dictionary {
    fn new(copied: bool) -> Dictionary {
        Dictionary { copied, parts: Vec::new(), length: 0, keys: HashMap::new(), last: None }
    }

    fn keys_of(&mut self, column: &ArrayRef, key_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let dictionary = column.as_any_dictionary();
        let values = dictionary.values();
        let mut known = match self.last.take() {
            Some((last, known)) if Arc::ptr_eq(&last, values) || &last == values => known,
            _ => vec![None; values.len()],
        };
        let mut fresh = Vec::new();
        let texts = ValueBytes::of(values)?;
        if self.copied {
            for (value, known) in known.iter_mut().enumerate() {
                if known.is_none() {
                    *known = Some(self.key(texts.of_value(value), value, &mut fresh));
                }
            }
        }
        let nulls = dictionary.keys().nulls().cloned();
        let rows =
            if values.is_empty() { vec![0; column.len()] } else { dictionary.normalized_keys() };
        let mut keys = Vec::with_capacity(rows.len());
        for (row, value) in rows.into_iter().enumerate() {
            let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            keys.push(match known.get_mut(value) {
                Some(known) if !null => match known {
                    Some(key) => *key as u64,
                    unknown => {
                        let key = self.key(texts.of_value(value), value, &mut fresh);
                        *unknown = Some(key);
                        key as u64
                    }
                },
                _ => 0,
            });
        }
        if !fresh.is_empty() {
            self.parts.push(take(values, &UInt64Array::from(fresh), None)?);
        }
        self.last = Some((Arc::clone(values), known));
        let keys: ArrayRef = Arc::new(UInt64Array::new(keys.into(), nulls));
        let exact = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(&keys, key_type, &exact)
    }

    fn key(&mut self, bytes: Option<Vec<u8>>, value: usize, fresh: &mut Vec<u64>) -> usize {
        let next = self.length;
        let key = *self.keys.entry(bytes).or_insert(next);
        if key == next {
            self.length += 1;
            fresh.push(value as u64);
        }
        key
    }

    fn dictionary_of(
        &mut self,
        column: &ArrayRef,
        data_type: &DataType,
    ) -> Result<ArrayRef, ArrowError> {
        if self.parts.len() > 1 {
            let parts: Vec<&dyn Array> = self.parts.iter().map(AsRef::as_ref).collect();
            self.parts = vec![concat(&parts)?];
        }
        let values = match (self.parts.first(), data_type) {
            (Some(values), _) => Arc::clone(values),
            (None, DataType::Dictionary(_, value)) => new_empty_array(value),
            (None, _) => new_empty_array(data_type),
        };
        let data = column.to_data();
        let builder = ArrayData::builder(data_type.clone())
            .len(data.len())
            .offset(data.offset())
            .nulls(data.nulls().cloned())
            .buffers(data.buffers().to_vec())
            .child_data(vec![values.to_data()]);
        Ok(make_array(builder.build()?))
    }
}

/// Values as bytes that are equal when the values are.
enum ValueBytes {
    Text(LargeBinaryArray),
    Fixed { data: ArrayData, width: usize },
}

impl ValueBytes {
    fn of(values: &ArrayRef) -> Result<ValueBytes, ArrowError> {
        match values.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
                let bytes = cast(values, &DataType::LargeBinary)?;
                Ok(ValueBytes::Text(bytes.as_binary().clone()))
            }
            DataType::Utf8View => ValueBytes::of(&cast(values, &DataType::LargeUtf8)?),
            DataType::BinaryView => ValueBytes::of(&cast(values, &DataType::LargeBinary)?),
            DataType::FixedSizeBinary(width) => {
                let width = usize::try_from(*width).unwrap_or(0);
                Ok(ValueBytes::Fixed { data: values.to_data(), width })
            }
            other => match other.primitive_width() {
                Some(width) => Ok(ValueBytes::Fixed { data: values.to_data(), width }),
                None => {
                    Err(ArrowError::NotYetImplemented("dictionary of nested values".to_owned()))
                }
            },
        }
    }

    fn of_value(&self, value: usize) -> Option<Vec<u8>> {
        match self {
            ValueBytes::Text(bytes) => bytes.is_valid(value).then(|| bytes.value(value).to_vec()),
            ValueBytes::Fixed { data, width } => data.is_valid(value).then(|| {
                let start = (data.offset() + value) * width;
                data.buffers()[0][start..start + width].to_vec()
            }),
        }
    }
}

fn dictionaries_in(data_type: &DataType) -> usize {
    match data_type {
        DataType::Dictionary(_, _) => 1,
        other => child_types(other).iter().map(dictionaries_in).sum(),
    }
}

/// Types of the children that an array of a nested type has.
fn child_types(data_type: &DataType) -> Vec<DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => vec![item.data_type().clone()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type().clone()).collect(),
        _ => Vec::new(),
    }
}

fn keyed(field: &Field) -> Field {
    field.clone().with_data_type(keyed_type(field.data_type()))
}

fn keyed_type(data_type: &DataType) -> DataType {
    let item = |item: &Field| Arc::new(keyed(item));
    match data_type {
        DataType::Dictionary(key, _) => key.as_ref().clone(),
        DataType::List(field) => DataType::List(item(field)),
        DataType::LargeList(field) => DataType::LargeList(item(field)),
        DataType::FixedSizeList(field, length) => DataType::FixedSizeList(item(field), *length),
        DataType::Map(field, sorted) => DataType::Map(item(field), *sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| keyed(field)).collect::<Fields>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Int8Type;
    use arrow_array::{DictionaryArray, Int8Array, ListArray, StringArray};
    use arrow_buffer::OffsetBuffer;

    fn words(keys: Vec<Option<i8>>, values: &[&str]) -> ArrayRef {
        let values: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        Arc::new(DictionaryArray::<Int8Type>::new(Int8Array::from(keys), values))
    }

    fn pass(column: &ArrayRef, dictionaries: &mut Dictionaries) -> (Vec<Option<String>>, usize) {
        let records =
            RecordBatch::try_new(Arc::clone(&dictionaries.schema), vec![Arc::clone(column)]);
        let keyed = dictionaries.take_apart(&records.unwrap()).unwrap();
        let back = dictionaries.put_together(&keyed).unwrap();
        let dictionary = back.column(0).as_any_dictionary();
        let plain = cast(back.column(0), &DataType::Utf8).unwrap();
        let plain = plain.as_string::<i32>().iter().map(|cell| cell.map(str::to_owned)).collect();
        (plain, dictionary.values().len())
    }

    fn dictionaries(column: &ArrayRef, copied: bool) -> Dictionaries {
        let field = Field::new("w", column.data_type().clone(), true);
        Dictionaries::new(&Arc::new(Schema::new(vec![field])), &[copied])
    }

    #[test]
    fn values_get_keys_as_rows_use_them() {
        let first = words(vec![Some(2), None, Some(0)], &["a", "b", "c"]);
        let mut growing = dictionaries(&first, false);
        let some = |word: &str| Some(word.to_owned());
        assert_eq!(pass(&first, &mut growing), (vec![some("c"), None, some("a")], 2));
        let second = words(vec![Some(1), Some(0)], &["d", "c"]);
        assert_eq!(pass(&second, &mut growing), (vec![some("c"), some("d")], 3));
        assert_eq!(pass(&first.slice(0, 0), &mut growing), (vec![], 3));
    }

    #[test]
    fn a_copied_column_keeps_values_nobody_uses() {
        let first = words(vec![Some(2)], &["a", "b", "c"]);
        let mut whole = dictionaries(&first, true);
        assert_eq!(pass(&first, &mut whole), (vec![Some("c".to_owned())], 3));
    }

    #[test]
    fn items_outside_a_slice_leave_no_value() {
        let item = Arc::new(Field::new("item", words(vec![], &["a"]).data_type().clone(), true));
        let items = words(vec![Some(0), Some(1), Some(2)], &["a", "b", "c"]);
        let offsets = OffsetBuffer::from_lengths([1, 2]);
        let lists: ArrayRef = Arc::new(ListArray::new(item, offsets, items, None));
        let mut growing = dictionaries(&lists, false);
        let records = RecordBatch::try_new(Arc::clone(&growing.schema), vec![lists.slice(1, 1)]);
        let keyed = growing.take_apart(&records.unwrap()).unwrap();
        let back = growing.put_together(&keyed).unwrap();
        let items = back.column(0).as_list::<i32>().value(0);
        let values = items.as_any_dictionary().values().as_string::<i32>();
        assert_eq!(values.iter().collect::<Vec<_>>(), [Some("b"), Some("c")]);
        assert_eq!(back.column(0), &lists.slice(1, 1));
    }

    #[test]
    fn more_values_than_keys_are_refused() {
        let all: Vec<String> = (0..200).map(|value| value.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let first = words((0..100).map(Some).collect(), &all[..100]);
        let second = words((0..100).map(Some).collect(), &all[100..]);
        let mut growing = dictionaries(&first, false);
        pass(&first, &mut growing);
        let records = RecordBatch::try_new(Arc::clone(&growing.schema), vec![second]).unwrap();
        assert!(growing.take_apart(&records).is_err());
    }
}
