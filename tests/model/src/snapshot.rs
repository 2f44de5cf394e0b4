//! Builds the snapshot for a question.

use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::InstanceLink;
use instancelink_core::child::Children;
use instancelink_core::fixture;
use instancelink_core::resolve::kept_pods::is_programmed;
use instancelink_core::snapshot::{Candidate, Pod, Sibling, Snapshot, Source, Target, TargetObject, Workload};

use crate::base::{living_sources, source_uid};
use crate::model::Model;
use crate::question::Question;
use crate::slots::ELSEWHERE;
use crate::surroundings::{self, Surroundings};

/// Hours in a tick of the clock: more than any wait, drain or TTL of the scopes.
const TICK: i64 = 2;

impl Model {
    /// The snapshot for a question.
    pub(crate) fn snapshot(&self, question: &Question) -> Snapshot {
        let around = question.around;
        let object = self.links.at(question.object).object.clone();
        let mut s = self.bases[usize::from(around.granted)].clone();
        s.now += jiff::SignedDuration::from_hours(i64::from(around.clock) * TICK);
        s.namespace.terminating = around.closing;
        s.source = source(&object, around);
        s.pods_of_former_source = around.source == surroundings::Source::Departed;
        s.target = target(&object, around);
        s.living_owners = living_sources(around);
        for number in question.children.into_iter().filter(|number| *number != 0) {
            s.children.put(self.children.at(u32::from(number)).observed.clone());
        }
        if question.sibling != 0 {
            s.siblings.push(Sibling {
                object: Arc::clone(&self.siblings.at(question.sibling)),
                has_children: question.sibling_has_children,
            });
        }
        s.answering.pods = answering(&s.children, around);
        if s.target.is_none() && is_programmed(&object) {
            s.kept_pods = s
                .answering
                .pods
                .iter()
                .map(|pod| fixture::candidate((**pod).clone()))
                .collect();
        }
        s.link.object = object;
        s
    }
}

fn source(link: &InstanceLink, around: Surroundings) -> Option<Source> {
    match around.source {
        surroundings::Source::Absent | surroundings::Source::Departed => None,
        surroundings::Source::Exists { life, terminating } => Some(Source {
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
        ready: matches!(
            around.target,
            surroundings::Target::Ready | surroundings::Target::Orphaned
        ),
        ..pod
    }
}

fn target(link: &InstanceLink, around: Surroundings) -> Option<Target> {
    let reference = link.spec.target_instance_ref.as_ref()?;
    if matches!(
        around.target,
        surroundings::Target::Absent | surroundings::Target::Orphaned
    ) {
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
        slices: None,
    })
}

/// The existing pods that the slices have as endpoints.
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
