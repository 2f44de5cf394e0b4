//! The pods of a source are replaced while they send requests by the names of links, together twenty a second, and as many at
//! the same moments by those of ordinary Services of the same pods. A client beside them does the same. The links lose no more
//! requests, from the first request of a new pod to the last one of a pod that ends.
//!
//! No pod of the target changes, so neither should lose any. For luck, a test adds one request for each change: the requests of
//! a moment are not sent in the same millisecond.
//!
//! Rule: contract#no-worse-than-a-service.

use harness::{in_namespace, serving_deployment};
use instancelink_api::State::Active;

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_source_that_is_updated_restarted_scaled_orphaned_or_replaced_loses_no_more_requests_than_with_a_service() {
    in_namespace(async |ns| {
        let mut source = ns.sending_source();
        let (links, traffic) = ns.linked_three_ways(&source, &serving_deployment("pg", "pg")).await;
        let is_there = async || {
            ns.is_rolled_out("web").await;
            traffic.flows().await;
        };
        ns.scale("web", 3).await;
        is_there().await;
        ns.kubectl(&["set", "env", "deployment/web", "VERSION=2"])
            .await
            .succeeds();
        is_there().await;
        ns.kubectl(&["rollout", "restart", "deployment/web"]).await.succeeds();
        is_there().await;

        source["spec"]["replicas"] = 3.into();
        ns.kubectl(&["delete", "deployment/web", "--cascade=orphan"])
            .await
            .succeeds();
        ns.create_object(&source).await;
        is_there().await;
        let manifest = source.to_string();
        ns.kubectl_with(&["replace", "--force", "-f", "-"], &manifest)
            .await
            .succeeds();
        is_there().await;
        ns.scale("web", 0).await;
        ns.has_pods("web", 0).await;
        for lost in traffic.lost() {
            lost.is_no_more_than_by_a_service(6);
        }
        for link in links {
            link.stays(Active).await;
        }
        let senders = traffic.senders();
        assert!(
            senders > 12,
            "only {senders} pods sent requests, so pods were not replaced"
        );
    })
    .await;
}
