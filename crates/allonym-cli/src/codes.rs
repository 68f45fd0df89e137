//! What each error code means, for `allonym explain`.

/// One code.
pub(crate) struct Code {
    pub(crate) code: &'static str,
    pub(crate) exit: u8,
    pub(crate) what: &'static str,
    pub(crate) fix: &'static str,
}

/// A code by its name.
pub(crate) fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code == code)
}

const CODES: &[Code] = &[
    Code {
        code: "ALO-D001",
        exit: 3,
        what: "The input cannot be read: missing, empty, truncated, corrupt, ragged, wrongly \
               encoded, or with a cell over the limit. Nothing was written.",
        fix: "Mend the file at the row the message names, or declare its dialect \
              (--delimiter, --encoding, --no-header).",
    },
];
