//! A namespace for one test. It is created before the test, deleted after it, and kept with a hint when the test fails.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use instancelink_api::InstanceLink;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::{Link, LinkManifest, Object, SHORT, Watch, connect, eventually, hold, residue_of};

/// The namespace of one test.
#[derive(Clone)]
pub struct Namespace {
    /// A client with all rights.
    pub client: Client,
    /// Its name, unique in the cluster.
    pub name: String,
}

/// Runs a test in its own namespace. After the test, no object of an inactive link may remain in any namespace.
pub async fn in_namespace(test: impl AsyncFnOnce(&Namespace)) {
    let namespace = Namespace::create().await;
    let body = async {
        test(&namespace).await;
        hold::lift_all(&namespace).await;
        namespace.has_no_residue().await;
    };
    let outcome = AssertUnwindSafe(body).catch_unwind().await;
    hold::lift_all(&namespace).await;
    match outcome {
        Ok(()) => namespace.delete().await,
        Err(panic) => {
            namespace.report().await;
            std::panic::resume_unwind(panic);
        }
    }
}

impl Namespace {
    async fn create() -> Self {
        let client = connect().await;
        let name = unique_name();
        let manifest = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": name, "annotations": { "e2e/test": std::thread::current().name().unwrap_or("?") } },
        });
        Object::of(&client, "", &manifest).create(&manifest).await;
        let namespace = Self { client, name };
        // The API server refuses pods until the controller manager has created the service account.
        let account = namespace.object("v1", "ServiceAccount", "default");
        eventually("the namespace has a default service account", SHORT, async || {
            account.find().await.map(drop).ok_or_else(|| "none yet".to_owned())
        })
        .await;
        namespace
    }

    /// An object in this namespace.
    pub fn object(&self, api_version: &str, kind: &str, name: &str) -> Object {
        Object::named(&self.client, &self.name, api_version, kind, name)
    }

    /// Creates an object from a manifest, and returns where it is.
    pub async fn create_object(&self, manifest: &Value) -> Object {
        let object = Object::of(&self.client, &self.name, manifest);
        object.create(manifest).await;
        object
    }

    /// The same, from YAML.
    pub async fn create_yaml(&self, yaml: &str) -> Object {
        self.create_object(&serde_yaml_ng::from_str(yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}")))
            .await
    }

    /// Creates a link.
    pub async fn link(&self, manifest: impl Into<LinkManifest>) -> Link {
        let manifest = manifest.into().into_value();
        Link::at(self, &self.create_object(&manifest).await.name)
    }

    /// Creates a link, and watches it from before its creation.
    pub async fn watched_link(&self, manifest: impl Into<LinkManifest>) -> (Link, Watch) {
        let manifest = manifest.into();
        let watch = Watch::start(self, manifest.name()).await;
        (self.link(manifest).await, watch)
    }

    /// Waits until the next created object gets a later creation time than those before it. Creation times have whole
    /// seconds.
    pub async fn next_second(&self) {
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }

    /// A typed API of this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// Waits until no object of an inactive link remains. It is called after every test, and tests may call it
    /// themselves.
    pub async fn has_no_residue(&self) {
        eventually("nothing remains of links that are not active", SHORT, async || {
            let residue = residue_of(self).await;
            if residue.is_empty() {
                Ok(())
            } else {
                Err(residue.join("\n"))
            }
        })
        .await;
    }

    /// Starts the deletion. The pods end while the next test runs.
    async fn delete(&self) {
        Object::named(&self.client, "", "v1", "Namespace", &self.name)
            .delete_with(&DeleteParams::default())
            .await;
    }

    /// What a developer needs to look into a failure.
    async fn report(&self) {
        eprintln!(
            "\nnamespace {0} is kept; look at it with\n  kubectl -n {0} get il,svc,endpointslices,cm,pods\n  kubectl delete namespace {0}",
            self.name
        );
        let Ok(links) = self.api::<InstanceLink>().list(&ListParams::default()).await else {
            return;
        };
        for mut link in links {
            link.metadata = ObjectMeta {
                managed_fields: None,
                ..link.metadata
            };
            eprintln!("---\n{}", serde_yaml_ng::to_string(&link).unwrap_or_default());
        }
    }
}

/// A readable name that is never used twice, short enough for every name derived from it.
fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "e2e-{:x}-{:x}-{number}",
        since.as_millis() & 0xff_ffff_ffff,
        std::process::id()
    )
}
