//! The run loop both faces share.
