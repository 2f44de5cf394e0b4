//! The children of a link and of its source, and what their endpoints lead to.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_core::child::{Children, names};
use instancelink_core::marks::{LinkId, is_of_link};
use instancelink_core::resolve::kept_pods::is_programmed;
use instancelink_core::resolve::service_slices::MOST_SLICES;
use instancelink_core::snapshot::{Answering, Pod, Source};

use crate::index::Index;
use crate::index::link_keys::source_key;
use crate::name::ObjectName;

/// Children by their marks and names, so that neither a wiped status nor an edited spec hides one. Objects in other namespaces
/// are looked up by the exact name of a policy, so that nobody there can make this list long.
pub(super) fn children_of(index: &Index, link: &InstanceLink, source: Option<&Source>) -> Children {
    let uid = link.metadata.uid.clone().unwrap_or_default();
    let (namespace, instance) = source_key(link);
    let name = link.metadata.name.as_deref().unwrap_or_default();
    let slices = index.slices.by_link.get(&(Arc::clone(&namespace), uid.clone()));
    let slices = slices.filter_map(|name| index.slices.table.get(name));
    let slices = slices.map(|s| (*s.child.get(&index.recent)).clone()).collect();
    let words = [
        Some(instance),
        source.map(|s| s.uid.clone()),
        Some(format!("link/{name}")),
        Some(uid.clone()),
    ];
    let mentions: Vec<_> = words
        .into_iter()
        .flatten()
        .map(|word| (Arc::clone(&namespace), word))
        .collect();
    let services: BTreeSet<&ObjectName> = mentions.iter().flat_map(|m| index.services.children.get(m)).collect();
    let environments: BTreeSet<&ObjectName> = mentions
        .iter()
        .flat_map(|m| index.environments.by_mention.get(m))
        .collect();
    let secrets: BTreeSet<&ObjectName> = mentions.iter().flat_map(|m| index.secrets.by_mention.get(m)).collect();
    let mut children = Children {
        slices,
        bindings: secrets
            .into_iter()
            .filter_map(|name| index.secrets.get(name).map(|s| (**s).clone()))
            .collect(),
        environments: environments
            .into_iter()
            .filter_map(|name| {
                index
                    .environments
                    .table
                    .get(name)
                    .map(|e| (*e.get(&index.recent)).clone())
            })
            .collect(),
        policies: index
            .policies
            .by_name
            .get(names::policy(name, &uid).as_str())
            .chain([&ObjectName::within(&namespace, names::egress(name, &uid).as_str())])
            .filter_map(|name| index.policies.child(name).cloned())
            .collect(),
        ..Children::default()
    };
    let services = services.into_iter().filter_map(|name| index.services.child(name));
    services.for_each(|child| children.put(child.clone()));
    children
}

/// The existing pods that the link's own slices have as endpoints, if the slices were written for the target in the spec.
pub(super) fn behind_programmed<'a>(
    link: &InstanceLink,
    children: &Children,
    answering: &'a Answering,
) -> Vec<&'a Arc<Pod>> {
    if answering.pods.is_empty() || !is_programmed(link) {
        return Vec::new();
    }
    let own = children
        .slices
        .iter()
        .filter(|found| is_of_link(found, LinkId::of(link)));
    let endpoints = own.flat_map(|found| &found.object.body.endpoints);
    let uids: BTreeSet<&str> = endpoints
        .filter_map(|endpoint| endpoint.target.as_ref())
        .map(|target| target.uid.as_str())
        .collect();
    let mut pods: Vec<&Arc<Pod>> = answering
        .pods
        .iter()
        .filter(|pod| uids.contains(pod.uid.as_str()))
        .collect();
    pods.sort_unstable_by_key(|pod| &pod.uid);
    pods.dedup_by_key(|pod| &pod.uid);
    pods
}

/// The pods and Services that the endpoints of the slices lead to, as far as they exist.
pub(super) fn answering(index: &Index, children: &Children) -> Answering {
    let mut answering = Answering::default();
    let endpoints = children.slices.iter().flat_map(|slice| &slice.object.body.endpoints);
    let mut services = BTreeSet::new();
    for stands_for in endpoints.filter_map(|endpoint| endpoint.target.as_ref()) {
        let name = ObjectName::new(&stands_for.namespace, &stands_for.name);
        match stands_for.kind.as_str() {
            "Pod" => answering.pods.extend(index.pods.table.get(&name).cloned()),
            "Service" => {
                services.insert(name);
            }
            "ServiceImport" => answering.services.extend(index.scaled.imports_named(&name).cloned()),
            _ => {}
        }
    }
    for name in services {
        let Some(found) = index.services.table.get(&name) else {
            continue;
        };
        answering.services.push(Arc::clone(&found.service));
        if found.service.selector.is_empty() && found.service.external_name.is_none() {
            let slices = index.foreign_slices.of_service(&name);
            answering.slices.extend(slices.take(MOST_SLICES).cloned());
        }
    }
    answering
}
