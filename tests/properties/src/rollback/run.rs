//! One trial: a good spec, a bad one, the good one again, compared with a new link of the good spec.

use instancelink_api::InstanceLinkSpec;
use instancelink_core::fixture::World;
use serde_json::{Value, json};

use super::end::end;
use super::surroundings::{new, observe};

/// Seconds that end every wait: the longest drain and the longest waiting time are an hour each.
const LONG: [i64; 3] = [0, 3600, 7200];

/// A trial.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The good spec.
    pub good: Value,
    /// The fields to change and their values, in order.
    pub bad: Vec<(String, Value)>,
    /// Number of steps of the operator before the spec is good again; none: until nothing is due.
    pub steps: Option<u8>,
    /// Seconds that pass after that.
    pub seconds: i64,
}

/// Runs a trial. `None` if the API's types refuse the bad value, so that there is nothing to try.
pub fn run_trial(trial: &Trial) -> Option<Result<(), String>> {
    let good: InstanceLinkSpec = serde_json::from_value(trial.good.clone()).unwrap();
    let mut changed = trial.good.clone();
    for (field, value) in &trial.bad {
        put(&mut changed, field, value);
    }
    let bad: InstanceLinkSpec = serde_json::from_value(changed).ok()?;
    let immutable = bad.link_name != good.link_name || bad.instance_ref != good.instance_ref;
    Some(if immutable {
        recreated(trial, &good, bad)
    } else {
        edited(trial, &good, bad)
    })
}

/// The spec is edited to bad and back.
fn edited(trial: &Trial, good: &InstanceLinkSpec, bad: InstanceLinkSpec) -> Result<(), String> {
    let mut world = new(good.clone());
    rest(&mut world);
    edit(&mut world, bad);
    for _ in 0..trial.steps.unwrap_or(u8::MAX) {
        if world.gone || world.step().is_err() {
            break;
        }
    }
    world.pass_time(trial.seconds);
    if trial.steps.is_none() {
        world.settle();
    }
    edit(&mut world, good.clone());
    rest(&mut world);
    compare_with_new(trial, &world, good)
}

/// An immutable field cannot be edited: the bad link is deleted, and a good one with its name is created.
fn recreated(trial: &Trial, good: &InstanceLinkSpec, bad: InstanceLinkSpec) -> Result<(), String> {
    let mut world = new(bad);
    for _ in 0..trial.steps.unwrap_or(u8::MAX) {
        if world.step().is_err() {
            break;
        }
    }
    world.pass_time(trial.seconds);
    world.delete();
    rest(&mut world);
    if !world.gone {
        return Err(format!(
            "lifecycle#deletes-complete: the bad link stays\n  in {trial:?}"
        ));
    }
    let left = names_of_children(&world);
    if !left.is_empty() {
        return Err(format!("the bad link leaves {left:?}\n  in {trial:?}"));
    }
    let mut fresh = new(good.clone());
    rest(&mut fresh);
    compare_with_new(trial, &fresh, good)
}

fn names_of_children(world: &World) -> Vec<String> {
    world.s.children.all().map(|child| child.key().to_string()).collect()
}

fn compare_with_new(trial: &Trial, world: &World, good: &InstanceLinkSpec) -> Result<(), String> {
    let mut fresh = new(good.clone());
    rest(&mut fresh);
    let (found, expected) = (end(world), end(&fresh));
    if found == expected {
        return Ok(());
    }
    Err(format!("ends as {found:?}\n  a new link: {expected:?}\n  in {trial:?}"))
}

fn edit(world: &mut World, spec: InstanceLinkSpec) {
    if world.gone {
        return;
    }
    let s = std::mem::replace(&mut world.s, new(spec.clone()).s);
    world.s = s.edited(|old| *old = spec);
    observe(&mut world.s);
}

fn rest(world: &mut World) {
    for seconds in LONG {
        if world.gone {
            return;
        }
        world.pass_time(seconds);
        world.settle();
    }
}

/// Writes a value at a path, and creates the objects on the way.
fn put(spec: &mut Value, path: &str, value: &Value) {
    let mut place = spec;
    for part in path.split('.') {
        let (name, item) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        if !place.is_object() {
            *place = json!({});
        }
        place = place.as_object_mut().unwrap().entry(name).or_insert(Value::Null);
        if item {
            if place.as_array().is_none_or(Vec::is_empty) {
                *place = json!([{"name": "pg", "port": 5432}]);
            }
            place = &mut place.as_array_mut().unwrap()[0];
        }
    }
    *place = value.clone();
}
