//! Worlds to start from. Each is built once, so that an input does not pay for it.

use std::sync::OnceLock;

use instancelink_core::fixture::World;
use instancelink_core::snapshot::Snapshot;

pub(super) fn active() -> World {
    static ACTIVE: OnceLock<Snapshot> = OnceLock::new();
    of(ACTIVE.get_or_init(|| World::active().s))
}

pub(super) fn removed() -> World {
    static REMOVED: OnceLock<Snapshot> = OnceLock::new();
    of(REMOVED.get_or_init(|| World::removed().s))
}

fn of(s: &Snapshot) -> World {
    let mut world = World::new(s.clone());
    world.s = s.clone(); // `World::new` resets the status
    world
}
