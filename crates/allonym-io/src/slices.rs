//! Rows cut anew: whatever sizes come in, slices of chosen sizes go out.

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use std::collections::VecDeque;
use std::sync::Arc;

/// Rows that wait to be cut.
#[derive(Debug)]
pub(crate) struct Slices {
    schema: SchemaRef,
    waiting: VecDeque<RecordBatch>,
    rows: usize,
}

impl Slices {
    pub(crate) fn new(schema: &SchemaRef) -> Slices {
        Slices { schema: Arc::clone(schema), waiting: VecDeque::new(), rows: 0 }
    }

    /// Rows waiting.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn push(&mut self, records: &RecordBatch) {
        if records.num_rows() > 0 {
            self.rows += records.num_rows();
            self.waiting.push_back(records.clone());
        }
    }

    /// The first `rows` rows, at most all that wait.
    pub(crate) fn take(&mut self, rows: usize) -> Result<RecordBatch, ArrowError> {
        let rows = rows.min(self.rows);
        let mut parts = Vec::new();
        let mut missing = rows;
        while missing > 0 {
            let Some(first) = self.waiting.pop_front() else { break };
            let taken = first.num_rows().min(missing);
            if taken < first.num_rows() {
                self.waiting.push_front(first.slice(taken, first.num_rows() - taken));
            }
            parts.push(first.slice(0, taken));
            missing -= taken;
        }
        self.rows -= rows;
        if let [whole] = parts.as_slice() {
            // The schema given at the start counts, not that of a batch.
            let options = RecordBatchOptions::new().with_row_count(Some(whole.num_rows()));
            return RecordBatch::try_new_with_options(
                Arc::clone(&self.schema),
                whole.columns().to_vec(),
                &options,
            );
        }
        concat_batches(&self.schema, &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, Int32Array};

    #[test]
    fn slices_keep_order_whatever_came_in() {
        let batch = |values: &[i32]| {
            let column: ArrayRef = Arc::new(Int32Array::from(values.to_vec()));
            RecordBatch::try_from_iter([("a", column)]).unwrap()
        };
        let mut slices = Slices::new(batch(&[]).schema_ref());
        for part in [&[1, 2, 3][..], &[], &[4], &[5, 6, 7, 8]] {
            slices.push(&batch(part));
        }
        let mut taken = Vec::new();
        for rows in [2, 3, 9] {
            let slice = slices.take(rows).unwrap();
            taken.push(slice.column(0).as_primitive::<Int32Type>().values().to_vec());
        }
        assert_eq!(taken, [vec![1, 2], vec![3, 4, 5], vec![6, 7, 8]]);
        assert_eq!(slices.rows(), 0);
    }
}
