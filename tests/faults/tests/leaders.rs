//! Three operators, one lease, and links with continuous actions. Fifty times the leader is killed, terminated, or
//! stopped until another leads and then continued as a zombie.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Operator, Options};
use faults::{Proxy, Request, Worked, work};
use futures::future::join_all;
use harness::{Namespace, residue_of};
use instancelink_testkit::campaign;
use rustix::process::Signal;
use tokio::time::sleep;

const FAILOVERS: usize = 50;
const NAMES: [&str; 3] = ["a", "b", "c"];
const TOWNS: usize = 3;
const LINKS: [&str; 3] = ["db", "cache", "queue"];
const TAKES_OVER: Duration = Duration::from_mins(1);

/// Duration, renew deadline and retry of the lease, in milliseconds.
fn lease() -> [u64; 3] {
    if campaign::long() {
        [15_000, 10_000, 2_000]
    } else {
        [2_000, 1_400, 200]
    }
}

/// With `cargo xtask campaigns leaders --beside` the last one is of an earlier version.
fn options(name: &str) -> Options {
    let mut options = Options::elected(name, lease());
    let other = std::env::var_os("INSTANCELINK_OTHER_OPERATOR").filter(|_| name == NAMES[2]);
    if let Some(other) = other {
        options.binary = other.into();
    }
    options
}

/// How the leader is stopped.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// SIGKILL: the lease expires.
    Kill,
    /// SIGTERM: the lease is released.
    Ask,
    /// SIGSTOP until another leads, then SIGCONT: it still assumes that it leads.
    Stop,
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_leaders_are_killed_ended_and_stopped_and_no_action_is_lost_or_doubled() {
    let plane = ControlPlane::start().await;
    let mut operators = BTreeMap::new();
    let mut proxies = BTreeMap::new();
    for name in NAMES {
        let proxy = Proxy::start(&plane).await;
        operators.insert(name, Operator::start_ready(&plane, &proxy.server, &options(name)).await);
        proxies.insert(name, proxy);
    }
    let towns = join_all((0..TOWNS).map(|i| plane.namespace(format!("town-{i}")))).await;

    let campaign = campaign::start("leader failovers under load, real API server");
    let stop = AtomicBool::new(false);
    let load = join_all(towns.iter().flat_map(|town| LINKS.map(|name| work(town, name, &stop))));
    let faults = async {
        let mut violations = Vec::new();
        for number in 0..FAILOVERS {
            let way = [Way::Kill, Way::Ask, Way::Stop][number % 3];
            violations.extend(fail_over(&plane, &mut operators, &proxies, way).await);
        }
        // The operators get some time to finish the last actions.
        sleep(Duration::from_secs(3)).await;
        stop.store(true, Ordering::Relaxed);
        violations
    };
    let (worked, mut violations) = tokio::join!(load, faults);
    violations.extend(worked.iter().flat_map(|w| w.violations.clone()));
    let (late, overwritten) = late_writes(&proxies);
    violations.extend(overwritten);
    for town in &towns {
        violations.extend(leftovers(town).await);
    }
    let logs = operators.values().map(|operator| operator.program.log());
    violations.extend(logs.flat_map(|log| panics(&log)));
    let asked: usize = worked.iter().map(|w: &Worked| w.asked).sum();
    println!("{asked} actions were asked for; {late} writes came late and met nothing newer");
    assert!(asked > FAILOVERS, "there was load");
    campaign.finish(asked as u64, FAILOVERS as u64, &violations);
}

async fn fail_over(
    plane: &ControlPlane,
    operators: &mut BTreeMap<&'static str, Operator>,
    proxies: &BTreeMap<&'static str, Proxy>,
    way: Way,
) -> Vec<String> {
    let lease = harness::Operator::of(&plane.client);
    let holder = harness::eventually("an operator leads", TAKES_OVER, async || {
        lease.holder().await.ok_or_else(String::new)
    })
    .await;
    let name = *NAMES
        .iter()
        .find(|name| holder.starts_with(&format!("{name}_")))
        .expect("one of ours");
    let victim = operators.get_mut(name).unwrap();
    let mut violations = Vec::new();
    match way {
        Way::Kill => victim.program.kill().await,
        Way::Ask => {
            let status = victim.program.stop(Duration::from_secs(30)).await;
            // On a busy machine the lease may just have been lost, which ends the process too.
            if !status.success() && !victim.program.tail().contains("the lease was lost") {
                violations.push(format!(
                    "asked to end, it ended with {status}: {}",
                    victim.program.tail()
                ));
            }
        }
        Way::Stop => {
            let stopped = Instant::now();
            victim.program.send(Signal::STOP);
            lease.other_leader_than(&holder, TAKES_OVER).await;
            if campaign::long() {
                sleep(Duration::from_secs(20).saturating_sub(stopped.elapsed())).await;
            } else {
                sleep(Duration::from_millis(500)).await;
            }
            victim.program.send(Signal::CONT);
            // It notices that it does not lead, and ends. The kubelet, or this test, starts it again.
            let status = victim.program.wait(Duration::from_secs(30)).await;
            if status.code() != Some(1) {
                violations.push(format!("a zombie should end with an error, not with {status}"));
            }
        }
    }
    lease.other_leader_than(&holder, TAKES_OVER).await;
    let options = options(name);
    *victim = Operator::start_ready(plane, &proxies[name].server, &options).await;
    violations
}

/// A request that an operator sent before it learned that another leads may arrive late, but must change nothing
/// that the new leader has written (lifecycle#one-writer). Returns the number of late requests, and those that changed
/// something.
fn late_writes(proxies: &BTreeMap<&'static str, Proxy>) -> (usize, Vec<String>) {
    let mut writes: Vec<(&str, Request)> = Vec::new();
    for (name, proxy) in proxies {
        let seen = proxy.seen().into_iter().filter(Request::has_written);
        writes.extend(seen.map(|request| (*name, request)));
    }
    writes.sort_by_key(|(_, request)| request.at);
    let (mut leader, mut late) = ("", 0);
    // The writes of the leader since it leads.
    let mut its: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut violations = Vec::new();
    for (name, request) in &writes {
        let (plural, _) = request.resource.split_once('/').unwrap_or((&request.resource, ""));
        let object = (plural.to_owned(), request.namespace.clone(), request.name.clone());
        if request.resource == "leases" {
            if leader != *name {
                its.clear();
            }
            leader = name;
        } else if *name == leader {
            its.insert(object);
        } else if request.resource != "events" {
            late += 1;
            if its.contains(&object) && request.verb != "create" {
                violations.push(format!(
                    "{name} overwrote what {leader} wrote, which leads: {} {object:?}",
                    request.right()
                ));
            }
        }
    }
    (late, violations)
}

/// Nothing is left of inactive links.
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

fn panics(log: &str) -> Vec<String> {
    log.lines()
        .filter(|line| line.contains("panicked at"))
        .map(str::to_owned)
        .collect()
}
