//! External names: what the DNS says of the name of a Service of type `ExternalName` (contract#external-names).
//!
//! ```text
//! operator looks a name up ──► Record: how long an answer counts, and when to ask again ──► ExternalName ──► snapshot
//! ```

mod allowed;
mod changes;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

pub use allowed::{AllowedNames, is_name, normalized};
pub use record::Record;

/// Most names that are looked up for the links of one namespace.
pub const PER_NAMESPACE: usize = 64;

/// The external names that a decision may need, and which of them the administrator allows.
#[derive(Clone, Debug, Default)]
pub struct ExternalNames {
    /// The names that the operator may look up.
    pub allowed: Arc<AllowedNames>,
    /// What is known of each name that the link leads to.
    pub known: BTreeMap<String, ExternalName>,
}

/// What is known of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExternalName {
    /// The first answer is awaited.
    #[default]
    Pending,
    /// The links of the namespace lead to more names than the operator looks up.
    TooMany,
    /// It was looked up.
    Known {
        /// The addresses of the last answer that counts.
        addresses: Arc<BTreeSet<IpAddr>>,
        /// The DNS does not answer any more.
        failing: Option<Failing>,
    },
}

/// A DNS that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// What it did instead.
    pub why: &'static str,
}
