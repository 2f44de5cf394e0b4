//! What the operator runs against: a cluster, a clock and the DNS.

use std::sync::Arc;

use kube::Client;

use crate::clock::Clock;
use crate::external_names::NameResolver;
use crate::verify::Resolver;
use crate::vitals::Vitals;

/// What the operator runs against. Tests bring their own.
pub struct Dependencies {
    /// A client for watches, which may be silent for minutes.
    pub watches: Client,
    /// A client for single requests, with short timeouts.
    pub calls: Client,
    /// The time that is written into objects.
    pub clock: Arc<dyn Clock>,
    /// The DNS in which aliases are looked up; without one they are not.
    pub dns: Option<Arc<dyn Resolver>>,
    /// The DNS in which external names are looked up; without one none is allowed.
    pub names: Option<Arc<dyn NameResolver>>,
    /// Where the lease is renewed and the probes are answered.
    pub vitals: Vitals,
}
