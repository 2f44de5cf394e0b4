//! Sources of kinds that the operator may read only while a role allows it.

use instancelink_api::State;

use super::World;
use crate::fixture::{self, pod};
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
