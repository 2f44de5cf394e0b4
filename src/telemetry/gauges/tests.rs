use std::sync::Arc;

use instancelink_cluster::{Affected, Links, Listener};
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::super::metrics::Metrics;
use super::*;

struct NoListener;

impl Listener for NoListener {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: instancelink_cluster::UnusableObject) {}
}

fn condition(type_: &str, status: &str, reason: &str) -> Value {
    json!({"type": type_, "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

fn observe(cache: &Cache, name: &str, version: u64, conditions: &[Value]) {
    let link = json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
        "metadata": {"namespace": "shop", "name": name, "uid": name, "resourceVersion": version.to_string()},
        "spec": {"linkName": "db", "instanceRef": {"kind": "Deployment", "name": name}},
        "status": {"state": "active", "conditions": conditions},
    });
    cache.observe::<Links>(Event::Apply(serde_json::from_value(link).unwrap()));
}

/// The lines of these metrics that are not zero.
fn lines(metrics: &Metrics, cache: &Cache) -> Vec<String> {
    let text = metrics.render(&Numbers::of(cache, 0));
    let lines = text
        .lines()
        .filter(|l| l.starts_with("instancelink_links_") && !l.ends_with(" 0"));
    lines.map(str::to_owned).collect()
}

/// contract#metrics
#[test]
fn links_that_are_not_ready_or_stalled_are_counted_by_reason_until_they_recover() {
    let cache = Cache::new(&["InstanceLink"], Arc::new(NoListener));
    let metrics = Metrics::new();
    let ready = [condition("Ready", "True", "Ready")];
    let taken = [
        condition("Ready", "False", "Stalled"),
        condition("Stalled", "True", "NameTaken"),
    ];
    observe(&cache, "a", 1, &ready);
    observe(&cache, "b", 1, &taken);
    observe(&cache, "c", 1, &taken);
    let expected = [
        "instancelink_links_not_ready{reason=\"Stalled\"} 2",
        "instancelink_links_stalled{reason=\"NameTaken\"} 2",
    ];
    assert_eq!(lines(&metrics, &cache), expected);
    observe(&cache, "b", 2, &ready);
    observe(&cache, "c", 2, &ready);
    assert_eq!(lines(&metrics, &cache), Vec::<String>::new());
}

#[test]
fn a_reason_that_a_tenant_made_up_adds_no_series() {
    let cache = Cache::new(&["InstanceLink"], Arc::new(NoListener));
    for number in 0..100 {
        let made_up = format!("Made{number}");
        let conditions = [
            condition("Ready", "False", &made_up),
            condition("Stalled", "True", &made_up),
        ];
        observe(&cache, &format!("link-{number}"), 1, &conditions);
    }
    let expected = [
        "instancelink_links_not_ready{reason=\"Other\"} 100",
        "instancelink_links_stalled{reason=\"Other\"} 100",
    ];
    assert_eq!(lines(&Metrics::new(), &cache), expected);
}

/// contract#metrics
#[test]
fn bytes_are_shown_of_the_largest_namespaces_and_of_all_others_together() {
    let cache = Cache::new(&["InstanceLink"], Arc::new(NoListener));
    let put = |namespace: &str, name: &str| {
        let link = json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
            "metadata": {"namespace": namespace, "name": name, "uid": name, "resourceVersion": "1"},
            "spec": {"linkName": "db", "instanceRef": {"kind": "Deployment", "name": name}},
        });
        cache.observe::<Links>(Event::Apply(serde_json::from_value(link).unwrap()));
    };
    for number in 0..100 {
        put(&format!("small-{number}"), &format!("link-{number}"));
        put("large", &format!("large-{number}"));
    }
    let text = Metrics::new().render(&Numbers::of(&cache, 0));
    let series: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("instancelink_kept_bytes{"))
        .collect();
    assert_eq!(series.len(), NAMESPACES + 1, "{series:?}");
    let bytes = |namespace: &str| {
        let start = format!("instancelink_kept_bytes{{namespace=\"{namespace}\"}} ");
        let line = series.iter().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("{namespace}: {series:?}"))
            .parse::<usize>()
            .unwrap()
    };
    assert!(bytes("large") > 50 * bytes("small-10").max(1000));
    assert!(bytes(OTHERS) > 70 * 1000);
}
