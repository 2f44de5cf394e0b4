//! Faults: what may go wrong between the operator and the API server, as plans that print in one line and replay from it.

pub mod hooks;
pub mod injector;
pub mod plan;
