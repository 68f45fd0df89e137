//! Checks of contact, device, finance and secret formats.
use super::Check;
pub(super) const CHECKS: &[Check] = &[];
