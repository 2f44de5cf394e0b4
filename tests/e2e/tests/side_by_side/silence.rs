//! What a link with positive conditions lacks is said: a target without ports, entries that lead past the alias, a name that is
//! not known yet.
//!
//! Rules: contract#notes, contract#entries-past-the-alias, contract#operator-fields.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::{Link, Namespace, Reader, SHORT, eventually, fixed_service, idle_deployment, in_namespace, link};
use instancelink_api::State::{Active, Registering};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

const OVERLAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/overlays/binding");
/// The time until the operator notices that it may read Secrets.
const NOTICED: Duration = Duration::from_mins(1);

async fn variables(ns: &Namespace) -> BTreeMap<String, String> {
    let map = ns.object("v1", "ConfigMap", "web-links").get().await;
    serde_json::from_value(map.data["data"].clone()).unwrap_or_default()
}

async fn heals_with_the_ports_of_its_message(ns: &Namespace, author: &Reader, link: &Link, kind: &str) {
    let mut said = String::new();
    eventually(&format!("the link names the {kind}"), SHORT, async || {
        said = link.condition("Programmed", "True", "NoPorts").await.message;
        if said.contains(&format!(" {kind} {}/", ns.name)) {
            Ok(())
        } else {
            Err(said.clone())
        }
    })
    .await;
    assert!(said.contains("DB_NAME"), "{said}");
    link.condition("Ready", "True", "").await;
    assert_eq!(variables(ns).await.keys().collect::<Vec<_>>(), ["DB_NAME"]);
    author.writes(link, &said).await;
    link.condition("Programmed", "True", "Programmed").await;
    eventually("the environment has the port", SHORT, async || {
        let all = variables(ns).await;
        let has = all.contains_key("DB_PORT") && all.contains_key("DB_PORT_5432_TCP");
        if has { Ok(()) } else { Err(format!("{all:?}")) }
    })
    .await;
    link.edit(json!({ "ports": null })).await;
    link.condition("Programmed", "True", "NoPorts").await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_that_declares_no_ports_is_named_and_the_message_says_what_to_write() {
    in_namespace(async |ns| {
        let mut headless = fixed_service("pg-headless");
        headless["spec"] = json!({ "clusterIP": "None", "selector": { "app": "pg" } });
        for manifest in [idle_deployment("web"), idle_deployment("pg"), headless] {
            ns.create_object(&manifest).await;
        }
        let manifest = link("web-db", "db", "Deployment/web", "Deployment/pg");
        let link = ns
            .link(manifest.spec("activation", json!({ "targetWaitSeconds": 0 })))
            .await;
        link.reaches(Active).await;
        let author = Reader::author(ns).await;
        heals_with_the_ports_of_its_message(ns, &author, &link, "Deployment").await;
        link.retarget("Service/pg-headless").await;
        heals_with_the_ports_of_its_message(ns, &author, &link, "Service").await;
        // Without variables and without a binding, no port is missed.
        link.edit(json!({ "outputs": { "environment": "None" } })).await;
        link.condition("Programmed", "True", "Programmed").await;
    })
    .await;
}

async fn entries(ns: &Namespace) -> BTreeMap<String, String> {
    let secret = ns.api::<Secret>().get_opt("web-db-binding").await.expect("an answer");
    let data = secret.and_then(|secret| secret.data).unwrap_or_default().into_iter();
    data.map(|(key, value)| (key, String::from_utf8(value.0).unwrap()))
        .collect()
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_entries_of_a_database_operator_lead_to_the_alias_and_what_cannot_is_named() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        ns.kubectl(&["apply", "-k", OVERLAY]).await.succeeds();
        let fqdn = format!("pg-rw.{}.svc.cluster.local", ns.name);
        let theirs = json!({
            "username": "app", "password": "pw", "dbname": "app", "host": "pg-rw", "port": "5432",
            "uri": format!("postgresql://app:pw@pg-rw.{}:5432/app", ns.name),
            "jdbc-uri": "jdbc:postgresql://pg-rw:5432/app?user=app",
            "fqdn-uri": format!("postgresql://app:pw@{fqdn}:5432/app"),
            "fqdn-jdbc-uri": format!("jdbc:postgresql://{fqdn}:5432/app"),
            "pgpass": "pg-rw:5432:app:app:pw\n",
            "dsn": "host=pg-rw port=5432 user=app",
        });
        let manifest =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "pg-app" }, "stringData": theirs });
        let secret = ns.create_object(&manifest).await;
        let binding = json!({ "binding": { "type": "postgresql", "secretRef": { "name": "pg-app" } } });
        let link = link("web-db", "db", "Deployment/web", "Service/pg").spec("outputs", binding);
        let link = ns.link(link).await;
        link.reaches_within(Active, NOTICED).await;
        link.condition("Programmed", "True", "Programmed").await;
        let host = format!("db.web-links.{}.svc", ns.name);
        let all = entries(ns).await;
        for (key, expected) in [
            ("uri", format!("postgresql://app:pw@{host}:5432/app")),
            ("jdbc-uri", format!("jdbc:postgresql://{host}:5432/app?user=app")),
            ("fqdn-uri", format!("postgresql://app:pw@{host}:5432/app")),
            ("fqdn-jdbc-uri", format!("jdbc:postgresql://{host}:5432/app")),
            ("pgpass", format!("{host}:5432:app:app:pw\n")),
            ("dsn", format!("host={host} port=5432 user=app")),
        ] {
            assert_eq!(all[key], expected, "{key}");
        }
        assert!(
            !all.values().any(|value| value.contains("pg-rw")),
            "nothing leads past the alias"
        );

        let more = json!({ "replicas": "postgresql://app:pw@pg-rw:5432,pg-ro:5432/app", "endpoint": "pg-rw:5432" });
        secret.patch(&json!({ "stringData": more })).await;
        let said = link.condition("Programmed", "True", "EntriesBypassAlias").await.message;
        assert!(said.contains("endpoint, replicas") && !said.contains("pg-ro"), "{said}");
        link.condition("Ready", "True", "").await;
        // As the message says: these entries with one host and port, or none of them.
        let mended = json!({ "replicas": "postgresql://app:pw@pg-rw:5432/app" });
        let mended = json!({ "stringData": mended, "data": { "endpoint": null } });
        let author = Reader::author(ns).await;
        author.changes(ns, "secret/pg-app", &mended).await;
        link.condition("Programmed", "True", "Programmed").await;
        assert_eq!(
            entries(ns).await["replicas"],
            format!("postgresql://app:pw@{host}:5432/app")
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_name_that_needs_the_uid_of_the_source_is_absent_until_the_source_exists() {
    in_namespace(async |ns| {
        ns.fixed_service("pg").await;
        let link = ns.link(link("web-db", "db", "Deployment/web.v2", "Service/pg")).await;
        link.reaches(Registering).await;
        link.condition("ResolvedRefs", "False", "SourceNotFound").await;
        assert_eq!(link.status().await.fqdn, None);
        let shown = ns
            .kubectl(&["get", "il", "web-db", "-o", "wide", "--no-headers"])
            .await
            .succeeds();
        assert!(!shown.contains("il-"), "{shown}");

        let mut source = idle_deployment("web");
        source["metadata"]["name"] = "web.v2".into();
        ns.create_object(&source).await;
        link.reaches(Active).await;
        let name = link.status().await.fqdn.expect("a name");
        assert!(
            name.starts_with("db.il-") && name.ends_with(".svc.cluster.local"),
            "{name}"
        );
        let directory = name.split('.').nth(1).unwrap().to_owned();
        let map = ns.object("v1", "ConfigMap", &directory).get().await;
        let host = format!("tcp://db.{directory}.{}.svc:5432", ns.name);
        assert_eq!(map.data["data"]["DB_PORT"], json!(host));
    })
    .await;
}
