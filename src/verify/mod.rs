//! Looks up aliases in the cluster's DNS as pods do, a few at a time, and keeps the results for the next passes
//! (`contract#verification`). Core decides what a result means and when to look again. No pass waits for a lookup.

mod dns;
mod lookup_schedule;
mod resolver;
mod verifier;

pub(crate) use dns::{name_resolver_of, resolver_of};
pub use resolver::Resolver;
pub(crate) use verifier::Verifier;
