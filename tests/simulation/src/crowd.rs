//! How long many links of one source take until all are active: each of them is a sibling of all others.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
use crate::seeds;

/// In virtual time, until the next look whether all links are active.
const LOOK: Duration = Duration::from_secs(1);
/// In virtual time.
const LIMIT: u32 = 3600;

/// One pass at a time. The links of a source take turns, so those of one large source would run one by one, and those of
/// small sources as many at a time as there are sources. Passes that do the same together use the processor's caches better,
/// and the times would differ by a fifth for that reason alone.
const OPTIONS: &[&str] = &["--concurrency=1"];

/// The time until `links` links of `sources` sources are active. The links write no environment: the environment of a
/// source with thousands of links would be larger than a ConfigMap may be.
///
/// # Panics
///
/// If they are not active within an hour of virtual time.
pub fn bring_up(links: u64, sources: u64) -> Duration {
    let api = Arc::new(Api::default());
    plant(&api, links, sources);
    let runtime = paused();
    runtime.block_on(async {
        let hooks: Arc<dyn Hooks> = Arc::new(Injector::new(Plan::default(), Arc::clone(&api)));
        let started = Instant::now();
        let _running = Running::start_with(&api, &hooks, "operator", SignedDuration::ZERO, OPTIONS);
        for _ in 0..LIMIT {
            sleep(LOOK).await;
            if active(&api) == links {
                return started.elapsed();
            }
        }
        panic!("{} of {links} links are active", active(&api));
    })
}

fn active(api: &Api) -> u64 {
    let store = api.store();
    let active = store.of(&LINKS).filter(|link| link["status"]["state"] == "active");
    active.count() as u64
}

fn plant(api: &Arc<Api>, links: u64, sources: u64) {
    seeds::plant(api);
    seeds::workload(api, "shop", "db", &["10.1.0.1"]);
    for source in 0..sources {
        seeds::workload(api, "shop", &format!("source-{source:04}"), &[]);
    }
    for number in 0..links {
        let spec = json!({
            "linkName": format!("alias-{number}"),
            "instanceRef": {"kind": "Deployment", "name": format!("source-{:04}", number % sources)},
            "targetInstanceRef": {"kind": "Deployment", "name": "db"},
            "outputs": {"environment": "None"},
        });
        let link = json!({"metadata": {"name": format!("link-{number:05}"), "namespace": "shop"}, "spec": spec});
        seeds::put(api, &LINKS, link);
    }
}
