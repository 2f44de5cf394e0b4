//! Bad input, from the table `tests/manifests/bad.yaml`: each manifest and annotation is refused with the message
//! in the table. The operator must not write during the test, because the table sets the states that it needs.
//!
//! Rules: contract#schema-rules, contract#bad-input.

use std::collections::BTreeMap;

use harness::{Hold, Link, Namespace, User, in_namespace, link};
use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Input {
    Create {
        object: Value,
    },
    Update {
        old: Value,
        new: Value,
    },
    #[serde(rename_all = "camelCase")]
    Annotate {
        state: String,
        value: String,
        #[serde(default)]
        desired_state: Option<String>,
        #[serde(default)]
        desired: Option<String>,
        #[serde(default)]
        deleting: bool,
    },
}

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    role: Option<String>,
    message: String,
    #[serde(flatten)]
    input: Input,
}

/// The cases of a test. Unknown fields are an error, because nothing would check them.
fn cases(wanted: fn(&Input) -> bool) -> Vec<Case> {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/bad.yaml");
    let table = std::fs::read_to_string(table).expect("the table");
    let cases: Vec<Case> = serde_yaml_ng::from_str(&table).expect("a list of cases");
    cases.into_iter().filter(|case| wanted(&case.input)).collect()
}

/// The user of a request: an administrator, or a user with a role.
struct Askers<'a> {
    namespace: &'a Namespace,
    by_role: BTreeMap<String, Client>,
}

impl Askers<'_> {
    async fn of(&mut self, case: &Case) -> Client {
        let Some(role) = &case.role else {
            return self.namespace.client.clone();
        };
        if !self.by_role.contains_key(role) {
            let user = User::with_cluster_role(self.namespace, &format!("user-{role}"), role).await;
            self.by_role.insert(role.clone(), user.client().clone());
        }
        self.by_role[role].clone()
    }
}

/// Sends the request of every case, and panics with all cases that were not answered as expected.
async fn are_refused(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    in_namespace(async |ns| {
        let hold = Hold::links(ns).await;
        let mut askers = Askers {
            namespace: ns,
            by_role: BTreeMap::new(),
        };
        let mut wrong = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            let asker = askers.of(case).await;
            let said = match answer_to(ns, &asker, case, number).await {
                Ok(_) => "(accepted)".to_owned(),
                Err(kube::Error::Api(status)) => status.message,
                Err(other) => other.to_string(),
            };
            if !said.contains(&case.message) {
                wrong.push(format!(
                    "{}\n  promised: {}\n  said:     {said}",
                    case.name, case.message
                ));
            }
        }
        discard_all(ns).await;
        hold.lift().await;
        assert!(
            wrong.is_empty(),
            "{} of {} cases:\n{}",
            wrong.len(),
            cases.len(),
            wrong.join("\n")
        );
    })
    .await;
}

async fn answer_to(ns: &Namespace, asker: &Client, case: &Case, number: usize) -> Result<Value, kube::Error> {
    let links = format!("/apis/instancelink.dev/v1alpha1/namespaces/{}/instancelinks", ns.name);
    // Strict field validation, as kubectl requests it.
    let strict = "fieldValidation=Strict";
    let name = format!("case-{number}");
    match &case.input {
        Input::Create { object } => {
            let plural = match object["kind"].as_str() {
                Some("InstanceLinkGrant") => "instancelinkgrants",
                _ => "instancelinks",
            };
            let url = format!(
                "/apis/instancelink.dev/v1alpha1/namespaces/{}/{plural}?{strict}",
                ns.name
            );
            send(asker, "POST", &url, object).await
        }
        Input::Update { old, new } => {
            let (mut old, mut new) = (old.clone(), new.clone());
            old["metadata"]["name"] = name.clone().into();
            new["metadata"]["name"] = name.clone().into();
            let created = send(&ns.client, "POST", &links, &old)
                .await
                .unwrap_or_else(|e| panic!("{}: {e}", case.name));
            new["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"].clone();
            send(asker, "PUT", &format!("{links}/{name}?{strict}"), &new).await
        }
        Input::Annotate {
            state,
            value,
            desired_state,
            desired,
            deleting,
        } => {
            let mut manifest = link(&name, &format!("alias-{number}"), "Deployment/web", "Service/pg");
            if let Some(desired_state) = desired_state {
                manifest = manifest.spec("desiredState", desired_state.as_str());
            }
            let created = ns.link(manifest).await;
            let mut status = json!({ "state": state });
            if let Some(desired) = desired {
                status["lastAction"] = json!({
                    "seq": 1, "action": "purge", "verdict": "Accepted", "desired": desired, "phase": "Accepted",
                    "at": "2026-01-01T00:00:00.000000Z", "link": format!("{}/{name}", ns.name),
                });
            }
            let url = format!("{links}/{name}");
            let patch = json!({ "status": status });
            send(&ns.client, "PATCH", &format!("{url}/status"), &patch)
                .await
                .unwrap_or_else(|e| panic!("{}: {e}", case.name));
            if *deleting {
                created
                    .patch(&json!({ "metadata": { "finalizers": ["instancelink.dev/lifecycle"] } }))
                    .await;
                created.delete().await;
            }
            let patch = json!({ "metadata": { "annotations": { "instancelink.dev/action": value } } });
            send(asker, "PATCH", &url, &patch).await
        }
    }
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Result<Value, kube::Error> {
    let kind = if method == "PATCH" {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", kind)
        .body(serde_json::to_vec(body).expect("JSON"))
        .expect("a request");
    client.request(request).await
}

/// The operator never saw these links, and the test wrote their states, so there is nothing to clean up.
async fn discard_all(ns: &Namespace) {
    let links = ns.api::<instancelink_api::InstanceLink>();
    for found in links.list(&kube::api::ListParams::default()).await.expect("links") {
        let link = Link::at(ns, &found.metadata.name.unwrap_or_default());
        link.object().strip_finalizers().await;
        link.object().delete().await;
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn bad_manifests_are_refused_with_what_to_write_instead() {
    are_refused(cases(|i| matches!(i, Input::Create { .. })), 40).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn bad_edits_are_refused_with_what_to_do_instead() {
    are_refused(cases(|i| matches!(i, Input::Update { .. })), 5).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn bad_actions_are_refused_with_what_is_possible() {
    are_refused(cases(|i| matches!(i, Input::Annotate { .. })), 30).await;
}
