//! The allonym extension module.
