//! An operator without the right to list or watch a kind, or to use its lease: it is not ready, or does not lead,
//! reports the missing right, retries rarely, and continues when it has the right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use control_plane::{Account, ControlPlane, Operator, Options};
use faults::{Proxy, Right, give_everywhere, make_account, make_role, rights_of};
use futures::FutureExt as _;
use futures::future::join_all;
use harness::{Object, SYSTEM, eventually};
use instancelink_testkit::campaign;
use serde_json::json;
use tokio::time::sleep;

const SHOWS: Duration = Duration::from_mins(1);
/// How long requests are counted, and how many are allowed. A failed watch is retried after 0.8 s, then 1.6 s and
/// so on up to 30 s, with jitter. Discovery and the lease have their own intervals.
const COUNTED: Duration = Duration::from_secs(20);
const PATIENT: usize = 40;
const HEALS: Duration = Duration::from_secs(90);
/// A lease with a foreign holder, so that none of these operators writes.
const HELD: &str = "held-by-the-test";

/// What an operator does without a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    /// It is not ready, and reports what it waits for.
    NotReady,
    /// It is ready as with the right: it lists with a streaming watch, and there is nothing to read of kinds that are
    /// not installed.
    Ready,
}

fn without(right: &Right) -> Without {
    if right.verb == "watch" && right.resource != "referencegrants" {
        Without::NotReady
    } else {
        Without::Ready
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_each_right_to_list_or_watch_is_missed_with_a_word_and_without_haste() {
    let plane = ControlPlane::start().await;
    let all = rights_of(&plane, "instancelink-operator").await;
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": HELD },
        "spec": { "holderIdentity": "the test", "leaseDurationSeconds": 3600 },
    });
    Object::of(&plane.client, SYSTEM, &lease).create(&lease).await;
    let cases: Vec<&Right> = all.iter().filter(|right| right.is_for_watches()).collect();

    let campaign = campaign::start("rights to list and watch denied one by one, real RBAC");
    let outcomes = join_all(cases.iter().map(async |right| {
        let outcome = AssertUnwindSafe(run(&plane, &all, right)).catch_unwind().await;
        outcome.map_err(|panic| {
            format!(
                "without {right}: {}",
                panic.downcast_ref::<String>().cloned().unwrap_or_default()
            )
        })
    }))
    .await;
    let violations: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    campaign.finish(cases.len() as u64, cases.len() as u64, &violations);
}

async fn run(plane: &ControlPlane, all: &[Right], right: &Right) {
    let (account, role) = (right.name(), format!("all-but-{}", right.name()));
    let but: Vec<Right> = all.iter().filter(|other| *other != right).cloned().collect();
    make_account(plane, &account).await;
    make_role(plane, &role, &but).await;
    give_everywhere(plane, &role, &account).await;
    let proxy = Proxy::start(plane).await;
    let mut options = Options::elected(&account, [15_000, 10_000, 2_000]);
    options.account = Account::named(&account);
    options.arguments.push(format!("--lease-name={HELD}"));
    let mut operator = Operator::start(plane, &proxy.server, &options).await;

    match without(right) {
        Without::Ready => operator.is_ready(SHOWS).await,
        Without::NotReady => {
            let says = format!("{} ", right.resource);
            eventually("the log names the kind and the role", SHOWS, async || {
                let log = operator.program.log();
                let mut lines = log
                    .lines()
                    .filter(|line| line.contains("ClusterRole lacks list and watch"));
                let found =
                    lines.any(|line| line.contains(&says) || line.contains(&format!("\\\"{}\\\"", right.resource)));
                if found { Ok(()) } else { Err(operator.program.tail()) }
            })
            .await;
            let answer = operator.readiness().await.expect_err("it is not ready");
            assert!(answer.contains("waiting for the first list of"), "{answer}");
        }
    }
    let before = proxy.count();
    sleep(COUNTED).await;
    let made = proxy.count() - before;
    assert!(made <= PATIENT, "{made} requests within {COUNTED:?}");
    assert!(operator.lives().await && operator.program.ended().is_none(), "it lives");
    make_role(plane, &format!("given-{}", right.name()), std::slice::from_ref(right)).await;
    give_everywhere(plane, &format!("given-{}", right.name()), &account).await;
    operator.is_ready(HEALS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_without_a_right_to_its_lease_it_does_not_lead_and_says_why() {
    let plane = ControlPlane::start().await;
    let all = rights_of(&plane, "instancelink-operator").await;
    let campaign = campaign::start("rights to the lease denied one by one, real RBAC");
    let verbs = ["get", "create", "update"];
    let outcomes = join_all(verbs.iter().map(async |verb| {
        let outcome = AssertUnwindSafe(without_lease(&plane, &all, verb)).catch_unwind().await;
        outcome.map_err(|panic| {
            format!(
                "without {verb} leases: {}",
                panic.downcast_ref::<String>().cloned().unwrap_or_default()
            )
        })
    }))
    .await;
    let violations: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    campaign.finish(verbs.len() as u64, verbs.len() as u64, &violations);
}

async fn without_lease(plane: &ControlPlane, all: &[Right], verb: &str) {
    let name = format!("lease-{verb}");
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name } });
    Object::of(&plane.client, SYSTEM, &account).create(&account).await;
    make_role(plane, &name, all).await;
    give_everywhere(plane, &name, &name).await;
    let verbs: Vec<&str> = ["get", "create", "update"]
        .into_iter()
        .filter(|other| *other != verb)
        .collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": name },
        "rules": [{ "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs }],
    });
    let role = {
        let object = Object::of(&plane.client, SYSTEM, &role);
        object.create(&role).await;
        object
    };
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
        "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": SYSTEM }],
    });
    Object::of(&plane.client, SYSTEM, &binding).create(&binding).await;
    if verb == "update" {
        // A takeover needs an existing lease.
        let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": name } });
        Object::of(&plane.client, SYSTEM, &lease).create(&lease).await;
    }
    let proxy = Proxy::start(plane).await;
    let mut options = Options::elected(&name, [15_000, 10_000, 2_000]);
    options.account = Account::named(&name);
    options.arguments.push(format!("--lease-name={name}"));
    let mut operator = Operator::start_ready(plane, &proxy.server, &options).await;
    says(&operator, "the lease cannot be read or written").await;
    let before = proxy.count();
    sleep(COUNTED).await;
    let made = proxy.count() - before;
    assert!(made <= PATIENT, "{made} requests within {COUNTED:?}");
    assert!(operator.lives().await && operator.program.ended().is_none(), "it lives");
    let rules = json!({ "rules": [{ "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"] }] });
    role.patch(&rules).await;
    says(&operator, "leading").await;
    operator.program.stop(Duration::from_secs(20)).await;
}

async fn says(operator: &Operator, words: &str) {
    eventually(&format!("the log says {words:?}"), SHOWS, async || {
        if operator.program.log().contains(words) {
            Ok(())
        } else {
            Err(operator.program.tail())
        }
    })
    .await;
}
