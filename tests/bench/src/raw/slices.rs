//! The process that follows pods. When a pod becomes ready or unready, it writes the slice with its address, one write
//! for each slice at a time. It reads the slices once at the start, and decides nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::StreamExt as _;
use futures::future::join_all;
use instancelink_api::keys;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt as _};
use tokio::sync::Notify;

use crate::bare::READY;

/// A slice, and whether it differs from the last write.
struct Kept {
    slice: Mutex<EndpointSlice>,
    changed: Notify,
}

/// Follows the pods of a namespace until it is stopped.
pub async fn run(namespace: &str) {
    let client = Client::try_default()
        .await
        .expect("KUBECONFIG says where the API server is");
    let api = Api::<EndpointSlice>::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels(&format!("{}={}", keys::MANAGED_BY, keys::MANAGER));
    let standing = api.list(&ours).await.expect("the slices");
    let kept: Vec<Arc<Kept>> = standing.into_iter().map(|slice| Arc::new(Kept::of(slice))).collect();
    let mut homes = HashMap::new();
    for kept in &kept {
        let slice = kept.lock();
        let addresses = slice
            .endpoints
            .iter()
            .flatten()
            .flat_map(|endpoint| &endpoint.addresses);
        homes.extend(addresses.map(|address| (address.clone(), Arc::clone(kept))));
    }
    let writes = kept.into_iter().map(|kept| tokio::spawn(write(api.clone(), kept)));
    println!("{READY}");
    tokio::join!(join_all(writes), follow(Api::namespaced(client, namespace), &homes));
}

impl Kept {
    fn of(mut slice: EndpointSlice) -> Self {
        slice.metadata.managed_fields = None;
        Self {
            slice: Mutex::new(slice),
            changed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, EndpointSlice> {
        self.slice.lock().expect("no panic while held")
    }

    /// Sets the readiness of an address. True if it changed.
    fn say(&self, address: &str, ready: bool) -> bool {
        let mut slice = self.lock();
        let mut endpoints = slice.endpoints.iter_mut().flatten();
        let endpoint = endpoints.find(|endpoint| endpoint.addresses.iter().any(|known| known == address));
        let conditions = endpoint.expect("its home").conditions.get_or_insert_default();
        let news = conditions.ready != Some(ready);
        (conditions.ready, conditions.serving) = (Some(ready), Some(ready));
        news
    }
}

async fn follow(pods: Api<Pod>, homes: &HashMap<String, Arc<Kept>>) {
    let mut version = "0".to_owned();
    // The API server ends a watch that is too slow.
    loop {
        let events = pods.watch(&WatchParams::default(), &version).await.expect("a watch");
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            let (WatchEvent::Added(pod) | WatchEvent::Modified(pod)) = event.expect("an event") else {
                continue;
            };
            version = pod.resource_version().unwrap_or_default();
            let Some(status) = pod.status else { continue };
            let ready = status.conditions.iter().flatten();
            let ready = ready.into_iter().any(|c| c.type_ == "Ready" && c.status == "True");
            let address = status.pod_ip.unwrap_or_default();
            if let Some(home) = homes.get(&address)
                && home.say(&address, ready)
            {
                home.changed.notify_one();
            }
        }
    }
}

/// Writes one slice each time it changes.
async fn write(api: Api<EndpointSlice>, kept: Arc<Kept>) {
    loop {
        kept.changed.notified().await;
        let slice = kept.lock().clone();
        let written = api.replace(&slice.name_any(), &PostParams::default(), &slice).await;
        let version = written.expect("a slice").metadata.resource_version;
        kept.lock().metadata.resource_version = version;
    }
}
