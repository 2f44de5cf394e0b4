//! Mutating policies, controllers and people change the objects of a link. What they add is left alone. What they alter is
//! said, and written again with growing pauses.
//!
//! Rules: contract#additions, lifecycle#disputes, contract#ownership.

use std::time::Duration;

use harness::{Link, Mutation, Namespace, Reader, eventually, idle_deployment, in_namespace, link, never};
use instancelink_api::State::{Active, Inactive};
use serde_json::json;

const TOLD: Duration = Duration::from_mins(1);

async fn instances(ns: &Namespace) {
    for name in ["web", "pg"] {
        ns.create_object(&idle_deployment(name)).await;
    }
}

async fn created(ns: &Namespace) -> Link {
    let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
        .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
        .spec("activation", json!({ "targetWaitSeconds": 0 }));
    ns.link(manifest).await
}

/// The message of `Programmed=False/AlteredByOthers`.
async fn told(link: &Link) -> String {
    let is_told = |link: &instancelink_api::InstanceLink| {
        let conditions = link.status.iter().flat_map(|status| &status.conditions);
        conditions
            .filter(|c| c.type_ == "Programmed" && c.reason == "AlteredByOthers")
            .map(|c| c.message.clone())
            .next()
    };
    let found = link
        .until_within("says what is altered", TOLD, |link| is_told(link).is_some())
        .await;
    is_told(&found).expect("a message")
}

async fn heals(link: &Link) {
    link.is_programmed_again().await;
    link.reaches(Active).await;
}

/// The versions of the objects of the link.
async fn versions(ns: &Namespace) -> Vec<Option<String>> {
    let mut versions = Vec::new();
    for (api, kind, name) in [
        ("v1", "Service", "web-links"),
        ("v1", "ConfigMap", "web-links"),
        ("discovery.k8s.io/v1", "EndpointSlice", "web-db-v4"),
    ] {
        let found = ns.object(api, kind, name).find().await;
        versions.push(found.and_then(|object| object.metadata.resource_version));
    }
    versions
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_a_policy_adds_to_the_objects_of_a_link_is_left_alone_without_a_write() {
    in_namespace(async |ns| {
        instances(ns).await;
        let added_key = Mutation::of(
            ns,
            "configmaps",
            "[JSONPatch{op: 'add', path: '/data/ADDED', value: '1'}]",
        )
        .await;
        let added_label = |resource| async move {
            let label = "[JSONPatch{op: 'add', path: '/metadata/labels/team', value: 'shop'}]";
            Mutation::of(ns, resource, label).await
        };
        let others = [added_label("services").await, added_label("endpointslices").await];
        let link = created(ns).await;
        link.reaches(Active).await;
        let before = versions(ns).await;
        never("the objects are written again", Duration::from_secs(5), async || {
            let now = versions(ns).await;
            if now == before {
                Ok(())
            } else {
                Err(format!("{now:?}, was {before:?}"))
            }
        })
        .await;
        link.edit(json!({ "ports": [{ "name": "pg", "port": 5433 }] })).await;
        let map = ns.object("v1", "ConfigMap", "web-links");
        eventually("the variables have the new port", TOLD, async || {
            let data = map.get().await.data["data"].clone();
            if data["DB_PORT_5433_TCP_PORT"] == "5433" && data["ADDED"] == "1" {
                Ok(())
            } else {
                Err(data.to_string())
            }
        })
        .await;
        link.act("deactivate").await;
        link.reaches(Inactive).await;
        link.delete().await;
        link.is_gone().await;
        for mutation in [added_key].into_iter().chain(others) {
            mutation.lift().await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_that_rewrites_managed_by_is_named_and_the_link_heals_without_it() {
    in_namespace(async |ns| {
        instances(ns).await;
        let label = "/metadata/labels/app.kubernetes.io~1managed-by";
        let patch = format!("[JSONPatch{{op: 'add', path: '{label}', value: 'helm'}}]");
        let mutation = Mutation::of(ns, "services", &patch).await;
        let link = created(ns).await;
        let message = told(&link).await;
        let field = "metadata.labels['app.kubernetes.io/managed-by']";
        assert!(message.contains("Service") && message.contains(field), "{message}");
        let listed = Reader::of_the_cluster().runs(&message).await;
        assert!(listed.contains(mutation.name()), "{listed}");
        mutation.lift().await;
        heals(&link).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_that_comes_under_an_active_link_neither_stops_its_pods_nor_its_end() {
    in_namespace(async |ns| {
        instances(ns).await;
        let link = created(ns).await;
        link.reaches(Active).await;
        let label = "/metadata/labels/endpointslice.kubernetes.io~1managed-by";
        let patch = format!("[JSONPatch{{op: 'add', path: '{label}', value: 'other'}}]");
        let mutation = Mutation::of(ns, "endpointslices", &patch).await;
        ns.scale("pg", 2).await;
        let pods = ns.ready_addresses("pg", 2).await;
        ns.has_addresses_in("web-links", &pods).await;
        let message = told(&link).await;
        assert!(message.contains("EndpointSlice"), "{message}");
        ns.scale("pg", 1).await;
        let pods = ns.ready_addresses("pg", 1).await;
        ns.has_addresses_in("web-links", &pods).await;
        link.delete().await;
        link.is_gone().await;
        mutation.lift().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_policy_that_makes_a_virtual_ip_headless_is_told_and_the_link_has_its_address_without_it() {
    in_namespace(async |ns| {
        instances(ns).await;
        let headless = "object.metadata.name == 'web-db-vip' ? [JSONPatch{op: 'add', path: '/spec/clusterIP', value: 'None'}] : []";
        let mutation = Mutation::of(ns, "services", headless).await;
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg")
            .spec("addressing", "VirtualIP")
            .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
            .spec("activation", json!({ "targetWaitSeconds": 0 }));
        let link = ns.link(manifest).await;
        let message = told(&link).await;
        assert!(message.contains("Service") && message.contains("spec.clusterIP"), "{message}");
        mutation.lift().await;
        heals(&link).await;
        let vip = ns.object("v1", "Service", "web-db-vip").get().await;
        let addresses = vip.data["spec"]["clusterIPs"].as_array().unwrap();
        let addresses = addresses.iter().map(|address| address.as_str().unwrap().parse().unwrap());
        ns.has_addresses_in("web-links", &addresses.collect()).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_client_that_edits_an_object_again_and_again_is_named() {
    in_namespace(async |ns| {
        instances(ns).await;
        let link = created(ns).await;
        link.reaches(Active).await;
        let message = eventually("the client is named", TOLD, async || {
            let edit = [
                "label",
                "cm",
                "web-links",
                "--overwrite",
                "app.kubernetes.io/managed-by=me",
            ];
            ns.kubectl(&edit).await.succeeds();
            let status = link.status().await;
            let found = status.conditions.into_iter().find(|c| c.reason == "AlteredByOthers");
            found.map(|c| c.message).ok_or_else(|| "nothing is said".to_owned())
        })
        .await;
        assert!(
            message.contains("kubectl-label") && message.contains("ConfigMap"),
            "{message}"
        );
        let shown = Reader::author(ns).await.runs(&message).await;
        assert!(shown.contains("managedFields:"), "{shown}");
        heals(&link).await;
    })
    .await;
}
