//! The node is drained while clients send requests by the names of links, and at the same moments by those of ordinary Services
//! of the same pods. The links lose no more requests. The rules of the comparison are those of the groups `traffic_target` and
//! `traffic_source`.
//!
//! While a node is drained, no pod starts on it. In a cluster with one node, a drain goes on only if the node takes pods again
//! (with a budget), or there are no pods until then (without one): both lose the same requests.
//!
//! Rule: contract#no-worse-than-a-service.

use std::time::Duration;

use harness::{Drain, ends_well, eventually, idle_deployment, in_namespace, serving_deployment};
use instancelink_api::State::Active;
use serde_json::json;

const SHORT: Duration = harness::SHORT;

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_drain_of_the_node_of_a_target_costs_no_more_requests_than_with_a_service() {
    in_namespace(async |ns| {
        let mut target = ns.evictable(ends_well(serving_deployment("pg", "pg")));
        target["spec"]["replicas"] = 2.into();
        let budget = ns
            .create_object(&json!({
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "pg" },
                "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "pg" } } },
            }))
            .await;
        let (_links, traffic) = ns.linked_three_ways(&idle_deployment("web"), &target).await;
        eventually("the budget allows a disruption", SHORT, async || {
            let status = budget.get().await.data["status"].take();
            if status["disruptionsAllowed"] == 1 {
                Ok(())
            } else {
                Err(status.to_string())
            }
        })
        .await;

        // The second pod is evicted when the first one is replaced.
        Drain::during(ns, "pg", async |drain| {
            let goes_on = async {
                drain.has_begun().await;
                drain.uncordons().await;
            };
            tokio::join!(drain.evicts(), goes_on);
        })
        .await;
        ns.is_rolled_out("pg").await;
        ns.has_pods("pg", 2).await;
        traffic.flows().await;
        for lost in traffic.lost() {
            lost.is_no_more_than_by_a_service(2);
        }
        let servers = traffic.servers();
        assert!(
            servers >= 3,
            "only {servers} pods have answered, so pods were not replaced"
        );

        budget.delete().await;
        Drain::during(ns, "pg", async |drain| {
            drain.evicts().await;
            drain.uncordons().await;
            ns.is_rolled_out("pg").await;
            traffic.flows().await;
        })
        .await;
        for lost in traffic.lost() {
            let proxy = if lost.addressing == "VirtualIP" { 25 } else { 0 };
            lost.is_no_more_than_by_a_service(2 + lost.by_service / 10 + proxy);
        }
        let servers = traffic.servers();
        assert!(
            servers >= 5,
            "only {servers} pods have answered, so pods were not replaced"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_drain_of_the_node_of_a_source_costs_no_more_requests_than_with_a_service() {
    in_namespace(async |ns| {
        let source = ns.evictable(ns.sending_source());
        let (links, traffic) = ns.linked_three_ways(&source, &serving_deployment("pg", "pg")).await;
        ns.scale("web", 3).await;
        ns.is_rolled_out("web").await;
        Drain::during(ns, "web", async |drain| {
            drain.evicts().await;
            drain.uncordons().await;
            ns.is_rolled_out("web").await;
            traffic.flows().await;
        })
        .await;
        for lost in traffic.lost() {
            lost.is_no_more_than_by_a_service(1);
        }
        for link in links {
            link.stays(Active).await;
        }
        let senders = traffic.senders();
        assert!(
            senders > 6,
            "only {senders} pods sent requests, so pods were not replaced"
        );
    })
    .await;
}
