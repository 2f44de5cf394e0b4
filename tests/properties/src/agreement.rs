//! Compares the reference model with the real lifecycle.

use std::fmt::Debug;

use instancelink_api::status::Transitioning;
use instancelink_api::{Intent, Phase, State, keys};
use instancelink_core::dataplane;
use instancelink_core::fixture::{self, World};
use jiff::Timestamp;

use crate::model::{Model, Ready, Record};

/// The first difference.
pub fn check(model: &mut Model, world: &mut World) -> Result<(), String> {
    same("the states that a watcher saw", &model.walked(), &world.watched())?;
    same("whether the object is gone", &model.gone, &world.gone)?;
    if model.gone {
        return Ok(());
    }
    let link = &world.s.link.object;
    let status = world.status();
    let annotation = |key: &str| link.metadata.annotations.as_ref()?.get(key).cloned();
    same("the state", &model.state, &status.state)?;
    same(
        "the action annotation",
        &model.annotation.as_ref().map(ToString::to_string),
        &annotation(keys::ACTION),
    )?;
    let intent: Option<Intent> = annotation(keys::INTENT).map(|json| serde_json::from_str(&json).unwrap());
    same("the intent", &model.intent, &intent.as_ref().map(record_of))?;
    let acknowledged = status.last_action.as_ref();
    same(
        "lastAction",
        &model.acknowledged.as_ref().map(|a| &a.record),
        &acknowledged.map(|a| record_of(&a.intent)).as_ref(),
    )?;
    let phase: Option<(Phase, Option<i64>)> =
        acknowledged.map(|a| (a.phase, a.completed_at.as_ref().map(|t| seconds(t.0))));
    same(
        "the phase of lastAction",
        &model.acknowledged.as_ref().map(|a| (a.phase, a.completed_at)),
        &phase,
    )?;
    same(
        "status.removed",
        &model.removed,
        &status.removed.as_ref().map(|t| seconds(t.0)),
    )?;
    same(
        "the last entry of the history",
        &Some((model.state, model.entered)),
        &status.history.last().map(|entry| (entry.state, seconds(entry.at.0))),
    )?;
    same(
        "whether there are children",
        &model.children.any(),
        &dataplane::has_children(&world.s),
    )?;
    same(
        "whether there are slices",
        &model.children.slices.is_some(),
        &!world.s.children.slices.is_empty(),
    )?;
    same("the actions offered", &model.offered(), &status.available_actions)?;
    same(
        "the finalizer",
        &model.finalizer,
        &link.metadata.finalizers.iter().flatten().any(|f| f == keys::FINALIZER),
    )?;
    let (ready, reason) = world.condition("Ready");
    let ready = (ready.to_owned(), reason.to_owned());
    let expected = match model.ready() {
        Ready::Yes => ("True".to_owned(), "Ready".to_owned()),
        Ready::No(reason) => ("False".to_owned(), reason.to_owned()),
    };
    same("Ready", &expected, &ready)?;
    same(
        "transitioning",
        &transitioning(model.state, model.ready()),
        &status.transitioning,
    )?;
    same(
        "observedGeneration",
        &link.metadata.generation,
        &status.observed_generation,
    )?;
    let accepted = world.events.iter().filter(|e| e.reason == "ActionAccepted");
    let rejected = world
        .events
        .iter()
        .filter(|e| e.warning && REJECTIONS.contains(&e.reason.as_str()));
    same(
        "the number of events about requests",
        &model.taken,
        &((accepted.count() + rejected.count()) as u64),
    )
}

/// The reasons for a rejection (lifecycle#rejection-order).
const REJECTIONS: [&str; 6] = [
    "InvalidValue",
    "Deleting",
    "Purged",
    "NotPossibleNow",
    "ManagedBySpec",
    "AliasTaken",
];

fn same<T: PartialEq + Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, found {found:?}"))
}

/// `error` exactly if Stalled is True in a transitional state (contract#error-means-stalled).
fn transitioning(state: State, ready: Ready) -> Transitioning {
    match (state.is_transitional(), ready) {
        (false, _) => Transitioning::No,
        (true, Ready::No("Stalled")) => Transitioning::Error,
        (true, _) => Transitioning::Yes,
    }
}

/// An intent as a record of the model.
fn record_of(intent: &Intent) -> Record {
    let time = |at: &k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime| seconds(at.0);
    let reason = REJECTIONS.into_iter().find(|known| *known == intent.reason);
    let bogus = |mark: &str| {
        format!(
            "#{}",
            OUTSIDE.into_iter().find(|value| mark_of(value) == mark).unwrap_or("?")
        )
    };
    Record {
        seq: intent.seq,
        action: intent.action.clone(),
        verdict: intent.verdict,
        reason: reason.unwrap_or_default(),
        desired: intent.desired,
        desired_at: intent.desired_at.as_ref().map(time),
        at: time(&intent.at),
        since: intent.since.as_ref().map(time),
        handled: intent
            .handled
            .iter()
            .map(|value| {
                if value.starts_with('#') {
                    bogus(value)
                } else {
                    value.clone()
                }
            })
            .collect(),
    }
}

/// The values outside the grammar that sequences write.
const OUTSIDE: [&str; 3] = ["please 0", "please 1", "please 2"];

fn mark_of(value: &str) -> String {
    format!("#{}", instancelink_core::hash::hex(value, 8))
}

fn seconds(at: Timestamp) -> i64 {
    at.as_second() - fixture::NOW.parse::<Timestamp>().unwrap().as_second()
}
