//! The objects that inactive links still have, in every kind of object that the operator can write, except Events and
//! Leases.

use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::{State, keys};
use kube::ResourceExt;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::Value;

use crate::Namespace;
use crate::lenient_list::all_of;

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
    let links = links(namespace).await;
    let uids = |wanted: fn(&Value) -> bool| -> BTreeSet<String> {
        let wanted = links.iter().filter(|link| wanted(link));
        wanted.filter_map(|link| text(link, "/metadata/uid")).collect()
    };
    let active = uids(|link| is_up(state(link)));
    let up = links.iter().filter(|link| is_up(state(link)));
    let sources: BTreeSet<String> = up.filter_map(|link| text(link, "/status/instanceId")).collect();
    // An inactive link keeps its address.
    let has_address = |link: &Value| link["spec"]["addressing"] == "VirtualIP" && !is_away(state(link));
    let addressed = uids(has_address);
    let mut residue = Vec::new();
    for (group, version, kind) in KINDS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let prefix = if group.is_empty() { "/api" } else { "/apis/" };
        let list = all_of(namespace, &format!("{prefix}{group}/{version}/{}", resource.plural)).await;
        let list = list
            .into_iter()
            .map(|object| serde_json::from_value::<DynamicObject>(object).unwrap_or_else(|e| panic!("{kind}: {e}")));
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

/// The links of all namespaces, because a link of another namespace may have children in the namespace of the test.
async fn links(namespace: &Namespace) -> Vec<Value> {
    all_of(namespace, &format!("/apis/{}/instancelinks", keys::API_VERSION)).await
}

fn text(link: &Value, pointer: &str) -> Option<String> {
    link.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn state(link: &Value) -> State {
    serde_json::from_value(link["status"]["state"].clone()).unwrap_or(State::Requested)
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
