//! Campaigns in front of a real API server: etcd, API server and controllers for one test, the operator as a process,
//! and between them a proxy that fails where a plan requests it.
//!
//! They need no node and no root. They prove what the operator does when the API server fails. What pods see
//! is tested in `tests/e2e`. Nothing here decides what the operator should do: a run without faults is the
//! reference for the runs with faults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking
#![allow(clippy::missing_panics_doc, clippy::future_not_send)] // every test runs on a runtime of its own

mod brown_out;
mod children;
mod fault;
mod history;
mod load;
mod plan;
mod proxy;
mod raw;
mod request;
mod rights;
mod script;
pub mod strange;
mod stream;
mod tenant;

pub use brown_out::BrownOut;
pub use children::children_of;
pub use fault::{Fault, WatchFault};
pub use load::{Worked, work};
pub use plan::Plan;
pub use proxy::Proxy;
pub use raw::{Refused, delete, path_of, plural_of, post, send, text};
pub use request::Request;
pub use rights::{Right, give_everywhere, give_in, make_account, make_role, rights_of};
pub use script::{Course, actions, run as run_script, run_and_look};
pub use tenant::Tenant;
