//! The DNS as the lookups of external names see it. Tests bring their own.

use std::time::Duration;

use futures::future::BoxFuture;
use instancelink_core::verify::Answer;

/// What the DNS answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The addresses, of both families together.
    pub answer: Answer,
    /// The shortest time to live of its records.
    pub ttl: Duration,
}

/// The DNS outside the cluster, as the DNS of the operator's pod gives it.
pub trait NameResolver: Send + Sync {
    /// The current addresses of a fully qualified name.
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Found>;
}
