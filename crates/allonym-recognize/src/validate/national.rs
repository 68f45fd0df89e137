//! Checks of national, tax and social-security numbers.
use super::Check;
pub(super) const CHECKS: &[Check] = &[];
