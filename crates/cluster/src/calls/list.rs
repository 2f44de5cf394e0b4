//! Lists in small pages: each object may have 1.5 MB, and the text of a page is in memory as a whole.

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use kube::Resource;
use kube::api::ListParams;
use kube::core::Request as Requests;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::path::Scope;
use super::{CallError, Calls};

/// The objects of one page.
const PAGE: u32 = 20;
/// How often a list may begin in all. The API server keeps the state of a list for some minutes, and then refuses its next page.
const ATTEMPTS: usize = 3;

/// A page, with its objects as far as the caller needs them. Each is reduced before the next one is parsed.
#[derive(Deserialize)]
struct Page<A> {
    metadata: ListMeta,
    items: Vec<A>,
}

impl Calls {
    /// Reads all objects of a namespace live; an empty one means all namespaces. All are of one moment, which is after the call.
    /// They are parsed as far as the caller needs.
    pub async fn list<K, A>(&self, kind: &'static str, namespace: &str) -> Result<Vec<A>, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
        A: DeserializeOwned,
    {
        let requests = Requests::new(K::url_path(&(), Scope::of(namespace)?.namespace()));
        let mut params = ListParams::default().limit(PAGE);
        let mut items = Vec::new();
        let mut attempts = 1;
        loop {
            match self.send::<Page<A>>("list", kind, requests.list(&params)).await {
                Ok(page) => {
                    items.extend(page.items);
                    params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
                    if params.continue_token.is_none() {
                        return Ok(items);
                    }
                }
                Err(CallError::Refused { code: 410, .. }) if attempts < ATTEMPTS => {
                    attempts += 1;
                    items.clear();
                    params.continue_token = None;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests;
