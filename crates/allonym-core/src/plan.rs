//! A policy bound to a schema and keys.

mod compile;
mod expiry;
mod holding;
mod spelling;
mod tree;

pub use holding::{Holding, Reach, default_field};
pub use spelling::Spelling;
pub use tree::glob_matches;
pub(crate) use tree::{is_inside, leaves};

use crate::counts::ColumnCounts;
use crate::policy::Policy;
use crate::treat::{Fault, Rows, Treat, number};
use crate::wording::quoted;
use allonym_keys::Keyring;
use allonym_recognize::Recognizer;
use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericListArray, OffsetSizeTrait, RecordBatch,
    RecordBatchOptions, StructArray,
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, FieldRef, SchemaRef};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A policy bound to a schema and keys. `Send + Sync`; shared by workers. `Debug` shows names and
/// treatments, no key and no cell.
#[derive(Debug)]
pub struct Plan {
    input: SchemaRef,
    output: SchemaRef,
    /// One for each input column.
    nodes: Vec<Node>,
    untouched: Vec<Option<usize>>,
    columns: Vec<PlannedColumn>,
    warnings: Vec<String>,
    keys: Vec<(String, u32, String)>,
    row_expiry: Option<expiry::RowExpiry>,
}

impl Plan {
    /// Finds everything wrong before row one. `judged` gives the entity of columns where a scan was
    /// made (for `[[match]] entity = ...`, default fields and profiles), by the paths that
    /// [`Plan::columns`] shows; it may be empty.
    ///
    /// # Errors
    /// All mistakes together, ten of them in words: columns the policy does not list (exit 1),
    /// treatments that do not fit and entries that conflict (2), columns the data lacks or has
    /// twice (3), keys that cannot be used (4). The most severe gives code and exit.
    pub fn compile(
        policy: &Policy,
        schema: &SchemaRef,
        keys: Option<&Keyring>,
        recognizer: Option<Arc<Recognizer>>,
        judged: &BTreeMap<String, String>,
    ) -> Result<Plan, PlanError> {
        compile::plan(policy, schema, keys, recognizer, judged)
    }

    /// Schema of treated batches.
    #[must_use]
    pub fn output_schema(&self) -> &SchemaRef {
        &self.output
    }

    /// For each output column, the input column it is copied from untouched, if it is.
    #[must_use]
    pub fn untouched(&self) -> &[Option<usize>] {
        &self.untouched
    }

    /// What will be done, column by column, in input order. Nested columns are there by their
    /// leaves (`person.iban`, `items[].name`), unless one treatment takes them whole.
    #[must_use]
    pub fn columns(&self) -> &[PlannedColumn] {
        &self.columns
    }

    /// Notes for people: collision bound, rules that find nothing. What only the rows can tell is
    /// in [`ColumnCounts::warning`].
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Keys used: (id, epoch, domain). Empty when no column needs one.
    #[must_use]
    pub fn keys(&self) -> &[(String, u32, String)] {
        &self.keys
    }

    /// Treats rows. Row count and order stay. What comes out does not depend on how the rows of a
    /// document are cut into batches.
    ///
    /// # Errors
    /// A batch of another schema; text that grew beyond what its type can hold.
    pub fn apply(&self, batch: &RecordBatch, at: Position<'_>) -> Result<Treated, ApplyError> {
        self.check_schema(batch)?;
        let rows = Rows { document: at.document, first_row: at.first_row, nested: None };
        let mut counts = vec![ColumnCounts::default(); self.columns.len()];
        let mut columns = Vec::with_capacity(self.untouched.len());
        for (node, array) in self.nodes.iter().zip(batch.columns()) {
            if let Some(treated) = self.treat(node, array, &rows, &mut counts)? {
                columns.push(treated);
            }
        }
        if let (Some(expiry), Some(counts)) = (&self.row_expiry, counts.last_mut()) {
            columns.push(expiry.column(batch, counts, at.first_row)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        // The error of Arrow would name types only, but nothing of other libraries is shown.
        let records =
            RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)
                .map_err(|_| ApplyError {
                    column: String::new(),
                    row: at.first_row,
                    message: "the treated columns do not fit the schema of the plan".to_owned(),
                })?;
        Ok(Treated { records, counts })
    }

    fn check_schema(&self, batch: &RecordBatch) -> Result<(), ApplyError> {
        let error = |column: &str, message: String| ApplyError {
            column: column.to_owned(),
            row: 0,
            message,
        };
        let (planned, here) = (self.input.fields(), batch.schema_ref().fields());
        if planned.len() != here.len() {
            let message =
                format!("a batch has {} columns where the plan has {}", here.len(), planned.len());
            return Err(error("", message));
        }
        for (planned, here) in planned.iter().zip(here) {
            if planned.name() != here.name() {
                let message = format!("the plan has {} in this place", quoted(planned.name()));
                return Err(error(here.name(), message));
            }
            if !planned.data_type().equals_datatype(here.data_type()) {
                let message =
                    format!("type {} where the plan has {}", here.data_type(), planned.data_type());
                return Err(error(here.name(), message));
            }
        }
        Ok(())
    }

    fn treat(
        &self,
        node: &Node,
        array: &ArrayRef,
        rows: &Rows<'_>,
        counts: &mut [ColumnCounts],
    ) -> Result<Option<ArrayRef>, ApplyError> {
        let fault = |fault: &Fault, column: usize| ApplyError {
            column: self.columns[column].name.clone(),
            row: rows.row(fault.row),
            message: fault.message.clone(),
        };
        match node {
            Node::Keep { column } => {
                counts[*column].nulls += number(array.logical_null_count());
                Ok(Some(Arc::clone(array)))
            }
            Node::Drop { column } => {
                let nulls = number(array.logical_null_count());
                counts[*column].nulls += nulls;
                counts[*column].treated += number(array.len()) - nulls;
                Ok(None)
            }
            Node::Leaf { column, treat } => treat
                .apply(array, rows, &mut counts[*column])
                .map(Some)
                .map_err(|error| fault(&error, *column)),
            Node::Struct { children, output } => {
                let array = array.as_struct();
                let mut kept = Vec::new();
                for (child, array) in children.iter().zip(array.columns()) {
                    kept.extend(self.treat(child, array, rows, counts)?);
                }
                let Some(output) = output else { return Ok(None) };
                let DataType::Struct(fields) = output.data_type() else {
                    return Err(self.lost(node, rows));
                };
                StructArray::try_new(fields.clone(), kept, array.nulls().cloned())
                    .map(|array| Some(Arc::new(array) as ArrayRef))
                    .map_err(|_| self.lost(node, rows))
            }
            Node::List { item, output } => {
                let treated = match array.data_type() {
                    DataType::List(_) => {
                        self.treat_list::<i32>(array, item, output.as_ref(), rows, counts)?
                    }
                    DataType::LargeList(_) => {
                        self.treat_list::<i64>(array, item, output.as_ref(), rows, counts)?
                    }
                    _ => self.treat_fixed_list(array, item, output.as_ref(), rows, counts)?,
                };
                match (treated, output) {
                    (Some(array), Some(_)) => Ok(Some(array)),
                    (None, None) => Ok(None),
                    _ => Err(self.lost(node, rows)),
                }
            }
        }
    }

    fn treat_list<O: OffsetSizeTrait>(
        &self,
        array: &ArrayRef,
        item: &Node,
        output: Option<&FieldRef>,
        rows: &Rows<'_>,
        counts: &mut [ColumnCounts],
    ) -> Result<Option<ArrayRef>, ApplyError> {
        let list = array.as_list::<O>();
        let offsets = list.offsets();
        let (from, to) = (offsets[0], offsets[list.len()]);
        // Only the items these rows point at: a slice carries the others along.
        let items = list.values().slice(from.as_usize(), (to - from).as_usize());
        let inside = rows.inside(offsets.windows(2).map(|pair| (pair[1] - pair[0]).as_usize()));
        let treated = self.treat(item, &items, &inside, counts)?;
        let (Some(treated), Some(field)) = (treated, output.and_then(item_field)) else {
            return Ok(None);
        };
        let offsets: Vec<O> = offsets.iter().map(|offset| *offset - from).collect();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let list = GenericListArray::<O>::try_new(field, offsets, treated, list.nulls().cloned());
        Ok(list.ok().map(|list| Arc::new(list) as ArrayRef))
    }

    fn treat_fixed_list(
        &self,
        array: &ArrayRef,
        item: &Node,
        output: Option<&FieldRef>,
        rows: &Rows<'_>,
        counts: &mut [ColumnCounts],
    ) -> Result<Option<ArrayRef>, ApplyError> {
        let Some(list) = array.as_fixed_size_list_opt() else { return Ok(None) };
        let size = usize::try_from(list.value_length()).unwrap_or(0);
        // A slice of such an array slices its values too.
        let inside = rows.inside(std::iter::repeat_n(size, list.len()));
        let treated = self.treat(item, list.values(), &inside, counts)?;
        let (Some(treated), Some(field)) = (treated, output.and_then(item_field)) else {
            return Ok(None);
        };
        let nulls = list.nulls().cloned();
        let list = FixedSizeListArray::try_new_with_length(
            field,
            list.value_length(),
            treated,
            nulls,
            list.len(),
        );
        Ok(list.ok().map(|list| Arc::new(list) as ArrayRef))
    }

    /// Arrow refused to put a nested column together again.
    fn lost(&self, node: &Node, rows: &Rows<'_>) -> ApplyError {
        ApplyError {
            column: node
                .first_column()
                .map_or_else(String::new, |column| self.columns[column].name.clone()),
            row: rows.row(0),
            message: Fault::layout().message,
        }
    }
}

/// What happens to a column or a part of it. `column` points into the planned columns.
#[derive(Debug)]
enum Node {
    Keep {
        column: usize,
    },
    Drop {
        column: usize,
    },
    Leaf {
        column: usize,
        treat: Box<Treat>,
    },
    /// `output` is `None` when every child is dropped.
    Struct {
        children: Vec<Node>,
        output: Option<FieldRef>,
    },
    List {
        item: Box<Node>,
        output: Option<FieldRef>,
    },
}

impl Node {
    fn first_column(&self) -> Option<usize> {
        match self {
            Node::Keep { column } | Node::Drop { column } | Node::Leaf { column, .. } => {
                Some(*column)
            }
            Node::Struct { children, .. } => children.first().and_then(Node::first_column),
            Node::List { item, .. } => item.first_column(),
        }
    }

    fn is_untouched(&self) -> bool {
        match self {
            Node::Keep { .. } => true,
            Node::Drop { .. } | Node::Leaf { .. } => false,
            Node::Struct { children, .. } => children.iter().all(Node::is_untouched),
            Node::List { item, .. } => item.is_untouched(),
        }
    }
}

fn item_field(list: &FieldRef) -> Option<FieldRef> {
    match list.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(Arc::clone(item))
        }
        _ => None,
    }
}

/// One line of a plan.
#[derive(Clone, Debug)]
pub struct PlannedColumn {
    /// Path.
    pub name: String,
    /// `pseudonymize`, `keep` ...
    pub treatment: &'static str,
    /// In words, for `--dry-run`.
    pub detail: String,
    /// Entity, where known.
    pub entity: Option<String>,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a> {
    /// Name of the document (path relative to the receipt), for `consistency = "document"` and `"none"`.
    pub document: &'a str,
    /// Number of the batch's first row, from 0.
    pub first_row: u64,
}

/// Rows that went through a plan: only [`Plan::apply`] makes one, and only a treated batch is written.
/// `Debug` shows counts: kept columns hold raw cells.
pub struct Treated {
    records: RecordBatch,
    counts: Vec<ColumnCounts>,
}

impl Treated {
    /// The rows.
    #[must_use]
    pub fn records(&self) -> &RecordBatch {
        &self.records
    }

    /// Counts, in the order of [`Plan::columns`].
    #[must_use]
    pub fn counts(&self) -> &[ColumnCounts] {
        &self.counts
    }

    /// The rows, no longer proven.
    #[must_use]
    pub fn into_records(self) -> RecordBatch {
        self.records
    }
}

impl fmt::Debug for Treated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Treated")
            .field("rows", &self.records.num_rows())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Why a plan cannot be made; `exit` is 1 (unlisted column), 2 (policy), 3 (column missing or
/// twice in the data) or 4 (key).
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Exit code.
    pub exit: u8,
}

/// A cell or batch that a checked plan could still not treat; never quotes the cell.
#[derive(Debug, thiserror::Error)]
#[error("column {}, row {row}: {message}", quoted(column))]
pub struct ApplyError {
    /// Column path.
    pub column: String,
    /// Row number from 0 in the input.
    pub row: u64,
    /// What was expected; lengths and kinds only.
    pub message: String,
}
