//! From the caches to a snapshot: everything that one decision may look at, at one moment, without a request.

mod children;
mod ends;
mod owners;
mod siblings;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_core::child::DesiredChild;
use instancelink_core::disputes::Disputes;
use instancelink_core::external_name::ExternalNames;
use instancelink_core::resolve::directory_of;
use instancelink_core::rights::Account;
use instancelink_core::snapshot::{Egress, Grant, Isolator, Link, Namesake, Namespace, Snapshot, Source};
use instancelink_core::verify::Lookup;
use jiff::{SignedDuration, Timestamp};

use crate::index::Index;
use crate::index::link_keys::{foreign_namespaces, policy_source, policy_target};
use crate::index::namesakes::Namesakes;
use crate::name::{LinkKey, ObjectName};
use children::{answering, behind_programmed, children_of};
use ends::{
    candidates, pods_of_former_source, selected_by, selected_of, source_of, target_of, unlisted, unusable_ends,
};
use owners::living_owners;
use siblings::siblings_of;

/// The snapshot of a link; none if the link does not exist. `unconfirmed` are children of its source that may or may not have
/// been written, or that are about to be: the links that these belong to are in the snapshot, too.
pub fn observe(
    index: &Index,
    key: &LinkKey,
    now: Timestamp,
    cluster_domain: &str,
    unconfirmed: &[DesiredChild],
) -> Option<Snapshot> {
    let link = index.links.table.get(key)?;
    let object = &*link.object(&index.recent);
    let unusable = unusable_ends(index, key, object);
    let source = source_of(index, object).filter(|_| unusable.source.is_none());
    let children = children_of(index, object, source.as_ref());
    let target = object.spec.target_instance_ref.as_ref();
    let target = target.filter(|_| unusable.target.is_none());
    let answering = answering(index, &children);
    let behind = behind_programmed(object, &children, &answering);
    let target = target.and_then(|reference| target_of(index, key, reference, &behind));
    let kept_pods = if target.is_none() {
        candidates(index, behind.into_iter())
    } else {
        Vec::new()
    };
    Some(Snapshot {
        now,
        cluster_domain: cluster_domain.to_owned(),
        account: Account::default(),
        child_defaults: Arc::default(),
        link: Link {
            object: InstanceLink::clone(object),
            action_manager: link.action_manager.to_string(),
            unusable: index.links.table.why_unusable(key).cloned(),
        },
        namespace: namespace_of(index, key),
        grants: grants_of(index, object),
        siblings: siblings_of(index, (key, link), object, &children, unconfirmed),
        living_owners: living_owners(index, key, &children),
        kept_pods,
        answering,
        isolators: isolators_of(index, object),
        selected: selected_by(index, object, target.as_ref(), &children.policies),
        egress: egress_of(index, object, source.as_ref()),
        target,
        secrets: index.secrets.known_to(object),
        namesakes: namesakes_of(index, object, source.as_ref()),
        unlisted: unlisted(index, key, object),
        unusable,
        pods_of_former_source: source.is_none() && pods_of_former_source(index, key, object),
        source_grace: SignedDuration::from_secs(60),
        source,
        children,
        lookup: Lookup::Pending,
        external_names: ExternalNames::default(),
        refusals: BTreeMap::new(),
        link_refusals: 0,
        disputes: Disputes::default(),
    })
}

fn namespace_of(index: &Index, key: &LinkKey) -> Namespace {
    let name = ObjectName::new("", &key.namespace);
    let namespaces = &index.namespaces;
    // Without its labels it could be selected by a selector that asks for a label to be absent.
    let usable = namespaces
        .get(&name)
        .filter(|_| namespaces.why_unusable(&name).is_none());
    usable.map_or_else(Namespace::default, |n| Namespace {
        uid: n.uid.clone(),
        terminating: n.terminating,
        labels: n.labels.clone(),
    })
}

/// The grants of the other namespaces that the spec or the status leads to.
fn grants_of(index: &Index, link: &InstanceLink) -> Vec<Arc<Grant>> {
    let namespaces: BTreeSet<Arc<str>> = foreign_namespaces(link).into_iter().collect();
    let kinds = [&index.grants, &index.reference_grants];
    let grants = namespaces
        .iter()
        .flat_map(|namespace| kinds.map(|kind| kind.of(namespace)));
    grants.flatten().cloned().collect()
}

/// What decides about the egress of the source; nothing if the link asks for no policy.
fn egress_of(index: &Index, link: &InstanceLink, source: Option<&Source>) -> Egress {
    let Some((asking, source)) = policy_source(link).zip(source) else {
        return Egress::default();
    };
    Egress {
        isolators: index.policies.egress_isolators_in(&asking.namespace).cloned().collect(),
        selected: selected_of(index, &asking.namespace, source),
    }
}

/// What isolates pods of the target's namespace for ingress; nothing if the link asks for no policy, which then does not matter.
fn isolators_of(index: &Index, link: &InstanceLink) -> Vec<Arc<Isolator>> {
    let asked = policy_target(link);
    let isolators = asked
        .iter()
        .flat_map(|asked| index.policies.isolators_in(&asked.namespace));
    isolators.cloned().collect()
}

/// Objects of others that shadow the alias.
fn namesakes_of(index: &Index, link: &InstanceLink, source: Option<&Source>) -> BTreeSet<Namesake> {
    let directory = directory_of(link, source.map(|s| s.uid.as_str()));
    let names = Namesakes::of(link, &directory);
    let service = ObjectName::new(&names.beside.namespace, &directory);
    let services = &index.services.table;
    [
        (index.foreign_slices.lead_into(&service), Namesake::MirroredEndpoints),
        (services.get(&names.beside).is_some(), Namesake::ServiceBeside),
        (services.get(&names.elsewhere).is_some(), Namesake::ServiceElsewhere),
        (index.namespaces.get(&names.namespace).is_some(), Namesake::Namespace),
    ]
    .into_iter()
    .filter_map(|(there, namesake)| there.then_some(namesake))
    .collect()
}
