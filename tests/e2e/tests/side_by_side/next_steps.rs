//! Messages for the author of a link. Each test takes the next step out of the message, does it with the rights of a user with
//! the role `edit`, and sees the link heal.
//!
//! Rule: contract#next-steps.

use harness::{
    Link, LinkManifest, Namespace, Reader, fixed_service, idle_deployment, in_namespace, link, service_slice,
    serving_deployment, serving_set,
};
use instancelink_api::State::Active;
use serde_json::{Value, json};

/// What a message tells the author to do with the spec.
enum Step {
    /// Write the field and the value that it names.
    Writes,
    /// Remove the field that it names.
    Removes(&'static str),
    /// Write a value that only the author knows into the field that it names.
    Sets(&'static str, Value),
}

fn web(alias: &str, target: &str) -> LinkManifest {
    link(&format!("web-{alias}"), alias, "Deployment/web", target).spec("activation", json!({ "targetWaitSeconds": 0 }))
}

/// Waits until a condition says this.
async fn says(link: &Link, condition: (&str, &str, &str), part: &str) -> String {
    let (kind, status, reason) = condition;
    let is_it = |link: &instancelink_api::InstanceLink| {
        let conditions = link.status.iter().flat_map(|status| &status.conditions);
        let mut found = conditions.filter(|c| (&*c.type_, &*c.status, &*c.reason) == (kind, status, reason));
        found.any(|c| c.message.contains(part))
    };
    link.until(&format!("has {kind}={status}/{reason} with {part:?}"), is_it)
        .await;
    link.condition(kind, status, reason).await.message
}

async fn heals(author: &Reader, ns: &Namespace, manifest: LinkManifest, condition: (&str, &str), step: Step) {
    let link = ns.link(manifest).await;
    let message = link.condition(condition.0, "False", condition.1).await.message;
    link.condition("Stalled", "True", condition.1).await;
    match step {
        Step::Writes => author.writes(&link, &message).await,
        Step::Removes(field) => author.removes(&link, &message, field).await,
        Step::Sets(field, value) => {
            assert!(message.contains(field), "{field} is not in {message}");
            author.sets(&link, &json!({ field: value })).await;
        }
    }
    link.reaches(Active).await;
    link.condition("Ready", "True", "Ready").await;
}

const POSSIBLE: (&str, &str) = ("Accepted", "AddressingNotPossible");
const PORTS: (&str, &str) = ("Accepted", "InvalidPorts");

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_spec_that_cannot_be_served_is_served_with_the_field_of_its_message() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        ns.create_object(&idle_deployment("pg")).await;
        for service in [
            "{apiVersion: v1, kind: Service, metadata: {name: headless}, spec: {clusterIP: None, ports: [{port: 5432}]}}",
            "{apiVersion: v1, kind: Service, metadata: {name: two}, spec: {ports: [{name: a, port: 1}, {name: b, port: 2}]}}",
            "{apiVersion: v1, kind: Service, metadata: {name: outside}, spec: {type: ExternalName, externalName: db.example.com}}",
        ] {
            ns.create_yaml(service).await;
        }
        let author = Reader::author(ns).await;
        let long = "a".repeat(47);
        let (port, pg) = (json!([{ "name": "pg", "port": 5432 }]), json!({ "kind": "Service", "name": "pg" }));
        let by_policy = |manifest: LinkManifest| manifest.spec("networkPolicy", "Allow");
        for (manifest, condition, step) in [
            (
                web("b", "Service/headless").spec("addressing", "ServiceIP"),
                POSSIBLE,
                Step::Removes("addressing"),
            ),
            (by_policy(web("d", "Service/pg")), POSSIBLE, Step::Writes),
            (by_policy(web("e", "Deployment/pg")), PORTS, Step::Writes),
            (
                link("web-f", &long, "Deployment/web", "Service/two")
                    .spec("activation", json!({ "targetWaitSeconds": 0 })),
                PORTS,
                Step::Sets("ports", port),
            ),
            (
                web("g", "Service/outside"),
                ("ResolvedRefs", "KindNotSupported"),
                Step::Sets("targetInstanceRef", pg),
            ),
        ] {
            heals(&author, ns, manifest, condition, step).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_service_with_too_many_addresses_is_replaced_by_a_smaller_one_as_its_message_says() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        ns.create_yaml("{apiVersion: v1, kind: Service, metadata: {name: many}, spec: {clusterIP: None, ports: [{name: pg, port: 5432}]}}")
            .await;
        for part in 0..2 {
            let mut slice = service_slice("many", "192.0.2.1", ("pg", 5432));
            let endpoint = |n: usize| json!({ "addresses": [format!("198.18.{}.{}", n / 250, n % 250 + 1)] });
            slice["metadata"]["name"] = format!("many-{part}").into();
            slice["endpoints"] = (0..501).map(|n| endpoint(part * 501 + n)).collect();
            ns.create_object(&slice).await;
        }
        let author = Reader::author(ns).await;
        let smaller = json!({ "kind": "Service", "name": "pg" });
        heals(
            &author,
            ns,
            web("db", "Service/many"),
            ("Accepted", "TooCostly"),
            Step::Sets("targetInstanceRef", smaller),
        )
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_a_link_lacks_is_created_as_its_messages_say() {
    in_namespace(async |ns| {
        let author = Reader::author(ns).await;
        let link = ns.link(web("db", "Service/pg")).await;
        let missing = ("ResolvedRefs", "False", "SourceNotFound");
        says(&link, missing, "source Deployment web does not exist; create it").await;
        author.creates(ns, &idle_deployment("web")).await;
        link.reaches(Active).await;

        let missing = format!(
            "Service {}/pg does not exist, so the alias gets no new endpoint; create it",
            ns.name
        );
        says(&link, ("Available", "False", "TargetNotFound"), &missing).await;
        author.creates(ns, &fixed_service("pg")).await;

        // No role of a namespace may write an EndpointSlice.
        let label = "create an EndpointSlice in namespace";
        let message = says(&link, ("Available", "False", "NoReadyEndpoints"), label).await;
        assert!(
            message.contains("with the label kubernetes.io/service-name: pg"),
            "{message}"
        );
        let slice = service_slice("pg", "192.0.2.1", ("pg", 5432));
        Reader::of_the_cluster().creates(ns, &slice).await;
        link.condition("Available", "True", "EndpointsReady").await;

        author.sets(&link, &json!({ "targetInstanceRef": null })).await;
        says(
            &link,
            ("Available", "False", "NoTarget"),
            "spec.targetInstanceRef is not set",
        )
        .await;
        let pg = json!({ "kind": "Service", "name": "pg" });
        author.sets(&link, &json!({ "targetInstanceRef": pg })).await;
        link.condition("Available", "True", "EndpointsReady").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_command_of_the_message_shows_which_pod_is_not_ready() {
    in_namespace(async |ns| {
        ns.create_object(&idle_deployment("web")).await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        ns.ready_addresses("pg", 1).await;
        let author = Reader::author(ns).await;
        let link = ns.link(web("db", "Deployment/pg")).await;
        link.condition("Available", "True", "EndpointsReady").await;
        let pod = ns.pods_of("pg").await.remove(0);
        ns.set_ready(&pod, false).await;
        let message = link.condition("Available", "False", "NoReadyEndpoints").await.message;
        let pods = author.runs(&message).await;
        let name = pod.metadata.name.clone().unwrap_or_default();
        let shown = pods.lines().find(|line| line.starts_with(&name));
        assert!(shown.is_some_and(|line| line.contains("0/1")), "{pods}");
        ns.set_ready(&pod, true).await;
        link.condition("Available", "True", "EndpointsReady").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_alias_and_a_directory_that_another_link_has_are_free_after_the_command_of_the_message() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let mut set = serving_set("StatefulSet", "web", "x");
        set["spec"]["replicas"] = 0.into();
        ns.create_object(&set).await;
        let author = Reader::author(ns).await;
        let first = ns.link(link("first", "db", "Deployment/web", "Service/pg")).await;
        first.reaches(Active).await;
        ns.next_second().await;

        let second = ns.link(link("second", "db", "Deployment/web", "Service/pg2")).await;
        let message = second.condition("Accepted", "False", "AliasConflict").await.message;
        author.runs(&message).await;
        second.reaches(Active).await;

        let third = ns.link(link("third", "db", "StatefulSet/web", "Service/pg")).await;
        let message = third.condition("Accepted", "False", "DirectoryConflict").await.message;
        author.runs(&message).await;
        third.reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_object_that_is_in_the_way_goes_with_the_command_of_the_message() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let author = Reader::author(ns).await;
        ns.create_object(&fixed_service("web-links")).await;
        let link = ns.link(web("db", "Service/pg")).await;
        let message = says(&link, ("Programmed", "False", "NameTaken"), "Service ").await;
        author.runs(&message).await;
        link.reaches(Active).await;

        // No role of a namespace may delete an EndpointSlice.
        let mut slice = service_slice("x", "192.0.2.1", ("pg", 5432));
        slice["metadata"] = json!({ "name": "web-cache-v4" });
        ns.create_object(&slice).await;
        let cache = ns.link(web("cache", "Service/pg")).await;
        let message = says(&cache, ("Programmed", "False", "NameTaken"), "EndpointSlice ").await;
        Reader::of_the_cluster().runs(&message).await;
        cache.reaches(Active).await;

        let map = ns.object("v1", "ConfigMap", "web-links");
        map.patch(&json!({ "metadata": { "finalizers": ["example.com/keep"] } }))
            .await;
        map.delete().await;
        let message = says(&link, ("Programmed", "False", "Pending"), "a finalizer holds it").await;
        author.runs(&message).await;
        link.condition("Programmed", "True", "Programmed").await;
    })
    .await;
}
