//! The objects that inactive links still have, in every kind of object that the operator can write, except Events and
//! Leases.

use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::{Addressing, InstanceLink, State, keys};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, ResourceExt};

use crate::{Namespace, link::state_of};

/// The kinds of children: group, version, kind.
const KINDS: [(&str, &str, &str); 5] = [
    ("discovery.k8s.io", "v1", "EndpointSlice"),
    ("", "v1", "Service"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Secret"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
];

/// One line for each object in this test's namespace, and for each entry in a shared object, that belongs to no active link.
/// It searches all namespaces, because a child may be in the target's.
pub async fn residue_of(namespace: &Namespace) -> Vec<String> {
    // The links of others may have children in the namespace of the test.
    let links = match Api::<InstanceLink>::all(namespace.client.clone())
        .list(&ListParams::default())
        .await
    {
        Ok(links) => links.items,
        // The operator is uninstalled: there are no links, and none of their objects may be left.
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(e) => panic!("cannot list links: {e}"),
    };
    let active: BTreeSet<String> = links
        .iter()
        .filter(|l| is_up(state_of(l)))
        .filter_map(ResourceExt::uid)
        .collect();
    let sources: BTreeSet<String> = links
        .iter()
        .filter(|l| is_up(state_of(l)))
        .filter_map(|l| l.status.as_ref()?.instance_id.clone())
        .collect();
    // An inactive link keeps its address.
    let addressed: BTreeSet<String> = links
        .iter()
        .filter(|l| l.spec.addressing == Addressing::VirtualIP && !is_away(state_of(l)))
        .filter_map(ResourceExt::uid)
        .collect();
    let mut residue = Vec::new();
    for (group, version, kind) in KINDS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::all_with(namespace.client.clone(), &resource);
        let list = api
            .list(&ListParams::default())
            .await
            .unwrap_or_else(|e| panic!("cannot list {kind}: {e}"));
        for object in list {
            let owners = if kind == "Service" { &addressed } else { &active };
            let owners = owners.union(&active).cloned().collect();
            let why = residue_in(namespace, &object, &owners, &sources);
            residue.extend(why.map(|why| {
                format!(
                    "{kind} {}/{}: {why}",
                    object.namespace().unwrap_or_default(),
                    object.name_any()
                )
            }));
        }
    }
    residue
}

/// The states in which a link may have children.
fn is_up(state: State) -> bool {
    matches!(
        state,
        State::Activating | State::Active | State::UpdatingActive | State::Deactivating
    )
}

/// The states in which a link has no objects, or is about to have none.
fn is_away(state: State) -> bool {
    matches!(state, State::Removing | State::Removed | State::Purging | State::Purged)
}

/// By its managed fields. What a user made look like a child is no residue.
fn is_written_by_the_operator(object: &DynamicObject) -> bool {
    let mut managers = object
        .managed_fields()
        .iter()
        .filter_map(|entry| entry.manager.as_deref());
    managers.any(|manager| manager == keys::MANAGER)
}

fn residue_in(
    namespace: &Namespace,
    object: &DynamicObject,
    active: &BTreeSet<String>,
    sources: &BTreeSet<String>,
) -> Option<String> {
    let of_this_test = object.namespace().as_ref() == Some(&namespace.name)
        || object
            .annotations()
            .get(keys::LINK)
            .is_some_and(|l| l.starts_with(&format!("{}/", namespace.name)));
    if !of_this_test || !is_written_by_the_operator(object) || object.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let owner = object
        .owner_references()
        .iter()
        .find(|o| o.kind == keys::KIND)
        .map(|o| o.uid.clone());
    let label = object.labels().get(keys::LINK_UID).cloned();
    if let Some(uid) = label.or(owner)
        && !active.contains(&uid)
    {
        return Some(format!("of link {uid}, which is not active"));
    }
    if let Some(source) = object.labels().get(keys::SOURCE_UID)
        && !sources.contains(source)
    {
        return Some(format!(
            "shared by the links of source {source}, of which none is active"
        ));
    }
    let entries: BTreeMap<String, Vec<String>> = object
        .annotations()
        .get(keys::ENTRIES)
        .and_then(|v| serde_json::from_str(v).ok())
        .unwrap_or_default();
    let stray = entries.keys().find(|uid| !active.contains(*uid))?;
    Some(format!("an entry of link {stray}, which is not active"))
}
