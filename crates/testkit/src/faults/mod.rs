//! Faults between the operator and the API server, as plans that print as one line and replay from it.

pub mod hooks;
pub mod injector;
pub mod plan;
pub mod refusing;
