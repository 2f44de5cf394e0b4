//! Continuous faults at points from a seed: at one request of a hundred, and at some events of watches.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use instancelink_testkit::api::call::Call;
use instancelink_testkit::api::resource::{LEASES, Resource};
use instancelink_testkit::api::watch::Replica;
use instancelink_testkit::dice::Dice;
use instancelink_testkit::faults::hooks::{EventFate, Fate, Hooks};
use instancelink_testkit::faults::injector::{fate_of, unguarded};
use instancelink_testkit::faults::plan::{AtEvent, AtRequest};
use serde_json::Value;

/// One of this number of requests has a fault.
const REQUESTS: u32 = 100;
/// One of this number of events has a fault.
const EVENTS: u32 = 5_000;

/// The faults so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) events: u64,
    pub(super) struck: u64,
    /// Writes without preconditions (lifecycle#preconditions).
    pub(super) unguarded: Vec<String>,
}

/// No fault ends the operator, because a restarted operator has lost the state that this campaign measures.
pub(super) struct Weather {
    faults: (Vec<AtRequest>, Vec<AtEvent>),
    state: Mutex<(Dice, Tally)>,
    calm: AtomicBool,
}

impl Weather {
    pub(super) fn new(seed: u64) -> Self {
        let deadly = [AtRequest::Crash, AtRequest::DoneButCrash];
        let requests = AtRequest::all().into_iter().filter(|what| !deadly.contains(what));
        Self {
            faults: (requests.collect(), AtEvent::all()),
            state: Mutex::new((Dice(seed), Tally::default())),
            calm: AtomicBool::new(false),
        }
    }

    /// Whether faults are paused.
    pub(super) fn calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    pub(super) fn tally(&self) -> Tally {
        self.state.lock().unwrap().1.clone()
    }
}

impl Hooks for Weather {
    fn call(&self, call: &Call, body: &[u8]) -> Fate {
        if *call.resource == LEASES || call.verb == "watch" {
            return Fate::Served;
        }
        let mut state = self.state.lock().unwrap();
        let (dice, tally) = &mut *state;
        tally.requests += 1;
        if let Some(why) = unguarded(call, body) {
            tally
                .unguarded
                .push(format!("lifecycle#preconditions: {}: {why}", call.shown()));
        }
        if dice.roll(REQUESTS) != 0 || self.calm.load(Ordering::Relaxed) {
            return Fate::Served;
        }
        tally.struck += 1;
        fate_of(dice.choose(&self.faults.0))
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        let mut state = self.state.lock().unwrap();
        let (dice, tally) = &mut *state;
        tally.events += 1;
        if dice.roll(EVENTS) != 0 || self.calm.load(Ordering::Relaxed) {
            return EventFate::Delivered;
        }
        tally.struck += 1;
        match dice.choose(&self.faults.1) {
            AtEvent::Late => EventFate::Late(AtEvent::Late.time()),
            AtEvent::VeryLate => EventFate::Late(AtEvent::VeryLate.time()),
            AtEvent::Twice => EventFate::Twice,
            AtEvent::Reset => EventFate::Reset,
            AtEvent::Gone => EventFate::Gone,
            AtEvent::Hidden => EventFate::Hidden(Duration::from_secs(10)),
        }
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}
