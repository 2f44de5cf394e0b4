//! Passes on what the caches report: changes to the queue, the sweeper and the writers of gates and of grants, and objects
//! that cannot be used to their report.

use std::sync::Arc;

use instancelink_cluster::{Affected, Listener, UnusableObject};

use crate::queue::Queue;
use crate::requested_names::RequestedNames;
use crate::sweep::SweepRequests;
use crate::telemetry::metrics::Metrics;
use crate::unusable::UnusableObjects;

/// The listener of the caches.
pub(super) struct ChangeRouter {
    pub(super) queue: Arc<Queue>,
    pub(super) sweeps: Arc<SweepRequests>,
    pub(super) gates: Arc<RequestedNames>,
    pub(super) grants: Arc<RequestedNames>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) unusable: Arc<UnusableObjects>,
}

impl Listener for ChangeRouter {
    fn affected(&self, affected: Affected) {
        self.queue.add(&affected.links);
        self.sweeps.add_gone_links(affected.gone);
        if !affected.orphans.is_empty() {
            self.sweeps.check_soon(affected.orphans);
        }
        self.gates.add(affected.gated);
        self.grants.add(affected.grants);
    }

    fn listed(&self, kind: &'static str, times: u64) {
        if times > 1 {
            self.metrics.relisted(kind);
            self.sweeps.full_scan();
        }
    }

    fn unusable(&self, object: UnusableObject) {
        self.unusable.add(object);
    }
}
