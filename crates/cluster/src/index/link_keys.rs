//! What a link names: its source, its targets, and what else leads to it.

use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_api::spec::NetworkPolicyMode;
use instancelink_core::resolve::scaled_kinds::scalable;
use instancelink_core::snapshot::ApiKind;

use crate::name::SourceKey;

/// Kind, namespace and name of a target.
pub type TargetKey = (String, Arc<str>, String);

/// The UID of a link.
pub fn uid_of(link: &InstanceLink) -> &str {
    link.metadata.uid.as_deref().unwrap_or_default()
}

/// The source of a link.
pub fn source_key(link: &InstanceLink) -> SourceKey {
    let namespace = link.metadata.namespace.as_deref().unwrap_or_default();
    (namespace.into(), link.spec.instance_ref.name.clone())
}

/// The target in the spec, and the one in the status. An edit that cannot be served leaves the endpoints of the former
/// target in place, and changes of that one still count.
pub(crate) fn target_keys(link: &InstanceLink) -> Vec<TargetKey> {
    let own = link.metadata.namespace.as_deref();
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    let mut keys = Vec::with_capacity(1);
    for target in link.spec.target_instance_ref.iter().chain(programmed) {
        let namespace = target.namespace.as_deref().or(own).unwrap_or_default();
        let key = (target.kind.clone(), namespace.into(), target.name.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The namespaces of its targets other than its own.
pub fn foreign_namespaces(link: &InstanceLink) -> Vec<Arc<str>> {
    let own = link.metadata.namespace.as_deref().unwrap_or_default();
    let namespaces = target_keys(link).into_iter().map(|(_, namespace, _)| namespace);
    namespaces.filter(|namespace| &**namespace != own).collect()
}

/// The Secret whose entries a link adds to its binding.
pub fn secret_ref(link: &InstanceLink) -> Option<&str> {
    let binding = link.spec.outputs.as_ref()?.binding.as_ref()?;
    binding.secret_ref.as_ref().map(|named| named.name.as_str())
}

/// The namespace of a link that has, or asks for, a binding, and the Secret it refers to (empty if none).
pub(crate) fn secret_keys(link: &InstanceLink) -> Vec<(Arc<str>, String)> {
    let is_asked_for = link.spec.outputs.as_ref().is_some_and(|o| o.binding.is_some());
    let exists = link.status.as_ref().is_some_and(|status| status.binding.is_some());
    let namespace = link.metadata.namespace.as_deref().unwrap_or_default();
    let key = || (namespace.into(), secret_ref(link).unwrap_or_default().to_owned());
    (is_asked_for || exists).then(key).into_iter().collect()
}

/// The kinds of its ends that are watched only because links name them.
pub(crate) fn scaled_kinds(link: &InstanceLink) -> Vec<ApiKind> {
    let source = &link.spec.instance_ref;
    let target = link.spec.target_instance_ref.as_ref();
    let target = target.and_then(|target| scalable(target.api_version(), &target.kind));
    let mut kinds: Vec<ApiKind> = scalable(source.api_version(), &source.kind)
        .into_iter()
        .chain(target)
        .collect();
    kinds.dedup();
    kinds
}

/// An end of links that ask for policies: a target, or a source. The namespace is first, so that those of one are side by
/// side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyEnd {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl PolicyEnd {
    /// Not behind any end in this namespace.
    pub(crate) fn first_in(namespace: &Arc<str>) -> Self {
        Self {
            namespace: Arc::clone(namespace),
            api_version: String::new(),
            kind: String::new(),
            name: String::new(),
        }
    }
}

/// The target in front of which a link asks for a policy.
pub fn policy_target(link: &InstanceLink) -> Option<PolicyEnd> {
    let target = link.spec.target_instance_ref.as_ref()?;
    let namespace = target.namespace.as_deref().or(link.metadata.namespace.as_deref())?;
    (link.spec.network_policy == NetworkPolicyMode::Allow).then(|| PolicyEnd {
        namespace: namespace.into(),
        api_version: target.api_version().to_owned(),
        kind: target.kind.clone(),
        name: target.name.clone(),
    })
}

/// The source for whose egress a link may have a policy: that of each link that has one in front of its target.
pub fn policy_source(link: &InstanceLink) -> Option<PolicyEnd> {
    policy_target(link)?;
    let source = &link.spec.instance_ref;
    Some(PolicyEnd {
        namespace: link.metadata.namespace.as_deref()?.into(),
        api_version: source.api_version().to_owned(),
        kind: source.kind.clone(),
        name: source.name.clone(),
    })
}
