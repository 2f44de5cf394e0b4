//! A fuzz target: each JSON that parses as a link comes to rest, and the link can be deleted.

use instancelink_api::InstanceLink;
use instancelink_core::fixture::{self, World};

/// The input is a link as JSON, with any metadata, spec and status.
pub fn object(data: &[u8]) {
    let Ok(link) = serde_json::from_slice::<InstanceLink>(data) else {
        return;
    };
    let stored = serde_json::to_value(&link).expect("a link serializes");
    let again: InstanceLink = serde_json::from_value(stored).expect("and parses again");
    assert_eq!(again, link, "no field is lost");

    let mut world = World::new(fixture::snapshot());
    world.s.link.object = link;
    world.s.link.object.status.get_or_insert_default();
    // The API server stores no object without these.
    let metadata = &mut world.s.link.object.metadata;
    metadata.uid.get_or_insert_with(|| fixture::LINK_UID.to_owned());
    metadata.namespace = Some(fixture::NAMESPACE.to_owned());
    metadata.name.get_or_insert_with(|| "web-db".to_owned());
    let finalizers = metadata.finalizers.iter().flatten().count();
    if metadata.deletion_timestamp.is_some() && finalizers == 0 {
        return;
    }
    for _ in 0..3 {
        world.settle();
        world.pass_time(7200);
    }
    if world.gone {
        return;
    }
    world.settle();
    world.writes.clear();
    world.settle();
    assert!(world.writes.is_empty(), "lifecycle#no-idle-writes");
    world.delete();
    for _ in 0..3 {
        world.settle();
        world.pass_time(7200);
    }
    let foreign = world.s.link.object.metadata.finalizers.iter().flatten().count();
    assert!(world.gone || foreign > 0, "lifecycle#deletes-complete");
}
