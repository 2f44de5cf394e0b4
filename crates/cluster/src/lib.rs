//! What the operator knows of the cluster, and its single requests to the API server.
//!
//! Each module uses only the modules below it:
//!
//! ```text
//! watch     one watch per kind          observe   from the caches to a snapshot          orphans   what to sweep
//! cache     the caches behind one lock: events and answers to our own writes in, affected links out
//! affects   which links and pods a change concerns
//! index     the objects of each kind, and their lookups
//! store     tables, groups, compression, projection: generic, without knowledge of any kind
//! affected  name  backoff  meter  calls
//! ```
//! Nothing is decided here: decisions are in `instancelink-core`, and the operator runs the loop.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod affected;
pub mod affects;
pub mod backoff;
pub mod cache;
pub mod calls;
pub mod index;
pub mod meter;
pub mod name;
mod observe;
pub mod orphans;
pub mod store;
pub mod watch;
#[cfg(test)]
mod world;

pub use affected::{Affected, Cause, GoneLink};
pub use affects::{Environments, Grants, Links, Pods, Policies, Secrets, Services, Slices, Watched};
pub use cache::{Cache, InFlight, Listener, UnusableObject};
pub use calls::{CallError, Calls, Deleted};
pub use index::Index;
pub use meter::Meter;
pub use name::{LinkKey, ObjectName, SourceKey};
pub use observe::observe;
pub use store::lenient::Lenient;
pub use store::strip_managed_fields::Stripped;
pub use store::table::Reduced;
