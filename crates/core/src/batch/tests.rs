use instancelink_api::{State, keys};

use super::*;
use crate::child::to_patch;
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

/// Steps until the environment is due, and returns that write.
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

/// The same, on top of the write of another link.
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

/// Both links are up and get the action deactivate.
fn both_leaving() -> (World, World) {
    let (mut db, mut cache) = both_up();
    db.annotate("deactivate");
    cache.annotate("deactivate");
    (db, cache)
}

/// lifecycle#shared-write-per-batch
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

/// lifecycle#shared-write-per-batch
#[test]
fn combined_writes_have_the_result_of_the_same_writes_one_after_the_other() {
    let (mut db, mut cache) = (db(), cache());
    let first = shared_write(&mut db);
    let together = shared_write_on_top(&mut cache, &first);
    cache.s.execute(&[first]);
    let after = shared_write(&mut cache);
    assert_eq!(environment(&together), environment(&after));
}

/// lifecycle#shared-write-per-batch
#[test]
fn a_link_whose_entry_is_in_the_deferred_write_already_sends_it() {
    let (mut db, mut cache) = (db(), cache());
    let first = shared_write(&mut db);
    let both = shared_write_on_top(&mut cache, &first);
    assert_eq!(on_top(&db.s, &both, first), both);
}

/// lifecycle#shared-write-per-batch
#[test]
fn the_last_links_that_leave_together_delete_the_environment() {
    let (mut db, mut cache) = both_leaving();
    let first = shared_write(&mut db);
    assert_eq!(entries(&first), [SIBLING_UID]);
    let both = shared_write_on_top(&mut cache, &first);
    assert!(matches!(both, Effect::Delete { .. }), "{both:?}");
    db.s.execute(&[both]);
}

/// contract#additions
#[test]
fn combined_writes_remove_the_keys_of_both_links_and_leave_those_of_others() {
    let (mut db, mut cache) = both_leaving();
    let theirs = |world: &mut World| {
        let found = &mut world.s.children.environments[0].object;
        found.body.data.insert("THEIRS".to_owned(), "x".to_owned());
        // A third link keeps the environment.
        let entries = &found.annotations[keys::ENTRIES];
        let third = entries.replacen('{', r#"{"third":["THIRD"],"#, 1);
        found.annotations.insert(keys::ENTRIES.to_owned(), third);
        found.body.data.insert("THIRD".to_owned(), "x".to_owned());
        serde_json::to_value(found.to_api()).unwrap()
    };
    let before = theirs(&mut db);
    theirs(&mut cache);
    let first = shared_write(&mut db);
    let Effect::Replace { child, delta, .. } = shared_write_on_top(&mut cache, &first) else {
        panic!("the environment stays")
    };
    let DesiredChild::Environment(child) = &child else {
        panic!()
    };
    let patch = to_patch(child, &delta, ("uid-1", "7")).unwrap();
    let of_links = before["data"].as_object().unwrap().keys();
    for key in of_links.filter(|key| !["THEIRS", "THIRD"].contains(&key.as_str())) {
        assert!(
            patch["data"].as_object().unwrap()[key].is_null(),
            "{key} stays: {patch}"
        );
    }
    assert_eq!(
        (&patch["data"]["THEIRS"], &patch["data"]["THIRD"]),
        (&"x".into(), &"x".into())
    );
}

/// lifecycle#shared-write-per-batch
#[test]
fn a_deferred_write_of_an_environment_that_has_changed_since_is_dropped() {
    let (mut db, mut cache) = both_leaving();
    let first = shared_write(&mut db);
    cache.s.children.environments[0].resource_version = "7".to_owned();
    let own = shared_write(&mut cache);
    assert_eq!(on_top(&cache.s, &first, own.clone()), own);
}
