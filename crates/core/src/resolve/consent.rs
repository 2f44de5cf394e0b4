//! Consent: whether the target's namespace permits links from the link's namespace to the target (contract#consent).
//!
//! The operator may write every EndpointSlice. Without consent, a user who may write links could reach the pods of other
//! tenants through it (CVE-2021-25740). If something is unknown, there is no consent.

use instancelink_api::grant::{GrantPort, GrantTo, Permission};
use instancelink_api::reference::{default_api_version, group_in};
use instancelink_api::spec::{NetworkPolicyMode, Protocol};
use instancelink_api::{InstanceLinkSpec, LinkPort, TargetRef, keys};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::hash;
use crate::rights::quoted;
use crate::snapshot::{Namespace, Origin, Snapshot};

/// The longest name an object may have.
const MAX_NAME: usize = 253;

/// True if a grant in the target's namespace allows `what` to links of the link's namespace. The link's own namespace needs no
/// grant.
pub fn is_permitted(s: &Snapshot, reference: &TargetRef, what: Permission) -> bool {
    let own = s.link.object.metadata.namespace.as_deref().unwrap_or_default();
    let Some(namespace) = reference.namespace.as_deref().filter(|n| *n != own) else {
        return true;
    };
    s.grants
        .iter()
        // Grants that were observed for an earlier spec are of another namespace. A grant that is being deleted does not count.
        .filter(|grant| grant.namespace == namespace && !grant.terminating)
        .any(|grant| {
            grant.allow.contains(&what)
                && grant.from.iter().any(|from| comes_from(from, own, &s.namespace))
                && grant
                    .to
                    .iter()
                    .any(|to| leads_to(to, reference) && has_ports(to, &s.link.object.spec))
        })
}

/// The manifest that would permit the link, as a message. Its first line is a comment, so that the whole text can be applied.
/// It is the same whether the target exists or not, so that it discloses nothing.
pub fn manifest(spec: &InstanceLinkSpec, reference: &TargetRef, namespace: &str, own: &str) -> String {
    let TargetRef { kind, name, .. } = reference;
    let group = match group_of(reference) {
        known if default_group(kind) == Some(known) => String::new(),
        other => format!("\n    group: {}", quoted(other)),
    };
    let allow = match spec.network_policy {
        NetworkPolicyMode::None => "",
        NetworkPolicyMode::Allow => "  allow: [Endpoints, NetworkPolicy]\n",
    };
    let ports = listed_ports(spec).map(ports_of).unwrap_or_default();
    format!(
        "# Namespace {namespace} does not permit links from namespace {own} to {kind} {namespace}/{name}. To permit them, an administrator \
         of namespace {namespace} can apply this manifest:\n\
         apiVersion: {}\n\
         kind: {}\n\
         metadata:\n  name: {}\n  namespace: {}\n\
         spec:\n  from:\n  - namespace: {}\n  to:\n  - kind: {}{group}\n    name: {}\n{ports}{allow}",
        keys::API_VERSION,
        keys::GRANT_KIND,
        quoted(&grant_name(kind, name, own)),
        quoted(namespace),
        quoted(own),
        quoted(kind),
        quoted(name),
    )
}

/// The name of the grant in the manifest. It differs for each namespace, kind and name, so that applying it replaces no other
/// grant.
fn grant_name(kind: &str, name: &str, own: &str) -> String {
    let full = format!("{own}-to-{}-{name}", kind.to_lowercase());
    if full.len() <= MAX_NAME {
        return full;
    }
    format!("{own}-to-{}", hash::hex(&full, 12))
}

fn comes_from(from: &Origin, own: &str, namespace: &Namespace) -> bool {
    match from {
        Origin::Namespace(name) => name == own,
        // The labels of a namespace that was not seen yet are unknown, and a selector may match an absent label.
        Origin::Selected(selector) => !namespace.uid.is_empty() && selector.selects(&namespace.labels),
    }
}

fn leads_to(to: &GrantTo, reference: &TargetRef) -> bool {
    let group = to.group.as_deref().or_else(|| default_group(&to.kind));
    group == Some(group_of(reference))
        && to.kind == reference.kind
        && to.name.as_ref().is_none_or(|name| *name == reference.name)
}

/// An entry that names ports covers a link that names all its ports, each of them among those of the entry. The ports of a
/// link without a list depend on the target, and may change.
fn has_ports(to: &GrantTo, spec: &InstanceLinkSpec) -> bool {
    let Some(granted) = &to.ports else { return true };
    let covers = |granted: &GrantPort, port: &LinkPort| {
        granted.port == at_the_instance(port)
            && granted.protocol.unwrap_or_default() == port.protocol.unwrap_or_default()
    };
    listed_ports(spec).is_some_and(|ports| ports.iter().all(|port| granted.iter().any(|g| covers(g, port))))
}

fn listed_ports(spec: &InstanceLinkSpec) -> Option<&[LinkPort]> {
    spec.ports.as_deref().filter(|ports| !ports.is_empty())
}

/// The port that a client reaches at the instance; `port` of a virtual IP is only the link's own.
fn at_the_instance(port: &LinkPort) -> IntOrString {
    port.target_port.clone().unwrap_or(IntOrString::Int(port.port))
}

/// The ports of a link as the ports of a grant.
fn ports_of(ports: &[LinkPort]) -> String {
    let line = |port: &LinkPort| {
        let number = match at_the_instance(port) {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(name) => quoted(&name),
        };
        let protocol = match port.protocol.unwrap_or_default() {
            Protocol::Tcp => String::new(),
            other => format!("\n      protocol: {}", other.as_str()),
        };
        format!("    - port: {number}{protocol}\n")
    };
    let lines: String = ports.iter().map(line).collect();
    format!("    ports:\n{lines}")
}

fn default_group(kind: &str) -> Option<&'static str> {
    default_api_version(kind).map(group_in)
}

fn group_of(reference: &TargetRef) -> &str {
    group_in(reference.api_version())
}

#[cfg(test)]
mod tests;
