//! The pods of a target are replaced while clients send twenty requests a second by the names of links, and as many at the same
//! moments by those of ordinary Services of the same pods: headless beside `PodIP`, with a cluster IP beside `ServiceIP` and
//! `VirtualIP`. The links lose no more requests.
//!
//! What a test adds for luck, it adds openly, as a number of requests:
//!
//! - Each change: one request, or two where all pods are gone for a while. The requests of a moment are not sent in the same
//!   millisecond, so one of them may be lost alone at each end of the while.
//! - A while without pods: a tenth of what the Service lost. The operator and the controller of Kubernetes see the first pod at
//!   the same time, and which of them writes its slice first is luck.
//! - A first pod behind a virtual IP: 25 requests. kube-proxy applies changes once, and again a second after it is done. The
//!   slices of one of the two Services may be a millisecond too late for the first time.
//!
//! Rule: contract#no-worse-than-a-service.

use harness::{Namespace, Traffic, ends_well, idle_deployment, in_namespace, serving_deployment};
use serde_json::Value;

fn pg(replicas: u32) -> Value {
    let mut pg = ends_well(serving_deployment("pg", "pg"));
    pg["spec"]["replicas"] = replicas.into();
    pg
}

async fn is_replaced(ns: &Namespace, manifest: &Value) {
    let manifest = manifest.to_string();
    ns.kubectl_with(&["replace", "--force", "-f", "-"], &manifest)
        .await
        .succeeds();
}

/// After changes in which all names, or those of pods, led to no pod for a while.
fn loses_no_more_with_gaps(traffic: &Traffic, changes: usize, late_proxy: usize) {
    for lost in traffic.lost() {
        let proxy = if lost.addressing == "VirtualIP" { late_proxy } else { 0 };
        lost.is_no_more_than_by_a_service(2 * changes + lost.by_service / 10 + proxy);
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn rolling_updates_restarts_and_a_new_owner_of_the_targets_pods_cost_no_more_requests_than_with_a_service() {
    in_namespace(async |ns| {
        let target = pg(2);
        let (_links, traffic) = ns.linked_three_ways(&idle_deployment("web"), &target).await;
        for round in 1..=4 {
            let version = format!("VERSION={round}");
            ns.kubectl(&["set", "env", "deployment/pg", &version]).await.succeeds();
            ns.is_rolled_out("pg").await;
            ns.kubectl(&["rollout", "restart", "deployment/pg"]).await.succeeds();
            ns.is_rolled_out("pg").await;
        }
        let current = ns.object("apps/v1", "Deployment", "pg").get().await;
        let mut current = serde_json::to_value(current).unwrap();
        for field in ["resourceVersion", "uid", "managedFields", "creationTimestamp"] {
            current["metadata"][field] = Value::Null;
        }
        current["status"] = Value::Null;
        for _ in 0..2 {
            ns.kubectl(&["delete", "deployment/pg", "--cascade=orphan"])
                .await
                .succeeds();
            ns.create_object(&current).await;
            ns.is_rolled_out("pg").await;
        }
        ns.has_pods("pg", 2).await;
        traffic.flows().await;
        for lost in traffic.lost() {
            lost.is_no_more_than_by_a_service(10);
        }
        let servers = traffic.servers();
        assert!(
            servers >= 10,
            "only {servers} pods have answered, so pods were not replaced"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_that_is_scaled_from_zero_or_replaced_by_force_loses_no_more_requests_than_with_a_service() {
    in_namespace(async |ns| {
        let target = pg(3);
        let (_links, traffic) = ns.linked_three_ways(&idle_deployment("web"), &target).await;
        for _ in 0..2 {
            ns.scale("pg", 0).await;
            traffic.stops().await;
            ns.scale("pg", 3).await;
            ns.is_rolled_out("pg").await;
            traffic.flows().await;
        }
        loses_no_more_with_gaps(&traffic, 2, 2 * 25);

        // The old pods serve behind the cluster IPs until the new ones are ready.
        for _ in 0..3 {
            is_replaced(ns, &target).await;
            ns.is_rolled_out("pg").await;
            ns.has_pods("pg", 3).await;
        }
        traffic.flows().await;
        loses_no_more_with_gaps(&traffic, 3, 0);
        let servers = traffic.servers();
        assert!(
            servers >= 9,
            "only {servers} pods have answered, so pods were not replaced"
        );
    })
    .await;
}
