//! Leader election: which of several operators writes.

mod decide;
pub(crate) mod lease;
mod news;
