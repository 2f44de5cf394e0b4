//! The intent annotation: an intent that does not parse, has too high a number or names another link counts as lost
//! (lifecycle#unreadable-intent); any other is used. The link works in both cases.

use instancelink_api::{Intent, keys};
use instancelink_core::action::Memory;
use instancelink_core::fixture::World;

use super::worlds;

/// The greatest number of an intent (lifecycle#unreadable-intent). No request is taken after it.
const LAST: u64 = 1 << 53;

/// The input is the value of the annotation, on a new link and on an active one.
pub fn intent(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for make in [new as fn() -> World, worlds::active] {
        let mut world = make();
        world
            .annotations()
            .insert(keys::INTENT.to_owned(), text.clone().into_owned());
        let memory = Memory::of(&world.s.link.object);
        let own = serde_json::from_str::<Intent>(&text)
            .ok()
            .filter(|intent| intent.link == "shop/web-db" && intent.seq <= LAST);
        if own.is_none() {
            assert_eq!(memory.last, None, "lifecycle#unreadable-intent");
        }
        world.settle();
        let taken = memory.last.as_ref().map_or(0, |last| last.seq);
        world.act("deactivate/after");
        if !memory.remembers("deactivate/after") && taken < LAST {
            assert_eq!(world.last_action().intent.seq, taken + 1);
        }
        world.pass_time(100_000);
        world.settle();
        world.delete();
        world.settle();
        world.pass_time(4000);
        world.settle();
        assert!(world.gone, "lifecycle#deletes-complete");
    }
}

fn new() -> World {
    World::new(instancelink_core::fixture::snapshot())
}
