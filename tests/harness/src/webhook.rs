//! A webhook of an administrator that the API server asks about the operator's writes in the test's namespace. It runs in the
//! process of the test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cluster::own_address;
use crate::webhook_server::{Reserved, Respond, Serving};
use crate::{Namespace, OPERATOR_ACCOUNT, Object, Review, Verdict, eventually};

/// Label of the configurations. Its value is the namespace that a webhook is for.
const LABEL: &str = "e2e/webhook";
/// A configuration becomes effective a moment after its creation. The webhook is asked about this ConfigMap too, which shows
/// when it is effective.
const PROBE: &str = "webhook-probe";
const EFFECTIVE: Duration = Duration::from_secs(30);
const GROUP: &str = "admissionregistration.k8s.io";
const KINDS: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
const USUAL_TIMEOUT: u32 = 10;

/// A webhook that is in force until it is lifted, at the latest at the end of the test.
#[must_use]
pub struct Webhook {
    namespace: Namespace,
    kind: &'static str,
    name: String,
    asked: Arc<Asked>,
    /// How the API server connects to it.
    connection: Value,
    reserved: Option<Reserved>,
    /// The server runs until this is dropped.
    serving: Option<Serving>,
}

type Answer = Arc<dyn Fn(&Review) -> Verdict + Send + Sync>;

/// What the webhook was asked, and what it answers.
struct Asked {
    answer: Mutex<Answer>,
    reviews: Mutex<Vec<Review>>,
    probes: AtomicU64,
}

impl Webhook {
    /// Answers each write of the operator of these resources, and may change it: `&["services", "instancelinks/status"]`.
    pub async fn mutating(
        namespace: &Namespace,
        resources: &[&str],
        answer: impl Fn(&Review) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let mut webhook = Self::reserve(namespace, KINDS[0], answer).await;
        webhook.listens();
        webhook.put(resources, USUAL_TIMEOUT).await;
        webhook
    }

    /// Answers each write of the operator of these resources, after the mutating ones.
    pub async fn validating(
        namespace: &Namespace,
        resources: &[&str],
        answer: impl Fn(&Review) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        Self::validating_within(namespace, resources, USUAL_TIMEOUT, answer).await
    }

    /// The same, with the seconds that the API server waits for an answer.
    pub async fn validating_within(
        namespace: &Namespace,
        resources: &[&str],
        seconds: u32,
        answer: impl Fn(&Review) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let mut webhook = Self::reserve(namespace, KINDS[1], answer).await;
        webhook.listens();
        webhook.put(resources, seconds).await;
        webhook
    }

    /// A webhook whose server does not run. When it [listens](Self::listens), it allows everything.
    pub async fn down(namespace: &Namespace, resources: &[&str]) -> Self {
        let webhook = Self::reserve(namespace, KINDS[1], |_| Verdict::Allow).await;
        webhook.put(resources, USUAL_TIMEOUT).await;
        webhook
    }

    async fn reserve(
        namespace: &Namespace,
        kind: &'static str,
        answer: impl Fn(&Review) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let reserved = Reserved::at(own_address().await);
        let certificate = ByteString(reserved.certificate.clone().into_bytes());
        Self {
            namespace: namespace.clone(),
            kind,
            name: format!("{}-webhook-{number}.example.com", namespace.name),
            asked: Arc::new(Asked {
                answer: Mutex::new(Arc::new(answer)),
                reviews: Mutex::default(),
                probes: AtomicU64::new(0),
            }),
            connection: json!({ "url": format!("https://{}/", reserved.address), "caBundle": certificate }),
            reserved: Some(reserved),
            serving: None,
        }
    }

    /// The name of the webhook and of its configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Starts its server, if it does not run.
    pub fn listens(&mut self) {
        if self.serving.is_some() {
            return;
        }
        let asked = Arc::clone(&self.asked);
        let respond: Respond = Arc::new(move |body| asked.respond(body));
        self.serving = self.reserved.take().map(|reserved| reserved.listen(respond));
    }

    /// Changes what it answers from now on.
    pub fn answers(&self, answer: impl Fn(&Review) -> Verdict + Send + Sync + 'static) {
        *self.asked.answer.lock().expect("no panic while held") = Arc::new(answer);
    }

    /// The requests of the operator that it was asked about.
    pub fn reviews(&self) -> Vec<Review> {
        self.asked.reviews.lock().expect("no panic while held").clone()
    }

    /// True if the API server asked it about the probe.
    pub(crate) fn was_reached(&self) -> bool {
        self.asked.probes.load(Ordering::Relaxed) > 0
    }

    /// Those since this time.
    pub fn reviews_since(&self, since: Instant) -> Vec<Review> {
        let mut reviews = self.reviews();
        reviews.retain(|review| review.at >= since);
        reviews
    }

    /// Deletes its configuration, and returns when the API server no longer asks it.
    pub async fn lift(self) {
        Object::named(
            &self.namespace.client,
            "",
            &format!("{GROUP}/v1"),
            self.kind,
            &self.name,
        )
        .delete()
        .await;
        self.wait_until_it_is_asked(false).await;
    }

    async fn put(&self, resources: &[&str], seconds: u32) {
        let mut rules: Vec<Value> = resources.iter().map(|resource| rule(resource)).collect();
        rules.push(rule("configmaps"));
        let configuration = json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": self.kind,
            "metadata": { "name": self.name, "labels": { LABEL: self.namespace.name } },
            "webhooks": [{
                "name": self.name,
                "clientConfig": self.connection,
                "rules": rules,
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": self.namespace.name } },
                "matchConditions": [{
                    "name": "of-the-test",
                    "expression": of_the_test(resources),
                }],
                "failurePolicy": "Fail",
                "timeoutSeconds": seconds,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        });
        let client = &self.namespace.client;
        Object::of(client, "", &configuration).create(&configuration).await;
        self.wait_until_it_is_asked(true).await;
    }

    async fn wait_until_it_is_asked(&self, expected: bool) {
        let api: Api<ConfigMap> = self.namespace.api();
        let probe: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": PROBE } })).expect("a ConfigMap");
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let what = if expected { "is in force" } else { "is in force no more" };
        // The API server learns of configurations by a watch, so the answer must be the same three times in a row.
        let mut in_a_row = 0;
        eventually(&format!("the webhook {} {what}", self.name), EFFECTIVE, async || {
            let before = self.asked.probes.load(Ordering::Relaxed);
            let answer = api.create(&dry, &probe).await;
            let has_failed = matches!(&answer, Err(kube::Error::Api(s)) if s.message.contains(&self.name));
            let is_asked = has_failed || self.asked.probes.load(Ordering::Relaxed) > before;
            in_a_row = if is_asked == expected { in_a_row + 1 } else { 0 };
            if in_a_row >= 3 {
                Ok(())
            } else {
                Err(format!("{answer:?}"))
            }
        })
        .await;
    }
}

impl Asked {
    fn respond(&self, body: &[u8]) -> Option<Vec<u8>> {
        let review = Review::read(body);
        if review.name == PROBE {
            self.probes.fetch_add(1, Ordering::Relaxed);
            return review.answer(&Verdict::Allow);
        }
        self.reviews.lock().expect("no panic while held").push(review.clone());
        let answer = Arc::clone(&self.answer.lock().expect("no panic while held"));
        review.answer(&answer(&review))
    }
}

fn rule(resource: &str) -> Value {
    let group = match resource.split('/').next() {
        Some("endpointslices") => "discovery.k8s.io",
        Some("networkpolicies") => "networking.k8s.io",
        Some("events") => "events.k8s.io",
        Some("instancelinks") => "instancelink.dev",
        _ => "",
    };
    let operations = ["CREATE", "UPDATE", "DELETE"];
    json!({ "apiGroups": [group], "apiVersions": ["*"], "resources": [resource], "operations": operations })
}

/// The probe, and the operator's requests. A webhook that fails must not hold the work of Kubernetes in the namespace.
fn of_the_test(resources: &[&str]) -> String {
    let kinds = resources.iter().filter_map(|resource| resource.split('/').next());
    let kinds: Vec<String> = kinds.map(|kind| format!("'{kind}'")).collect();
    format!(
        "request.name == '{PROBE}' || (request.userInfo.username == '{OPERATOR_ACCOUNT}' && \
         request.resource.resource in [{}])",
        kinds.join(", ")
    )
}

/// Deletes what a test left behind.
pub(crate) async fn lift_all(namespace: &Namespace) {
    for kind in KINDS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, "v1", kind));
        let api: Api<DynamicObject> = Api::all_with(namespace.client.clone(), &resource);
        let ours = ListParams::default().labels(&format!("{LABEL}={}", namespace.name));
        let list = api.list(&ours).await.expect("a list of webhooks");
        for name in list.into_iter().filter_map(|found| found.metadata.name) {
            Object::named(&namespace.client, "", &format!("{GROUP}/v1"), kind, &name)
                .delete()
                .await;
        }
    }
}
