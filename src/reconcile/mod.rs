//! From "something about this link changed" to "nothing is due": the queue, the loop, and the requests it makes.

pub(crate) mod backoff;
pub(crate) mod batches;
pub(crate) mod driver;
pub(crate) mod events;
mod execute;
pub(crate) mod gates;
mod link_patch;
mod patience;
pub(crate) mod queue;
mod refuse;
mod report;
mod schedule;
pub(crate) mod sweep;
pub(crate) mod unconfirmed;
