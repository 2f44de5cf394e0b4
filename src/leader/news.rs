//! Tells a follower at once what becomes of the lease: that it was given back, or how long it lasts from now. It would find out
//! by its next attempt as well; nobody serves the links until then.

use futures::StreamExt as _;
use futures::stream::BoxStream;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};

use instancelink_cluster::ObjectName;
use instancelink_cluster::backoff::LONGEST;
use instancelink_cluster::watch::backoff::WatchBackoff;

/// A watch of the lease; of none where it does not exist.
pub(super) struct News {
    lease: BoxStream<'static, watcher::Result<Option<Lease>>>,
    told: bool,
}

impl News {
    /// Begins to watch it.
    pub(super) fn of(client: Client, lease: &ObjectName) -> Self {
        let api = Api::namespaced(client, &lease.namespace);
        Self {
            lease: watcher::watch_object(api, &lease.name)
                .backoff(WatchBackoff::new("Lease", LONGEST))
                .boxed(),
            told: false,
        }
    }

    /// What the lease has become; none where it was deleted.
    pub(super) async fn next(&mut self) -> Option<Lease> {
        while let Some(seen) = self.lease.next().await {
            match seen {
                Ok(lease) => {
                    self.told = false;
                    return lease;
                }
                Err(error) if !std::mem::replace(&mut self.told, true) => {
                    tracing::warn!(
                        %error,
                        hint = "the Role instancelink-leader-election lacks list and watch: apply deploy/ again",
                        "the lease cannot be watched, so one that is given back is noticed later"
                    );
                }
                Err(_) => {}
            }
        }
        // It never ends; and without news there are still the attempts.
        std::future::pending().await
    }
}
