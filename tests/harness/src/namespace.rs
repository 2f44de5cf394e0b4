//! The namespace of one test: creates it, reports it and deletes it, and creates objects in it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use instancelink_api::InstanceLink;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::{Object, SHORT, connect, eventually, fixed_service, service_slice};

/// The namespace of one test.
#[derive(Clone)]
pub struct Namespace {
    /// A client with all rights.
    pub client: Client,
    /// Its name, unique in the cluster.
    pub name: String,
}

impl Namespace {
    pub(crate) async fn create() -> Self {
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

    /// Creates a target that is always ready and needs no pods: a Service without a selector, whose address others write. The
    /// address is there before the Service.
    pub async fn fixed_service(&self, name: &str) -> Object {
        self.create_object(&service_slice(name, "192.0.2.1", ("pg", 5432)))
            .await;
        self.create_object(&fixed_service(name)).await
    }

    /// The same, from YAML.
    pub async fn create_yaml(&self, yaml: &str) -> Object {
        self.create_object(&serde_yaml_ng::from_str(yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}")))
            .await
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

    /// Starts the deletion. The pods end while the next test runs.
    pub(crate) async fn delete(&self) {
        Object::named(&self.client, "", "v1", "Namespace", &self.name)
            .delete_with(&DeleteParams::default())
            .await;
    }

    /// What a developer needs to look into a failure.
    pub(crate) async fn report(&self) {
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
