//! The gauges that mirror the caches and the queue, filled at each scrape.

use std::collections::BTreeMap;
use std::sync::Arc;

use instancelink_api::State;
use instancelink_api::condition::Reason;
use instancelink_cluster::Cache;
use instancelink_cluster::index::link_problems::Problem;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::families::{NamespaceLabels, ReasonLabels, StateLabels, UnusableLabels};

/// The reasons of `Ready` where it is not True. They are shown also where no link has them, so that an alert on one has a
/// series from the start.
const NOT_READY: [Reason; 4] = [Reason::Pending, Reason::Transitioning, Reason::Held, Reason::Stalled];

/// How many namespaces have a series of their own.
const NAMESPACES: usize = 20;
/// All other namespaces, and objects without one. No namespace has such a name.
const OTHERS: &str = "(others)";
const CLUSTER: &str = "(cluster)";

/// What the caches and the queue have at one moment.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    links: BTreeMap<State, usize>,
    not_ready: BTreeMap<Problem, usize>,
    stalled: BTreeMap<Problem, usize>,
    endpoints: BTreeMap<String, usize>,
    unusable: BTreeMap<(&'static str, &'static str), usize>,
    kept: BTreeMap<String, usize>,
    waiting: usize,
}

impl Numbers {
    /// The numbers of now; `waiting` links wait for a pass.
    pub(crate) fn of(cache: &Cache, waiting: usize) -> Self {
        let mut numbers = Self {
            unusable: cache.count_unusable(),
            kept: largest(cache.kept_bytes()),
            waiting,
            ..Self::default()
        };
        // Under the lock of the caches, it only notes which objects there are.
        let (links, slices) = cache.read(|index| {
            let links: Vec<_> = index.links.table.iter().map(|(_, link)| Arc::clone(link)).collect();
            let slices = index.slices.table.iter();
            let slices: Vec<_> = slices
                .map(|(name, slice)| (Arc::clone(&name.namespace), slice.endpoints))
                .collect();
            (links, slices)
        });
        for link in links {
            *numbers.links.entry(link.state).or_default() += 1;
            if let Some(problem) = link.problems.not_ready {
                *numbers.not_ready.entry(problem).or_default() += 1;
            }
            if let Some(problem) = link.problems.stalled {
                *numbers.stalled.entry(problem).or_default() += 1;
            }
        }
        for (namespace, endpoints) in slices {
            *numbers.endpoints.entry(namespace.to_string()).or_default() += endpoints;
        }
        numbers
    }
}

/// The gauges.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    links: Family<StateLabels, Gauge>,
    not_ready: Family<ReasonLabels, Gauge>,
    stalled: Family<ReasonLabels, Gauge>,
    endpoints: Family<NamespaceLabels, Gauge>,
    unusable: Family<UnusableLabels, Gauge>,
    kept: Family<NamespaceLabels, Gauge>,
    queue_depth: Gauge,
}

impl Gauges {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("links", "Links by state", self.links.clone());
        r.register(
            "links_not_ready",
            "Links whose condition Ready is not True, by its reason",
            self.not_ready.clone(),
        );
        r.register(
            "links_stalled",
            "Links that wait for a person (condition Stalled), by its reason",
            self.stalled.clone(),
        );
        r.register(
            "endpoints",
            "Endpoints in the EndpointSlices of links, by namespace",
            self.endpoints.clone(),
        );
        r.register(
            "unusable_objects",
            "Objects that exist and cannot be used, by kind and reason",
            self.unusable.clone(),
        );
        r.register(
            "kept_bytes",
            "About how many bytes the caches keep of the objects of a namespace; of the largest namespaces, and of all others",
            self.kept.clone(),
        );
        r.register("queue_depth", "Links that wait for a pass", self.queue_depth.clone());
    }

    pub(super) fn fill(&self, numbers: &Numbers) {
        set(&self.queue_depth, numbers.waiting);
        for state in State::ALL {
            let count = numbers.links.get(&state).copied().unwrap_or_default();
            set_of(&self.links, &StateLabels { state: state.as_str() }, count);
        }
        by_reason(&self.not_ready, NOT_READY.into_iter(), &numbers.not_ready);
        let of_stalled = Reason::ALL.iter().copied().filter(|reason| reason.waits_for_a_person());
        by_reason(&self.stalled, of_stalled, &numbers.stalled);
        by_namespace(&self.endpoints, &numbers.endpoints);
        by_namespace(&self.kept, &numbers.kept);
        self.unusable.clear();
        for ((kind, reason), count) in &numbers.unusable {
            set_of(&self.unusable, &UnusableLabels { kind, reason }, *count);
        }
    }
}

fn by_namespace(family: &Family<NamespaceLabels, Gauge>, counts: &BTreeMap<String, usize>) {
    family.clear();
    for (namespace, count) in counts {
        let labels = NamespaceLabels {
            namespace: namespace.clone(),
        };
        set_of(family, &labels, *count);
    }
}

/// The bytes of the namespaces that have most, and of all others together: so there are few series.
fn largest(kept: BTreeMap<Arc<str>, usize>) -> BTreeMap<String, usize> {
    let mut kept: Vec<(Arc<str>, usize)> = kept.into_iter().collect();
    kept.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let others: usize = kept.iter().skip(NAMESPACES).map(|(_, bytes)| bytes).sum();
    kept.truncate(NAMESPACES);
    let named = kept.into_iter().map(|(namespace, bytes)| match &*namespace {
        "" => (CLUSTER.to_owned(), bytes),
        namespace => (namespace.to_owned(), bytes),
    });
    named.chain([(OTHERS.to_owned(), others)]).collect()
}

fn by_reason(
    family: &Family<ReasonLabels, Gauge>,
    expected: impl Iterator<Item = Reason>,
    counts: &BTreeMap<Problem, usize>,
) {
    family.clear();
    let mut all: BTreeMap<Problem, usize> = expected.map(|reason| (Problem::Known(reason), 0)).collect();
    all.extend(counts);
    for (problem, count) in all {
        let reason = problem.as_str();
        set_of(family, &ReasonLabels { reason }, count);
    }
}

fn set_of<L>(family: &Family<L, Gauge>, labels: &L, count: usize)
where
    L: Clone + std::hash::Hash + Eq + EncodeLabelSet,
{
    set(&family.get_or_create_owned(labels), count);
}

fn set(gauge: &Gauge, count: usize) {
    gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
}

#[cfg(test)]
mod tests;
