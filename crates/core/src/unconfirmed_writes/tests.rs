use instancelink_api::State;

use super::*;
use crate::child::Kind;
use crate::fixture::{self, SIBLING_UID, World};
use crate::snapshot::Sibling;

/// A sibling that is activating, without a child that was seen.
fn sibling(alias: &str) -> Sibling {
    let mut sibling = fixture::sibling(State::Activating, false);
    std::sync::Arc::make_mut(&mut sibling.object).spec.link_name = alias.to_owned();
    sibling
}

/// A new link, beside another one with this alias.
fn beside(alias: &str) -> World {
    World::new(fixture::snapshot().with_sibling(sibling(alias)))
}

/// The same, before the step that writes a child of this kind; and that child.
fn about_to_write(kind: Kind) -> (World, DesiredChild) {
    let mut world = beside("cache");
    loop {
        if let Step::Act(effects) = lifecycle::step(&world.s) {
            let written = effects.into_iter().find_map(|effect| match effect {
                Effect::Create { child } if child.key().kind == kind => Some(child),
                _ => None,
            });
            if let Some(child) = written {
                return (world, child);
            }
        }
        assert!(world.step().is_ok(), "the child is written at some step");
    }
}

/// A child that the sibling wrote.
fn siblings(kind: Kind) -> DesiredChild {
    let (_, mut child) = about_to_write(kind);
    match &mut child {
        DesiredChild::Slice(slice) => {
            slice.labels.insert(keys::LINK_UID.to_owned(), SIBLING_UID.to_owned());
            slice.name = "web-cache-v4".to_owned();
        }
        DesiredChild::Environment(environment) => {
            let entries = format!(r#"{{"{SIBLING_UID}": []}}"#);
            environment.annotations.insert(keys::ENTRIES.to_owned(), entries);
        }
        _ => {}
    }
    child
}

fn asked(world: &World, doubtful: &DesiredChild) -> bool {
    let step = lifecycle::step(&world.s);
    !to_ask(&world.s, &step, std::slice::from_ref(doubtful)).is_empty()
}

/// lifecycle#unconfirmed-writes
#[test]
fn a_write_that_is_repeated_needs_no_read() {
    for kind in [Kind::Directory, Kind::Environment, Kind::Slice] {
        let (world, child) = about_to_write(kind);
        assert!(!asked(&world, &child), "{kind:?}");
    }
}

/// lifecycle#unconfirmed-writes
#[test]
fn a_child_that_a_link_may_have_written_before_its_cut_is_read() {
    let (mut world, slice) = about_to_write(Kind::Slice);
    world.annotate("deactivate");
    assert!(asked(&world, &slice));
    assert!(asked(&World::inactive(), &slice), "also when nothing is due");
}

/// lifecycle#unconfirmed-writes
#[test]
fn the_slice_of_a_sibling_with_another_alias_is_not_read() {
    let (world, _) = about_to_write(Kind::Slice);
    assert!(!asked(&world, &siblings(Kind::Slice)));
}

/// lifecycle#unconfirmed-writes
#[test]
fn a_slice_that_would_give_a_sibling_the_alias_is_read_before_the_link_moves() {
    let mut world = beside("db");
    while !asked(&world, &siblings(Kind::Slice)) {
        assert!(
            world.step().is_ok(),
            "the link took the alias without reading the slice"
        );
    }
    assert!(world.watched().is_empty());
}

/// lifecycle#unconfirmed-writes
#[test]
fn the_slice_of_a_link_that_is_gone_is_read() {
    let (mut world, _) = about_to_write(Kind::Slice);
    world.s.siblings.clear();
    assert!(asked(&world, &siblings(Kind::Slice)));
}

/// lifecycle#unconfirmed-writes
#[test]
fn a_shared_child_is_read_where_the_decision_depends_on_it() {
    let (directory, environment) = (siblings(Kind::Directory), siblings(Kind::Environment));
    for child in [&directory, &environment] {
        assert!(!asked(&beside("cache"), child), "the first status needs no read");
    }
    assert!(
        asked(&World::active(), &environment),
        "the link's own entry can be missing"
    );
    assert!(asked(&World::inactive(), &directory), "the last link deletes it");
}
