//! The attack of a tenant: NetworkPolicies with selectors as long as they can be in front of a hundred pods, and six links
//! that ask whether these pods are isolated. Meanwhile a link of another tenant is cut and restored. The work is counted in
//! comparisons, so the result does not depend on the machine.
//!
//! Rule: contract#bounded-work.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use instancelink_core::resolve::lookups;
use instancelink_simulation::operator::Running;
use instancelink_simulation::run::paused;
use instancelink_simulation::seeds;
use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::{LINKS, NAMESPACES, PODS, POLICIES, SERVICES};
use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::faults::injector::Injector;
use instancelink_testkit::faults::plan::Plan;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Longer than any wait of an activation.
const SETTLED: Duration = Duration::from_secs(40);
/// From a request to the end of a transition of a link, in virtual time.
const SOON: Duration = Duration::from_secs(5);
const PODS_OF_TARGET: usize = 100;
const COSTLY_LINKS: u64 = 6;
/// How often the other tenant wakes all its links during each transition.
const TOUCHES: u64 = 3;
/// How often a pass asks about the isolation of a target, with a pass that a touch during another one adds.
const QUESTIONS: u64 = 6;

/// What a tenant writes.
struct Attack {
    policies: Vec<Value>,
    /// The labels of each pod.
    labels: BTreeMap<String, String>,
}

/// Six policies with one rule of 4,000 values, of which one is that of the pods. Policies with many more are too large to be
/// kept (contract#unusable-objects).
fn long() -> Attack {
    let values: Vec<String> = (0..4000).map(|n| format!("{n:x}")).collect();
    let rule = json!({ "key": "app", "operator": "In", "values": values });
    Attack {
        policies: vec![json!({ "matchExpressions": [rule] }); 6],
        labels: [("app".to_owned(), "abc".to_owned())].into(),
    }
}

/// Forty policies with 250 rules of twenty values, and a label for each rule on each pod.
fn wide() -> Attack {
    let values: Vec<String> = (0..20).map(|n| format!("v{n}")).collect();
    let keys: Vec<String> = (0..250).map(|n| format!("k{n}")).collect();
    let rule = |key: &String| json!({ "key": key, "operator": "In", "values": values });
    let rules: Vec<Value> = keys.iter().map(rule).collect();
    let mut labels: BTreeMap<String, String> = keys.into_iter().map(|key| (key, "v7".to_owned())).collect();
    labels.insert("app".to_owned(), "abc".to_owned());
    Attack {
        policies: vec![json!({ "matchExpressions": rules }); 40],
        labels,
    }
}

fn plant(api: &Api, attack: &Attack) {
    seeds::plant(api);
    seeds::put(api, &NAMESPACES, json!({ "metadata": { "name": "busy" } }));
    seeds::workload(api, "busy", "web", &[]);
    let ports = json!([{ "name": "pg", "port": 5432 }]);
    let spec = json!({ "clusterIP": "None", "selector": { "app": "abc" }, "ports": ports });
    let meta = json!({ "name": "many", "namespace": "busy" });
    seeds::put(api, &SERVICES, json!({ "metadata": meta, "spec": spec }));
    for n in 0..PODS_OF_TARGET {
        let name = format!("many-{n}");
        let meta = json!({ "name": name, "namespace": "busy", "labels": attack.labels });
        let containers = json!([{ "name": "main", "image": "main" }]);
        let spec = json!({ "nodeName": "node", "containers": containers });
        seeds::put(api, &PODS, json!({ "metadata": meta, "spec": spec }));
        seeds::pod_status(api, "busy", &name, &format!("10.2.0.{n}"), true);
    }
    for (n, selector) in attack.policies.iter().enumerate() {
        let meta = json!({ "name": format!("policy-{n}"), "namespace": "busy" });
        let spec = json!({ "podSelector": selector, "policyTypes": ["Ingress"] });
        seeds::put(api, &POLICIES, json!({ "metadata": meta, "spec": spec }));
    }
    for n in 0..COSTLY_LINKS {
        link(api, "busy", &format!("db-{n}"), ("Service", "many"), "Allow");
    }
    link(api, "shop", "db", ("Deployment", "pg"), "None");
}

fn link(api: &Api, namespace: &str, name: &str, (kind, target): (&str, &str), policy: &str) {
    let spec = json!({
        "linkName": name, "instanceRef": { "kind": "Deployment", "name": "web" },
        "targetInstanceRef": { "kind": kind, "name": target }, "networkPolicy": policy,
    });
    let meta = json!({ "name": name, "namespace": namespace });
    seeds::put(api, &LINKS, json!({ "metadata": meta, "spec": spec }));
}

fn links(namespace: &str, name: &str) -> Key {
    Key {
        resource: &LINKS,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn edit(api: &Api, key: &Key, change: impl FnOnce(&mut Value)) {
    api.change(|store, now| {
        let mut object = Value::clone(store.get(key).unwrap());
        change(&mut object);
        let written = write::update(store, key, None, object, true, Writer { by: "user", now });
        written.unwrap();
    });
}

/// What `Enforced` says of the links of the tenant.
fn enforced(api: &Api) -> Vec<String> {
    let store = api.store();
    let costly = (0..COSTLY_LINKS).map(|n| links("busy", &format!("db-{n}")));
    let said = costly.map(|key| {
        let status = store.get(&key).unwrap()["status"].clone();
        let conditions = status["conditions"].as_array().unwrap();
        let enforced = conditions.iter().find(|c| c["type"] == "Enforced").unwrap();
        format!(
            "{} {}",
            status["state"].as_str().unwrap(),
            enforced["reason"].as_str().unwrap()
        )
    });
    said.collect()
}

/// Requests an action for the link of the other tenant, and changes a policy meanwhile, so that all links in front of the
/// pods have a turn.
async fn act(api: &Api, action: &str, state: &str) {
    let own = links("shop", "db");
    edit(api, &own, |link| {
        link["metadata"]["annotations"]["instancelink.dev/action"] = json!(action);
    });
    let asked = Instant::now();
    for n in 0..TOUCHES {
        let policy = Key {
            resource: &POLICIES,
            ..links("busy", "policy-0")
        };
        edit(api, &policy, |policy| {
            policy["spec"]["podSelector"]["matchExpressions"][0]["values"][0] = json!(format!("{action}-{n}"));
        });
        sleep(SOON / 5).await;
    }
    while api.store().get(&own).unwrap()["status"]["state"] != state {
        assert!(asked.elapsed() < SOON, "{action} takes more than {SOON:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// The comparisons while the link of the other tenant is cut and restored, for each question of the links of the attack;
/// and what these say.
fn under(attack: &Attack) -> (u64, Vec<String>) {
    paused().block_on(async {
        let api = Arc::new(Api::default());
        plant(&api, attack);
        let faults = Arc::new(Injector::new(Plan::default(), Arc::clone(&api)));
        let operator = Running::start(&api, &faults, 1, false);
        sleep(SETTLED).await;
        let said = enforced(&api);
        let before = lookups::made();
        act(&api, "deactivate", "inactive").await;
        act(&api, "activate", "active").await;
        let made = lookups::made() - before;
        assert_eq!(enforced(&api), said);
        assert!(!operator.has_ended());
        (made / (2 * TOUCHES * COSTLY_LINKS * QUESTIONS), said)
    })
}

#[test]
fn policies_with_very_many_values_cost_few_comparisons() {
    let (comparisons, said) = under(&long());
    // Each of a hundred pods with six policies: one rule, and the halvings of 4,000 values.
    assert!((100..600 * 20).contains(&comparisons), "{comparisons} comparisons");
    assert!(said.iter().all(|said| said.starts_with("active")), "{said:?}");
}

#[test]
fn links_whose_policies_are_too_many_to_compare_say_so_in_bounded_work_and_delay_no_other() {
    let (comparisons, said) = under(&wide());
    // A lookup in twenty values is five comparisons at most.
    assert!((1000..100_000 * 6).contains(&comparisons), "{comparisons} comparisons");
    assert_eq!(said, vec!["active TooCostly"; said.len()]);
}
