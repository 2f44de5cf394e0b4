//! Children that a quota or an admission policy refuses: the link says who, and whether its alias answers all the same.

use instancelink_api::status::Transitioning;
use instancelink_api::{State, keys};

use super::World;
use crate::child::{Key, Kind};
use crate::fixture;
use crate::refusal::Refusal;

const QUOTA: &str =
    r#"configmaps "web-links" is forbidden: exceeded quota: objects, requested: configmaps=1, used: configmaps=0"#;
const POLICY: &str =
    r#"services "x" is forbidden: ValidatingAdmissionPolicy 'keep' with binding 'keep' denied request: kept"#;

fn refuse(world: &mut World, verb: &str, key: Key, answer: &str) {
    let refusal = Refusal::denied(verb, &key, answer);
    world.s.refusals.insert(key, refusal);
}

/// Steps until nothing is due. Refusals stay, as in one pass.
fn pass(world: &mut World) {
    while world.step().is_ok() {}
}

fn said(world: &World) -> &str {
    world.status().transitioning_message.as_deref().unwrap_or_default()
}

/// contract#condition-available
#[test]
fn a_link_whose_environment_a_quota_refuses_says_so_and_that_its_alias_answers() {
    let mut world = World::new(fixture::snapshot());
    refuse(
        &mut world,
        "create",
        fixture::key(Kind::Environment, "web-links"),
        QUOTA,
    );
    pass(&mut world);
    assert_eq!(world.state(), State::Activating);
    assert_eq!(world.status().transitioning, Transitioning::Error);
    assert_eq!(world.condition("Programmed"), ("False", "QuotaExceeded"));
    assert_eq!(world.condition("Stalled"), ("True", "QuotaExceeded"));
    assert_eq!(world.condition("Available"), ("True", "EndpointsReady"));
    assert!(
        said(&world).contains("kubectl -n shop edit resourcequota objects"),
        "{}",
        said(&world)
    );
    world.settle();
    assert_eq!(world.state(), State::Active, "the next pass tries again");
}

#[test]
fn a_link_whose_directory_a_quota_refuses_does_not_answer() {
    let mut world = World::new(fixture::snapshot());
    refuse(&mut world, "create", fixture::key(Kind::Directory, "web-links"), QUOTA);
    pass(&mut world);
    assert_eq!(world.condition("Available"), ("False", "NotActive"));
    assert!(world.s.children.slices.is_empty());
    assert_eq!(world.s.children.environments.len(), 1, "the other children are made");
}

/// contract#condition-available
#[test]
fn an_alias_that_a_policy_keeps_from_being_cut_is_said_to_answer() {
    let mut world = World::active();
    refuse(&mut world, "delete", fixture::key(Kind::Slice, "web-db-v4"), POLICY);
    world.annotate("deactivate");
    pass(&mut world);
    assert_eq!(world.state(), State::Deactivating);
    assert_eq!(world.condition("Programmed"), ("False", "AdmissionDenied"));
    assert_eq!(world.condition("Available"), ("True", "EndpointsReady"));
    assert!(
        said(&world).contains("kubectl edit validatingadmissionpolicy keep"),
        "{}",
        said(&world)
    );
    world.settle();
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.condition("Available"), ("False", "NotActive"));
}

#[test]
fn a_slice_under_the_virtual_ip_alone_does_not_answer() {
    let s = fixture::snapshot().edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_json::from_str(r#"[{"name":"pg","port":5432}]"#).unwrap();
    });
    let mut world = World::new(s.clone());
    let up = s.up();
    let names = up
        .children
        .slices
        .iter()
        .filter(|found| found.object.labels.contains_key(keys::HEADLESS));
    for found in names {
        refuse(
            &mut world,
            "create",
            fixture::key(Kind::Slice, &found.object.name),
            QUOTA,
        );
    }
    pass(&mut world);
    assert_eq!(world.state(), State::Activating);
    assert_eq!(world.s.children.slices.len(), 1, "the one under the virtual IP");
    assert_eq!(world.condition("Available"), ("False", "NotActive"));
}
