//! When rows expire, as a column beside what they hold.
//!
//! It is told from the cells as they come in: where the treatment takes the anchor away or makes it
//! coarser, this column is what is left of it.

use super::{ApplyError, Plan, PlanError, PlannedColumn};
use crate::codes;
use crate::counts::ColumnCounts;
use crate::policy::{AnchorSource, ROW_EXPIRY, Retention};
use crate::treat::number;
use crate::wording::quoted;
use allonym_retention::{Anchor, OnExpiry, Rule};
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use std::sync::Arc;

/// What rows go by, each with its anchor.
#[derive(Debug)]
pub(super) struct RowExpiry {
    clocks: Vec<(Rule, Source)>,
    dataset: Anchor,
}

#[derive(Debug)]
enum Source {
    /// A column of the input.
    Column(usize),
    /// One for all rows.
    Fixed(Anchor),
}

impl Plan {
    /// The plan with the column [`ROW_EXPIRY`] behind all others, where the policy's retention asks
    /// for it; else as it was. A row expires with the first of the tags under which whole rows go.
    /// `known` tells anchors that stand in no column; those that nobody told give no expiry.
    ///
    /// # Errors
    /// A column that periods are counted from and the data lacks, or that holds no anchors (exit 3);
    /// data that would have the column already (2).
    pub fn with_row_expiry(
        mut self,
        retention: Option<&Retention>,
        known: &dyn Fn(&AnchorSource) -> Anchor,
    ) -> Result<Plan, PlanError> {
        let Some(retention) = retention.filter(|retention| retention.row_column) else {
            return Ok(self);
        };
        if self.output.column_with_name(ROW_EXPIRY).is_some() {
            return Err(PlanError {
                code: codes::CONFLICT,
                message: format!("the data has a column {} already", quoted(ROW_EXPIRY)),
                hint: Some("drop it in the policy: it is made anew".to_owned()),
                exit: 2,
            });
        }
        let of_rows = |action| {
            matches!(action, OnExpiry::DropRow | OnExpiry::Quarantine | OnExpiry::ShredEpoch)
        };
        let mut tags: Vec<_> = retention.dataset.iter().collect();
        for column in &self.columns {
            // Tags that clash are told where they are written down.
            let tag = retention.tag_of(&column.name, column.entity.as_deref()).ok().flatten();
            tags.extend(tag);
        }
        let mut clocks: Vec<(Rule, Source)> = Vec::new();
        for tag in tags.into_iter().filter(|tag| of_rows(tag.on_expiry)) {
            let source = match &tag.anchor {
                AnchorSource::Column(name) => {
                    let Some((at, field)) = self.input.column_with_name(name) else {
                        let message = format!(
                            "periods are counted from column {}, which the data lacks",
                            quoted(name)
                        );
                        return Err(absent(message));
                    };
                    if !holds_anchors(field) {
                        let message = format!(
                            "periods are counted from column {}, and its type {} holds no dates",
                            quoted(name),
                            field.data_type()
                        );
                        return Err(absent(message));
                    }
                    Source::Column(at)
                }
                other => Source::Fixed(known(other)),
            };
            clocks.push((tag.rule.clone(), source));
        }
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut fields: Vec<_> = self.output.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(ROW_EXPIRY, utc, true)));
        self.output = Arc::new(Schema::new_with_metadata(fields, self.output.metadata().clone()));
        self.untouched.push(None);
        self.columns.push(PlannedColumn {
            name: ROW_EXPIRY.to_owned(),
            treatment: "expiry",
            detail: "when the row expires".to_owned(),
            entity: None,
        });
        let dataset = known(&AnchorSource::CollectedAt);
        self.row_expiry = Some(RowExpiry { clocks, dataset });
        Ok(self)
    }
}

impl RowExpiry {
    /// The first expiry of each row.
    pub(super) fn column(
        &self,
        batch: &RecordBatch,
        counts: &mut ColumnCounts,
        first_row: u64,
    ) -> Result<ArrayRef, ApplyError> {
        let mut least: Vec<Option<i64>> = vec![None; batch.num_rows()];
        let mut take = |row: usize, at: Option<i64>| {
            least[row] = match (least[row], at) {
                (Some(known), Some(at)) => Some(known.min(at)),
                (known, at) => known.or(at),
            };
        };
        for (rule, source) in &self.clocks {
            match source {
                Source::Fixed(anchor) => {
                    let at = rule.expiry_microsecond(*anchor);
                    (0..batch.num_rows()).for_each(|row| take(row, at));
                }
                Source::Column(at) => {
                    let told = rule.expiries(batch.column(*at).as_ref(), self.dataset);
                    let told = told.map_err(|_| ApplyError {
                        column: ROW_EXPIRY.to_owned(),
                        row: first_row,
                        message: "the column that periods are counted from changed its type"
                            .to_owned(),
                    })?;
                    told.iter().enumerate().for_each(|(row, at)| take(row, at));
                }
            }
        }
        let column = TimestampMicrosecondArray::from(least).with_timezone("UTC");
        counts.nulls += number(column.null_count());
        counts.treated += number(column.len() - column.null_count());
        Ok(Arc::new(column))
    }
}

/// Whether a type can hold anchors at all.
fn holds_anchors(field: &Field) -> bool {
    let of = |data_type: &DataType| {
        matches!(
            data_type,
            DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(..)
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
        )
    };
    match field.data_type() {
        DataType::Dictionary(_, values) => of(values),
        data_type => of(data_type),
    }
}

fn absent(message: String) -> PlanError {
    PlanError {
        code: codes::ABSENT,
        message,
        hint: Some(
            "count from another column in `[retention]`, or leave row_column out".to_owned(),
        ),
        exit: 3,
    }
}
