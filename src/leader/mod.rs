//! Leader election: which of several operators writes.
//!
//! `decide` is pure; `election` sends the requests, and `candidate` runs it on a thread of its
//! own. The rest of the operator sees a [`Leadership`], which answers whether
//! writes are allowed at this moment.

mod candidate;
mod config;
mod decide;
mod election;
mod leadership;
mod lease;
mod lease_watch;

pub(crate) use candidate::Candidate;
pub(crate) use config::LeaseConfig;
pub(crate) use election::Election;
pub(crate) use leadership::Leadership;
