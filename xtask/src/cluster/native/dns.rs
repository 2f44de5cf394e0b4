//! `CoreDNS` as a pod, with the same objects as in a cluster of kubeadm.

use anyhow::Result;

use super::layout::{DNS_SERVICE, Layout};
use crate::cluster::kubectl::Kubectl;

/// Applies the objects. The image must be loaded.
pub(crate) fn apply(layout: &Layout, image: &str) -> Result<()> {
    let manifest = include_str!("dns.yaml")
        .replace("${IMAGE}", image)
        .replace("${ADDRESS}", DNS_SERVICE);
    Kubectl::new(&layout.kubeconfig())?.apply(&manifest)
}
