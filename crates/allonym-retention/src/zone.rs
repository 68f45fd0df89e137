//! Time zones by name, from the compiled-in database.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::fmt;

/// A time zone of the IANA database (or `UTC`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub(crate) time: TimeZone,
    name: String,
}

impl Zone {
    /// Universal time.
    #[must_use]
    pub fn utc() -> Zone {
        Zone { time: TimeZone::UTC, name: "UTC".to_owned() }
    }

    /// A zone by its name, as in `Europe/Berlin`; case does not matter.
    ///
    /// # Errors
    /// A name that the database does not have.
    pub fn named(name: &str) -> Result<Zone, ZoneError> {
        let unknown = || ZoneError { name: name.to_owned() };
        let time = TimeZoneDatabase::bundled().get(name).map_err(|_| unknown())?;
        let name = time.iana_name().ok_or_else(unknown)?.to_owned();
        Ok(Zone { time, name })
    }

    /// Its name as the database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A name that is no time zone. Zones are named in policies, never in data, so that the name may
/// be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no time zone; they are named as in Europe/Berlin or UTC", name.escape_debug())]
pub struct ZoneError {
    /// The name as given.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_name_and_nothing_else_is_one() {
        assert_eq!(Zone::named("Europe/Berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::named("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::named("UTC").unwrap().name(), "UTC");
        for wrong in ["", "Berlin", "+02:00", "CET+1", "../etc/passwd", "Etc/Unknown", "local"] {
            assert_eq!(Zone::named(wrong).unwrap_err().name, wrong);
        }
    }
}
