//! Requests with any JSON: the types of a client library cannot hold all objects that the API server keeps.

use http::{Method, Request, header};
use instancelink_testkit::tenant::api_version;
use kube::Client;
use serde_json::Value;

/// Why the API server did not take an object.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The HTTP status. 0 without an answer.
    pub code: u16,
    /// The message.
    pub message: String,
    /// The fields that it names.
    pub fields: Vec<String>,
}

/// The plural of a kind that tenants write.
pub fn plural_of(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{lower}s"),
    }
}

/// The path of a collection of this API version, or of an object.
pub fn path_of(api_version: &str, namespace: &str, plural: &str, name: &str) -> String {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let place = if namespace.is_empty() {
        String::new()
    } else {
        format!("/namespaces/{namespace}")
    };
    let name = if name.is_empty() {
        String::new()
    } else {
        format!("/{name}")
    };
    format!("/{root}/{api_version}{place}/{plural}{name}")
}

/// The same for the kinds of [`api_version`].
pub(crate) fn path(namespace: &str, kind: &str, name: &str) -> String {
    path_of(api_version(kind), namespace, &plural_of(kind), name)
}

/// Sends a request. The answer is not read as an object.
pub async fn send(client: &Client, method: Method, path: &str, kind: &str, body: &Value) -> Result<String, Refused> {
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .body(body);
    let answer = client.request_text(request.expect("a request")).await;
    answer.map_err(|error| match error {
        kube::Error::Api(status) => Refused {
            code: status.code,
            message: status.message.clone(),
            fields: fields_of(&status),
        },
        other => Refused {
            code: 0,
            message: other.to_string(),
            fields: Vec::new(),
        },
    })
}

fn fields_of(status: &kube::core::Status) -> Vec<String> {
    let details = status.details.as_ref();
    details.map_or_else(Vec::new, |details| {
        details.causes.iter().map(|cause| cause.field.clone()).collect()
    })
}

/// Creates an object.
pub async fn post(client: &Client, path: &str, body: &Value) -> Result<(), Refused> {
    send(client, Method::POST, path, "application/json", body)
        .await
        .map(drop)
}

/// Deletes an object or a collection, without a grace period.
pub async fn delete(client: &Client, path: &str) -> Result<(), Refused> {
    let path = format!("{path}?gracePeriodSeconds=0");
    send(client, Method::DELETE, &path, "application/json", &Value::Null)
        .await
        .map(drop)
}

/// The cells of the first columns of a list. The API server prints them, so the objects are not read here.
pub async fn text(client: &Client, path: &str) -> Vec<Vec<String>> {
    let request = Request::get(format!("{path}?includeObject=None"))
        .header(header::ACCEPT, "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .expect("a request");
    let answer = client.request_text(request).await;
    let table: Value = serde_json::from_str(&answer.unwrap_or_else(|e| panic!("{path}: {e}"))).expect("a table");
    let cells = |row: &Value| {
        let cells = row["cells"].as_array().into_iter().flatten();
        cells.map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect()
    };
    table["rows"].as_array().into_iter().flatten().map(cells).collect()
}
