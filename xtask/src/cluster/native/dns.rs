//! `CoreDNS` as a pod, with the objects that kubeadm would make.

use anyhow::Result;

use super::layout::{DNS_SERVICE, Layout};
use crate::cluster::kubectl::Kubectl;

/// Applies it with the image that is loaded.
pub(crate) fn apply(layout: &Layout, image: &str) -> Result<()> {
    let manifest = include_str!("dns.yaml")
        .replace("${IMAGE}", image)
        .replace("${ADDRESS}", DNS_SERVICE);
    Kubectl::new(&layout.kubeconfig())?.apply(&manifest)
}
