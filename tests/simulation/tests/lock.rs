//! How long the search for orphans keeps events out of the caches, after one of ten thousand links was deleted.

#![allow(clippy::expect_used)] // a test fails by panicking

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use instancelink_cluster::orphans::{self, OrphanSearch};
use instancelink_cluster::{Affected, Cache, Environments, Links, Listener, Services, Slices, UnusableObject, Watched};
use instancelink_testkit::campaign;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

const LINKS: u64 = 10_000;
const LINKS_OF_SOURCE: u64 = 10;
const ACCEPTED: Duration = Duration::from_millis(5);
/// Each step is measured so often; the fastest counts, since other programs only add time.
const TIMES: usize = 5;

struct Silent;

impl Listener for Silent {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

fn show<W: Watched>(cache: &Cache, object: Value) {
    let raw = serde_json::from_value(object).expect("an object of the kind");
    cache.observe::<W>(Event::Apply(raw));
}

fn metadata(name: &str, version: u64, labels: &Value, annotations: &Value) -> Value {
    json!({
        "namespace": "shop", "name": name, "uid": format!("{name}-uid"), "resourceVersion": version.to_string(),
        "labels": labels, "annotations": annotations,
    })
}

fn link(number: u64, version: u64) -> Value {
    json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
        "metadata": metadata(&format!("link-{number:05}"), version, &json!({}), &json!({})),
        "spec": {
            "linkName": format!("alias-{}", number % LINKS_OF_SOURCE),
            "instanceRef": {"kind": "Deployment", "name": format!("source-{}", number / LINKS_OF_SOURCE)},
        },
        "status": {"state": "active"},
    })
}

/// The caches of a cluster in which all links are at rest, and so compressed.
fn cluster() -> Cache {
    let cache = Cache::new(&[], Arc::new(Silent));
    let manager = "instancelink";
    for number in 0..LINKS {
        show::<Links>(&cache, link(number, 10 + number));
        let name = format!("link-{number:05}");
        let labels =
            json!({"app.kubernetes.io/managed-by": manager, "instancelink.dev/link-uid": format!("{name}-uid")});
        let endpoints =
            json!([{"addresses": ["10.1.0.1"], "targetRef": {"kind": "Pod", "namespace": "shop", "name": "db"}}]);
        let metadata = metadata(&format!("{name}-v4"), 20_000 + number, &labels, &json!({}));
        show::<Slices>(
            &cache,
            json!({"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints}),
        );
    }
    for source in 0..LINKS / LINKS_OF_SOURCE {
        let labels =
            json!({"app.kubernetes.io/managed-by": manager, "instancelink.dev/source-uid": format!("uid-{source}")});
        let links = (0..LINKS_OF_SOURCE).map(|link| source * LINKS_OF_SOURCE + link);
        let entries: Value = links
            .map(|link| (format!("link-{link:05}-uid"), json!(["KEY"])))
            .collect();
        let annotations = json!({
            "instancelink.dev/link": format!("shop/link-{:05}", source * LINKS_OF_SOURCE),
            "instancelink.dev/entries": entries.to_string(),
        });
        let name = format!("source-{source}-links");
        show::<Services>(
            &cache,
            json!({"metadata": metadata(&name, 40_000 + source, &labels, &annotations)}),
        );
        show::<Environments>(
            &cache,
            json!({"metadata": metadata(&name, 50_000 + source, &labels, &annotations)}),
        );
    }
    for _ in 0..10 {
        cache.compress_idle();
    }
    cache
}

/// The times of the steps of a search. Each holds the lock for at most its time.
fn steps(cache: &Cache) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut found = BTreeSet::new();
    let mut search = OrphanSearch::default();
    loop {
        let started = Instant::now();
        let portion = search.next(cache);
        times.push(started.elapsed());
        match portion {
            Some(portion) => found.extend(portion),
            None => break,
        }
    }
    assert!(!found.is_empty(), "the slice of the deleted link");
    for key in found {
        let started = Instant::now();
        cache.read(|index| {
            let child = orphans::observed_child(index, &key)?;
            orphans::check(index, &child)
        });
        times.push(started.elapsed());
    }
    times
}

#[test]
fn one_deletion_among_ten_thousand_links_holds_no_event_up_for_more_than_five_milliseconds() {
    let campaign = campaign::start("search for orphans");
    let cache = cluster();
    let raw = serde_json::from_value(link(LINKS / 2, 99_999)).expect("a link");
    cache.observe::<Links>(Event::Delete(raw));
    let fastest = (0..TIMES).map(|_| steps(&cache)).reduce(|fastest, steps| {
        let pairs = fastest.into_iter().zip(steps);
        pairs.map(|(a, b)| a.min(b)).collect()
    });
    let fastest = fastest.unwrap_or_default();
    let longest = fastest.iter().max().copied().unwrap_or_default();
    let all: Duration = fastest.iter().sum();
    println!(
        "{longest:?} at most of {} steps, {all:?} in all; {ACCEPTED:?} accepted",
        fastest.len()
    );
    let violations = (longest > ACCEPTED).then(|| format!("events wait for {longest:?}"));
    campaign.finish(LINKS, 0, violations.as_slice());
}
