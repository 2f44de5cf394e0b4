//! A watch of the lease, so that a follower notices at once when it is released or renewed. The follower would notice at its
//! next attempt as well, but until then no operator serves the links.

use futures::StreamExt as _;
use futures::stream::BoxStream;
use instancelink_cluster::ObjectName;
use instancelink_cluster::backoff::LONGEST;
use instancelink_cluster::watch::backoff::WatchBackoff;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};

/// A watch of one lease, which may be absent.
pub(super) struct LeaseWatch {
    events: BoxStream<'static, watcher::Result<Option<Lease>>>,
    failure_is_logged: bool,
}

impl LeaseWatch {
    /// Starts the watch.
    pub(super) fn new(client: Client, lease: &ObjectName) -> Self {
        let api = Api::namespaced(client, &lease.namespace);
        Self {
            events: watcher::watch_object(api, &lease.name)
                .backoff(WatchBackoff::new("Lease", LONGEST))
                .boxed(),
            failure_is_logged: false,
        }
    }

    /// The next version of the lease; none if it was deleted.
    pub(super) async fn next(&mut self) -> Option<Lease> {
        while let Some(event) = self.events.next().await {
            match event {
                Ok(lease) => {
                    self.failure_is_logged = false;
                    return lease;
                }
                Err(error) if !std::mem::replace(&mut self.failure_is_logged, true) => {
                    tracing::warn!(
                        %error,
                        hint = "if this is a missing permission: grant get, list and watch on leases to the operator's \
                                service account, as the Role instancelink-leader-election of the installation does",
                        "the lease cannot be watched; a released lease is noticed later, at the next attempt"
                    );
                }
                Err(_) => {}
            }
        }
        // The stream does not end. If it did, the attempts would go on without it.
        std::future::pending().await
    }
}
