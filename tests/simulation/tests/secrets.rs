//! No value of a Secret is ever in a log, an event, a label, an annotation or a status: with one fault at each request,
//! and the most verbose log of our crates and of the HTTP crates.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use instancelink::telemetry::logs;
use instancelink_simulation::bindings::{self, CONFIDENTIAL, shows};
use instancelink_simulation::campaign::{Reference, Tolerance, side_by_side};
use instancelink_simulation::run::{Outcome, Setting, paused, run};
use instancelink_simulation::{operator::Running, seeds};
use instancelink_testkit::api::Api;
use instancelink_testkit::api::call::Call;
use instancelink_testkit::api::resource::{Resource, SECRETS};
use instancelink_testkit::api::watch::Replica;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::hooks::{Answer, EventFate, Fate, Hooks};
use instancelink_testkit::faults::plan::{AtRequest, Plan};
use jiff::SignedDuration;
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// A recorded log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Records the log of this thread with this filter until the guard is dropped.
    fn kept(filter: &str) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let lines = lines.with_filter(logs::filter(filter).unwrap());
        let guard = tracing_subscriber::registry().with(lines).set_default();
        (log, guard)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs the script under a plan, and returns the log.
fn logged(plan: &Plan) -> (Outcome, String) {
    let (log, _guard) = Log::kept("trace");
    let outcome = run(&bindings::script(), plan, Setting::default());
    let text = log.text();
    (outcome, text)
}

#[test]
fn no_value_of_a_secret_is_shown_whatever_goes_wrong_on_the_way() {
    let campaign = campaign::start("secrets: one fault at each request, all that is logged and written");
    let (plain, log) = logged(&Plan::default());
    assert_eq!(plain.violations, Vec::<String>::new());
    assert!(
        log.contains("state changed") && log.contains("TRACE"),
        "the log is kept: {log}"
    );
    let written: Vec<_> = plain
        .api
        .store()
        .changes_after(0)
        .iter()
        .map(|change| change.after.clone())
        .collect();
    let bound = |value: &str| {
        written
            .iter()
            .any(|o| o["metadata"]["name"] == "db-binding" && o["data"]["password"] == value)
    };
    for [_, value] in &CONFIDENTIAL[..2] {
        assert!(bound(value), "the link's own Secret had {value}");
    }
    let script = bindings::script();
    let struck = Reference::of(&script, Setting::default()).at_requests(&AtRequest::all(), Tolerance::Requests);
    let plans: Vec<Plan> = std::iter::once(Plan::default())
        .chain(struck.into_iter().map(|(plan, _)| plan))
        .collect();
    let (faults, violations) = side_by_side(&plans, |plan| {
        let (outcome, log) = logged(plan);
        let texts = bindings::written(&outcome.api);
        let lines = log.lines().chain(texts.iter().map(String::as_str));
        let shown = shows(lines).map(|what| format!("'{}' {plan}: {what}", bindings::script().name));
        (outcome.injected, shown.into_iter().collect())
    });
    campaign.finish(plans.len() as u64, faults, &violations);
}

/// An API server without streaming lists, whose lists of Secrets are cut short.
struct Old;

impl Hooks for Old {
    fn call(&self, call: &Call, _: &[u8]) -> Fate {
        if call.query("sendInitialEvents") == "true" {
            let (code, reason, retry_after) = (422, "Invalid", None);
            return Fate::NotServed(Answer::Code {
                code,
                reason,
                retry_after,
            });
        }
        if call.verb == "list" && *call.resource == SECRETS {
            return Fate::ServedBut(Answer::Truncated);
        }
        Fate::Served
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Delivered
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}

#[test]
fn a_list_of_secrets_that_breaks_off_is_not_shown() {
    let (log, guard) = Log::kept("info");
    paused().block_on(async {
        let api = Arc::new(Api::default());
        seeds::plant(&api);
        for step in &bindings::script().steps[..2] {
            step.deed.act(&api);
        }
        let old: Arc<dyn Hooks> = Arc::new(Old);
        let operator = Running::start_with(&api, &old, "operator-1", SignedDuration::ZERO, &[]);
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(!operator.has_ended());
    });
    drop(guard);
    let text = log.text();
    assert!(text.contains("watch failed"), "{text}");
    assert_eq!(shows(text.lines()), None);
}

#[test]
fn a_value_is_found_as_text_in_base_64_and_as_bytes() {
    let [[text, base64], ..] = CONFIDENTIAL;
    let bytes = format!("Secret {{ data: {:?} }}", text.as_bytes());
    for line in [&format!("password={text}"), &format!("\"{base64}\""), &bytes] {
        assert!(shows([line.as_str()]).is_some(), "{line}");
    }
    assert_eq!(shows(["(confidential)"]), None);
}
