//! One fault for each life, at every request and at every event of a watch. Each life must end like one without faults.
//!
//! `INSTANCELINK_PLAN=500-after@17` runs only that plan. Separate several plans by commas.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use control_plane::{ControlPlane, Operator, Options};
use faults::{Course, Fault, Plan, Proxy, WatchFault, run_script};
use futures::FutureExt as _;
use futures::future::join_all;
use harness::Namespace;
use instancelink_testkit::campaign;

/// How many lives run in parallel, each in its own namespace.
const SIDE_BY_SIDE: usize = 8;
/// How many of all plans run by default.
const ORDINARY: usize = 260;
/// The kinds that change during a life.
const WATCHED: [&str; 4] = ["instancelinks", "endpointslices", "services", "configmaps"];

#[tokio::test(flavor = "multi_thread")]
async fn campaign_a_fault_at_any_request_or_event_changes_nothing_of_what_comes_of_it() {
    let plane = ControlPlane::start().await;
    let proxy = Proxy::start(&plane).await;
    let mut operator = Operator::start_ready(&plane, &proxy.server, &Options::alone()).await;
    let namespaces = join_all((0..SIDE_BY_SIDE).map(|i| plane.namespace(format!("town-{i}")))).await;

    let measures = join_all(namespaces.iter().map(|ns| live(&proxy, ns, 0, &Plan::None))).await;
    let (measure, requests, events, _) = measures[0].as_ref().expect("a life without a fault").clone();
    for other in &measures[1..] {
        assert_eq!(
            other.as_ref().map(|o| &o.0),
            Ok(&measure),
            "lives without faults are alike"
        );
    }
    println!(
        "a life is {requests} requests and {events:?} events, {} states",
        measure.states.len()
    );

    let all = chosen(&all(requests, &events));
    let campaign = campaign::start("one fault at a request or event, real API server");
    let queue = Mutex::new(all.iter().enumerate());
    let outcomes: Mutex<Vec<Outcome>> = Mutex::default();
    join_all(namespaces.iter().map(async |ns| {
        loop {
            let next = queue.lock().unwrap().next();
            let Some((number, plan)) = next else { return };
            let outcome = live(&proxy, ns, number + 1, plan).await;
            let (met, outcome) = match outcome {
                Ok((course, .., met)) if course == measure => (met, Ok(())),
                Ok((course, .., met)) => (met, Err(difference(&measure, &course))),
                Err(panic) => (true, Err(panic)),
            };
            outcomes.lock().unwrap().push((plan.clone(), met, outcome));
        }
    }))
    .await;

    let outcomes = outcomes.into_inner().unwrap();
    let met = outcomes.iter().filter(|(_, met, _)| *met).count();
    let mut violations: Vec<String> = outcomes
        .iter()
        .filter_map(|(plan, _, outcome)| outcome.as_ref().err().map(|e| format!("INSTANCELINK_PLAN={plan}: {e}")))
        .collect();
    if let Some(status) = operator.program.ended() {
        violations.push(format!("the operator ended with {status}: {}", operator.program.tail()));
    }
    violations.extend(panics(&operator.program.log()));
    campaign.finish(outcomes.len() as u64, met as u64, &violations);
}

/// A plan, whether its fault happened, and the differences from the life without faults.
type Outcome = (Plan, bool, Result<(), String>);

/// One life under a plan: its record, the number of its requests and events, and whether the fault happened.
type Life = (Course, u32, HashMap<String, u32>, bool);

async fn live(proxy: &Proxy, ns: &Namespace, number: usize, plan: &Plan) -> Result<Life, String> {
    proxy.arm(&ns.name, plan);
    let name = format!("life-{number}");
    let lived = AssertUnwindSafe(run_script(ns, &name)).catch_unwind().await;
    let (requests, events, met) = proxy.disarm(&ns.name);
    match lived {
        Ok(course) => Ok((course, requests, events, met)),
        Err(panic) => {
            // The next life in this namespace must not inherit objects of this one.
            let link = harness::Link::at(ns, &name);
            if link.object().find().await.is_some() {
                link.object().delete().await;
                let gone = AssertUnwindSafe(link.is_gone()).catch_unwind().await;
                if gone.is_err() {
                    link.object().strip_finalizers().await;
                }
            }
            Err(text_of(panic.as_ref()))
        }
    }
}

/// Every fault at every request, and at every event.
fn all(requests: u32, events: &HashMap<String, u32>) -> Vec<Plan> {
    let at_requests = (1..=requests).flat_map(|n| Fault::QUICK.map(|fault| Plan::Request(fault, n)));
    let at_events = WATCHED.iter().flat_map(|plural| {
        let count = events.get(*plural).copied().unwrap_or_default();
        (1..=count).flat_map(|n| WatchFault::ALL.map(|fault| Plan::Event((*plural).to_owned(), fault, n)))
    });
    at_requests.chain(at_events).collect()
}

/// The requested plan, all plans, or each n-th plan from an offset given by the seed.
fn chosen(all: &[Plan]) -> Vec<Plan> {
    if let Ok(plans) = std::env::var("INSTANCELINK_PLAN") {
        return plans.split(',').map(|plan| plan.parse().unwrap()).collect();
    }
    if campaign::long() {
        let silent = (1..=8).map(|n| Plan::Request(Fault::SilenceAfter, n * 5));
        return all.iter().cloned().chain(silent).collect();
    }
    // The stride shares no factor with the number of faults, so each fault is tried at many places.
    let stride = (all.len() / ORDINARY).max(1);
    let first = usize::try_from(campaign::seed()).unwrap_or_default() % stride;
    all.iter().skip(first).step_by(stride).cloned().collect()
}

fn difference(measure: &Course, course: &Course) -> String {
    if measure.states != course.states {
        return format!("other states: {:?} instead of {:?}", course.states, measure.states);
    }
    if measure.actions != course.actions {
        return format!("other actions: {:?} instead of {:?}", course.actions, measure.actions);
    }
    let other = measure.rests.iter().zip(&course.rests).find(|(a, b)| a != b);
    other.map_or_else(String::new, |(a, b)| {
        format!("at rest in {}: {:#?} instead of {:#?}", a.0, b.1, a.1)
    })
}

fn panics(log: &str) -> Vec<String> {
    log.lines()
        .filter(|line| line.contains("panicked at"))
        .map(str::to_owned)
        .collect()
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()))
        .unwrap_or_default()
}
