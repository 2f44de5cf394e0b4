//! Every version of every EndpointSlice of a namespace, by any author: everything that was ever visible there.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{ListParams, WatchParams};
use kube::{Api, ResourceExt};
use tokio::task::JoinHandle;

use crate::Namespace;
use crate::versions::follow;

/// A watcher of all slices of a namespace.
pub struct Slices {
    api: Api<EndpointSlice>,
    seen: Arc<Mutex<Vec<EndpointSlice>>>,
    task: JoinHandle<()>,
}

impl Slices {
    /// Starts the watch. Returns when no later version can be missed.
    pub async fn watch(namespace: &Namespace) -> Self {
        let api: Api<EndpointSlice> = namespace.api();
        let list = api.list(&ListParams::default()).await.expect("a list of slices");
        let from = list.metadata.resource_version.expect("lists have a resource version");
        let seen = Arc::new(Mutex::new(list.items));
        let sink = Arc::clone(&seen);
        let params = WatchParams::default().disable_bookmarks();
        let task = tokio::spawn(follow(api.clone(), params, from, move |slice, _| {
            sink.lock().expect("no panic while held").push(slice);
        }));
        Self { api, seen, task }
    }

    /// Fails if an address or a UID of these pods was in a slice since the watch began, ready or not.
    pub async fn never_showed(&self, pods: &[Pod]) {
        assert!(!pods.is_empty(), "there is somebody to be hidden");
        if let Some(slice) = self.first_with(pods).await {
            panic!(
                "slice {} showed one of {:?}:\n{}",
                slice.name_any(),
                pods.iter().map(ResourceExt::name_any).collect::<Vec<_>>(),
                serde_yaml_ng::to_string(&slice).unwrap_or_default()
            );
        }
    }

    /// Fails if none was. This proves that the watch works.
    pub async fn showed(&self, pods: &[Pod]) {
        assert!(self.first_with(pods).await.is_some(), "none of these pods was shown");
    }

    async fn first_with(&self, pods: &[Pod]) -> Option<EndpointSlice> {
        // The watch may lag behind.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = self.api.list(&ListParams::default()).await.expect("a list of slices");
        let seen = self.seen.lock().expect("no panic while held").clone();
        let marks: BTreeSet<String> = pods.iter().flat_map(marks_of).collect();
        let shows = |slice: &EndpointSlice| {
            let endpoints = slice.endpoints.iter().flatten();
            let mut shown = endpoints.flat_map(|endpoint| {
                let uid = endpoint.target_ref.as_ref().and_then(|target| target.uid.as_ref());
                endpoint.addresses.iter().chain(uid)
            });
            shown.any(|mark| marks.contains(mark))
        };
        seen.into_iter().chain(now).find(shows)
    }
}

impl Drop for Slices {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What identifies a pod.
fn marks_of(pod: &Pod) -> Vec<String> {
    let addresses = pod.status.iter().flat_map(|status| status.pod_ips.iter().flatten());
    addresses.map(|ip| ip.ip.clone()).chain(pod.uid()).collect()
}
