//! The DNS as the verifier sees it. Tests bring their own.

use futures::future::BoxFuture;
use instancelink_core::verify::Answer;

/// The DNS as pods use it.
pub trait Resolver: Send + Sync {
    /// The current addresses of a fully qualified name, of both families together. No cache may answer.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Answer>;
    /// The cluster domain in the DNS search list of this pod.
    fn domain_of_pod(&self) -> Option<&str>;
}
