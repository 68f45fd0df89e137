//! Cell text that must not be read by accident.

use std::fmt;

/// A borrowed cell. `Debug` and `Display` tell its length and nothing else, so that a message built
/// from it cannot quote data.
///
/// ```
/// use allonym_core::Sensitive;
/// assert_eq!(Sensitive::new("Ada Testperson").to_string(), "14 bytes");
/// assert_eq!(format!("{:?}", Sensitive::new("x")), "Sensitive(1 byte)");
/// ```
#[derive(Clone, Copy)]
pub struct Sensitive<'a>(&'a str);

impl<'a> Sensitive<'a> {
    /// Wraps a cell.
    #[must_use]
    pub fn new(cell: &'a str) -> Sensitive<'a> {
        Sensitive(cell)
    }

    /// The cell itself: only for code that treats it.
    #[must_use]
    pub fn reveal(self) -> &'a str {
        self.0
    }
}

impl fmt::Display for Sensitive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.0.len() == 1 { "byte" } else { "bytes" };
        write!(f, "{} {unit}", self.0.len())
    }
}

impl fmt::Debug for Sensitive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sensitive({self})")
    }
}
