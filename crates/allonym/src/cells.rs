//! Leaf columns of a batch as text, for scanning.
//!
//! A struct's children are columns `person.iban`, a list's items `tags[]`: the paths a policy
//! uses.

use allonym_recognize::ColumnKind;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};

/// One leaf column of a schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) path: String,
    pub(crate) kind: ColumnKind,
    pub(crate) type_name: String,
}

/// The leaves of a schema, in order.
pub(crate) fn leaves(schema: &Schema) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for field in schema.fields() {
        collect_leaves(field.name().clone(), field.data_type(), &mut leaves);
    }
    leaves
}

/// The cells of every leaf of a batch as text, in the order of [`leaves`]; `None` for columns
/// that have no text form (binary, maps).
pub(crate) fn leaf_texts(batch: &RecordBatch) -> Vec<Option<StringArray>> {
    let mut texts = Vec::new();
    for column in batch.columns() {
        collect_texts(column, &mut texts);
    }
    texts
}

fn collect_leaves(path: String, data_type: &DataType, leaves: &mut Vec<Leaf>) {
    match data_type {
        DataType::Struct(fields) if !fields.is_empty() => {
            for field in fields {
                collect_leaves(format!("{path}.{}", field.name()), field.data_type(), leaves);
            }
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            collect_leaves(item_path(path, item), item.data_type(), leaves);
        }
        _ => {
            let type_name = type_name(data_type);
            leaves.push(Leaf { path, kind: kind(data_type), type_name });
        }
    }
}

/// JSON Lines readers already name their list columns by path.
fn item_path(path: String, _item: &Field) -> String {
    if path.contains("[]") { path } else { format!("{path}[]") }
}

fn collect_texts(column: &ArrayRef, texts: &mut Vec<Option<StringArray>>) {
    match column.data_type() {
        DataType::Struct(fields) if !fields.is_empty() => {
            for child in column.as_struct().columns() {
                collect_texts(child, texts);
            }
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let (from, to) = (list.value_offsets()[0], list.value_offsets()[list.len()]);
            let from = usize::try_from(from).expect("list offsets are not negative");
            let to = usize::try_from(to).expect("list offsets are not negative");
            collect_texts(&list.values().slice(from, to - from), texts);
        }
        DataType::LargeList(_) => {
            let list = column.as_list::<i64>();
            let (from, to) = (list.value_offsets()[0], list.value_offsets()[list.len()]);
            let from = usize::try_from(from).expect("list offsets are not negative");
            let to = usize::try_from(to).expect("list offsets are not negative");
            collect_texts(&list.values().slice(from, to - from), texts);
        }
        DataType::FixedSizeList(_, _) => {
            collect_texts(column.as_fixed_size_list().values(), texts);
        }
        data_type if kind(data_type) == ColumnKind::Other => texts.push(None),
        _ => {
            let text = arrow_cast::cast(column, &DataType::Utf8).ok();
            texts.push(text.map(|text| text.as_string::<i32>().clone()));
        }
    }
}

fn kind(data_type: &DataType) -> ColumnKind {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnKind::Text,
        DataType::Dictionary(_, value) => kind(value),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => ColumnKind::Float,
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => {
            if *scale == 0 {
                ColumnKind::Integer
            } else {
                ColumnKind::Float
            }
        }
        data_type if data_type.is_integer() => ColumnKind::Integer,
        DataType::Boolean => ColumnKind::Boolean,
        DataType::Date32 | DataType::Date64 => ColumnKind::Date,
        DataType::Timestamp(_, _) => ColumnKind::Timestamp,
        _ => ColumnKind::Other,
    }
}

fn type_name(data_type: &DataType) -> String {
    match kind(data_type) {
        ColumnKind::Text => "string".to_owned(),
        ColumnKind::Integer => "integer".to_owned(),
        ColumnKind::Float => "float".to_owned(),
        ColumnKind::Boolean => "boolean".to_owned(),
        ColumnKind::Date => "date".to_owned(),
        ColumnKind::Timestamp => "timestamp".to_owned(),
        ColumnKind::Other => data_type.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Int64Array, ListArray, StructArray};
    use arrow_buffer::OffsetBuffer;
    use std::sync::Arc;

    #[test]
    fn nested_columns_have_paths_and_sliced_cells() {
        let name: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let person = StructArray::from(vec![
            (Arc::new(Field::new("name", DataType::Utf8, true)), name),
            (Arc::new(Field::new("id", DataType::Int64, true)), id),
        ]);
        let tags = ListArray::new(
            Arc::new(Field::new("item", DataType::Utf8, true)),
            OffsetBuffer::from_lengths([2, 0, 1]),
            Arc::new(StringArray::from(vec!["x", "y", "z"])),
            None,
        );
        let batch = RecordBatch::try_from_iter([
            ("person", Arc::new(person) as ArrayRef),
            ("tags", Arc::new(tags) as ArrayRef),
        ])
        .unwrap();
        let paths: Vec<_> = leaves(batch.schema_ref()).into_iter().map(|leaf| leaf.path).collect();
        assert_eq!(paths, ["person.name", "person.id", "tags[]"]);
        let texts = leaf_texts(&batch.slice(1, 2));
        let cells = |at: usize| -> Vec<String> {
            texts[at].as_ref().unwrap().iter().flatten().map(str::to_owned).collect()
        };
        assert_eq!(cells(0), ["b", "c"]);
        assert_eq!(cells(1), ["2", "3"]);
        assert_eq!(cells(2), ["z"]);
    }
}
