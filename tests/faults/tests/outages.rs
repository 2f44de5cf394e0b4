//! The control plane fails under load: the API server is killed, etcd is killed, etcd is full, the operator's token
//! expires. Afterwards every link is in the requested state, and no action was lost or done twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use control_plane::{Account, ControlPlane, Operator, Options};
use faults::{Proxy, work};
use futures::future::join_all;
use harness::{Namespace, Object, SYSTEM, residue_of};
use instancelink_testkit::campaign;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;
use tokio::time::sleep;

const TOWNS: usize = 3;
const LINKS: [&str; 3] = ["db", "cache", "queue"];
/// How long a killed process stays away.
const DEAD: Duration = Duration::from_secs(3);
/// How long the load continues after an outage.
const AFTER: Duration = Duration::from_secs(4);
/// How many requests an operator may send in the seconds after the failure.
const PATIENT: usize = 400;

fn rounds() -> usize {
    if campaign::long() { 20 } else { 2 }
}

/// Runs the load during an outage. Returns the number of actions and the violations.
async fn under_load<'a>(
    plane: &'a mut ControlPlane,
    happens: impl AsyncFnOnce(&mut ControlPlane),
) -> (usize, Vec<String>) {
    let towns = join_all((0..TOWNS).map(|i| plane.namespace(format!("town-{i}")))).await;
    let stop = AtomicBool::new(false);
    let load = join_all(towns.iter().flat_map(|town| LINKS.map(|name| work(town, name, &stop))));
    let outage = async {
        sleep(AFTER).await;
        happens(plane).await;
        sleep(AFTER).await;
        stop.store(true, Ordering::Relaxed);
    };
    let (worked, ()) = tokio::join!(load, outage);
    let mut violations: Vec<String> = worked.iter().flat_map(|w| w.violations.clone()).collect();
    for town in &towns {
        violations.extend(leftovers(town).await);
    }
    (worked.iter().map(|w| w.asked).sum(), violations)
}

async fn leftovers(town: &Namespace) -> Vec<String> {
    let mut residue = Vec::new();
    for _ in 0..40 {
        residue = residue_of(town).await;
        if residue.is_empty() {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    residue
}

/// What must be true for an operator after any outage.
fn unharmed(operator: &mut Operator) -> Vec<String> {
    let mut violations: Vec<String> = Vec::new();
    if let Some(status) = operator.program.ended() {
        violations.push(format!("the operator ended with {status}: {}", operator.program.tail()));
    }
    let log = operator.program.log();
    violations.extend(
        log.lines()
            .filter(|line| line.contains("panicked at"))
            .map(str::to_owned),
    );
    violations
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_an_api_server_and_an_etcd_that_are_killed_cost_time_and_nothing_else() {
    let mut plane = ControlPlane::start().await;
    let proxy = Proxy::start(&plane).await;
    let mut operator = Operator::start_ready(&plane, &proxy.server, &Options::alone()).await;
    let campaign = campaign::start("API server and etcd killed under load");
    let (asked, mut violations) = under_load(&mut plane, async |plane| {
        for _ in 0..rounds() {
            plane.restart_api_server(DEAD).await;
            sleep(AFTER).await;
            plane.restart_etcd(DEAD, &[]).await;
            sleep(AFTER).await;
        }
    })
    .await;
    violations.extend(unharmed(&mut operator));
    campaign.finish(asked as u64, 2 * rounds() as u64, &violations);
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_an_etcd_that_is_full_stops_links_where_they_are_until_there_is_room() {
    let mut plane = ControlPlane::start().await;
    let proxy = Proxy::start(&plane).await;
    let mut operator = Operator::start_ready(&plane, &proxy.server, &Options::alone()).await;
    let campaign = campaign::start("etcd full under load");
    let mut made = 0;
    let (asked, mut violations) = under_load(&mut plane, async |plane| {
        let quota = format!("--quota-backend-bytes={}", plane.etcd_size() + 2_000_000);
        plane.restart_etcd(Duration::ZERO, &[&quota]).await;
        fill(plane).await;
        // No client can write now.
        let before = proxy.count();
        sleep(Duration::from_secs(10)).await;
        made = proxy.count() - before;
        plane.restart_etcd(Duration::ZERO, &[]).await;
        plane.take_alarm_back().await;
    })
    .await;
    println!("{made} requests in ten seconds in which none could succeed");
    if made > PATIENT {
        violations.push(format!("{made} requests while etcd was full"));
    }
    violations.extend(unharmed(&mut operator));
    campaign.finish(asked as u64, 1, &violations);
}

/// Writes until etcd refuses writes.
async fn fill(plane: &ControlPlane) {
    let api: Api<ConfigMap> = Api::namespaced(plane.client.clone(), "default");
    let text = "x".repeat(200_000);
    for number in 0..200 {
        let map: ConfigMap = serde_json::from_value(json!({
            "metadata": { "name": format!("ballast-{number}") }, "data": { "text": text },
        }))
        .unwrap();
        if let Err(error) = api.create(&PostParams::default(), &map).await {
            assert!(error.to_string().contains("space exceeded"), "{error}");
            return;
        }
    }
    panic!("etcd is not full");
}

/// The kubelet renews the token in its file. The operator uses the new one from the next request on an open connection.
#[tokio::test(flavor = "multi_thread")]
async fn campaign_a_token_that_ends_is_replaced_by_the_one_in_the_file() {
    let mut plane = ControlPlane::start().await;
    let proxy = Proxy::start(&plane).await;
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "binds-the-token" } });
    let secret = {
        let object = Object::of(&plane.client, SYSTEM, &secret);
        object.create(&secret).await;
        object
    };
    let options = Options::alone();
    let bound = Account::shipped().token(&plane, Some(&secret.name)).await;
    std::fs::write(plane.file("operator.token"), bound).unwrap();
    let mut operator = Operator::start_ready(&plane, &proxy.server, &options).await;
    let campaign = campaign::start("the operator's token ends under load");
    let mut made = 0;
    let (asked, mut violations) = under_load(&mut plane, async |plane| {
        // The token is invalid without the object that it is bound to, when the cache of the API server has expired.
        secret.delete().await;
        sleep(Duration::from_secs(15)).await;
        let before = proxy.count();
        sleep(Duration::from_secs(10)).await;
        made = proxy.count() - before;
        let refused = proxy.seen().iter().filter(|request| request.status == 401).count();
        assert!(refused > 0, "the old token is refused");
        let token = Account::shipped().token(plane, None).await;
        std::fs::write(&operator.token, token).unwrap();
    })
    .await;
    println!("{made} requests in ten seconds in which none could succeed");
    if made > PATIENT {
        violations.push(format!("{made} requests while the token was refused"));
    }
    violations.extend(unharmed(&mut operator));
    campaign.finish(asked as u64, 1, &violations);
}
