//! A link with more finalizers than the caches keep: when it is deleted, the operator removes its own one, and no other.
//!
//! Rules: contract#bounded-objects, lifecycle#preconditions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::sync::Arc;
use std::time::Duration;

use instancelink_simulation::operator::Running;
use instancelink_simulation::run::paused;
use instancelink_simulation::seeds;
use instancelink_testkit::api::Api;
use instancelink_testkit::api::delete;
use instancelink_testkit::api::resource::LINKS;
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::write::Writer;
use instancelink_testkit::faults::injector::Injector;
use instancelink_testkit::faults::plan::Plan;
use serde_json::{Value, json};
use tokio::time::sleep;

const SETTLED: Duration = Duration::from_secs(40);
const OF_OTHERS: usize = 1000;
const OURS: &str = "instancelink.dev/lifecycle";

fn link() -> Key {
    Key {
        resource: &LINKS,
        namespace: "shop".to_owned(),
        name: "db".to_owned(),
    }
}

fn finalizers(api: &Api) -> Vec<Value> {
    let store = api.store();
    let found = store.get(&link()).unwrap();
    found["metadata"]["finalizers"].as_array().unwrap().clone()
}

#[test]
fn the_operator_removes_its_finalizer_from_a_link_with_a_thousand_of_others() {
    paused().block_on(async {
        let api = Arc::new(Api::default());
        seeds::plant(&api);
        let of_others: Vec<String> = (0..OF_OTHERS).map(|n| format!("example.com/f{n}")).collect();
        let spec = json!({
            "linkName": "db", "instanceRef": {"kind": "Deployment", "name": "web"},
            "targetInstanceRef": {"kind": "Deployment", "name": "pg"},
        });
        let meta = json!({"name": "db", "namespace": "shop", "finalizers": of_others});
        seeds::put(&api, &LINKS, json!({"metadata": meta, "spec": spec}));
        let faults = Arc::new(Injector::new(Plan::default(), Arc::clone(&api)));
        let _operator = Running::start(&api, &faults, 1, false);
        sleep(SETTLED).await;
        assert!(finalizers(&api).contains(&OURS.into()));
        assert_eq!(finalizers(&api).len(), OF_OTHERS + 1);
        api.change(|store, now| {
            let writer = Writer { by: "user", now };
            delete::delete(store, &link(), &json!({}), writer).map(drop)
        })
        .unwrap();
        sleep(SETTLED).await;
        assert_eq!(finalizers(&api).len(), OF_OTHERS);
        assert!(!finalizers(&api).contains(&OURS.into()));
    });
}
