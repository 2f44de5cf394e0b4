//! The memory that the operator needs for links when all are at rest and none was read recently.

use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::LINKS;
use instancelink_testkit::faults::hooks::Hooks;
use instancelink_testkit::faults::injector::Injector;
use instancelink_testkit::faults::plan::Plan;
use jiff::SignedDuration;
use serde_json::json;
use tokio::time::sleep;

use crate::operator::Running;
use crate::run::paused;
use crate::script::key;
use crate::seeds;
use crate::soak::Heap;
use crate::stir::stir;

/// Links of a source, as in the measurements with a real API server.
const LINKS_OF_SOURCE: u64 = 10;
const TARGETS: u64 = 10;
/// In virtual time. Everything is at rest by then.
const REST: Duration = Duration::from_mins(10);

/// The heap that is freed with an operator and its tasks, after this number of links in one namespace became
/// active.
pub fn weigh(links: u64, heap: Heap) -> u64 {
    let api = Arc::new(Api::default());
    plant(&api, links);
    let runtime = paused();
    runtime.block_on(async {
        let hooks: Arc<dyn Hooks> = Arc::new(Injector::new(Plan::default(), Arc::clone(&api)));
        let _running = Running::start_with(&api, &hooks, "operator", SignedDuration::ZERO, &[]);
        sleep(REST).await;
        stir(&api, &key(&LINKS, "shop", "link-00000")).await;
    });
    let store = api.store();
    let active = store.of(&LINKS).filter(|link| link["status"]["state"] == "active");
    assert_eq!(active.count() as u64, links, "all links are active");
    let with = heap();
    drop(runtime);
    with.saturating_sub(heap())
}

fn plant(api: &Arc<Api>, links: u64) {
    seeds::plant(api);
    for target in 0..TARGETS {
        seeds::workload(api, "shop", &format!("db-{target}"), &[&format!("10.1.0.{target}")]);
    }
    for number in 0..links {
        let source = format!("source-{:04}", number / LINKS_OF_SOURCE);
        if number % LINKS_OF_SOURCE == 0 {
            seeds::workload(api, "shop", &source, &[]);
        }
        let spec = json!({
            "linkName": format!("alias-{}", number % LINKS_OF_SOURCE),
            "instanceRef": {"kind": "Deployment", "name": source},
            "targetInstanceRef": {"kind": "Deployment", "name": format!("db-{}", number % TARGETS)},
        });
        let link = json!({"metadata": {"name": format!("link-{number:05}"), "namespace": "shop"}, "spec": spec});
        seeds::put(api, &LINKS, link);
    }
}
