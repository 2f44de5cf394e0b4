//! The address families of the cluster, and the addresses of its Services.

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Node, Service};
use kube::Api;
use kube::api::ListParams;

use crate::not_counted::not_counted;
use crate::{Namespace, connect};

/// True if the nodes of the cluster have addresses of both families. If not, the tests of this group are not counted.
pub async fn is_dual_stack(group: &str) -> bool {
    let nodes: Api<Node> = Api::all(connect().await);
    let nodes = nodes.list(&ListParams::default()).await.expect("nodes");
    let statuses = nodes.iter().filter_map(|node| node.status.as_ref());
    let mut addresses = statuses.flat_map(|status| status.addresses.iter().flatten());
    let is_dual = addresses.any(|address| address.type_ == "InternalIP" && address.address.contains(':'));
    if !is_dual {
        not_counted(group, "the nodes of this cluster have no IPv6 addresses");
    }
    is_dual
}

impl Namespace {
    /// The cluster IPs of a Service, one of each of its families.
    pub async fn cluster_ips(&self, service: &str) -> BTreeSet<IpAddr> {
        let service = self.api::<Service>().get(service).await;
        cluster_ips_of(&service.expect("the Service"))
    }
}

/// The cluster IPs of a Service, one of each of its families.
pub fn cluster_ips_of(service: &Service) -> BTreeSet<IpAddr> {
    let addresses = service.spec.iter().flat_map(|spec| spec.cluster_ips.iter().flatten());
    addresses.map(|address| address.parse().expect("an address")).collect()
}
