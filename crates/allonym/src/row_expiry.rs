//! The column in which rows say when they expire: one of the copies of their tags.

use allonym_core::{AnchorSource, Policy, ROW_EXPIRY, Tag};
use allonym_retention::{Anchor, Counts, Ruling, Verdict};
use arrow_array::Array;
use arrow_schema::{DataType, Schema, TimeUnit};
use jiff::Timestamp;

/// Where the column is; `None` where a schema has none.
///
/// # Errors
/// A column of that name and of a type in which nothing can be said.
pub(crate) fn place_in(schema: &Schema) -> Result<Option<usize>, String> {
    let Some((at, field)) = schema.column_with_name(ROW_EXPIRY) else { return Ok(None) };
    match field.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_))
        // Formats of text have no other.
        | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(Some(at)),
        other => Err(format!(
            "column `{ROW_EXPIRY}` is of type {other}; rows say in timestamp[us, UTC] when they expire"
        )),
    }
}

/// Whether the treatment left something else of the anchor of a tag than it was.
pub(crate) fn is_treated(policy: &Policy, tag: &Tag) -> bool {
    match &tag.anchor {
        AnchorSource::Column(name) => {
            policy.promise(name, None).is_some_and(|promise| promise.treatment != "keep")
        }
        _ => false,
    }
}

/// What a row says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing.
    Nothing,
    /// When it expires, in microseconds since 1970.
    At(i64),
    /// Something that is no instant.
    Unreadable,
}

impl Said {
    pub(crate) fn of(column: &dyn Array, row: usize) -> Said {
        match Anchor::of_cell(column, row) {
            Ok(Anchor::Null) => Said::Nothing,
            Ok(Anchor::Instant(at)) => Said::At(at.as_microsecond()),
            _ => Said::Unreadable,
        }
    }

    /// What is to be said of the row, by what it says alone.
    pub(crate) fn ruling(self, held: bool, as_of: Timestamp) -> Ruling {
        let verdict = self.verdict(held, as_of);
        let soon = as_of.as_microsecond() + EXPIRING_MICROSECONDS;
        let expires_soon = matches!(self, Said::At(at) if at <= soon);
        Ruling { verdict, soon: verdict == Verdict::Retain && expires_soon, suspicious: false }
    }

    /// The verdict on the row, by what it says alone. Whether a row that says nothing never expires
    /// or nobody knows, cannot be told.
    fn verdict(self, held: bool, as_of: Timestamp) -> Verdict {
        match (self, held) {
            (Said::At(at), true) if at <= as_of.as_microsecond() => Verdict::ExpiredOnHold,
            (Said::At(at), false) if at <= as_of.as_microsecond() => Verdict::Expired,
            (_, true) => Verdict::Hold,
            (Said::Unreadable, false) => Verdict::UnreadableAnchor,
            (Said::Nothing, false) => Verdict::NullAnchor,
            (_, false) => Verdict::Retain,
        }
    }
}

/// Thirty days, as [`Counts::EXPIRING_DAYS`].
const EXPIRING_MICROSECONDS: i64 = Counts::EXPIRING_DAYS * 24 * 3_600 * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{StringArray, TimestampMicrosecondArray};
    use arrow_schema::Field;

    #[test]
    fn rows_speak_for_themselves() {
        let as_of: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let at = as_of.as_microsecond();
        let typed = TimestampMicrosecondArray::from(vec![Some(at), Some(at + 1), None]);
        let texts = StringArray::from(vec![
            Some("2026-01-01T00:00:00Z"),
            Some("2026-01-01T00:00:00.000001Z"),
            None,
            Some("never"),
        ]);
        let verdicts = |column: &dyn Array, held| -> Vec<Verdict> {
            (0..column.len()).map(|row| Said::of(column, row).verdict(held, as_of)).collect()
        };
        let expected = [Verdict::Expired, Verdict::Retain, Verdict::NullAnchor];
        assert_eq!(verdicts(&typed.with_timezone("UTC"), false), expected);
        assert_eq!(verdicts(&texts, false)[..3], expected);
        assert_eq!(verdicts(&texts, false)[3], Verdict::UnreadableAnchor);
        assert_eq!(verdicts(&texts, true)[..2], [Verdict::ExpiredOnHold, Verdict::Hold]);
    }

    #[test]
    fn only_instants_are_read() {
        let schema =
            |data_type: DataType| Schema::new(vec![Field::new(ROW_EXPIRY, data_type, true)]);
        let utc = || Some("UTC".into());
        assert_eq!(place_in(&Schema::empty()), Ok(None));
        assert_eq!(
            place_in(&schema(DataType::Timestamp(TimeUnit::Microsecond, utc()))),
            Ok(Some(0))
        );
        assert_eq!(place_in(&schema(DataType::Utf8)), Ok(Some(0)));
        for other in [DataType::Int64, DataType::Timestamp(TimeUnit::Microsecond, None)] {
            assert!(place_in(&schema(other)).is_err());
        }
    }
}
