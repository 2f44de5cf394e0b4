//! Consent: whether the target's namespace lets links from the link's namespace lead to the target.
//!
//! Without this, whoever may write a link could have the operator, which may write every EndpointSlice, reach the pods of
//! other tenants for him (CVE-2021-25740). Where something is not known, there is no consent.

use instancelink_api::grant::{GrantFrom, GrantTo, InstanceLinkGrant, Permission};
use instancelink_api::reference::{default_api_version, group_in};
use instancelink_api::spec::NetworkPolicyMode;
use instancelink_api::{TargetRef, keys};

use super::selector::selects;
use crate::hash;
use crate::rights::quoted;
use crate::snapshot::{Grant, Namespace, Snapshot};

/// The longest name an object may have.
const MAX_NAME: usize = 253;

/// True where a grant in the target's namespace allows links of the link's namespace to have `what` there. The link's own
/// namespace needs none.
pub fn is_permitted(s: &Snapshot, reference: &TargetRef, what: Permission) -> bool {
    let own = s.link.object.metadata.namespace.as_deref().unwrap_or_default();
    let Some(namespace) = reference.namespace.as_deref().filter(|n| *n != own) else {
        return true;
    };
    s.grants
        .iter()
        // Those observed for an earlier spec speak for another namespace; one being deleted speaks no more.
        .filter(|grant| grant.namespace == namespace && !grant.terminating)
        .any(|grant| {
            grant.allow.contains(&what)
                && grant.from.iter().any(|from| comes_from(from, own, &s.namespace))
                && grant.to.iter().any(|to| leads_to(to, reference))
        })
}

/// The manifest that would permit it, as a message. Its first line is a comment, so that the whole can be applied.
/// It tells nothing of the target: it reads the same whether one exists or not.
pub fn manifest(reference: &TargetRef, namespace: &str, own: &str, policy: NetworkPolicyMode) -> String {
    let TargetRef { kind, name, .. } = reference;
    let group = match group_of(reference) {
        known if default_group(kind) == Some(known) => String::new(),
        other => format!("\n    group: {}", quoted(other)),
    };
    let allow = match policy {
        NetworkPolicyMode::None => "",
        NetworkPolicyMode::Allow => "  allow: [Endpoints, NetworkPolicy]\n",
    };
    format!(
        "# Namespace {namespace} does not permit links from namespace {own} to {kind} {namespace}/{name}. To permit them, an administrator \
         of namespace {namespace} can apply this manifest:\n\
         apiVersion: {}\n\
         kind: {}\n\
         metadata:\n  name: {}\n  namespace: {}\n\
         spec:\n  from:\n  - namespace: {}\n  to:\n  - kind: {}{group}\n    name: {}\n{allow}",
        keys::API_VERSION,
        keys::GRANT_KIND,
        quoted(&grant_name(kind, name, own)),
        quoted(namespace),
        quoted(own),
        quoted(kind),
        quoted(name),
    )
}

/// Of its own for each namespace, kind and name, so that applying it replaces no other grant.
fn grant_name(kind: &str, name: &str, own: &str) -> String {
    let full = format!("{own}-to-{}-{name}", kind.to_lowercase());
    if full.len() <= MAX_NAME {
        return full;
    }
    format!("{own}-to-{}", hash::hex(&full, 12))
}

fn comes_from(from: &GrantFrom, own: &str, namespace: &Namespace) -> bool {
    match (&from.namespace, &from.namespace_selector) {
        (Some(name), None) => name == own,
        // Of a namespace that was not seen yet no labels are known, and an absent label may be selected too.
        (None, Some(selector)) => !namespace.uid.is_empty() && selects(selector, &namespace.labels),
        _ => false,
    }
}

fn leads_to(to: &GrantTo, reference: &TargetRef) -> bool {
    let group = to.group.as_deref().or_else(|| default_group(&to.kind));
    group == Some(group_of(reference))
        && to.kind == reference.kind
        && to.name.as_ref().is_none_or(|name| *name == reference.name)
}

fn default_group(kind: &str) -> Option<&'static str> {
    default_api_version(kind).map(group_in)
}

fn group_of(reference: &TargetRef) -> &str {
    group_in(reference.api_version())
}

impl From<InstanceLinkGrant> for Grant {
    fn from(object: InstanceLinkGrant) -> Self {
        let meta = object.metadata;
        Self {
            namespace: meta.namespace.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            resource_version: meta.resource_version.unwrap_or_default(),
            terminating: meta.deletion_timestamp.is_some(),
            from: object.spec.from,
            to: object.spec.to,
            allow: object.spec.allow.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
