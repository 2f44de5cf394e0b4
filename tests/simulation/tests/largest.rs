//! A tenant writes the largest objects that the API server takes. The caches keep little of them, and another tenant's link
//! is cut and restored.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // a test fails by panicking

mod heap;

use std::sync::Arc;

use instancelink_cluster::affects::{
    CronJobs, DaemonSets, Deployments, ForeignSlices, Jobs, Namespaces, Nodes, ReferenceGrants, ReplicaSets,
    StatefulSets,
};
use instancelink_cluster::{
    Affected, Cache, Environments, Grants, Lenient, Links, Listener, Pods, Policies, Services, Slices, UnusableObject,
    Watched,
};
use instancelink_simulation::largest::beside::beside_a_link;
use instancelink_simulation::largest::{Texts, objects};
use instancelink_testkit::campaign;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use heap::heap;

/// Objects of each kind and length of texts.
const EACH: usize = 100;
/// The bytes that may be kept of a large object, on average. Give the reason when you change it.
const ACCEPTED: u64 = 3 * 1024;
/// The place of the number of an object in its text.
const NUMBER: &str = "@number@";
/// Most that an object takes while it is parsed. A page has ten of the kinds that are parsed as a whole.
const WHILE_PARSED: u64 = 16 * 1024 * 1024;

struct Silent;

impl Listener for Silent {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

/// What was measured.
#[derive(Default)]
struct Measured {
    objects: u64,
    bytes: u64,
    json: u64,
    parsed: u64,
}

fn show<W: Watched>(measured: &mut Measured, violations: &mut Vec<String>) {
    for texts in [Texts::Short, Texts::Long] {
        let shapes: Vec<String> = objects(W::KIND, texts).into_iter().map(text_of).collect();
        let before = heap();
        let cache = Cache::new(&[], Arc::new(Silent));
        for number in 0..EACH {
            let text = shapes[number % shapes.len()].replace(NUMBER, &(number + 1).to_string());
            measured.json += text.len() as u64;
            let unparsed = heap();
            let object: Lenient<W::Raw> = serde_json::from_str(&text).expect("an object of the kind");
            measured.parsed = measured.parsed.max(heap().saturating_sub(unparsed));
            cache.observe::<W>(Event::Apply(object));
        }
        for _ in 0..4 {
            cache.compress_idle();
        }
        let bytes = heap().saturating_sub(before);
        println!("{} {texts:?}: {} bytes an object", W::KIND, bytes / EACH as u64);
        measured.objects += EACH as u64;
        measured.bytes += bytes;
        let names = cache.kept_bytes().into_keys().collect::<Vec<_>>();
        if names.iter().any(|namespace| &**namespace != "evil") {
            violations.push(format!("{}: the objects count in {names:?}", W::KIND));
        }
    }
}

/// The object as text, with a place for its number.
fn text_of(mut object: Value) -> String {
    let metadata = &mut object["metadata"];
    metadata["namespace"] = json!("evil");
    for field in ["name", "uid", "resourceVersion"] {
        metadata[field] = json!(NUMBER);
    }
    object.to_string()
}

#[test]
fn the_largest_objects_of_a_tenant_take_little_memory_and_harm_nobody() {
    let campaign = campaign::start("the largest objects of each kind");
    let (mut measured, mut violations) = (Measured::default(), Vec::new());
    let m = &mut measured;
    show::<Links>(m, &mut violations);
    show::<Grants>(m, &mut violations);
    show::<ReferenceGrants>(m, &mut violations);
    show::<Deployments>(m, &mut violations);
    show::<StatefulSets>(m, &mut violations);
    show::<DaemonSets>(m, &mut violations);
    show::<ReplicaSets>(m, &mut violations);
    show::<Jobs>(m, &mut violations);
    show::<CronJobs>(m, &mut violations);
    show::<Pods>(m, &mut violations);
    show::<Services>(m, &mut violations);
    show::<Slices>(m, &mut violations);
    show::<Policies>(m, &mut violations);
    show::<ForeignSlices>(m, &mut violations);
    show::<Environments>(m, &mut violations);
    show::<Namespaces>(m, &mut violations);
    show::<Nodes>(m, &mut violations);
    let each = measured.bytes / measured.objects;
    println!(
        "{} objects with {} bytes of JSON: {each} bytes each are kept; at most {} while one is parsed",
        measured.objects, measured.json, measured.parsed
    );
    if each > ACCEPTED {
        violations.push(format!("{each} bytes of an object are kept"));
    }
    if measured.parsed > WHILE_PARSED {
        violations.push(format!("an object takes {} bytes while it is parsed", measured.parsed));
    }
    violations.extend(beside_a_link(heap));
    campaign.finish(measured.objects, 0, &violations);
}
