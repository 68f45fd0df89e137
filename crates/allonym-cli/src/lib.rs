//! The allonym command.
