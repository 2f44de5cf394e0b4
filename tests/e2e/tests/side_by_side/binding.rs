//! The Secret of a link: its content, the right to write it, and how a pod reads it.
//!
//! Rules: contract#binding-secret, contract#least-rights.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::{Link, LinkManifest, Namespace, Object, Reader, SHORT, SYSTEM, eventually, in_namespace, kubectl, link};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

const OVERLAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/overlays/binding");
/// The time until the operator notices that it may read Secrets.
const NOTICED: Duration = Duration::from_mins(1);
const PASSWORD: &str = "correct-horse-battery-staple";

fn web_db(binding: &Value) -> LinkManifest {
    link("web-db", "db", "Deployment/web", "Service/pg").spec("outputs", json!({ "binding": binding }))
}

fn with_credentials() -> LinkManifest {
    web_db(&json!({ "type": "postgresql", "secretRef": { "name": "credentials" } }))
}

async fn granted(ns: &Namespace) {
    ns.web_and_two_databases().await;
    ns.kubectl(&["apply", "-k", OVERLAY]).await.succeeds();
}

async fn create_secret(ns: &Namespace, name: &str, entries: &Value) -> Object {
    let manifest = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": entries });
    ns.create_object(&manifest).await
}

/// An active link and the entries of its Secret.
async fn active(ns: &Namespace, manifest: LinkManifest) -> (Link, BTreeMap<String, String>) {
    let link = ns.link(manifest).await;
    link.reaches_within(Active, NOTICED).await;
    link.condition("Ready", "True", "").await;
    (link, entries(ns).await.expect("the Secret"))
}

async fn entries(ns: &Namespace) -> Option<BTreeMap<String, String>> {
    let secret = ns.api::<Secret>().get_opt("web-db-binding").await.expect("an answer")?;
    let data = secret.data.unwrap_or_default().into_iter();
    Some(
        data.map(|(key, value)| (key, String::from_utf8(value.0).unwrap()))
            .collect(),
    )
}

fn named(link: &instancelink_api::InstanceLink) -> Option<&str> {
    let binding = link.status.as_ref()?.binding.as_ref()?;
    Some(&binding.name)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_binding_waits_for_its_overlay_and_goes_on_by_itself() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = web_db(&json!({ "type": "postgresql", "provider": "bitnami" }));
        let (link, mut watch) = ns.watched_link(manifest).await;
        watch.walks([instancelink_api::State::Requested, Activating]).await;
        let said = link.condition("Programmed", "False", "Forbidden").await.message;
        link.condition("Stalled", "True", "Forbidden").await;
        assert_eq!(ns.slices().await.len(), 1, "all else is there");

        Reader::administrator(ns).await.applies(&said).await;
        watch.walks_within([Active], NOTICED).await;
        link.condition("Ready", "True", "").await;
        let secret = ns.api::<Secret>().get("web-db-binding").await.unwrap();
        assert_eq!(secret.type_.as_deref(), Some("servicebinding.io/postgresql"));
        let host = format!("db.web-links.{}.svc", ns.name);
        let uri = format!("postgresql://{host}:5432");
        let expected = [
            ("host", host.as_str()),
            ("port", "5432"),
            ("provider", "bitnami"),
            ("type", "postgresql"),
            ("uri", &uri),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(entries(ns).await.unwrap(), BTreeMap::from(expected));
        assert_eq!(named(&link.get().await), Some("web-db-binding"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_entries_of_the_referenced_secret_are_added_and_followed_and_shown_nowhere_else() {
    in_namespace(async |ns| {
        granted(ns).await;
        let link = ns.link(with_credentials()).await;
        let said = link.until_within("names what is missing", NOTICED, |l| {
            let conditions = l.status.iter().flat_map(|s| &s.conditions);
            conditions
                .into_iter()
                .any(|c| c.type_ == "Programmed" && c.message.contains("/credentials"))
        });
        said.await;
        let theirs = json!({ "username": "app", "password": PASSWORD, "host": "pg.example", "database": "shop" });
        let credentials = create_secret(ns, "credentials", &theirs).await;
        link.reaches_within(Active, NOTICED).await;
        let found = entries(ns).await.unwrap();
        assert_eq!(found["password"], PASSWORD);
        assert_eq!(found["database"], "shop");
        assert_eq!(found["host"], format!("db.web-links.{}.svc", ns.name));
        assert!(
            !found.contains_key("uri"),
            "one without its credentials would say that none are needed"
        );

        let rotated = format!("{PASSWORD}-2");
        credentials
            .patch(&json!({ "stringData": { "password": rotated } }))
            .await;
        eventually("the Secret has the new password", SHORT, async || {
            let found = entries(ns).await.unwrap();
            if found["password"] == rotated {
                Ok(())
            } else {
                Err("the old one".to_owned())
            }
        })
        .await;
        assert_eq!(link.status().await.state, Active);

        let of_operator = [
            "logs",
            "-n",
            SYSTEM,
            "-l",
            "app.kubernetes.io/component=operator",
            "--tail=-1",
        ];
        let logs = kubectl(&of_operator).await.succeeds();
        let seen = ns
            .kubectl(&["get", "il,events,cm,endpointslices,svc", "-o", "yaml"])
            .await;
        let seen = seen.succeeds();
        assert!(logs.contains("state changed") && seen.contains("web-db-binding"));
        assert!(!logs.contains(PASSWORD) && !seen.contains(PASSWORD));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_secret_is_deleted_when_the_link_is_cut_and_created_when_it_is_restored() {
    in_namespace(async |ns| {
        granted(ns).await;
        let (link, before) = active(ns, web_db(&json!({ "type": "postgresql" }))).await;
        link.action("deactivate").await;
        let cut = link.reaches(Inactive).await;
        assert_eq!(entries(ns).await, None);
        assert_eq!(named(&cut), None);
        link.action("activate").await;
        let back = link.reaches(Active).await;
        assert_eq!(entries(ns).await, Some(before));
        assert_eq!(named(&back), Some("web-db-binding"));
        link.edit(json!({ "outputs": { "binding": { "type": "mysql" } } }))
            .await;
        eventually("the Secret has the other type", SHORT, async || {
            let found = ns.api::<Secret>().get_opt("web-db-binding").await.unwrap();
            match found.and_then(|s| s.type_) {
                Some(type_) if type_ == "servicebinding.io/mysql" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        link.delete().await;
        link.is_gone().await;
        assert_eq!(entries(ns).await, None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_secret_that_a_user_changed_is_repaired() {
    in_namespace(async |ns| {
        granted(ns).await;
        let (link, before) = active(ns, web_db(&json!({ "type": "postgresql" }))).await;
        let secret = ns.object("v1", "Secret", "web-db-binding");
        secret
            .patch(&json!({ "stringData": { "host": "elsewhere" }, "immutable": true }))
            .await;
        eventually("the Secret is as it was", SHORT, async || match entries(ns).await {
            Some(found) if found == before => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        assert_eq!(link.status().await.state, Active);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_secret_of_others_on_its_name_is_left_alone() {
    in_namespace(async |ns| {
        granted(ns).await;
        let theirs = create_secret(ns, "web-db-binding", &json!({ "type": "theirs" })).await;
        let before = theirs.get().await;
        let link = ns.link(web_db(&json!({ "type": "postgresql" }))).await;
        let taken = link
            .until_within("says that the name is taken", NOTICED, |l| {
                let conditions = l.status.iter().flat_map(|s| &s.conditions);
                conditions
                    .into_iter()
                    .any(|c| c.type_ == "Programmed" && c.reason == "NameTaken")
            })
            .await;
        assert_eq!(named(&taken), None);
        assert_eq!(
            theirs.get().await.metadata.resource_version,
            before.metadata.resource_version
        );
        theirs.delete().await;
        link.reaches(Active).await;
        assert_eq!(entries(ns).await.unwrap()["type"], "postgresql");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_whose_secret_may_not_be_deleted_any_more_says_so_and_waits() {
    in_namespace(async |ns| {
        granted(ns).await;
        let (link, _) = active(ns, web_db(&json!({ "type": "postgresql" }))).await;
        ns.kubectl(&["delete", "-k", OVERLAY]).await.succeeds();
        link.delete().await;
        link.reaches(Deactivating).await;
        let said = link.condition("Programmed", "False", "Forbidden").await.message;
        assert!(said.contains("Secret") && said.contains("kind: RoleBinding"), "{said}");
        assert!(entries(ns).await.is_some());
        Reader::administrator(ns).await.applies(&said).await;
        link.is_gone().await;
        assert_eq!(entries(ns).await, None);
    })
    .await;
}

/// A volume at `$SERVICE_BINDING_ROOT/<binding-name>`, as in "Workload Projection" of the specification.
#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_reads_its_binding_as_the_specification_projects_it() {
    in_namespace(async |ns| {
        granted(ns).await;
        create_secret(ns, "credentials", &json!({ "username": "app", "password": PASSWORD })).await;
        let (link, _) = active(ns, with_credentials()).await;
        let secret = link.status().await.binding.unwrap().name;
        let pod = json!({
            "volumes": [{ "name": "db", "secret": { "secretName": secret } }],
            "containers": [{
                "name": "main", "image": "localhost/workload:dev", "args": ["sleep"],
                "env": [{ "name": "SERVICE_BINDING_ROOT", "value": "/bindings" }],
                "volumeMounts": [{ "name": "db", "mountPath": "/bindings/db", "readOnly": true }],
            }],
        });
        let client = ns.client_pod_with("client", &pod).await;
        let (ok, files) = client.run(&["files", "/bindings/db"]).await;
        assert!(ok, "{files}");
        let host = format!("db.web-links.{}.svc", ns.name);
        let expected = format!("host={host}\npassword={PASSWORD}\nport=5432\ntype=postgresql\nusername=app\n");
        assert_eq!(files, expected);
    })
    .await;
}

/// "It is RECOMMENDED that a `CustomResourceDefinition` exposing a Provisioned Service add […] a label", and "SHOULD
/// opt-in resources to expose provisioned services by defining a `ClusterRole` with a label matching
/// `servicebinding.io/controller=true`. The `get`, `list`, and `watch` verbs MUST be granted".
#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_implementation_of_the_specification_finds_links_and_may_read_them() {
    let by_label = [
        "get",
        "crd",
        "-l",
        "servicebinding.io/provisioned-service=true",
        "-o",
        "name",
    ];
    let crds = kubectl(&by_label).await.succeeds();
    assert!(crds.contains("instancelinks.instancelink.dev"), "{crds}");
    in_namespace(async |ns| {
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": ns.name },
            "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { "servicebinding.io/controller": "true" } }] },
        });
        let role = ns.create_object(&role).await;
        ns.kubectl(&["create", "rolebinding", "reader", "--clusterrole", &ns.name, "--serviceaccount", &format!("{}:default", ns.name)])
            .await
            .succeeds();
        let account = format!("--as=system:serviceaccount:{}:default", ns.name);
        for verb in ["get", "list", "watch"] {
            eventually(&format!("it may {verb} links"), SHORT, async || {
                let answer = ns.kubectl(&["auth", "can-i", verb, "il", &account]).await;
                if answer.ok { Ok(()) } else { Err(answer.out + &answer.err) }
            })
            .await;
        }
        assert!(!ns.kubectl(&["auth", "can-i", "patch", "il", &account]).await.ok);
        role.delete().await;
    })
    .await;
}

/// contract#binding-of-a-binding
#[tokio::test]
#[ignore = "needs a cluster"]
async fn bindings_that_refer_to_each_other_are_reported_and_keep_no_old_password() {
    in_namespace(async |ns| {
        granted(ns).await;
        let credentials = create_secret(ns, "credentials", &json!({ "username": "app", "password": PASSWORD })).await;
        let (db, _) = active(ns, with_credentials()).await;
        let outputs = |secret: &str| json!({ "binding": { "type": "postgresql", "secretRef": { "name": secret } } });
        let cache =
            link("web-cache", "cache", "Deployment/web", "Service/pg").spec("outputs", outputs("web-db-binding"));
        let cache = ns.link(cache).await;
        let told = cache.condition("Programmed", "False", "InvalidSecretRef").await;
        assert!(told.message.contains("web-db-binding"), "{}", told.message);
        db.edit(json!({ "outputs": outputs("web-cache-binding") })).await;
        let author = Reader::author(ns).await;
        author.edits(&told.message, "web-db-binding", "credentials").await;
        cache.condition("Ready", "True", "").await;
        db.condition("Programmed", "False", "InvalidSecretRef").await;

        credentials
            .patch(&json!({ "stringData": { "password": "rotated" } }))
            .await;
        db.edit(json!({ "outputs": outputs("credentials") })).await;
        db.condition("Ready", "True", "").await;
        eventually("the new password", SHORT, async || match entries(ns).await {
            Some(all) if all["password"] == "rotated" => Ok(()),
            other => Err(format!("{:?}", other.map(|all| all.len()))),
        })
        .await;
    })
    .await;
}
