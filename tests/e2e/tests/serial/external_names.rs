//! A Service of type `ExternalName` as a target: its name is looked up where the administrator allows it.
//!
//! Rule: contract#external-names.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use harness::{
    ExternalZone, Link, Namespace, Operator, Reader, idle_deployment, in_namespace, link, reference, serving_deployment,
};
use instancelink_api::State::{Activating, Active, Requested};
use serde_json::{Value, json};

const FLAG: &str = "INSTANCELINK_ALLOW_EXTERNAL_NAMES";
const STARTS: Duration = Duration::from_secs(90);

fn external(name: &str, external_name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": {
            "type": "ExternalName", "externalName": external_name, "ports": [{ "name": "http", "port": 8080 }],
        },
    })
}

/// The names that the administrator can allow, as the message of a link says: all of one suffix.
fn suffix_in(message: &str) -> &str {
    let (_, suffix) = message.split_once("a suffix such as '").expect("a suffix");
    suffix.split('\'').next().unwrap_or_default()
}

/// The operator may look up names of the zone during a test, because the administrator follows the message of a link.
async fn while_allowed(ns: &Namespace, refused: &Link, test: impl AsyncFnOnce()) {
    let message = refused
        .condition("ResolvedRefs", "False", "KindNotSupported")
        .await
        .message;
    assert!(message.contains("--allow-external-names="), "{message}");
    let operator = Operator::of(&ns.client);
    operator.set_env(FLAG, Some(suffix_in(&message))).await;
    let outcome = AssertUnwindSafe(test()).catch_unwind().await;
    operator.set_env(FLAG, None).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

async fn outside(ns: &Namespace, name: &str) -> IpAddr {
    ns.create_object(&serving_deployment(name, name)).await;
    let mut addresses = ns.ready_addresses(name, 1).await;
    addresses.retain(IpAddr::is_ipv4);
    addresses.pop_first().expect("an IPv4 address")
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_allowed_name_is_followed_and_kept_while_the_dns_fails_and_no_request_fails_on_the_way_there_and_back() {
    in_namespace(async |ns| {
        ExternalZone::during(ns, async |zone| {
            ns.create_object(&idle_deployment("web")).await;
            let (one, two) = (outside(ns, "one").await, outside(ns, "two").await);
            outside(ns, "near").await;
            ns.create_object(&external("pg", &ExternalZone::name_of(one))).await;
            let first = ns.link(link("first", "first", "Deployment/web", "Service/pg")).await;
            while_allowed(ns, &first, async || {
                first.reaches_within(Active, STARTS).await;
                ns.has_addresses_in("web-links", &BTreeSet::from([one])).await;
                first.delete().await;
                first.is_gone().await;
                let (link, mut watch) = ns
                    .watched_link(link("web-db", "db", "Deployment/web", "Deployment/near"))
                    .await;
                watch.walks_within([Requested, Activating, Active], STARTS).await;
                let targets = ["Service/pg", "Deployment/near", "Service/pg"].map(reference);
                let tries = link.loses_nothing_when_retargeted(&mut watch, &targets).await;
                assert_eq!(tries[0].server(), "near");
                ns.has_addresses_in("web-links", &BTreeSet::from([one])).await;

                let service = ns.object("v1", "Service", "pg");
                service
                    .patch(&json!({ "spec": { "externalName": ExternalZone::name_of(two) } }))
                    .await;
                ns.has_addresses_in("web-links", &BTreeSet::from([two])).await;

                service
                    .patch(&json!({ "spec": { "externalName": "nothing.external.test" } }))
                    .await;
                let none = link.condition("ResolvedRefs", "False", "NameNotResolved").await;
                assert!(
                    none.message.contains("correct the Service, or create the name"),
                    "{}",
                    none.message
                );
                let correct = json!({ "spec": { "externalName": ExternalZone::name_of(two) } });
                Reader::author(ns).await.changes(ns, "service/pg", &correct).await;
                link.condition("ResolvedRefs", "True", "Resolved").await;
                ns.has_addresses_in("web-links", &BTreeSet::from([two])).await;

                zone.answers(false).await;
                let kept = link.condition("ResolvedRefs", "False", "NameNotResolved").await;
                assert!(kept.message.contains("the last addresses are kept"), "{}", kept.message);
                link.condition("Available", "True", "EndpointsReady").await;
                // A new leader takes the addresses in the slices for the last answer.
                Operator::of(&ns.client).kill_all(ns).await;
                link.stays(Active).await;
                ns.has_addresses_in("web-links", &BTreeSet::from([two])).await;
                zone.answers(true).await;
                link.until_within("is resolved again", STARTS, |link| {
                    let conditions = link.status.iter().flat_map(|status| &status.conditions);
                    conditions
                        .into_iter()
                        .any(|c| c.type_ == "ResolvedRefs" && c.status == "True")
                })
                .await;

                service
                    .patch(&json!({ "spec": { "externalName": "pg.elsewhere.test" } }))
                    .await;
                let refused = link.condition("ResolvedRefs", "False", "KindNotSupported").await;
                assert!(
                    refused.message.contains("--allow-external-names=pg.elsewhere.test"),
                    "{}",
                    refused.message
                );
            })
            .await;
        })
        .await;
    })
    .await;
}
