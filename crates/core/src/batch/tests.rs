use instancelink_api::State;

use super::*;
use crate::fixture::{self, LINK_UID, SIBLING_UID, World};

const CACHE: &str = "
linkName: cache
instanceRef: {kind: Deployment, name: web}
targetInstanceRef: {kind: Deployment, name: pg}
";

fn db() -> World {
    World::new(fixture::snapshot().with_sibling(fixture::sibling(State::Activating, true)))
}

fn cache() -> World {
    let db = fixture::as_sibling(fixture::link(fixture::SPEC), State::Activating, true);
    let mut s = fixture::snapshot().with_sibling(db);
    s.link.object = fixture::link_named("web-cache", SIBLING_UID, CACHE);
    World::new(s)
}

/// Goes on until the environment is to be written; what that is.
fn shared_write(world: &mut World) -> Effect {
    for _ in 0..10 {
        if let Step::Act(mut group) = lifecycle::step(&world.s)
            && let Some(write) = take_shared(&mut group)
        {
            world.s.execute(&group);
            return write;
        }
        assert!(world.step().is_ok(), "nothing is due in state {}", world.state());
    }
    panic!("no write of the environment");
}

/// The same, on top of what another link has to write.
fn shared_write_on_top(world: &mut World, before: &Effect) -> Effect {
    let own = shared_write(world);
    on_top(&world.s, before, own)
}

fn entries(write: &Effect) -> Vec<&str> {
    environment(write).unwrap().entries().into_keys().collect()
}

/// Both links are up.
fn both_up() -> (World, World) {
    let (mut db, mut cache) = (db(), cache());
    let write = shared_write(&mut db);
    let both = shared_write_on_top(&mut cache, &write);
    for world in [&mut db, &mut cache] {
        world.s.execute(std::slice::from_ref(&both));
        world.settle();
        assert_eq!(world.condition("Ready"), ("True", "Ready"));
    }
    (db, cache)
}

/// Both are up, and asked to leave.
fn both_leaving() -> (World, World) {
    let (mut db, mut cache) = both_up();
    db.annotate("deactivate");
    cache.annotate("deactivate");
    (db, cache)
}

#[test]
fn the_environment_of_links_that_start_together_is_written_once() {
    let (mut db, mut cache) = (db(), cache());
    let first = shared_write(&mut db);
    let own = shared_write(&mut cache);
    assert_eq!((entries(&first), entries(&own)), (vec![LINK_UID], vec![SIBLING_UID]));
    let both = on_top(&cache.s, &first, own);
    assert_eq!(entries(&both), [LINK_UID, SIBLING_UID]);
    let data = &environment(&both).unwrap().body.data;
    assert!(
        data.contains_key("DB_NAME") && data.contains_key("CACHE_NAME"),
        "{data:?}"
    );
    assert!(matches!(both, Effect::Create { .. }));
}

#[test]
fn put_together_writes_say_what_they_would_say_one_after_the_other() {
    let (mut db, mut cache) = (db(), cache());
    let first = shared_write(&mut db);
    let together = shared_write_on_top(&mut cache, &first);
    cache.s.execute(&[first]);
    let after = shared_write(&mut cache);
    assert_eq!(environment(&together), environment(&after));
}

#[test]
fn a_link_whose_word_is_in_already_sends_what_was_kept() {
    let (mut db, mut cache) = (db(), cache());
    let first = shared_write(&mut db);
    let both = shared_write_on_top(&mut cache, &first);
    assert_eq!(on_top(&db.s, &both, first), both);
}

#[test]
fn the_last_links_to_leave_together_take_the_environment_away() {
    let (mut db, mut cache) = both_leaving();
    let first = shared_write(&mut db);
    assert_eq!(entries(&first), [SIBLING_UID]);
    let both = shared_write_on_top(&mut cache, &first);
    assert!(matches!(both, Effect::Delete { .. }), "{both:?}");
    db.s.execute(&[both]);
}

#[test]
fn what_was_decided_on_an_environment_that_has_changed_since_is_dropped() {
    let (mut db, mut cache) = both_leaving();
    let first = shared_write(&mut db);
    cache.s.children.environments[0].resource_version = "7".to_owned();
    let own = shared_write(&mut cache);
    assert_eq!(on_top(&cache.s, &first, own.clone()), own);
}
