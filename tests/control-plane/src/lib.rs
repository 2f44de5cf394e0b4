//! A control plane for one test, on loopback and without a node, and the operator as a process.
//!
//! It needs no root, and the test may break it. `cargo xtask campaigns` and `cargo xtask bench` build the
//! programs and pass their paths in environment variables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking
#![allow(clippy::missing_panics_doc, clippy::future_not_send)] // every test runs on a runtime of its own

mod account;
mod folder;
mod loopback;
mod memory;
mod operator;
mod plane;
mod program;
mod user;

pub use account::Account;
pub use memory::MemoryLimit;
pub use operator::{Operator, Options};
pub use plane::{ControlPlane, Setup, client_of, free_ports, kubeconfig_of, write};
pub use program::Program;
