//! What a user sees of a link tells nothing of another namespace that this namespace did not consent to.

use std::collections::BTreeMap;
use std::sync::Arc;

use instancelink_api::spec::NetworkPolicyMode;
use proptest::prelude::*;

use super::World;
use crate::effect::Step;
use crate::fixture::{self, pod};
use crate::lifecycle::step;
use crate::resolve::reference::shown_target;
use crate::snapshot::{Isolator, Pod, Service, Snapshot, Target, TargetObject, Workload};

const ELSEWHERE: &str = "data";

/// What the other namespace has at one time.
#[derive(Clone, Debug)]
struct Elsewhere {
    /// The kind of the target, if it exists.
    target: Option<&'static str>,
    uid: &'static str,
    pods: Vec<(&'static str, bool)>,
    strangers: Vec<&'static str>,
    /// The selectors of its policies, by name.
    isolators: BTreeMap<&'static str, &'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Act(&'static str),
    Pass(i64),
    Allow(bool),
    Delete,
}

fn elsewhere() -> impl Strategy<Value = Elsewhere> {
    let names = prop::sample::select(vec!["pg-0", "pg-1", "pg-2"]);
    (
        prop::option::weighted(0.8, prop::sample::select(vec!["Deployment", "Service"])),
        prop::sample::select(vec!["uid-1", "uid-2"]),
        prop::collection::vec((names, any::<bool>()), 0..3),
        prop::sample::subsequence(vec!["exporter", "backup"], 0..=2),
        prop::sample::subsequence(
            vec![
                ("deny-all", "{}"),
                ("deny-pg", "{matchLabels: {app: pg}}"),
                ("deny-web", "{matchLabels: {app: web}}"),
            ],
            0..=3,
        ),
    )
        .prop_map(|(target, uid, pods, strangers, isolators)| Elsewhere {
            target,
            uid,
            pods,
            strangers,
            isolators: isolators.into_iter().collect(),
        })
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => prop::sample::select(vec!["activate", "deactivate", "remove", "restore", "purge"]).prop_map(Deed::Act),
        2 => prop::sample::select(vec![1, 20]).prop_map(Deed::Pass),
        2 => any::<bool>().prop_map(Deed::Allow),
        1 => Just(Deed::Delete),
    ]
}

impl Elsewhere {
    fn policies(&self, s: &mut Snapshot) {
        let isolators = self.isolators.iter().map(|(name, pods)| {
            Arc::new(Isolator {
                namespace: ELSEWHERE.to_owned(),
                name: (*name).to_owned(),
                pods: serde_yaml_ng::from_str(pods).unwrap(),
            })
        });
        s.isolators = isolators.collect();
        s.selected = self
            .strangers
            .iter()
            .map(|name| Arc::new(self.pod(name, true)))
            .collect();
    }

    fn all(&self, s: &mut Snapshot) {
        self.policies(s);
        let pods: Vec<Pod> = self.pods.iter().map(|(name, ready)| self.pod(name, *ready)).collect();
        s.answering.pods = pods.iter().cloned().map(Arc::new).collect();
        s.target = self.target.map(|kind| Target {
            object: self.object(kind),
            candidates: pods.into_iter().map(fixture::candidate).collect(),
            slices: None,
        });
        let reference = s.link.object.spec.target_instance_ref.as_ref().unwrap();
        let is_of_kind = s.target.as_ref().is_some_and(|t| t.object.kind() == reference.kind);
        s.target = s.target.take().filter(|_| is_of_kind);
    }

    fn pod(&self, name: &str, ready: bool) -> Pod {
        Pod {
            namespace: ELSEWHERE.to_owned(),
            uid: format!("{name}-{}", self.uid),
            ready,
            ..pod(name, "10.0.0.10")
        }
    }

    fn object(&self, kind: &str) -> TargetObject {
        let (namespace, uid) = (ELSEWHERE.to_owned(), self.uid.to_owned());
        if kind == "Service" {
            TargetObject::Service(Arc::new(Service {
                namespace,
                uid,
                ..fixture::service()
            }))
        } else {
            TargetObject::Workload(Arc::new(Workload {
                namespace,
                uid,
                ..fixture::deployment()
            }))
        }
    }
}

/// Everything that the users of the link's namespace see while they do this.
fn seen(mut s: Snapshot, deeds: &[Deed], mut change: impl FnMut(usize, &mut Snapshot)) -> Vec<String> {
    change(0, &mut s);
    let mut world = World::new(s);
    world.settle();
    let mut seen = Vec::new();
    for (n, deed) in deeds.iter().enumerate() {
        change(n + 1, &mut world.s);
        match deed {
            Deed::Act(verb) => world.annotate(verb),
            Deed::Pass(seconds) => world.pass_time(*seconds),
            Deed::Allow(allow) => {
                world.s = world.s.clone().edited(|spec| spec.network_policy = mode(*allow));
            }
            Deed::Delete => world.delete(),
        }
        loop {
            if world.gone {
                return seen;
            }
            seen.push(serde_json::to_string(world.status()).unwrap());
            seen.push(format!("{:?}", shown_target(&world.s).map(TargetObject::uid)));
            seen.push(format!("{:?}", world.events));
            if let Step::Settled { wake, .. } = step(&world.s) {
                seen.push(format!("{wake:?}"));
                break;
            }
            world.step().unwrap();
        }
    }
    seen
}

fn mode(allow: bool) -> NetworkPolicyMode {
    if allow {
        NetworkPolicyMode::Allow
    } else {
        NetworkPolicyMode::None
    }
}

fn linked() -> Snapshot {
    fixture::snapshot()
        .edited(|spec| spec.network_policy = NetworkPolicyMode::Allow)
        .with_target_in(ELSEWHERE)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// contract#nothing-of-others-without-consent
    #[test]
    fn without_consent_to_policies_nothing_shows_the_policies_of_the_other_namespace(
        deeds in prop::collection::vec(deed(), 1..6),
        one in prop::collection::vec(elsewhere(), 7),
        other in prop::collection::vec(elsewhere(), 7),
    ) {
        let s = || linked().granted(ELSEWHERE, "{kind: Deployment}");
        let [one, other] = [one, other].map(|versions| seen(s(), &deeds, |n, s| versions[n].policies(s)));
        prop_assert_eq!(one, other);
    }

    /// contract#nothing-of-others-without-consent
    #[test]
    fn without_any_consent_nothing_shows_what_the_other_namespace_has(
        deeds in prop::collection::vec(deed(), 1..6),
        one in prop::collection::vec(elsewhere(), 7),
        other in prop::collection::vec(elsewhere(), 7),
    ) {
        let s = || linked().granted(ELSEWHERE, "{kind: StatefulSet}");
        let [one, other] = [one, other].map(|versions| seen(s(), &deeds, |n, s| versions[n].all(s)));
        prop_assert_eq!(one, other);
    }

    /// contract#nothing-of-others-without-consent
    #[test]
    fn once_consent_is_revoked_nothing_shows_what_the_other_namespace_has(
        deeds in prop::collection::vec(deed(), 1..6),
        one in prop::collection::vec(elsewhere(), 7),
        other in prop::collection::vec(elsewhere(), 7),
    ) {
        let both = "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}";
        let s = || linked().granted_by(ELSEWHERE, both);
        let [one, other] = [one, other].map(|versions| seen(s(), &deeds, |n, s| if n > 0 {
            s.grants.clear();
            versions[n].all(s);
        }));
        prop_assert_eq!(one, other);
    }
}
