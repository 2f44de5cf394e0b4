//! An idle operator writes nothing.
//!
//! Rule: lifecycle#no-idle-writes.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::{Namespace, eventually, gated, in_namespace, link, serving_pod, writes_by_resource};
use instancelink_api::State::{Active, Inactive, Registering, Removed};
use instancelink_api::keys;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Writes of other clients, or writes that do not count: leases (also the operator's), the kubelet's status writes of
/// its node and of pods (the kubelet may be restarting the operator after an earlier test), reviews of rights and
/// tokens, which change nothing, and policies, which the operator has no right to write (a policy of an earlier test
/// may still be being deleted). The operator's writes to pods are read from the pods.
const OTHERS: [&str; 7] = [
    "coordination.k8s.io/leases",
    "/nodes",
    "/pods/status",
    "authentication.k8s.io/",
    "authorization.k8s.io/",
    "flowcontrol.apiserver.k8s.io/",
    "admissionregistration.k8s.io/",
];

async fn writes(ns: &Namespace) -> BTreeMap<String, u64> {
    let mut counts = writes_by_resource(&ns.client).await;
    counts.retain(|resource, _| !OTHERS.iter().any(|other| resource.starts_with(other)));
    counts
}

/// The time of the operator's last write to the status of a pod, from `managedFields`.
async fn written_by_operator(ns: &Namespace, pod: &str) -> Time {
    let pod = ns.api::<Pod>().get(pod).await.expect("the pod");
    let entries = pod.metadata.managed_fields.unwrap_or_default();
    let ours = entries
        .into_iter()
        .filter(|entry| entry.manager.as_deref() == Some(keys::MANAGER));
    ours.filter_map(|entry| entry.time)
        .max()
        .expect("the operator wrote its gate")
}

fn between(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    after
        .iter()
        .filter_map(|(resource, count)| {
            let more = count - before.get(resource).copied().unwrap_or(0);
            (more > 0).then(|| format!("{more} × {resource}"))
        })
        .collect()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_idle_operator_writes_nothing_for_a_minute_but_its_lease() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        ns.allow_readiness_gates().await;
        ns.create_object(&gated(serving_pod("shell", &[("app", "shell")], "x"), "db"))
            .await;
        let gated = ns.link(link("gated", "db", "Pod/shell", "Service/pg")).await;
        let up = ns.link(link("up", "db", "Deployment/web", "Service/pg")).await;
        let parked = link("parked", "cache", "Deployment/web", "Service/pg").spec("desiredState", "Inactive");
        let parked = ns.link(parked).await;
        let removed = ns
            .link(link("removed", "queue", "Deployment/web", "Service/pg").action("remove"))
            .await;
        let waiting = ns.link(link("waiting", "db", "Deployment/missing", "Service/pg")).await;
        // Of two links with the same creation time, the one with the smaller UID has the alias, unless the other has
        // children.
        up.reaches(Active).await;
        let stuck = ns.link(link("stuck", "db", "Deployment/web", "Service/pg")).await;
        tokio::join!(
            gated.reaches(Active),
            parked.reaches(Inactive),
            removed.reaches(Removed),
            waiting.reaches(Registering),
            stuck.reaches(Registering),
        );
        // The operator queries the DNS some time after the link is at rest.
        up.condition("Verified", "True", "Resolves").await;
        ns.ready_addresses("shell", 1).await;
        // The objects of earlier tests are still being deleted.
        let quiet = Duration::from_secs(5);
        eventually("the cluster is quiet", Duration::from_mins(3), async || {
            let before = writes(ns).await;
            tokio::time::sleep(quiet).await;
            let seen = between(&before, &writes(ns).await);
            if seen.is_empty() { Ok(()) } else { Err(seen.join(", ")) }
        })
        .await;
        let before = writes(ns).await;
        assert!(
            before.keys().any(|k| k.contains("instancelinks")),
            "links are counted: {before:?}"
        );
        let gate = written_by_operator(ns, "shell").await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(written_by_operator(ns, "shell").await, gate);
        let seen = between(&before, &writes(ns).await);
        assert!(seen.is_empty(), "{}", seen.join(", "));
    })
    .await;
}
