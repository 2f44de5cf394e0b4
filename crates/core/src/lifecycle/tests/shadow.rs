//! The condition `AliasShadowed`: a warning with one event for each shadow.

use super::World;
use crate::snapshot::Namesake;

fn active_beside(namesakes: &[Namesake]) -> World {
    let mut world = World::active();
    world.s.namesakes.extend(namesakes);
    world.settle();
    world
}

fn message(world: &World) -> &str {
    let conditions = &world.status().conditions;
    let shadowed = conditions.iter().find(|c| c.type_ == "AliasShadowed");
    shadowed.map(|c| c.message.as_str()).unwrap_or_default()
}

fn told(world: &World) -> Vec<&str> {
    let warnings = world.events.iter().filter(|e| e.warning);
    warnings.map(|e| e.reason.as_str()).collect()
}

#[test]
fn a_link_whose_alias_is_unique_is_not_shadowed() {
    assert_eq!(World::active().condition("AliasShadowed"), ("absent", ""));
}

#[test]
fn each_shadow_is_named_with_the_dns_name_that_is_safe_from_it() {
    for (namesake, reason, named) in [
        (Namesake::ServiceBeside, "ServiceComesFirst", "Service shop/db"),
        (Namesake::ServiceElsewhere, "ServiceStepsIn", "Service web-links/db"),
        (Namesake::Namespace, "NamespaceEndsSearch", "namespace db"),
        (
            Namesake::MirroredEndpoints,
            "EndpointsMirrored",
            "kubectl -n shop delete endpoints web-links",
        ),
    ] {
        let world = active_beside(&[namesake]);
        assert_eq!(world.condition("AliasShadowed"), ("True", reason));
        assert!(message(&world).contains(named), "{}", message(&world));
        let safe = message(&world).contains("Use db.web-links.shop.svc");
        assert!(safe || namesake == Namesake::MirroredEndpoints, "{}", message(&world));
        assert_eq!(told(&world), [reason]);
    }
}

#[test]
fn a_shadowed_link_is_ready() {
    let mut world = active_beside(&[Namesake::ServiceBeside, Namesake::MirroredEndpoints]);
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
    assert_eq!(world.watched(), []);
}

#[test]
fn an_inactive_link_is_shadowed_and_a_removed_one_is_not() {
    let mut world = active_beside(&[Namesake::ServiceElsewhere]);
    world.act("deactivate");
    assert_eq!(world.condition("AliasShadowed"), ("True", "ServiceStepsIn"));
    world.act("remove");
    assert_eq!(world.condition("AliasShadowed"), ("absent", ""));
}

#[test]
fn the_warning_ends_when_the_other_object_is_gone() {
    let mut world = active_beside(&[Namesake::ServiceBeside]);
    world.s.namesakes.clear();
    world.settle();
    assert_eq!(world.condition("AliasShadowed"), ("absent", ""));
}

#[test]
fn the_most_serious_of_several_shadows_gives_the_reason_and_each_gets_one_event() {
    let mut world = active_beside(&[Namesake::Namespace]);
    world.s.namesakes.insert(Namesake::MirroredEndpoints);
    world.settle();
    assert_eq!(world.condition("AliasShadowed"), ("True", "EndpointsMirrored"));
    assert!(message(&world).contains("namespace db"), "{}", message(&world));
    world.s.namesakes.remove(&Namesake::MirroredEndpoints);
    world.settle();
    assert_eq!(world.condition("AliasShadowed"), ("True", "NamespaceEndsSearch"));
    assert_eq!(told(&world), ["NamespaceEndsSearch", "EndpointsMirrored"]);
}
