//! Looks up the external names that links lead to, a few at a time, and keeps the answers for the next passes
//! (`contract#external-names`). Core decides how long an answer counts and when to look again. No pass waits for a lookup.

mod entry;
mod lookups;
mod registry;
mod resolver;

pub(crate) use lookups::ExternalLookups;
pub use resolver::{Found, NameResolver};
