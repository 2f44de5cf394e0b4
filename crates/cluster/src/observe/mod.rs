//! From the caches to a snapshot: everything one decision may look at, seen at one moment, without a request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use instancelink_api::{InstanceLink, TargetRef, keys};
use instancelink_core::child::{Children, Owner};
use instancelink_core::resolve::directory_of;
use instancelink_core::resolve::scaled_kinds::scalable;
use instancelink_core::rights::Account;
use instancelink_core::snapshot::{
    Answering, ApiKind, Candidate, Grant, Isolator, Link, Namesake, Namespace, Pod, Sibling, Snapshot, Source, Target,
    TargetObject, Unlisted,
};
use instancelink_core::verify::Lookup;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::index::Index;
use crate::index::link_keys::{foreign_namespaces, policy_namespace, source_key};
use crate::index::namesakes::Namesakes;
use crate::index::pods::selects;
use crate::index::source_kind::{KINDS, workload_kind};
use crate::name::{LinkKey, ObjectName};

/// The snapshot of a link; none where there is no such link.
pub fn observe(index: &Index, key: &LinkKey, now: Timestamp, cluster_domain: &str) -> Option<Snapshot> {
    let link = index.links.table.get(key)?;
    let object = &*link.object(&index.recent);
    let source = source_of(index, object);
    let children = children_of(index, object, source.as_ref());
    Some(Snapshot {
        now,
        cluster_domain: cluster_domain.to_owned(),
        account: Account::default(),
        link: Link {
            object: InstanceLink::clone(object),
            action_manager: link.action_manager.to_string(),
        },
        namespace: namespace_of(index, key),
        target: object
            .spec
            .target_instance_ref
            .as_ref()
            .and_then(|t| target_of(index, key, t)),
        grants: grants_of(index, object),
        siblings: siblings_of(index, key, object),
        living_owners: living_owners(index, key, &children),
        answering: answering(index, &children),
        isolators: isolators_of(index, object),
        secrets: index.secrets.known_to(object),
        namesakes: namesakes_of(index, object, source.as_ref()),
        unlisted: unlisted(index, key, object),
        source,
        children,
        lookup: Lookup::Pending,
        refusals: BTreeMap::new(),
    })
}

fn namespace_of(index: &Index, key: &LinkKey) -> Namespace {
    let name = ObjectName::new("", &key.namespace);
    index
        .namespaces
        .get(&name)
        .map_or_else(Namespace::default, |n| Namespace {
            uid: n.uid.clone(),
            terminating: n.terminating,
            labels: n.labels.clone(),
        })
}

/// The grants of the other namespaces this link leads to, by its spec or still.
fn grants_of(index: &Index, link: &InstanceLink) -> Vec<Arc<Grant>> {
    let namespaces: BTreeSet<Arc<str>> = foreign_namespaces(link).into_iter().collect();
    let kinds = [&index.grants, &index.reference_grants];
    let grants = namespaces
        .iter()
        .flat_map(|namespace| kinds.map(|kind| kind.of(namespace)));
    grants.flatten().cloned().collect()
}

fn source_of(index: &Index, link: &InstanceLink) -> Option<Source> {
    let reference = &link.spec.instance_ref;
    let name = ObjectName::new(link.metadata.namespace.as_deref().unwrap_or_default(), &reference.name);
    let scaled = scalable(reference.api_version(), &reference.kind);
    if scaled.is_some() || workload_kind(&reference.kind).is_some() {
        let workload = match scaled {
            Some(kind) => index.scaled.found(&kind, &name),
            None => index.workloads.of(workload_kind(&reference.kind)?).get(&name),
        }?;
        return Some(Source {
            uid: workload.uid.clone(),
            pods: workload.selector.clone(),
            terminating: workload.terminating,
        });
    }
    let pod = index.pods.table.get(&name).filter(|_| reference.kind == "Pod")?;
    Some(Source {
        uid: pod.uid.clone(),
        pods: LabelSelector {
            match_labels: Some(pod.labels.clone()),
            match_expressions: None,
        },
        terminating: pod.terminating,
    })
}

/// The kinds of its ends of which no objects can be known.
fn unlisted(index: &Index, key: &LinkKey, link: &InstanceLink) -> BTreeMap<ApiKind, Unlisted> {
    let source = &link.spec.instance_ref;
    let own = scalable(source.api_version(), &source.kind).map(|kind| (kind, &*key.namespace, &source.name));
    let target = link.spec.target_instance_ref.as_ref().and_then(|target| {
        let namespace = target.namespace.as_deref().unwrap_or(&key.namespace);
        Some((scalable(target.api_version(), &target.kind)?, namespace, &target.name))
    });
    own.into_iter()
        .chain(target)
        .filter_map(|(kind, namespace, name)| {
            let why = index.scaled.why_not(&kind, &ObjectName::new(namespace, name))?;
            Some((kind, why))
        })
        .collect()
}

/// What isolates pods of the target's namespace; nobody looks at it where the link asks for no policy.
fn isolators_of(index: &Index, link: &InstanceLink) -> Vec<Arc<Isolator>> {
    let namespace = policy_namespace(link);
    let isolators = namespace
        .iter()
        .flat_map(|namespace| index.policies.isolators_in(namespace));
    isolators.cloned().collect()
}

fn target_of(index: &Index, key: &LinkKey, reference: &TargetRef) -> Option<Target> {
    let namespace = reference.namespace.as_deref().unwrap_or(&key.namespace);
    let name = ObjectName::new(namespace, &reference.name);
    let scaled = scalable(reference.api_version(), &reference.kind);
    if scaled.is_some() || workload_kind(&reference.kind).is_some() {
        let workload = match scaled {
            Some(kind) => index.scaled.found(&kind, &name),
            None => index.workloads.of(workload_kind(&reference.kind)?).get(&name),
        }?;
        let mut owners = vec![workload.uid.as_str()];
        owners.extend(index.workloads.sets_of(&workload.uid).map(|set| set.uid.as_str()));
        let pods = owners.into_iter().flat_map(|uid| index.pods.by_owner.get(uid));
        return Some(Target {
            candidates: candidates(index, pods.filter_map(|name| index.pods.table.get(name))),
            object: TargetObject::Workload(Arc::clone(workload)),
        });
    }
    match reference.kind.as_str() {
        "Pod" => {
            let pod = index.pods.table.get(&name)?;
            Some(Target {
                candidates: candidates(index, std::iter::once(pod)),
                object: TargetObject::Pod(Arc::clone(pod)),
            })
        }
        "Service" => {
            let service = &index.services.table.get(&name)?.service;
            let pods = index.pods.by_namespace.get(&name.namespace);
            let pods = pods
                .filter_map(|name| index.pods.table.get(name))
                .filter(|pod| selects(&service.selector, &pod.labels));
            Some(Target {
                candidates: candidates(index, pods),
                object: TargetObject::Service(Arc::clone(service)),
            })
        }
        _ => None,
    }
}

fn candidates<'a>(index: &Index, pods: impl Iterator<Item = &'a Arc<Pod>>) -> Vec<Candidate> {
    pods.map(|pod| {
        let set = pod
            .controller
            .as_ref()
            .and_then(|owner| index.workloads.set(&pod.namespace, owner));
        let node = pod
            .node
            .as_deref()
            .and_then(|node| index.nodes.get(&ObjectName::new("", node)));
        Candidate {
            pod: Arc::clone(pod),
            grand_owner: set.and_then(|set| set.controller.clone()),
            zone: node.and_then(|node| node.zone.clone()),
        }
    })
    .collect()
}

fn siblings_of(index: &Index, key: &LinkKey, link: &InstanceLink) -> Vec<Sibling> {
    index
        .links
        .by_source
        .get(&source_key(link))
        .filter(|other| *other != key)
        .filter_map(|other| index.links.table.get(other))
        .map(|sibling| Sibling {
            object: sibling.object(&index.recent),
            has_children: index.count_claims(&key.namespace, &sibling.uid) > 0,
        })
        .collect()
}

/// Children by label, owner, annotation or name, so that neither a wiped status nor an edited spec hides one.
fn children_of(index: &Index, link: &InstanceLink, source: Option<&Source>) -> Children {
    let uid = link.metadata.uid.clone().unwrap_or_default();
    let (namespace, instance) = source_key(link);
    let slices = index.slices.by_link.get(uid.as_str());
    let slices = slices.filter_map(|name| index.slices.table.get(name));
    let slices = slices.map(|s| (*s.child.get(&index.recent)).clone()).collect();
    let words = [
        Some(instance),
        source.map(|s| s.uid.clone()),
        link.metadata.name.as_ref().map(|name| format!("link/{name}")),
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
            .by_link
            .get(uid.as_str())
            .filter_map(|name| index.policies.child(name).cloned())
            .collect(),
        ..Children::default()
    };
    let services = services.into_iter().filter_map(|name| index.services.child(name));
    services.for_each(|child| children.put(child.clone()));
    children
}

/// What the standing slices lead to, as far as it exists.
fn answering(index: &Index, children: &Children) -> Answering {
    let mut answering = Answering::default();
    let endpoints = children.slices.iter().flat_map(|slice| &slice.object.body.endpoints);
    for stands_for in endpoints.filter_map(|endpoint| endpoint.target.as_ref()) {
        let name = ObjectName::new(&stands_for.namespace, &stands_for.name);
        match stands_for.kind.as_str() {
            "Pod" => answering.pods.extend(index.pods.table.get(&name).cloned()),
            "Service" => answering
                .services
                .extend(index.services.table.get(&name).map(|s| Arc::clone(&s.service))),
            _ => {}
        }
    }
    answering
}

/// Owners of the shared children that exist, whoever they are: named by owner reference, or, that lost, by label.
fn living_owners(index: &Index, key: &LinkKey, children: &Children) -> BTreeSet<String> {
    let directories = children
        .directories
        .iter()
        .map(|d| (&d.object.owners, d.label(keys::SOURCE_UID)));
    let environments = children
        .environments
        .iter()
        .map(|e| (&e.object.owners, e.label(keys::SOURCE_UID)));
    let mut living = BTreeSet::new();
    for (owners, label) in directories.chain(environments) {
        living.extend(
            owners
                .iter()
                .filter(|owner| is_alive(index, key, owner))
                .map(|owner| owner.uid.clone()),
        );
        living.extend(label.filter(|uid| source_lives(index, key, uid)).map(str::to_owned));
    }
    living
}

fn is_alive(index: &Index, key: &LinkKey, owner: &Owner) -> bool {
    let name = ObjectName::new(&key.namespace, &owner.name);
    if let Some(kind) = scalable(&owner.api_version, &owner.kind) {
        return index.scaled.may_live(&kind, &name, &owner.uid);
    }
    match workload_kind(&owner.kind) {
        Some(kind) => index.workloads.of(kind).get(&name).is_some_and(|w| w.uid == owner.uid),
        None => index
            .pods
            .table
            .get(&name)
            .is_some_and(|p| owner.kind == "Pod" && p.uid == owner.uid),
    }
}

/// A label names a source by UID alone; it can only be one of the name this link's source has.
fn source_lives(index: &Index, key: &LinkKey, uid: &str) -> bool {
    let Some(link) = index.links.table.get(key) else {
        return false;
    };
    let (_, instance) = source_key(&link.object(&index.recent));
    let name = ObjectName::new(&key.namespace, &instance);
    KINDS
        .iter()
        .any(|kind| index.workloads.of(*kind).get(&name).is_some_and(|w| w.uid == uid))
        || index.pods.table.get(&name).is_some_and(|pod| pod.uid == uid)
        || index.scaled.lives(&name, uid)
}

/// What others have under names of the alias.
fn namesakes_of(index: &Index, link: &InstanceLink, source: Option<&Source>) -> BTreeSet<Namesake> {
    let directory = directory_of(link, source.map(|s| s.uid.as_str()));
    let names = Namesakes::of(link, &directory);
    let service = ObjectName::new(&names.beside.namespace, &directory);
    let services = &index.services.table;
    [
        (index.mirrors.lead_into(&service), Namesake::MirroredEndpoints),
        (services.get(&names.beside).is_some(), Namesake::ServiceBeside),
        (services.get(&names.elsewhere).is_some(), Namesake::ServiceElsewhere),
        (index.namespaces.get(&names.namespace).is_some(), Namesake::Namespace),
    ]
    .into_iter()
    .filter_map(|(there, namesake)| there.then_some(namesake))
    .collect()
}
