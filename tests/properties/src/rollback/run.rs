//! One trial: good, bad, good again, and what a fresh good one would be.

use instancelink_api::InstanceLinkSpec;
use instancelink_core::fixture::World;
use serde_json::{Value, json};

use super::end::end;
use super::stage::{look, new};

/// Hours that end every wait: the longest drain and the longest waiting time are one.
const LONG: [i64; 3] = [0, 3600, 7200];

/// A trial.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The good spec.
    pub good: Value,
    /// What is written into which fields, one after the other.
    pub bad: Vec<(String, Value)>,
    /// How many steps the operator gets before the spec is good again; none: as many as it wants.
    pub steps: Option<u8>,
    /// Seconds that pass then.
    pub seconds: i64,
}

/// Whether lifecycle#good-after-bad holds; `None` where the API's own types refuse the bad value.
pub fn holds(trial: &Trial) -> Option<Result<(), String>> {
    let good: InstanceLinkSpec = serde_json::from_value(trial.good.clone()).unwrap();
    let mut spoilt = trial.good.clone();
    for (field, value) in &trial.bad {
        put(&mut spoilt, field, value);
    }
    let bad: InstanceLinkSpec = serde_json::from_value(spoilt).ok()?;
    let immutable = bad.link_name != good.link_name || bad.instance_ref != good.instance_ref;
    Some(if immutable {
        made_anew(trial, &good, bad)
    } else {
        edited(trial, &good, bad)
    })
}

/// Good, edited to bad, edited back.
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
    like_fresh(trial, &world, good)
}

/// What cannot be edited is made anew: a bad link is deleted, and a good one of its name takes its place.
fn made_anew(trial: &Trial, good: &InstanceLinkSpec, bad: InstanceLinkSpec) -> Result<(), String> {
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
    let left = end_of_children(&world);
    if !left.is_empty() {
        return Err(format!("the bad link leaves {left:?}\n  in {trial:?}"));
    }
    let mut fresh = new(good.clone());
    rest(&mut fresh);
    like_fresh(trial, &fresh, good)
}

fn end_of_children(world: &World) -> Vec<String> {
    let children = &world.s.children;
    let mut left: Vec<String> = children.slices.iter().map(|f| f.object.name.clone()).collect();
    left.extend(children.directories.iter().map(|f| f.object.name.clone()));
    left.extend(children.environments.iter().map(|f| f.object.name.clone()));
    left.extend(children.policies.iter().map(|f| f.object.name.clone()));
    left.extend(children.bindings.iter().map(|f| f.object.name.clone()));
    left.extend(children.virtual_ips.iter().map(|f| f.object.name.clone()));
    left
}

fn like_fresh(trial: &Trial, world: &World, good: &InstanceLinkSpec) -> Result<(), String> {
    let mut fresh = new(good.clone());
    rest(&mut fresh);
    let (found, wanted) = (end(world), end(&fresh));
    if found == wanted {
        return Ok(());
    }
    Err(format!("ends as {found:?}\n  fresh: {wanted:?}\n  in {trial:?}"))
}

fn edit(world: &mut World, spec: InstanceLinkSpec) {
    if world.gone {
        return;
    }
    let s = std::mem::replace(&mut world.s, super::stage::new(spec.clone()).s);
    world.s = s.edited(|old| *old = spec);
    look(&mut world.s);
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

/// Writes a value where a path leads; what lies between is made.
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
