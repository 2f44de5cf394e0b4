//! Tests that need the whole cluster, for example because they stop the operator. `cargo xtask e2e` runs these groups
//! one by one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by a panic
#![recursion_limit = "256"] // the futures of the tests and of the harness are inside each other

mod crds;
mod external_names;
mod faults;
mod idle;
mod no_policies;
mod optional_policies;
mod restart;
mod rights;
mod stored_grants;
mod traffic_drain;
mod uninstall;
