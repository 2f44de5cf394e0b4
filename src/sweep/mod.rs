//! Removes orphans: children whose links are gone (`lifecycle#sweep-orphans`). A sweep runs at the start, after a kind was
//! listed again, after a link was deleted, and when a child appears whose link is not in the caches.
//!
//! Core decides what to ask the API server about a child, and what follows from the answer. The writes go through the
//! executor of the passes.

mod live;
mod pauses;
mod portions;
mod requests;
mod sweeper;

pub(crate) use requests::SweepRequests;
pub(crate) use sweeper::Sweeper;
