//! Leader election: which of several operators writes.
//!
//! `decide` is pure; `election` sends the requests. The rest of the operator sees a [`Leadership`], which answers whether
//! writes are allowed at this moment.

mod config;
mod decide;
mod election;
mod leadership;
mod lease;
mod lease_watch;

pub(crate) use config::LeaseConfig;
pub(crate) use election::Election;
pub(crate) use leadership::Leadership;
