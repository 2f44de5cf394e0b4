//! A whole operator while the largest objects of another tenant are in its caches.

use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::Resource;
use instancelink_testkit::faults::hooks::Hooks;
use instancelink_testkit::faults::injector::Injector;
use instancelink_testkit::faults::plan::Plan;
use jiff::SignedDuration;
use serde_json::json;
use tokio::time::sleep;

use super::{Texts, objects};
use crate::operator::Running;
use crate::run::paused;
use crate::script::{key, kinds, merge};
use crate::seeds;
use crate::soak::Heap;

/// Ordinary links beside the large objects.
const LINKS: usize = 1000;
/// The buffers of thirteen watches, each twice as large as the largest event.
const BUFFERS: u64 = 13 * 3 * 1024 * 1024;

static LARGE: [&Resource; 13] = [
    &kinds::LINKS,
    &kinds::GRANTS,
    &kinds::DEPLOYMENTS,
    &kinds::STATEFUL_SETS,
    &kinds::DAEMON_SETS,
    &kinds::REPLICA_SETS,
    &kinds::JOBS,
    &kinds::CRON_JOBS,
    &kinds::PODS,
    &kinds::SERVICES,
    &kinds::SLICES,
    &kinds::POLICIES,
    &kinds::CONFIG_MAPS,
];

/// What is wrong while an operator has the large objects of a tenant: with the link of another tenant, or with the memory. Each
/// watch keeps a buffer of the size of its largest event; beside that, more objects may take half as much again as the links.
pub fn beside_a_link(heap: Heap) -> Vec<String> {
    let [rest, some, more] = [0, 1, 3].map(|of_each| {
        let api = Arc::new(Api::default());
        plant(&api);
        for resource in LARGE {
            for (number, object) in objects(resource.kind, Texts::Long).into_iter().enumerate() {
                for copy in 0..of_each {
                    let mut object = object.clone();
                    object["metadata"]["name"] = json!(format!("large-{number}-{copy}"));
                    object["metadata"]["namespace"] = json!("evil");
                    seeds::put(&api, resource, object);
                }
            }
        }
        weigh(&api, heap)
    });
    let (rest, some, more, mut violations) = (rest.0, some.0, more.0, [rest.1, some.1, more.1].concat());
    println!("{rest} bytes of an operator, {some} with one large object of each form, {more} with three");
    if some > rest + rest / 2 + BUFFERS || more > some + rest / 2 {
        violations.push(format!(
            "{rest} bytes without large objects, {some} and {more} with some and more"
        ));
    }
    violations
}

/// Ordinary links, and one that is cut and restored.
fn plant(api: &Api) {
    seeds::plant(api);
    let link = |name: &str, alias: &str, source: &str, target: &str| {
        json!({
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"linkName": alias, "instanceRef": {"kind": "Deployment", "name": source},
                "targetInstanceRef": {"kind": "Deployment", "name": target}, "outputs": {"environment": "None"}},
        })
    };
    seeds::put(api, &kinds::LINKS, link("web-pg", "pg", "web", "pg"));
    for number in 0..LINKS {
        let (name, alias) = (format!("link-{number}"), format!("alias-{number}"));
        seeds::put(api, &kinds::LINKS, link(&name, &alias, "pg", "pg-2"));
    }
    seeds::put(api, &kinds::NAMESPACES, json!({"metadata": {"name": "evil"}}));
}

/// The heap of an operator, and what is wrong with the link.
fn weigh(api: &Arc<Api>, heap: Heap) -> (u64, Vec<String>) {
    let runtime = paused();
    let mut violations = Vec::new();
    runtime.block_on(async {
        let hooks: Arc<dyn Hooks> = Arc::new(Injector::new(Plan::default(), Arc::clone(api)));
        let _running = Running::start_with(api, &hooks, "operator", SignedDuration::ZERO, &[]);
        let link = key(&kinds::LINKS, "shop", "web-pg");
        for (action, state) in [
            (None, "active"),
            (Some("deactivate"), "inactive"),
            (Some("activate"), "active"),
        ] {
            if let Some(action) = action {
                let patch = json!({"metadata": {"annotations": {"instancelink.dev/action": action}}});
                merge(api, &link, None, &patch, "kubectl-annotate");
            }
            sleep(Duration::from_secs(30)).await;
            let object = api.store().get(&link).map(|link| link["status"]["state"].clone());
            let found = object.unwrap_or_default();
            if found != state {
                violations.push(format!("the link of another tenant is {found}, not {state}"));
            }
        }
        sleep(Duration::from_mins(2)).await;
    });
    let with = heap();
    drop(runtime);
    (with.saturating_sub(heap()), violations)
}
