//! The allonym command.
fn main() {}
