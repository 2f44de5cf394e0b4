//! A grant that is stored with a selector that Kubernetes refuses: it consents to nothing, its status says so, and a
//! correction counts at once.
//!
//! Rules: contract#invalid-grants, contract#grant-status.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::sync::Arc;
use std::time::Duration;

use instancelink_simulation::operator::Running;
use instancelink_simulation::run::paused;
use instancelink_simulation::seeds;
use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::{GRANTS, LINKS, Resource, SLICES};
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::faults::injector::Injector;
use instancelink_testkit::faults::plan::Plan;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Longer than any wait of an activation.
const SETTLED: Duration = Duration::from_secs(40);

fn find(api: &Api, resource: &'static Resource, namespace: &str, name: &str) -> Value {
    let store = api.store();
    let found = store.get(&key(resource, namespace, name));
    found.map(|object| Value::clone(object)).unwrap_or_default()
}

fn key(resource: &'static Resource, namespace: &str, name: &str) -> Key {
    Key {
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn state(api: &Api) -> Value {
    find(api, &LINKS, "shop", "db")["status"]["state"].clone()
}

fn accepted(api: &Api) -> Value {
    find(api, &GRANTS, "data", "all")["status"]["conditions"][0].clone()
}

/// Replaces the selector as an API server without the rules of the schema would store it.
fn store_selector(api: &Api, selector: &Value) {
    let mut grant = find(api, &GRANTS, "data", "all");
    grant["spec"]["from"] = json!([{ "namespaceSelector": selector }]);
    let generation = grant["metadata"]["generation"].as_u64().unwrap();
    grant["metadata"]["generation"] = json!(generation + 1);
    api.change(|store, _| store.put(key(&GRANTS, "data", "all"), grant, "older-server"));
}

#[test]
fn a_stored_selector_that_kubernetes_refuses_lets_no_namespace_in_and_the_grant_says_so() {
    paused().block_on(async {
        let api = Arc::new(Api::default());
        seeds::plant(&api);
        let spec = json!({ "from": [{ "namespaceSelector": {} }], "to": [{ "kind": "Deployment" }] });
        seeds::put(
            &api,
            &GRANTS,
            json!({ "metadata": { "name": "all", "namespace": "data" }, "spec": spec }),
        );
        let target = json!({ "kind": "Deployment", "name": "pg", "namespace": "data" });
        let spec = json!({
            "linkName": "db", "instanceRef": { "kind": "Deployment", "name": "web" }, "targetInstanceRef": target,
        });
        seeds::put(
            &api,
            &LINKS,
            json!({ "metadata": { "name": "db", "namespace": "shop" }, "spec": spec }),
        );
        let faults = Arc::new(Injector::new(Plan::default(), Arc::clone(&api)));
        let operator = Running::start(&api, &faults, 1, false);
        sleep(SETTLED).await;
        assert_eq!(state(&api), "active");
        assert_eq!(accepted(&api)["status"], "True");

        for requirement in [
            json!({ "key": "team", "operator": "NotIn", "values": [] }),
            json!({ "key": "team", "operator": "DoesNotExist", "values": ["a"] }),
            json!({ "key": "the team", "operator": "DoesNotExist" }),
        ] {
            store_selector(&api, &json!({ "matchExpressions": [requirement] }));
            sleep(SETTLED).await;
            assert_eq!(state(&api), "inactive", "{requirement}");
            assert_eq!(find(&api, &SLICES, "shop", "db-v4"), Value::Null, "{requirement}");
            let condition = accepted(&api);
            assert_eq!(condition["status"], "False", "{requirement}");
            assert_eq!(condition["reason"], "InvalidEntries");
            let said = condition["message"].as_str().unwrap().to_owned();
            assert!(
                said.contains("spec.from[0].namespaceSelector.matchExpressions[0]: "),
                "{said}"
            );
            let generation = &find(&api, &GRANTS, "data", "all")["metadata"]["generation"];
            assert_eq!(&condition["observedGeneration"], generation);

            store_selector(&api, &json!({}));
            sleep(SETTLED).await;
            assert_eq!(state(&api), "active", "{requirement}");
            assert_eq!(accepted(&api)["status"], "True");
        }

        let before = api.store().version();
        sleep(SETTLED * 10).await;
        assert_eq!(api.store().version(), before, "lifecycle#no-idle-writes");
        api.change(|store, now| {
            let grant = key(&GRANTS, "data", "all");
            let mut object = Value::clone(store.get(&grant).unwrap());
            object["metadata"]["labels"] = json!({ "team": "a" });
            let written = write::update(store, &grant, None, object, true, Writer { by: "user", now });
            written.unwrap();
        });
        let before = api.store().version();
        sleep(SETTLED).await;
        assert_eq!(
            api.store().version(),
            before,
            "a label is no reason to write the status"
        );
        assert!(!operator.has_ended());
    });
}
