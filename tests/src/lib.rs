//! Tests across crates: what they share.
