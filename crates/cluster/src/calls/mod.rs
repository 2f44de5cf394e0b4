//! Single requests to the API server: one attempt each, and counted.
//!
//! Nothing is retried here. After a failure, core decides again on the newest state of the caches.

mod failure;
mod list;
mod path;

use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, header};
use instancelink_api::keys;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::client::Body;
use kube::core::Request as Requests;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::meter::Meter;
use crate::name::ObjectName;
use crate::store::fields::Fields;

pub use failure::CallError;
use failure::{failure_of, unreadable, unsent};
use path::{GroupPath, ObjectPath, checked_plural};

/// Longer than the connect and read timeouts together: the last resort against a server that sends byte by byte.
const OVERALL: Duration = Duration::from_secs(30);

/// The form of discovery that has everything in one answer. Kubernetes has it since 1.30.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// What a deletion leaves.
#[derive(Debug)]
pub enum Deleted<K> {
    /// Nothing.
    Gone,
    /// The object, held by a finalizer.
    Held(Box<K>),
}

/// The client for single requests.
#[derive(Clone)]
pub struct Calls {
    client: Client,
    meter: Arc<dyn Meter>,
}

impl Calls {
    /// Requests through this client, whose timeouts are its own.
    pub fn new(client: Client, meter: Arc<dyn Meter>) -> Self {
        Self { client, meter }
    }

    /// Reads an object live.
    pub async fn get<K>(&self, kind: &'static str, name: &ObjectName) -> Result<K, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned,
    {
        self.get_as::<K, K>(kind, name).await
    }

    /// Reads an object live, parsed as the caller needs it.
    pub async fn get_as<K, A>(&self, kind: &'static str, name: &ObjectName) -> Result<A, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
        A: DeserializeOwned,
    {
        let path = ObjectPath::of(name)?;
        let request = requests::<K>(path).get(path.name(), &GetParams::default());
        self.send("get", kind, request).await
    }

    /// The discovery document of a group, or of a `group/version`.
    pub async fn discover<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        let request = Request::get(format!("/apis/{}", GroupPath::of(path)?.path()))
            .header(header::ACCEPT, "application/json")
            .body(Vec::new());
        let request = request.map_err(kube::core::request::Error::BuildRequest);
        match self.send("get", "discovery", request).await {
            Err(CallError::Server { code: 404, message }) => Err(CallError::NotFound(message)),
            answer => answer,
        }
    }

    /// All groups, versions and kinds that the API server serves, in one answer.
    pub async fn discover_all<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let request = Request::get("/apis")
            .header(header::ACCEPT, AGGREGATED)
            .body(Vec::new());
        let request = request.map_err(kube::core::request::Error::BuildRequest);
        self.send("get", "discovery", request).await
    }

    /// The selector in the status of an object's scale; empty if it has none.
    pub async fn scale_selector(&self, resource: &ApiResource, name: &ObjectName) -> Result<String, CallError> {
        let path = ObjectPath::of(name)?;
        GroupPath::of(&resource.api_version)?;
        checked_plural(&resource.plural)?;
        let requests = Requests::new(DynamicObject::url_path(resource, Some(path.namespace())));
        let request = requests.get_subresource("scale", path.name());
        let scale: serde_json::Value = self.send("get", "Scale", request).await?;
        let selector = scale.pointer("/status/selector").and_then(serde_json::Value::as_str);
        Ok(selector.unwrap_or_default().to_owned())
    }

    /// Creates an object. The answer is parsed as far as the caller needs.
    pub async fn create<K, A>(&self, kind: &'static str, name: &ObjectName, object: &K) -> Result<A, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize,
        A: DeserializeOwned,
    {
        let request = requests::<K>(ObjectPath::of(name)?).create(&as_manager(), body(object)?);
        self.send("create", kind, request).await
    }

    /// Replaces an object; its metadata carry the UID and resourceVersion it must have.
    pub async fn replace<K, A>(&self, kind: &'static str, name: &ObjectName, object: &K) -> Result<A, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize,
        A: DeserializeOwned,
    {
        let path = ObjectPath::of(name)?;
        let request = requests::<K>(path).replace(path.name(), &as_manager(), body(object)?);
        self.send("update", kind, request).await
    }

    /// Merges a patch into an object or into its status. The patch has the UID and resourceVersion that the object must have. The
    /// answer is parsed as far as the caller needs.
    pub async fn patch<K, A>(
        &self,
        kind: &'static str,
        name: &ObjectName,
        subresource: Option<&str>,
        patch: &serde_json::Value,
    ) -> Result<A, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
        A: DeserializeOwned,
    {
        self.patch_by::<K, A>(kind, name, subresource, &Patch::Merge(patch))
            .await
    }

    /// Merges a patch into an object's status by the rules of its kind: of a list only the items with these keys. What is
    /// answered is read as far as the caller wants.
    pub async fn patch_status_by_keys<K, A>(
        &self,
        kind: &'static str,
        name: &ObjectName,
        patch: &serde_json::Value,
    ) -> Result<A, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
        A: DeserializeOwned,
    {
        self.patch_by::<K, A>(kind, name, Some("status"), &Patch::Strategic(patch))
            .await
    }

    async fn patch_by<K, A>(
        &self,
        kind: &'static str,
        name: &ObjectName,
        subresource: Option<&str>,
        patch: &Patch<&serde_json::Value>,
    ) -> Result<A, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
        A: DeserializeOwned,
    {
        let params = PatchParams {
            field_manager: Some(keys::MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let object = ObjectPath::of(name)?;
        let requests = requests::<K>(object);
        let request = match subresource {
            Some(subresource) => requests.patch_subresource(subresource, object.name(), &params, patch),
            None => requests.patch(object.name(), &params, patch),
        };
        self.send("patch", kind, request).await
    }

    /// Deletes the object that has this UID and, if given, this resourceVersion; its dependents go in the background.
    pub async fn delete<K>(
        &self,
        kind: &'static str,
        name: &ObjectName,
        uid: &str,
        resource_version: Option<&str>,
    ) -> Result<Deleted<K>, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned,
    {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: resource_version.map(str::to_owned),
            }),
            ..DeleteParams::background()
        };
        let path = ObjectPath::of(name)?;
        let request = requests::<K>(path).delete(path.name(), &params);
        let answer: Box<RawValue> = self.send("delete", kind, request).await?;
        if Fields::of(answer.get()).read::<String>("kind").as_deref() == Some("Status") {
            return Ok(Deleted::Gone);
        }
        let object: K = serde_json::from_str(answer.get()).map_err(|e| unreadable(&e))?;
        let meta = object.meta();
        let held = meta.finalizers.as_ref().is_some_and(|f| !f.is_empty());
        Ok(if held {
            Deleted::Held(Box::new(object))
        } else {
            Deleted::Gone
        })
    }

    async fn send<T: DeserializeOwned>(
        &self,
        verb: &'static str,
        kind: &'static str,
        request: Result<Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<T, CallError> {
        let request = request.map_err(|e| CallError::Refused {
            code: 0,
            message: format!("the request cannot be built: {e}"),
        })?;
        let started = Instant::now();
        let answer = tokio::time::timeout(OVERALL, self.exchange(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(CallError::Transport("timed out".to_owned())));
        let code = answer.as_ref().ok().map(|a| a.status.as_u16());
        self.meter.requested(verb, kind, code, started.elapsed());
        let answer = answer?;
        if answer.status.is_success() {
            serde_json::from_slice(answer.body.as_ref()).map_err(|e| unreadable(&e))
        } else {
            Err(failure_of(answer.status, answer.retry_after, answer.body.as_ref()))
        }
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Answer<impl AsRef<[u8]>>, CallError> {
        let response = self
            .client
            .send(request.map(Body::from))
            .await
            .map_err(|e| unsent(&e))?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|v| v.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = response.into_body().collect_bytes().await.map_err(|e| unsent(&e))?;
        Ok(Answer {
            status,
            retry_after,
            body,
        })
    }
}

struct Answer<B> {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: B,
}

fn requests<K>(path: ObjectPath<'_>) -> Requests
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    Requests::new(K::url_path(&(), Some(path.namespace())))
}

fn as_manager() -> PostParams {
    PostParams {
        field_manager: Some(keys::MANAGER.to_owned()),
        ..PostParams::default()
    }
}

fn body<K: Serialize>(object: &K) -> Result<Vec<u8>, CallError> {
    serde_json::to_vec(object).map_err(|e| CallError::Refused {
        code: 0,
        message: format!("the object cannot be written as JSON: {e}"),
    })
}
