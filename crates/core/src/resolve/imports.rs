//! A `ServiceImport` as a target: the clusterset IPs of a Service in other clusters (contract#service-imports).

use instancelink_api::{Addressing, InstanceLinkSpec};

use super::{Unservable, not_possible};
use crate::snapshot::{ApiKind, Import, Service};

const API_VERSION: &str = "multicluster.x-k8s.io/v1alpha1";
const KIND: &str = "ServiceImport";

/// True for the kind of imports.
pub fn is_import(kind: &ApiKind) -> bool {
    kind.api_version == API_VERSION && kind.kind == KIND
}

/// An import leads to its clusterset IPs, and to nothing else.
///
/// # Errors
/// If the spec asks for the addresses of its pods, or if it has no clusterset IPs because it is headless.
pub(super) fn check(spec: &InstanceLinkSpec, service: &Service, import: &Import) -> Result<(), Unservable> {
    let (namespace, name) = (&service.namespace, &service.name);
    if import.headless {
        return Err(not_possible(format!(
            "ServiceImport {namespace}/{name} is headless, so it has no clusterset IP; set targetInstanceRef to an import of \
             type ClusterSetIP, or to a Service without a selector whose EndpointSlices have the addresses"
        )));
    }
    match spec.addressing {
        Addressing::Auto | Addressing::ServiceIP => Ok(()),
        Addressing::PodIP | Addressing::VirtualIP => Err(not_possible(format!(
            "the pods of ServiceImport {namespace}/{name} are in other clusters, so a link has its clusterset IPs only; remove \
             addressing"
        ))),
    }
}

/// Why an import has no address, and what to do.
pub(super) fn why_unavailable(service: &Service) -> String {
    let (namespace, name) = (&service.namespace, &service.name);
    format!(
        "ServiceImport {namespace}/{name} has no clusterset IP, because the controller of the cluster set has given it none; see \
         kubectl -n {namespace} describe serviceimports.multicluster.x-k8s.io {name}"
    )
}

#[cfg(test)]
mod tests;
