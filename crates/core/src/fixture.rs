//! Snapshots for tests: link `web-db` of namespace `shop` leads the Deployment `web` to the Deployment `pg` as `db`.
//!
//! ```ignore
//! let s = fixture::snapshot();                        // all there: source, target, two ready pods, no children
//! let s = fixture::of("linkName: db …").with_source(); // a link of your own, nothing else
//! ```

use std::sync::Arc;

use instancelink_api::spec::Protocol;
use instancelink_api::{InstanceLink, InstanceLinkGrant, InstanceLinkSpec, State};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};

use crate::child::{Children, Draft, Found, Key, Kind, Object, Owner, Standing};
use crate::dataplane;
use crate::effect::{Answer, Effect};
use crate::snapshot::{
    Candidate, ContainerPort, Grant, Link, Namespace, Pod, Service, ServicePort, Sibling, Snapshot, Source, Target,
    TargetObject, Workload, WorkloadKind,
};

pub(crate) const NAMESPACE: &str = "shop";
pub(crate) const LINK_UID: &str = "11111111-aaaa-4aaa-8aaa-000000000001";
pub(crate) const SOURCE_UID: &str = "22222222-bbbb-4bbb-8bbb-000000000001";
pub(crate) const TARGET_UID: &str = "33333333-cccc-4ccc-8ccc-000000000001";
/// `2026-01-01T00:00:00Z`, the time of every snapshot made here.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

/// The spec of the link that most tests use.
pub(crate) const SPEC: &str = "
linkName: db
instanceRef: {kind: Deployment, name: web}
targetInstanceRef: {kind: Deployment, name: pg}
";

/// A link `web-db` with this spec, a minute old, with finalizer-free metadata and no status.
pub(crate) fn link(spec: &str) -> InstanceLink {
    link_named("web-db", LINK_UID, spec)
}

/// A link of this name and UID with this spec.
pub(crate) fn link_named(name: &str, uid: &str, spec: &str) -> InstanceLink {
    let mut link = InstanceLink::new(name, serde_yaml_ng::from_str::<InstanceLinkSpec>(spec).unwrap());
    link.metadata.namespace = Some(NAMESPACE.to_owned());
    link.metadata.uid = Some(uid.to_owned());
    link.metadata.resource_version = Some("1".to_owned());
    link.metadata.generation = Some(1);
    link.metadata.creation_timestamp = Some(Time("2025-12-31T23:59:00Z".parse().unwrap()));
    link
}

/// The link alone: neither source nor target exist, nothing stands.
pub(crate) fn of(spec: &str) -> Snapshot {
    Snapshot {
        now: NOW.parse().unwrap(),
        cluster_domain: "cluster.local".to_owned(),
        link: Link {
            object: link(spec),
            action_manager: String::new(),
        },
        namespace: Namespace {
            uid: "44444444-dddd-4ddd-8ddd-000000000001".to_owned(),
            terminating: false,
            labels: [("kubernetes.io/metadata.name".to_owned(), NAMESPACE.to_owned())].into(),
        },
        source: None,
        target: None,
        unlisted: std::collections::BTreeMap::new(),
        grants: Vec::new(),
        siblings: Vec::new(),
        children: Children::default(),
        living_owners: std::collections::BTreeSet::new(),
        answering: crate::snapshot::Answering::default(),
        secrets: crate::snapshot::Secrets::Known { referenced: None },
        namesakes: std::collections::BTreeSet::new(),
        isolators: Vec::new(),
        lookup: crate::verify::Lookup::Off,
        refusals: std::collections::BTreeMap::new(),
    }
}

/// Everything there: the source, the target with two ready pods of port `pg` 5432, and no children yet.
pub(crate) fn snapshot() -> Snapshot {
    of(SPEC)
        .with_source()
        .with_target_deployment(vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11")])
}

/// A ready pod of the Deployment `pg`, with the label `app: pg` and the port `pg` 5432.
pub(crate) fn pod(name: &str, address: &str) -> Pod {
    Pod {
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
        uid: format!("uid-of-{name}"),
        resource_version: "1".to_owned(),
        labels: [("app".to_owned(), "pg".to_owned())].into(),
        controller: Some(owner("apps/v1", "ReplicaSet", "pg-rs", "uid-of-pg-rs")),
        addresses: vec![address.parse().unwrap()],
        node: Some("node-1".to_owned()),
        ready: true,
        terminating: false,
        finished: false,
        container_ports: vec![container_port("pg", 5432)],
        gates: None,
    }
}

impl Pod {
    pub(crate) fn not_ready(mut self) -> Self {
        self.ready = false;
        self
    }

    pub(crate) fn terminating(mut self) -> Self {
        self.terminating = true;
        self
    }

    pub(crate) fn ports(mut self, ports: Vec<ContainerPort>) -> Self {
        self.container_ports = ports;
        self
    }
}

/// A TCP port that a container declares.
pub(crate) fn container_port(name: &str, port: u16) -> ContainerPort {
    ContainerPort {
        name: name.to_owned(),
        port,
        protocol: Protocol::Tcp,
    }
}

/// A TCP port of a Service.
pub(crate) fn service_port(name: &str, port: u16) -> ServicePort {
    ServicePort {
        name: name.to_owned(),
        port,
        target_port: None,
        protocol: Protocol::Tcp,
    }
}

pub(crate) fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Owner {
    Owner {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
    }
}

/// A pod as candidate of the Deployment `pg`: its ReplicaSet is that Deployment's.
pub(crate) fn candidate(pod: Pod) -> Candidate {
    Candidate {
        pod: Arc::new(pod),
        grand_owner: Some(owner("apps/v1", "Deployment", "pg", TARGET_UID)),
        zone: Some("zone-a".to_owned()),
    }
}

/// The Deployment `pg`, which selects `app: pg` and declares the port `pg` 5432.
pub(crate) fn deployment() -> Workload {
    Workload {
        kind: WorkloadKind::Deployment.into(),
        namespace: NAMESPACE.to_owned(),
        name: "pg".to_owned(),
        uid: TARGET_UID.to_owned(),
        resource_version: "1".to_owned(),
        terminating: false,
        selector: LabelSelector {
            match_labels: Some([("app".to_owned(), "pg".to_owned())].into()),
            match_expressions: None,
        },
        container_ports: vec![container_port("pg", 5432)],
        controller: None,
    }
}

/// The Service `pg` with the cluster IP 10.96.0.5 and the port `pg` 5432, which selects `app: pg`.
pub(crate) fn service() -> Service {
    Service {
        namespace: NAMESPACE.to_owned(),
        name: "pg".to_owned(),
        uid: TARGET_UID.to_owned(),
        resource_version: "1".to_owned(),
        terminating: false,
        external_name: false,
        cluster_ips: vec!["10.96.0.5".parse().unwrap()],
        selector: [("app".to_owned(), "pg".to_owned())].into(),
        ports: vec![service_port("pg", 5432)],
        publish_not_ready_addresses: false,
    }
}

impl Snapshot {
    /// The Deployment `web` exists.
    pub(crate) fn with_source(self) -> Self {
        self.with_source_uid(SOURCE_UID)
    }

    /// The source exists, with this UID.
    pub(crate) fn with_source_uid(mut self, uid: &str) -> Self {
        self.source = Some(Source {
            uid: uid.to_owned(),
            pods: serde_yaml_ng::from_str("{matchLabels: {app: web}}").unwrap(),
            terminating: false,
        });
        self.living_owners = [uid.to_owned()].into();
        self
    }

    /// The source is gone.
    pub(crate) fn without_source(mut self) -> Self {
        self.source = None;
        self.living_owners.clear();
        self
    }

    /// The Deployment `pg` exists, with these pods.
    pub(crate) fn with_target_deployment(self, pods: Vec<Pod>) -> Self {
        self.with_target(TargetObject::Workload(Arc::new(deployment())), pods)
    }

    /// This Service exists, with these pods in its namespace; `targetInstanceRef` names it.
    pub(crate) fn with_target_service(mut self, service: Service, pods: Vec<Pod>) -> Self {
        let reference = self.link.object.spec.target_instance_ref.as_mut().unwrap();
        reference.kind = "Service".to_owned();
        self.with_target(TargetObject::Service(Arc::new(service)), pods)
    }

    pub(crate) fn with_target(mut self, object: TargetObject, pods: Vec<Pod>) -> Self {
        self.answering.pods = pods.iter().cloned().map(Arc::new).collect();
        self.answering.services = match &object {
            TargetObject::Service(service) => vec![Arc::clone(service)],
            TargetObject::Workload(_) | TargetObject::Pod(_) => Vec::new(),
        };
        self.target = Some(Target {
            object,
            candidates: pods.into_iter().map(candidate).collect(),
        });
        self
    }

    /// The target and its pods are in this namespace, and `targetInstanceRef` says so.
    pub(crate) fn with_target_in(mut self, namespace: &str) -> Self {
        let reference = self.link.object.spec.target_instance_ref.as_mut().unwrap();
        reference.namespace = Some(namespace.to_owned());
        let Some(Target { object, candidates }) = self.target.take() else {
            return self;
        };
        let object = match object {
            TargetObject::Workload(w) => {
                let mut moved = (*w).clone();
                namespace.clone_into(&mut moved.namespace);
                TargetObject::Workload(Arc::new(moved))
            }
            TargetObject::Service(s) => {
                let mut moved = (*s).clone();
                namespace.clone_into(&mut moved.namespace);
                TargetObject::Service(Arc::new(moved))
            }
            TargetObject::Pod(p) => {
                let mut moved = (*p).clone();
                namespace.clone_into(&mut moved.namespace);
                TargetObject::Pod(Arc::new(moved))
            }
        };
        let pods = candidates.into_iter().map(|c| Pod {
            namespace: namespace.to_owned(),
            ..(*c.pod).clone()
        });
        self.with_target(object, pods.collect())
    }

    /// A namespace consents to links from `shop` to this, as a grant's `to` says it.
    pub(crate) fn granted(self, namespace: &str, to: &str) -> Self {
        self.granted_by(
            namespace,
            &format!("{{from: [{{namespace: {NAMESPACE}}}], to: [{to}]}}"),
        )
    }

    /// A namespace holds a grant with this spec.
    pub(crate) fn granted_by(mut self, namespace: &str, spec: &str) -> Self {
        let mut object = InstanceLinkGrant::new("grant", serde_yaml_ng::from_str(spec).unwrap());
        object.metadata.namespace = Some(namespace.to_owned());
        self.grants.push(Arc::new(Grant::from(object)));
        self
    }

    /// The target is gone.
    pub(crate) fn without_target(mut self) -> Self {
        self.target = None;
        self
    }

    /// Edits the spec as a user would.
    pub(crate) fn edited(mut self, edit: impl FnOnce(&mut InstanceLinkSpec)) -> Self {
        edit(&mut self.link.object.spec);
        let generation = self.link.object.metadata.generation.get_or_insert(1);
        *generation += 1;
        self
    }

    /// Another link of the source `web`.
    pub(crate) fn with_sibling(mut self, sibling: Sibling) -> Self {
        self.siblings.push(sibling);
        self
    }

    /// Time passes.
    pub(crate) fn later(mut self, seconds: i64) -> Self {
        self.now += jiff::SignedDuration::from_secs(seconds);
        self
    }

    /// Does what an API server does with the child effects among these; leaves the others to the caller.
    ///
    /// # Panics
    /// Where an API server would refuse: created twice, replaced or deleted with a wrong precondition.
    pub(crate) fn execute(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Create { child } => {
                    assert!(self.standing(&child.key()).is_none(), "{} stands already", child.key());
                    self.fold(Answer::Child(standing(child, "1")));
                }
                Effect::Replace {
                    child,
                    uid,
                    resource_version,
                } => {
                    let stands = self.standing(&child.key()).expect("replaces what does not stand");
                    assert_eq!(stands.version(), (uid.as_str(), resource_version.as_str()));
                    let next = resource_version.parse::<u64>().unwrap() + 1;
                    let answer = with_uid(standing(child, &next.to_string()), uid);
                    self.fold(Answer::Child(answer));
                }
                Effect::Delete {
                    key,
                    uid,
                    resource_version,
                } => {
                    let stands = self.standing(key).expect("deletes what does not stand");
                    assert_eq!(stands.version(), (uid.as_str(), resource_version.as_str()));
                    self.fold(Answer::ChildGone(key.clone()));
                }
                Effect::Take { .. }
                | Effect::WriteIntent { .. }
                | Effect::AddFinalizer
                | Effect::DropFinalizer
                | Effect::WriteStatus { .. }
                | Effect::DeleteLink
                | Effect::Publish(_) => {}
            }
        }
    }

    /// The link brought up, as the senior of its source.
    pub(crate) fn up(self) -> Self {
        self.up_after(&[])
    }

    /// The link brought up, with these siblings (UIDs) before it.
    pub(crate) fn up_after(mut self, older: &[&str]) -> Self {
        let older = older.iter().map(|uid| (*uid).to_owned()).collect();
        for _ in 0..10 {
            let plan = dataplane::build(&self, &older).unwrap();
            let effects = dataplane::bring_up(&self, &plan);
            if effects.is_empty() {
                assert!(
                    dataplane::is_up(&self, &plan),
                    "{:?}",
                    dataplane::problems(&self, &plan)
                );
                return self;
            }
            self.execute(&effects);
        }
        panic!("bringing up does not come to an end");
    }

    /// The link taken down, without a drain.
    pub(crate) fn down(self) -> Self {
        let s = self.down_as_far_as_possible();
        assert_eq!(dataplane::take_down(&s, None), dataplane::Down::Done);
        s
    }

    /// The same, where something may be in the way.
    pub(crate) fn down_as_far_as_possible(mut self) -> Self {
        for _ in 0..10 {
            match dataplane::take_down(&self, None) {
                dataplane::Down::Act(effects) => self.execute(&effects),
                _ => return self,
            }
        }
        panic!("taking down does not come to an end");
    }

    /// The child of this name, if one stands.
    pub(crate) fn standing(&self, key: &Key) -> Option<Standing> {
        self.children.find(key)
    }
}

/// Names one child of the namespace `shop`.
pub(crate) fn key(kind: Kind, name: &str) -> Key {
    Key {
        kind,
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
    }
}

/// Effects in short: `create Service shop/web-links`.
pub(crate) fn shown(effects: &[Effect]) -> Vec<String> {
    let child = |effect: &Effect| match effect {
        Effect::Create { child } => format!("create {}", child.key()),
        Effect::Replace { child, .. } => format!("replace {}", child.key()),
        Effect::Delete { key, .. } => format!("delete {key}"),
        other => format!("{other:?}"),
    };
    effects.iter().map(child).collect()
}

/// UID of the link that [`sibling`] makes.
pub(crate) const SIBLING_UID: &str = "55555555-eeee-4eee-8eee-000000000001";

/// A sibling of the link: same source, alias `cache`, uid `55555555-…`.
pub(crate) fn sibling(state: State, has_children: bool) -> Sibling {
    let spec = "
linkName: cache
instanceRef: {kind: Deployment, name: web}
";
    let mut object = link_named("web-cache", SIBLING_UID, spec);
    object.status.get_or_insert_default().state = state;
    Sibling {
        object: Arc::new(object),
        has_children,
    }
}

/// The address that every virtual IP is given.
pub(crate) const VIRTUAL_IP: &str = "10.96.0.77";

/// A draft as it stands once an API server took it.
pub(crate) fn standing(draft: &Draft, resource_version: &str) -> Standing {
    let uid = format!("uid-of-{}", draft.key().name);
    match draft {
        Draft::Directory(object) => Standing::Directory(found(object, &uid, resource_version)),
        Draft::Slice(object) => Standing::Slice(found(object, &uid, resource_version)),
        Draft::Environment(object) => Standing::Environment(found(object, &uid, resource_version)),
        Draft::Policy(object) => Standing::Policy(found(object, &uid, resource_version)),
        Draft::Binding(object) => Standing::Binding(found(object, &uid, resource_version)),
        Draft::VirtualIp(object) => {
            let mut found = found(object, &uid, resource_version);
            if found.object.body.addresses.is_empty() {
                found.object.body.addresses = vec![VIRTUAL_IP.parse().unwrap()];
            }
            Standing::VirtualIp(found)
        }
    }
}

/// An object as it stands once an API server took it.
pub(crate) fn found<T: Clone>(object: &Object<T>, uid: &str, resource_version: &str) -> Found<T> {
    Found {
        uid: uid.to_owned(),
        resource_version: resource_version.to_owned(),
        terminating: false,
        object: object.clone(),
    }
}

fn with_uid(standing: Standing, uid: &str) -> Standing {
    let uid = uid.to_owned();
    match standing {
        Standing::Directory(found) => Standing::Directory(Found { uid, ..found }),
        Standing::Slice(found) => Standing::Slice(Found { uid, ..found }),
        Standing::Environment(found) => Standing::Environment(Found { uid, ..found }),
        Standing::VirtualIp(found) => Standing::VirtualIp(Found { uid, ..found }),
        Standing::Policy(found) => Standing::Policy(Found { uid, ..found }),
        Standing::Binding(found) => Standing::Binding(Found { uid, ..found }),
    }
}
