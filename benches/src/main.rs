//! End-to-end figures.
fn main() {}
