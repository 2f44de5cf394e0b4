use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use kube::runtime::watcher::Event;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use instancelink_cluster::{Affected, Links, Listener, Slices, UnusableObject};

/// A DNS with one answer for all names.
struct Dns {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
}

impl Resolver for Dns {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Answer> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.answer.lock().clone();
        Box::pin(async { answer })
    }

    fn domain_of_pod(&self) -> Option<&str> {
        Some("cluster.local")
    }
}

struct NoListener;

impl Listener for NoListener {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

fn addresses(address: &str) -> Answer {
    Answer::Addresses([address.parse().unwrap()].into())
}

fn link() -> Value {
    json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
        "metadata": {"namespace": "shop", "name": "web-db", "uid": "u", "resourceVersion": "1"},
        "spec": {"linkName": "db", "instanceRef": {"kind": "Deployment", "name": "web"}},
        "status": {"state": "active"},
    })
}

fn typed() -> InstanceLink {
    serde_json::from_value(link()).unwrap()
}

fn slice(address: &str, version: &str) -> Value {
    json!({
        "metadata": {
            "namespace": "shop", "name": "web-db-v4", "uid": "s", "resourceVersion": version,
            "labels": {
                "app.kubernetes.io/managed-by": "instancelink",
                "instancelink.dev/link-uid": "u",
                "kubernetes.io/service-name": "web-links",
            },
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "hostname": "db", "conditions": {"ready": true}}],
    })
}

/// One active link, whose alias is looked up.
struct World {
    verifier: Arc<Verifier>,
    dns: Arc<Dns>,
    key: LinkKey,
}

impl World {
    fn of(answer: Answer) -> Self {
        let dns = Arc::new(Dns {
            answer: Mutex::new(answer),
            asked: AtomicUsize::new(0),
        });
        let cache = Arc::new(Cache::new(&["InstanceLink"], Arc::new(NoListener)));
        let raw = serde_json::from_value(link()).unwrap();
        cache.observe::<Links>(Event::Apply(raw));
        let resolver = Arc::clone(&dns) as Arc<dyn Resolver>;
        let queue = Arc::new(Queue::new(1));
        queue.open();
        let verifier = Verifier::new(Some(resolver), cache, queue, Arc::new(SystemClock), "cluster.local");
        let verifier = Arc::new(verifier);
        tokio::spawn(Arc::clone(&verifier).run(CancellationToken::new()));
        Self {
            verifier,
            dns,
            key: LinkKey::new("shop", "web-db"),
        }
    }

    /// A pass has programmed this address.
    fn programs(&self, address: &str, version: &str) {
        let raw = slice(address, version);
        let cache = &self.verifier.cache;
        cache.observe::<Slices>(Event::Apply(serde_json::from_value(raw.clone()).unwrap()));
        let slice: k8s_openapi::api::discovery::v1::EndpointSlice = serde_json::from_value(raw).unwrap();
        self.verifier
            .pass_settled(&self.key, &typed(), &[Observed::from(slice)]);
    }

    fn asked(&self) -> usize {
        self.dns.asked.load(Ordering::Relaxed)
    }

    /// The finding in the link's next snapshot.
    fn status(&self) -> &'static str {
        match self.verifier.lookup_of(&self.key, &typed()) {
            Lookup::Off => "off",
            Lookup::Pending => "pending",
            Lookup::Seen(resolution) => finding(&resolution, "cluster.local").status,
        }
    }

    fn has_a_pass_due(&self) -> bool {
        self.verifier.queue.waiting() > 0
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_resolves_causes_one_pass_and_changed_endpoints_cause_none() {
    let world = World::of(addresses("10.0.0.1"));
    world.programs("10.0.0.1", "1");
    assert_eq!(world.status(), "pending");
    let turn = world.verifier.queue.next().await;
    assert_eq!(
        (turn.key, world.status(), world.asked()),
        (world.key.clone(), "True", 1)
    );
    *world.dns.answer.lock() = addresses("10.0.0.2");
    world.programs("10.0.0.2", "2");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!((world.asked(), world.has_a_pass_due()), (2, false));
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_does_not_resolve_causes_a_pass_once_no_dns_cache_can_be_the_reason() {
    let world = World::of(Answer::NoSuchName);
    let start = Instant::now();
    world.programs("10.0.0.1", "1");
    world.verifier.queue.next().await;
    assert_eq!(world.status(), "False");
    assert!(start.elapsed() > Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(world.asked(), 8, "four lookups, each with one of the API server's name");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_link_is_not_looked_up() {
    let world = World::of(addresses("10.0.0.1"));
    world.programs("10.0.0.1", "1");
    world.verifier.forget(&world.key);
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert_eq!(world.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_lookups_of_many_links_are_spread_over_time() {
    let world = World::of(addresses("10.0.0.1"));
    for number in 0..100 {
        let mut raw = link();
        raw["metadata"]["name"] = format!("link-{number}").into();
        raw["metadata"]["uid"] = format!("u-{number}").into();
        let object: InstanceLink = serde_json::from_value(raw.clone()).unwrap();
        let key = LinkKey::of(&object.metadata);
        world
            .verifier
            .cache
            .observe::<Links>(Event::Apply(serde_json::from_value(raw).unwrap()));
        world.verifier.pass_settled(&key, &object, &[]);
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(world.asked() < 60, "{} in the first three seconds", world.asked());
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(world.asked() >= 100, "{}", world.asked());
}
