//! Cuts with a drain, and those without one (lifecycle#drain, lifecycle#lost-consent-skips-drain).

use instancelink_api::State;

use super::World;

fn drain(world: &mut World, seconds: i64) {
    world.s = world.s.clone().edited(|spec| {
        spec.deactivation = Some(serde_json::from_value(serde_json::json!({ "drainSeconds": seconds })).unwrap());
    });
    world.settle();
}

/// lifecycle#lost-consent-skips-drain
#[test]
fn a_cut_for_lost_consent_skips_the_drain() {
    let mut world = World::active();
    drain(&mut world, 600);
    world.s = world.s.clone().edited(|spec| {
        spec.target_instance_ref.as_mut().unwrap().namespace = Some("elsewhere".to_owned());
    });
    world.s.target = None;
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert_eq!(world.condition("ResolvedRefs"), ("False", "RefNotPermitted"));
    assert_eq!(world.condition("Ready"), ("False", "Held"));
    assert_eq!(world.condition("Stalled"), ("True", "RefNotPermitted"));
}

/// lifecycle#lost-consent-skips-drain
#[test]
fn a_revoked_grant_cuts_the_link_and_a_new_grant_ends_the_hold() {
    let mut world = World::active();
    drain(&mut world, 600);
    let granted = world.s.clone().granted("data", "{kind: Deployment, name: pg}");
    world.s = granted.with_target_in("data");
    world.settle();
    assert_eq!(world.watched(), [State::UpdatingActive, State::Active]);

    let given = std::mem::take(&mut world.s.grants);
    world.settle();
    assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
    assert!(world.s.children.slices.is_empty());
    assert_eq!(world.condition("ResolvedRefs"), ("False", "RefNotPermitted"));
    assert_eq!(world.condition("Ready"), ("False", "Held"));

    world.s.grants = given;
    world.settle();
    assert_eq!(world.watched(), [State::Activating, State::Active]);
    assert_eq!(world.condition("ResolvedRefs"), ("True", "Resolved"));
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
}

/// lifecycle#drain
#[test]
fn the_drain_counts_from_the_write_that_stopped_the_slices() {
    let mut world = World::active();
    drain(&mut world, 60);
    world.annotate("deactivate");
    let wake = world.settle();
    assert_eq!(world.watched(), [State::Deactivating]);
    let endpoints = |w: &World| {
        w.s.children
            .slices
            .iter()
            .flat_map(|s| s.object.body.endpoints.clone())
            .collect::<Vec<_>>()
    };
    assert!(!endpoints(&world).is_empty());
    assert!(
        endpoints(&world).iter().all(|e| !e.ready && e.serving && e.terminating),
        "the alias stops at once"
    );
    assert_eq!(world.status().transitioning_progress, Some(100));
    assert_eq!(wake, Some(world.s.now + jiff::SignedDuration::from_secs(15)));
    world.pass_time(30);
    world.settle();
    assert_eq!(
        world.status().transitioning_progress,
        Some(50),
        "half of the time remains"
    );
    world.pass_time(30);
    world.settle();
    assert_eq!(world.watched(), [State::Inactive]);
    assert!(endpoints(&world).is_empty());
}

/// lifecycle#drain
#[test]
fn the_drain_ends_at_once_when_the_namespace_terminates_or_no_slice_exists() {
    for lost in [true, false] {
        let mut world = World::active();
        drain(&mut world, 600);
        world.act("deactivate");
        assert_eq!(world.watched(), [State::Deactivating]);
        if lost {
            world.s.children.slices.clear();
        } else {
            world.s.namespace.terminating = true;
        }
        world.settle();
        assert_eq!(world.watched(), [State::Inactive]);
    }
}
