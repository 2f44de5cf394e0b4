//! Executes a plan of faults: numbers the requests and the events, and injects a fault at each number that the plan
//! lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::hooks::{Answer, EventFate, Fate, Hooks};
use super::plan::{AtEvent, AtRequest, Code, Fault, Plan};
use crate::api::Api;
use crate::api::call::Call;
use crate::api::object::Meta as _;
use crate::api::resource::{CONFIG_MAPS, EVENTS, LEASES, PODS, POLICIES, Resource, SERVICES, SLICES};
use crate::api::store::Key;
use crate::api::watch::Replica;
use crate::api::write::{self, Writer};

/// Delay of a late request.
const LATE: Duration = Duration::from_secs(2);
/// Duration of a pause of an operator: longer than a lease.
const PAUSE: Duration = Duration::from_secs(20);
/// Interval between events for an operator that is behind: much longer than a lease.
const BEHIND: Duration = Duration::from_secs(40);
/// Time at the start in which no event is delayed, so that each operator gets its first lists.
const LISTED: Duration = Duration::from_secs(1);

/// A plan during its execution.
#[derive(Debug)]
pub struct Injector {
    plan: Plan,
    api: Arc<Api>,
    began: Instant,
    state: Mutex<State>,
    /// Notified when an operator crashes.
    pub crashed: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: u32,
    events: u32,
    injected: u64,
    /// Operators that crashed: their requests are not served.
    dead: BTreeSet<String>,
    /// Operators that are paused, with the end of the pause.
    paused: BTreeMap<String, Instant>,
    /// The version of the lists for operators that start after a crash.
    past: Option<u64>,
    newest: u64,
    log: Vec<String>,
    /// Writes without preconditions (lifecycle#preconditions), and lists that may be older than the operator's caches.
    unsafe_requests: Vec<String>,
    /// Writes of operators without the lease (lifecycle#one-writer).
    without_lease: Vec<String>,
}

impl Injector {
    /// Starts to execute a plan.
    pub fn new(plan: Plan, api: Arc<Api>) -> Self {
        Self {
            plan,
            api,
            began: Instant::now(),
            state: Mutex::default(),
            crashed: Notify::new(),
        }
    }

    /// Number of requests and events so far.
    pub fn counts(&self) -> (u32, u32) {
        let state = self.state.lock().unwrap();
        (state.requests, state.events)
    }

    /// Number of injected faults.
    pub fn injected(&self) -> u64 {
        self.state.lock().unwrap().injected
    }

    /// A line for each request, with the injected fault.
    pub fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    /// Writes without preconditions (lifecycle#preconditions), and lists with resourceVersion 0, which any replica may
    /// answer.
    pub fn unsafe_requests(&self) -> Vec<String> {
        self.state.lock().unwrap().unsafe_requests.clone()
    }

    /// Writes that were sent while another operator held the lease (lifecycle#one-writer).
    pub fn without_lease(&self) -> Vec<String> {
        self.state.lock().unwrap().without_lease.clone()
    }

    /// The error of the operators' clocks, in seconds.
    pub fn skew(&self) -> i64 {
        let skews = self.plan.0.iter().filter_map(|fault| match fault {
            Fault::Skew(seconds) => Some(*seconds),
            Fault::Request(..) | Fault::Event(..) | Fault::Behind(_) => None,
        });
        skews.sum()
    }

    /// The time until this operator gets an event, if the plan has [`Fault::Behind`] for it.
    fn behind(&self, by: &str, resource: &Resource) -> Option<Duration> {
        if !is_child(resource) {
            return None;
        }
        let number = by.rsplit('-').next()?;
        let is_behind = |fault: &Fault| matches!(fault, Fault::Behind(operator) if operator.to_string() == number);
        self.plan.0.iter().any(is_behind).then_some(())?;
        let since = self.began.elapsed().checked_sub(LISTED)?;
        let over = since.as_millis() % BEHIND.as_millis();
        let over = Duration::from_millis(u64::try_from(over).unwrap_or(0));
        (!over.is_zero()).then(|| BEHIND.saturating_sub(over))
    }

    /// True if the operator of this name crashed.
    pub fn is_dead(&self, by: &str) -> bool {
        self.state.lock().unwrap().dead.contains(by)
    }

    fn at_request(&self, n: u32) -> Option<AtRequest> {
        self.plan.0.iter().find_map(|fault| match fault {
            Fault::Request(at, what) if *at == n => Some(*what),
            _ => None,
        })
    }

    fn at_event(&self, n: u32) -> Option<AtEvent> {
        self.plan.0.iter().find_map(|fault| match fault {
            Fault::Event(at, what) if *at == n => Some(*what),
            _ => None,
        })
    }

    fn inject(&self, state: &mut State, call: &Call, what: AtRequest) -> Fate {
        match what {
            AtRequest::Crash | AtRequest::DoneButCrash | AtRequest::CrashIntoPast(_) => {
                state.dead.insert(call.by.clone());
                self.crashed.notify_one();
            }
            AtRequest::Pause => {
                state.paused.insert(call.by.clone(), Instant::now() + PAUSE);
            }
            _ => {}
        }
        if let AtRequest::CrashIntoPast(versions) = what {
            state.past = Some(state.newest.saturating_sub(u64::from(versions)));
        }
        fate_of(what)
    }
}

impl Hooks for Injector {
    fn call(&self, call: &Call, body: &[u8]) -> Fate {
        let leader = leader(&self.api);
        let mut state = self.state.lock().unwrap();
        let writes = !["get", "list", "watch"].contains(&call.verb) && ![&LEASES, &EVENTS].contains(&call.resource);
        if let Some(leader) = leader.filter(|leader| writes && *leader != call.by) {
            let line = format!("{} by {} while {leader} leads", call.shown(), call.by);
            state.without_lease.push(line);
        }
        if state.dead.contains(&call.by) {
            return Fate::NotServed(Answer::Silence);
        }
        if let Some(until) = state.paused.get(&call.by)
            && let Some(left) = until.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            return Fate::Held(left, Box::new(Fate::Served));
        }
        if call.query("resourceVersion") == "0" {
            let line = format!("{} may be answered by a replica that is behind", call.shown());
            state.unsafe_requests.push(line);
        }
        if *call.resource == LEASES || call.verb == "watch" {
            return Fate::Served;
        }
        state.requests += 1;
        let n = state.requests;
        if let Some(why) = unguarded(call, body) {
            state
                .unsafe_requests
                .push(format!("lifecycle#preconditions: r{n} {}: {why}", call.shown()));
        }
        let Some(what) = self.at_request(n) else {
            state.log.push(format!("r{n} {} by {}", call.shown(), call.by));
            return Fate::Served;
        };
        if what.is_foreign() && !interfere(&self.api, call, what) {
            state.log.push(format!("r{n} {} by {}", call.shown(), call.by));
            return Fate::Served;
        }
        state.injected += 1;
        state.log.push(format!("r{n} {} by {}: {what}", call.shown(), call.by));
        self.inject(&mut state, call, what)
    }

    fn event(&self, by: &str, resource: &'static Resource, event: &Value) -> EventFate {
        let mut state = self.state.lock().unwrap();
        state.newest = state.newest.max(event["object"].version());
        if let Some(until) = state.paused.get(by)
            && let Some(left) = until.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            return EventFate::Late(left);
        }
        // The objects of a first list are never delayed, also when the list is from a replica that is behind.
        let is_listed = state.past.is_some_and(|past| event["object"].version() <= past);
        if !is_listed && let Some(left) = self.behind(by, resource) {
            return EventFate::Late(left);
        }
        state.events += 1;
        let n = state.events;
        let Some(what) = self.at_event(n) else {
            return EventFate::Delivered;
        };
        state.injected += 1;
        let (kind, object) = (&event["type"], &event["object"]);
        let line = format!(
            "e{n} {kind} {} {}/{}",
            resource.plural,
            object.meta("namespace"),
            object.meta("name")
        );
        state.log.push(format!("{line} to {by}: {what:?}"));
        match what {
            AtEvent::Late | AtEvent::VeryLate => EventFate::Late(what.time()),
            AtEvent::Twice => EventFate::Twice,
            AtEvent::Reset => EventFate::Reset,
            AtEvent::Gone => EventFate::Gone,
            AtEvent::Hidden => EventFate::Hidden(what.time()),
        }
    }

    fn replica(&self, call: &Call) -> Replica {
        let state = self.state.lock().unwrap();
        match state.past {
            Some(version) if is_child(call.resource) && call.query("resourceVersion") == "0" => {
                Replica::Behind(version)
            }
            _ => Replica::Fresh,
        }
    }
}

/// True for the kinds of children.
fn is_child(resource: &Resource) -> bool {
    [&SERVICES, &SLICES, &CONFIG_MAPS, &POLICIES].contains(&resource)
}

/// What happens to a request with this fault. Crash and pause of the operator are handled by the injector.
pub fn fate_of(what: AtRequest) -> Fate {
    let code = |code: Code| Answer::Code {
        code: code.number(),
        reason: code.reason(),
        retry_after: (code == Code::TooMany).then_some(1),
    };
    match what {
        AtRequest::Refused(c) => Fate::NotServed(code(c)),
        AtRequest::DoneBut(c) => Fate::ServedBut(code(c)),
        AtRequest::Reset => Fate::NotServed(Answer::Reset),
        AtRequest::DoneButReset => Fate::ServedBut(Answer::Reset),
        AtRequest::Silence | AtRequest::Crash => Fate::NotServed(Answer::Silence),
        AtRequest::DoneButSilence | AtRequest::DoneButCrash | AtRequest::CrashIntoPast(_) => {
            Fate::ServedBut(Answer::Silence)
        }
        AtRequest::Truncated => Fate::ServedBut(Answer::Truncated),
        AtRequest::Late => Fate::Held(LATE, Box::new(Fate::Served)),
        AtRequest::Pause => Fate::Held(PAUSE, Box::new(Fate::Served)),
        AtRequest::DeletedFirst | AtRequest::RecreatedFirst => Fate::Served,
    }
}

/// Another client deletes the child that a request is about to write. False if the request writes no existing child.
fn interfere(api: &Api, call: &Call, what: AtRequest) -> bool {
    let (Some(namespace), Some(name)) = (&call.namespace, &call.name) else {
        return false;
    };
    if !is_child(call.resource) || !["update", "patch", "delete"].contains(&call.verb) {
        return false;
    }
    let key = Key {
        resource: call.resource,
        namespace: namespace.clone(),
        name: name.clone(),
    };
    api.change(|store, now| {
        let Some(before) = store.get(&key).map(|object| Value::clone(object)) else {
            return false;
        };
        let writer = || Writer { by: "somebody", now };
        if write::delete(store, &key, &json!({}), writer()).is_err() {
            return false;
        }
        if what == AtRequest::RecreatedFirst {
            let mut again = before;
            if let Some(meta) = again["metadata"].as_object_mut() {
                for field in [
                    "uid",
                    "resourceVersion",
                    "creationTimestamp",
                    "managedFields",
                    "generation",
                ] {
                    meta.remove(field);
                }
            }
            return write::create(store, key.resource, namespace, again, writer()).is_ok();
        }
        true
    })
}

/// The name of the operator that holds the lease. The holder identity begins with it.
fn leader(api: &Api) -> Option<String> {
    let store = api.store();
    let lease = store.of(&LEASES).next()?;
    let (name, _) = lease["spec"]["holderIdentity"].as_str()?.split_once('_')?;
    Some(name.to_owned())
}

/// The precondition that an update, patch or deletion lacks (lifecycle#preconditions).
pub fn unguarded(call: &Call, body: &[u8]) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let at = match call.verb {
        // A pod's conditions are merged by type: the operator writes only its own.
        "patch" if *call.resource == PODS => return None,
        "update" | "patch" => &body["metadata"],
        "delete" => &body["preconditions"],
        _ => return None,
    };
    if at["uid"].as_str().unwrap_or_default().is_empty() {
        return Some("no UID");
    }
    // A policy that others change before each deletion is deleted by its UID (lifecycle#no-wait-for-others).
    if call.verb == "delete" && *call.resource == POLICIES {
        return None;
    }
    at["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
        .then_some("no resourceVersion")
}
