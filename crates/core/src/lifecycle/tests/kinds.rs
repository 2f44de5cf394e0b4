//! Sources of kinds that the operator may read only while a role allows it.

use instancelink_api::State;

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::World;
use crate::effect::Step;
use crate::fixture::{self, pod};
use crate::lifecycle::step;
use crate::snapshot::{ApiKind, Snapshot, Unlisted};

fn of_rollout() -> Snapshot {
    fixture::snapshot().edited(|spec| {
        spec.instance_ref.api_version = Some("argoproj.io/v1alpha1".to_owned());
        spec.instance_ref.kind = "Rollout".to_owned();
    })
}

fn unreadable(world: &mut World, why: Unlisted) {
    world.s = world.s.clone().without_source();
    let kind = ApiKind::new("argoproj.io/v1alpha1", "Rollout");
    world.s.unlisted.insert(kind, why);
}

fn forbidden() -> Unlisted {
    Unlisted::Forbidden {
        plural: "rollouts".to_owned(),
    }
}

/// contract#scaled-kinds
#[test]
fn a_link_whose_source_becomes_unreadable_stays_active_and_says_so() {
    let mut world = World::new(of_rollout());
    world.settle();
    unreadable(&mut world, forbidden());
    world.settle();
    assert_eq!(world.state(), State::Active);
    assert_eq!(world.condition("ResolvedRefs"), ("False", "KindNotSupported"));

    let pods = vec![pod("pg-1", "10.0.0.11")];
    world.s = world.s.clone().with_target_deployment(pods);
    world.settle();
    let addresses: Vec<_> = world.s.children.slices[0]
        .object
        .body
        .endpoints
        .iter()
        .map(|e| e.address.to_string())
        .collect();
    assert_eq!(
        addresses,
        ["10.0.0.11"],
        "the alias does not go on with a pod that is gone"
    );

    world.s.unlisted.clear();
    world.s = world.s.clone().with_source();
    world.settle();
    assert_eq!(world.condition("Ready").0, "True");
}

/// contract#holds
#[test]
fn a_link_is_cut_when_the_kind_of_its_source_is_gone() {
    let mut world = World::new(of_rollout());
    world.settle();
    unreadable(&mut world, Unlisted::NotServed);
    world.settle();
    assert_eq!(world.state(), State::Inactive);
}

/// lifecycle#unknown-kinds-wait
#[test]
fn a_new_link_that_waits_for_the_list_of_a_kind_says_so_after_ten_seconds_and_nothing_else() {
    let mut world = World::new(of_rollout());
    unreadable(&mut world, Unlisted::Pending);
    let created = world.s.now;
    world.s.link.object.metadata.creation_timestamp = Some(Time(created));
    world.s.link.object.status = serde_json::from_value(instancelink_api::crd::default_status()).unwrap();
    let wake = Some(created + SignedDuration::from_secs(10));
    assert_eq!(step(&world.s), Step::Settled { wake, retry: false });
    world.s.now = created + SignedDuration::from_secs(10);
    world.settle();
    assert_eq!(world.state(), State::Requested);
    let [ready] = &world.status().conditions[..] else {
        panic!("one condition")
    };
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("Unknown", "Pending"));
    assert!(ready.message.contains("Rollout"), "{}", ready.message);
    assert!(world.s.children.all().next().is_none());
    world.s.unlisted.clear();
    world.s = world.s.clone().with_source();
    world.settle();
    assert_eq!(world.condition("Ready").0, "True");
}
