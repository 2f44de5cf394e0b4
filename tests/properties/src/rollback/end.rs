//! The end state of a trial, reduced to what must not depend on the path to it.

use instancelink_api::State;
use instancelink_core::child::ObservedChild;
use instancelink_core::fixture::World;
use serde_json::{Value, json};

/// The status without times, counts and history, and the content of every child.
pub(super) fn end(world: &World) -> (Value, Vec<String>) {
    if world.gone {
        return (Value::Null, Vec::new());
    }
    let mut status = serde_json::to_value(world.status()).unwrap();
    let fields = status.as_object_mut().unwrap();
    for field in ["history", "observedGeneration", "lastAction"] {
        fields.remove(field);
    }
    for condition in fields["conditions"].as_array_mut().unwrap() {
        let condition = condition.as_object_mut().unwrap();
        condition.remove("lastTransitionTime");
        condition.remove("observedGeneration");
    }
    fields.insert("finalizers".to_owned(), json!(world.s.link.object.metadata.finalizers));
    (status, children(world))
}

fn children(world: &World) -> Vec<String> {
    // A virtual IP is kept from the first activation on (lifecycle#children), so an inactive link may or may not have one.
    let is_compared =
        |child: &ObservedChild| world.state() != State::Inactive || !matches!(child, ObservedChild::VirtualIp(_));
    let children = world.s.children.all().filter(is_compared);
    let mut shown: Vec<String> = children.map(|child| format!("{:?}", child.into_desired())).collect();
    shown.sort();
    shown
}
