//! The operator's metrics, as `contract#metrics` promises them. `gauges` has those that mirror the caches.

use std::time::Duration;

use instancelink_api::{State, Verb, Verdict};
use instancelink_cluster::Meter;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::families::{
    ActionLabels, EventLabels, KindLabels, OutcomeLabels, RequestLabels, TaskLabels, TransitionLabels,
};
use super::gauges::{Gauges, Numbers};

type Timers<L> = Family<L, Histogram, fn() -> Histogram>;

/// All metrics. Each method is cheap enough for the hot path.
pub(crate) struct Metrics {
    registry: Registry,
    gauges: Gauges,
    transitions: Family<TransitionLabels, Counter>,
    transition_seconds: Timers<TransitionLabels>,
    actions: Family<ActionLabels, Counter>,
    propagation: Histogram,
    reconciles: Family<OutcomeLabels, Counter>,
    reconcile_seconds: Histogram,
    queue_seconds: Histogram,
    watch_errors: Family<KindLabels, Counter>,
    relists: Family<KindLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    events: Family<EventLabels, Counter>,
    swept: Family<KindLabels, Counter>,
    sweep_failures: Family<KindLabels, Counter>,
    task_restarts: Family<TaskLabels, Counter>,
    leader: Gauge,
}

/// From a millisecond to half a minute, doubling.
fn short_times() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

/// From ten milliseconds to three hours.
fn long_times() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 4.0, 11))
}

impl Metrics {
    /// All metrics, at zero.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("instancelink"),
            gauges: Gauges::default(),
            transitions: Family::default(),
            transition_seconds: Family::new_with_constructor(long_times),
            actions: Family::default(),
            propagation: short_times(),
            reconciles: Family::default(),
            reconcile_seconds: short_times(),
            queue_seconds: short_times(),
            watch_errors: Family::default(),
            relists: Family::default(),
            requests: Family::default(),
            request_seconds: short_times(),
            events: Family::default(),
            swept: Family::default(),
            sweep_failures: Family::default(),
            task_restarts: Family::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        self.gauges.register(r);
        r.register("transitions", "State changes of links", self.transitions.clone());
        r.register_with_unit(
            "transition",
            "Time from leaving one resting state to reaching the next one",
            Unit::Seconds,
            self.transition_seconds.clone(),
        );
        r.register(
            "actions",
            "Actions that users requested, by verdict",
            self.actions.clone(),
        );
        r.register_with_unit(
            "endpoint_propagation",
            "Time from the event of a pod to the confirmed write of an EndpointSlice",
            Unit::Seconds,
            self.propagation.clone(),
        );
        r.register("reconciles", "Passes over a link, by outcome", self.reconciles.clone());
        r.register_with_unit(
            "reconcile",
            "Duration of a pass over a link",
            Unit::Seconds,
            self.reconcile_seconds.clone(),
        );
        r.register_with_unit(
            "queue",
            "Time that a link waits for its pass",
            Unit::Seconds,
            self.queue_seconds.clone(),
        );
        r.register("watch_errors", "Errors of watches, by kind", self.watch_errors.clone());
        r.register("relists", "Lists of a kind after its first one", self.relists.clone());
        r.register(
            "api_requests",
            "Requests to the API server, by verb, kind and status code",
            self.requests.clone(),
        );
        r.register_with_unit(
            "api_request",
            "Time until the API server answers a request",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        r.register(
            "events",
            "Kubernetes events, by result: sent, dropped or failed",
            self.events.clone(),
        );
        r.register(
            "swept",
            "Orphans that were deleted or corrected, by kind",
            self.swept.clone(),
        );
        r.register(
            "sweep_failures",
            "Children that may be orphans whose check or removal failed, by kind; each is tried again",
            self.sweep_failures.clone(),
        );
        r.register(
            "task_restarts",
            "Restarts of background tasks after a panic, by task",
            self.task_restarts.clone(),
        );
        r.register("leader", "1 while this process leads, else 0", self.leader.clone());
    }

    /// A link went from one state to another.
    pub(crate) fn count_transition(&self, from: State, to: State) {
        let labels = TransitionLabels {
            from: from.as_str(),
            to: to.as_str(),
        };
        self.transitions.get_or_create(&labels).inc();
    }

    /// A link reached a resting state after this time.
    pub(crate) fn time_transition(&self, from: State, to: State, took: Duration) {
        let labels = TransitionLabels {
            from: from.as_str(),
            to: to.as_str(),
        };
        self.transition_seconds
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// A user's action was accepted or rejected. A verb outside the grammar counts as `invalid`, so that users cannot add
    /// label values.
    pub(crate) fn count_action(&self, action: &str, verdict: Verdict) {
        let action = Verb::ALL.into_iter().find(|v| v.as_str() == action);
        let labels = ActionLabels {
            action: action.map_or("invalid", Verb::as_str),
            verdict: match verdict {
                Verdict::Accepted => "accepted",
                Verdict::Rejected => "rejected",
            },
        };
        self.actions.get_or_create(&labels).inc();
    }

    /// A slice was written this time after the event of a pod.
    pub(crate) fn time_propagation(&self, took: Duration) {
        self.propagation.observe(took.as_secs_f64());
    }

    /// A pass ended.
    pub(crate) fn count_pass(&self, outcome: &'static str, took: Duration) {
        self.reconciles.get_or_create(&OutcomeLabels { outcome }).inc();
        self.reconcile_seconds.observe(took.as_secs_f64());
    }

    /// A pass starts; its link waited for this time.
    pub(crate) fn time_in_queue(&self, waited: Duration) {
        self.queue_seconds.observe(waited.as_secs_f64());
    }

    /// A kind was listed again.
    pub(crate) fn relisted(&self, kind: &'static str) {
        self.relists.get_or_create(&KindLabels { kind }).inc();
    }

    /// An event was `sent`, `dropped` or `failed`.
    pub(crate) fn count_event(&self, result: &'static str) {
        self.events.get_or_create(&EventLabels { result }).inc();
    }

    /// An orphan was deleted or corrected.
    pub(crate) fn count_swept(&self, kind: &'static str) {
        self.swept.get_or_create(&KindLabels { kind }).inc();
    }

    /// A child that may be an orphan could not be checked or removed.
    pub(crate) fn count_failed_sweep(&self, kind: &'static str) {
        self.sweep_failures.get_or_create(&KindLabels { kind }).inc();
    }

    /// A background task panicked and starts again.
    pub(crate) fn count_task_restart(&self, task: &'static str) {
        self.task_restarts.get_or_create(&TaskLabels { task }).inc();
    }

    /// This process leads, or does not.
    pub(crate) fn set_leader(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// All metrics in the `OpenMetrics` text format, with these numbers in the gauges that mirror the caches and the queue.
    pub(crate) fn render(&self, numbers: &Numbers) -> String {
        self.gauges.fill(numbers);
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the metrics cannot be rendered; this is a bug");
        }
        text
    }
}

impl Meter for Metrics {
    fn requested(&self, verb: &'static str, kind: &'static str, code: Option<u16>, took: Duration) {
        let code = code.map_or_else(|| "none".to_owned(), |c| c.to_string());
        self.requests.get_or_create(&RequestLabels { verb, kind, code }).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    fn watch_failed(&self, kind: &'static str) {
        self.watch_errors.get_or_create(&KindLabels { kind }).inc();
    }
}
