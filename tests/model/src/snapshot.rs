//! From what an operator sees to what `step` looks at.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_core::child::{Children, Standing};
use instancelink_core::fixture;
use instancelink_core::snapshot::{Candidate, Pod, Sibling, Snapshot, Source, Target, TargetObject, Workload};

use crate::model::Model;
use crate::slots::{ELSEWHERE, POLICY};
use crate::state::Cluster;
use crate::surroundings::{self, Surroundings};

/// Two hours: more than any wait, drain or ttl of the scopes.
const TICK: i64 = 7200;

/// UID of a source of this kind.
pub(crate) fn source_uid(kind: &str, life: u8) -> String {
    let initial = if kind == "Deployment" { 'd' } else { 'e' };
    format!("22222222-bbbb-4bbb-8bbb-0000000000{life}{initial}")
}

/// UIDs of the sources that exist.
pub(crate) fn living_sources(around: Surroundings) -> BTreeSet<String> {
    match around.source {
        surroundings::Source::Absent => BTreeSet::new(),
        surroundings::Source::There { life, .. } => {
            ["Deployment", "StatefulSet"].map(|kind| source_uid(kind, life)).into()
        }
    }
}

impl Model {
    /// The snapshot of a link that is there, in a view.
    pub(crate) fn snapshot(&self, link: usize, view: &Cluster) -> Snapshot {
        let object = self.links.at(view.links[link]).object.clone();
        let mut s = fixture::of(fixture::SPEC).later(i64::from(view.around.clock) * TICK);
        s.namespace.terminating = view.around.closing;
        s.source = source(&object, view.around);
        s.target = target(&object, view.around);
        s.living_owners = living_sources(view.around);
        s.children = self.children_of(link, view);
        s.siblings = self.sibling(link, view).into_iter().collect();
        s.answering.pods = answering(&s.children, view.around);
        if view.around.granted {
            s = s.granted_by(
                ELSEWHERE,
                &format!(
                    "{{from: [{{namespace: {}}}], to: [{{group: apps, kind: Deployment}}], allow: [Endpoints, NetworkPolicy]}}",
                    fixture::NAMESPACE
                ),
            );
        }
        s.isolators = vec![Arc::new(instancelink_core::snapshot::Isolator {
            namespace: ELSEWHERE.to_owned(),
            name: "closed".to_owned(),
            pods: k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector::default(),
        })];
        s.link.object = object;
        s
    }

    fn children_of(&self, link: usize, view: &Cluster) -> Children {
        let mut children = Children::default();
        let life = self.links.read(view.links[link], |object| object.life_bit(link));
        for (slot, number) in view.children.iter().enumerate().filter(|(_, number)| **number != 0) {
            let child = self.children.at(u32::from(*number));
            // Policies are found by label alone, slices too unless their name is one of this link's.
            let is_others = slot >= crate::slots::SLICE && child.of & life == 0;
            if !is_others {
                children.put(child.standing.clone());
            }
        }
        children
    }

    fn sibling(&self, link: usize, view: &Cluster) -> Option<Sibling> {
        let other = 1 - link;
        let number = view.links[other];
        if number == 0 {
            return None;
        }
        let entry = self.links.at(number);
        let life = entry.life_bit(other);
        let mut standing = view.children.iter().take(POLICY).filter(|number| **number != 0);
        Some(Sibling {
            object: Arc::new(entry.object.clone()),
            has_children: standing.any(|number| self.children.read(u32::from(*number), |child| child.of & life != 0)),
        })
    }
}

fn source(link: &InstanceLink, around: Surroundings) -> Option<Source> {
    match around.source {
        surroundings::Source::Absent => None,
        surroundings::Source::There { life, terminating } => Some(Source {
            uid: source_uid(&link.spec.instance_ref.kind, life),
            pods: serde_json::from_str(r#"{"matchLabels": {"app": "web"}}"#).unwrap(),
            terminating,
        }),
    }
}

/// The target's pod in a namespace.
fn pod(namespace: &str, around: Surroundings) -> Pod {
    let address = if namespace == ELSEWHERE {
        "10.0.1.10"
    } else {
        "10.0.0.10"
    };
    let pod = fixture::pod("pg-0", address);
    Pod {
        namespace: namespace.to_owned(),
        uid: format!("uid-of-pg-0-in-{namespace}"),
        ready: around.target == surroundings::Target::Ready,
        ..pod
    }
}

fn target(link: &InstanceLink, around: Surroundings) -> Option<Target> {
    let reference = link.spec.target_instance_ref.as_ref()?;
    if around.target == surroundings::Target::Absent {
        return None;
    }
    let namespace = reference.namespace.as_deref().unwrap_or(fixture::NAMESPACE);
    let workload = Workload {
        namespace: namespace.to_owned(),
        ..fixture::deployment()
    };
    Some(Target {
        object: TargetObject::Workload(Arc::new(workload)),
        candidates: vec![Candidate {
            ..fixture::candidate(pod(namespace, around))
        }],
    })
}

/// The pods that standing slices lead to, as far as they exist.
fn answering(children: &Children, around: Surroundings) -> Vec<Arc<Pod>> {
    if around.target == surroundings::Target::Absent {
        return Vec::new();
    }
    let endpoints = children.slices.iter().flat_map(|slice| &slice.object.body.endpoints);
    let namespaces: BTreeSet<&str> = endpoints
        .filter_map(|endpoint| endpoint.target.as_ref())
        .map(|target| target.namespace.as_str())
        .collect();
    namespaces
        .into_iter()
        .map(|namespace| Arc::new(pod(namespace, around)))
        .collect()
}

/// The name under which a child is kept.
pub(crate) fn text_of(standing: &Standing) -> String {
    format!("{standing:?}")
}
