//! Applies operations to the real lifecycle: a world of one link and its surroundings.

use std::sync::{Arc, OnceLock};

use instancelink_api::{Addressing, InstanceLinkSpec, TargetRef, keys};
use instancelink_core::disputes::Disputes;
use instancelink_core::fixture::{self, World};
use instancelink_core::snapshot::{Grant, Pod, Sibling, Target, TargetObject};
use jiff::SignedDuration;

use crate::model::{Source, Surroundings};
use crate::operation::{AddressingMode, Destination, Edit, Operation, Rival};

/// A namespace other than the link's.
const ELSEWHERE: &str = "data";

/// A world, and the surroundings of its link.
#[derive(Debug)]
pub struct Driven {
    /// The world.
    pub world: World,
    around: Surroundings,
}

impl Default for Driven {
    fn default() -> Self {
        let mut driven = Self {
            world: World::new(fixture::snapshot()),
            around: Surroundings::default(),
        };
        driven.observe();
        driven
    }
}

impl Driven {
    /// Applies an operation, then steps until nothing is due. The reference model knows no disputes (lifecycle#disputes), so the
    /// operator forgets its earlier writes, as one that starts again does.
    pub fn operate(&mut self, operation: &Operation) {
        self.world.s.disputes = Disputes::default();
        self.apply(operation);
        self.world.settle();
    }

    /// Applies an operation.
    pub fn apply(&mut self, operation: &Operation) {
        let world = &mut self.world;
        match operation {
            Operation::Annotate(value) => world.annotate(&value.to_string()),
            Operation::Unannotate => {
                world.annotations().remove(keys::ACTION);
            }
            Operation::Edit(edit) => {
                let object = &mut world.s.link.object;
                let before = object.spec.clone();
                edit_spec(*edit, &mut object.spec);
                if object.spec != before {
                    *object.metadata.generation.get_or_insert(1) += 1;
                }
            }
            Operation::Delete => world.delete(),
            Operation::WipeStatus => world.wipe_status(),
            Operation::StripAnnotations => world.strip_annotations(),
            Operation::StripFinalizer => {
                let metadata = &mut world.s.link.object.metadata;
                metadata.finalizers = None;
                world.gone |= metadata.deletion_timestamp.is_some();
            }
            Operation::LoseSlices => world.s.children.slices.clear(),
            Operation::Time(seconds) => world.s.now += SignedDuration::from_secs(*seconds),
            Operation::Around(change) => self.around.change(*change),
        }
        self.observe();
    }

    /// Updates the snapshot to what the operator's caches show.
    fn observe(&mut self) {
        let snapshot = std::mem::replace(&mut self.world.s, blank().clone());
        let mut s = match self.around.source {
            Source::Gone => snapshot.without_source(),
            Source::There(first) => snapshot.with_source_uid(source_uid(first)),
            Source::Terminating => {
                let mut terminating = snapshot;
                terminating.source.as_mut().unwrap().terminating = true;
                terminating
            }
        };
        let namespace = s
            .link
            .object
            .spec
            .target_instance_ref
            .as_ref()
            .map(|t| t.namespace.clone().unwrap_or_else(|| fixture::NAMESPACE.to_owned()));
        s.target = self
            .around
            .target
            .zip(namespace)
            .map(|(ready, namespace)| target(&namespace, ready));
        let pods = |ready| {
            [fixture::NAMESPACE, ELSEWHERE]
                .into_iter()
                .flat_map(move |namespace| target(namespace, ready).candidates)
        };
        s.answering.pods = self
            .around
            .target
            .into_iter()
            .flat_map(pods)
            .map(|candidate| candidate.pod)
            .collect();
        s.grants = if self.around.granted { vec![grant()] } else { Vec::new() };
        s.siblings = self.around.rival.into_iter().map(sibling).collect();
        self.world.s = s;
    }
}

fn blank() -> &'static instancelink_core::snapshot::Snapshot {
    static BLANK: OnceLock<instancelink_core::snapshot::Snapshot> = OnceLock::new();
    BLANK.get_or_init(|| fixture::of(fixture::SPEC))
}

const fn source_uid(first: bool) -> &'static str {
    if first {
        fixture::SOURCE_UID
    } else {
        "22222222-bbbb-4bbb-8bbb-000000000002"
    }
}

fn edit_spec(edit: Edit, spec: &mut InstanceLinkSpec) {
    match edit {
        Edit::Desire(desired) => spec.desired_state = desired,
        Edit::Publish(publish) => spec.publish_not_ready_addresses = publish,
        Edit::Describe(n) => spec.description = Some(format!("orders {n}")),
        Edit::Target(destination) => {
            let reference = |namespace: Option<&str>| TargetRef {
                api_version: None,
                kind: "Deployment".to_owned(),
                name: "pg".to_owned(),
                namespace: namespace.map(str::to_owned),
            };
            spec.target_instance_ref = match destination {
                Destination::SameNamespace => Some(reference(None)),
                Destination::OtherNamespace => Some(reference(Some(ELSEWHERE))),
                Destination::NoTarget => None,
            };
        }
        Edit::Addressing(mode) => {
            let ports = r#"[{"name":"pg","port":5432}]"#;
            (spec.addressing, spec.ports) = match mode {
                AddressingMode::Auto => (Addressing::Auto, None),
                AddressingMode::ServiceIP => (Addressing::ServiceIP, None),
                AddressingMode::VirtualIP => (Addressing::VirtualIP, serde_json::from_str(ports).unwrap()),
            };
        }
        Edit::Drain(drain_seconds) => {
            spec.deactivation = serde_json::from_value(serde_json::json!({ "drainSeconds": drain_seconds })).unwrap();
        }
        Edit::Wait(wait) => {
            spec.activation = serde_json::from_value(serde_json::json!({ "targetWaitSeconds": wait })).unwrap();
        }
        Edit::TtlRemoved(ttl) => spec.ttl_seconds_after_removed = ttl,
        Edit::TtlPurged(ttl) => spec.ttl_seconds_after_purged = ttl,
    }
}

/// The Deployment `pg` of a namespace, with two pods.
fn target(namespace: &str, ready: bool) -> Target {
    static TARGETS: OnceLock<Vec<(String, bool, Target)>> = OnceLock::new();
    let made = TARGETS.get_or_init(|| {
        let each = |namespace: &str, ready: bool| (namespace.to_owned(), ready, make_target(namespace, ready));
        let all = [fixture::NAMESPACE, ELSEWHERE].map(|ns| [each(ns, false), each(ns, true)]);
        all.into_iter().flatten().collect()
    });
    let found = made.iter().find(|(ns, r, _)| ns == namespace && *r == ready);
    found.unwrap().2.clone()
}

fn make_target(namespace: &str, ready: bool) -> Target {
    let mut workload = fixture::deployment();
    namespace.clone_into(&mut workload.namespace);
    let pods = [("pg-0", "10.0.0.10"), ("pg-1", "10.0.0.11")].map(|(name, address)| {
        let pod = fixture::pod(name, address);
        Pod {
            namespace: namespace.to_owned(),
            uid: format!("uid-of-{name}-in-{namespace}"),
            ready,
            ..pod
        }
    });
    Target {
        object: TargetObject::Workload(Arc::new(workload)),
        candidates: pods.into_iter().map(fixture::candidate).collect(),
        slices: None,
    }
}

fn grant() -> Arc<Grant> {
    static GRANT: OnceLock<Arc<Grant>> = OnceLock::new();
    let make = || {
        let granted = fixture::of(fixture::SPEC).granted(ELSEWHERE, "{kind: Deployment, name: pg}");
        Arc::clone(&granted.grants[0])
    };
    Arc::clone(GRANT.get_or_init(make))
}

fn sibling(rival: Rival) -> Sibling {
    let kind = if rival.same_kind { "Deployment" } else { "StatefulSet" };
    let spec = format!("{{linkName: db, instanceRef: {{kind: {kind}, name: web}}}}");
    let mut object = fixture::link_named("web-db-2", fixture::SIBLING_UID, &spec);
    let created = object.metadata.creation_timestamp.as_mut().unwrap();
    created.0 -= SignedDuration::from_secs(rival.older_by);
    fixture::as_sibling(object, rival.state, rival.has_children)
}
