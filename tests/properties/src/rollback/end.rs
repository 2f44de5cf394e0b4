//! The end state of a trial, reduced to what must not depend on the path to it.

use instancelink_api::State;
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
    let children = &world.s.children;
    let mut shown = Vec::new();
    shown.extend(children.directories.iter().map(|f| format!("{:?}", f.object)));
    shown.extend(children.slices.iter().map(|f| format!("{:?}", f.object)));
    shown.extend(children.environments.iter().map(|f| format!("{:?}", f.object)));
    shown.extend(children.policies.iter().map(|f| format!("{:?}", f.object)));
    shown.extend(children.bindings.iter().map(|f| format!("{:?}", f.object)));
    // A virtual IP is kept from the first activation on (lifecycle#children), so an inactive link may or may not have
    // one.
    if world.state() != State::Inactive {
        shown.extend(children.virtual_ips.iter().map(|f| format!("{:?}", f.object)));
    }
    shown.sort();
    shown
}
