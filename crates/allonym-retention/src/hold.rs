//! Legal holds: what must not be deleted, on whose word, and when that is looked at again.

use crate::Zone;
use jiff::Timestamp;
use jiff::civil::Date;

/// A legal hold. It beats expiry and nothing else: held rows stay, and once it is lifted what is
/// past its date is due at once.
///
/// Which rows it covers is found by whoever reads the data; decisions take it as a flag of the
/// row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name, as in `LH-2026-014`.
    pub id: String,
    /// Data sets it covers, `*` and `?` allowed; all when left out.
    pub dataset: Option<String>,
    /// File of the subject tokens it covers, relative to the policy; all subjects when left out.
    pub subject_tokens_file: Option<String>,
    /// On whose word.
    pub authority: String,
    /// First day.
    pub from: Date,
    /// Last day before which somebody must look at it again.
    pub review_by: Date,
}

impl Hold {
    /// Whether it holds: from the beginning of its first day in the zone, until somebody lifts it.
    #[must_use]
    pub fn in_force(&self, zone: &Zone, as_of: Timestamp) -> bool {
        zone.time.to_datetime(as_of).date() >= self.from
    }

    /// Whether its day of review has passed, which is a violation. It holds nevertheless.
    #[must_use]
    pub fn review_overdue(&self, zone: &Zone, as_of: Timestamp) -> bool {
        zone.time.to_datetime(as_of).date() > self.review_by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_and_end_in_the_zone() {
        let hold = Hold {
            id: "LH-1".to_owned(),
            dataset: None,
            subject_tokens_file: None,
            authority: "a court".to_owned(),
            from: Date::constant(2026, 3, 1),
            review_by: Date::constant(2027, 3, 1),
        };
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let told = |at: &str| {
            let at: Timestamp = at.parse().unwrap();
            (hold.in_force(&berlin, at), hold.review_overdue(&berlin, at))
        };
        assert_eq!(told("2026-02-28T22:59:59Z"), (false, false));
        assert_eq!(told("2026-02-28T23:00:00Z"), (true, false));
        assert_eq!(told("2027-03-01T22:59:59Z"), (true, false));
        assert_eq!(told("2027-03-01T23:00:00Z"), (true, true));
    }
}
