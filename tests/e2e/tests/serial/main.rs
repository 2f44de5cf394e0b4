//! What needs the cluster for itself (it ends the operator, for one): `cargo xtask e2e` runs these one group after the other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

mod anew;
mod crds;
mod faults;
mod idle;
mod no_policies;
mod optional_policies;
mod uninstall;
