//! HTTP requests and their answers.

use std::time::Duration;

use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use instancelink_testkit::api::resource::{RESOURCES, Resource};
use kube::client::{Body, Client};
use serde_json::Value;

use crate::answer::Answer;
use crate::fill;
use crate::scenario::Verb;

/// The user agent of the client. Field managers are derived from it.
pub const USER_AGENT: &str = "conformance/1.0";
/// How long to wait for an event.
const PATIENCE: Duration = Duration::from_secs(20);

/// The path of a target in a namespace.
pub fn path(target: &str, namespace: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let (namespace, rest) = match target.strip_prefix("other:") {
        Some(rest) => (fill::other(namespace), rest),
        None => (namespace.to_owned(), target),
    };
    let resource = resource(target).unwrap_or_else(|| panic!("{target} is of no known kind"));
    let group = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    if resource.namespaced {
        format!("{group}/namespaces/{namespace}/{rest}")
    } else {
        format!("{group}/{rest}")
    }
}

/// The kind of a target. Whole paths are supported only for namespaces and the objects in them.
pub fn resource(target: &str) -> Option<&'static Resource> {
    let words: Vec<&str> = target.split(['/', '?']).collect();
    let plural = match words.as_slice() {
        ["", "api", _, "namespaces", _, plural, ..]
        | ["", "apis", _, _, "namespaces", _, plural, ..]
        | ["", "api", _, plural, ..]
        | ["", "apis", _, _, plural, ..] => plural,
        [plural, ..] => plural.trim_start_matches("other:"),
        [] => "",
    };
    RESOURCES.iter().find(|r| r.plural == plural).copied()
}

/// A request.
pub fn request(verb: Verb, path: &str, body: Option<&Value>) -> Request<Body> {
    let (method, content_type) = match verb {
        Verb::Get | Verb::Watch(_) | Verb::Await(_) => ("GET", "application/json"),
        Verb::Post => ("POST", "application/json"),
        Verb::Put => ("PUT", "application/json"),
        Verb::Merge => ("PATCH", "application/merge-patch+json"),
        Verb::Json => ("PATCH", "application/json-patch+json"),
        Verb::Strategic => ("PATCH", "application/strategic-merge-patch+json"),
        Verb::Delete => ("DELETE", "application/json"),
    };
    let path = match verb {
        Verb::Watch(_) if path.contains('?') => format!("{path}&watch=true"),
        Verb::Watch(_) => format!("{path}?watch=true"),
        _ => path.to_owned(),
    };
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    Request::builder()
        .method(method)
        .uri(path)
        .header("User-Agent", USER_AGENT)
        .header("Accept", "application/json")
        .header("Content-Type", content_type)
        .body(Body::from(body))
        .unwrap()
}

/// Sends a request whose answer is one object.
pub async fn send(client: &Client, request: Request<Body>) -> Result<Answer, String> {
    let response = client.send(request).await.map_err(|e| e.to_string())?;
    let code = response.status().as_u16();
    let bytes = response
        .into_body()
        .collect()
        .await
        .map_err(|e| e.to_string())?
        .to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
    Ok(Answer { code, body })
}

/// A periodic bookmark.
fn is_sign_of_life(event: &Value) -> bool {
    event["type"] == "BOOKMARK" && event["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"].is_null()
}

/// The events of a watch: this number, or all until it ends.
pub async fn events(response: Response<Body>, count: Option<usize>) -> Result<Answer, String> {
    let code = response.status().as_u16();
    let mut body = response.into_body();
    let mut events: Vec<Value> = Vec::new();
    let mut text = Vec::new();
    while count.is_none_or(|count| events.len() < count) {
        let Ok(frame) = tokio::time::timeout(PATIENCE, body.frame()).await else {
            return Err(format!("only {} events came: {events:?}", events.len()));
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|e| e.to_string())?;
        text.extend_from_slice(&frame.into_data().unwrap_or_default());
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let event: Value = serde_json::from_slice(&line).map_err(|e| e.to_string())?;
            if !is_sign_of_life(&event) {
                events.push(event);
            }
        }
    }
    if !text.is_empty() && events.is_empty() {
        events.push(serde_json::from_slice(&text).map_err(|e| e.to_string())?);
    }
    // Not more than requested: a frame may hold several.
    if let Some(count) = count
        && let Some(Some(frame)) = body.frame().now_or_never()
    {
        let more = frame.ok().and_then(|f| f.into_data().ok()).unwrap_or_default();
        if !more.is_empty() {
            return Err(format!(
                "more than {count} events came: {}",
                String::from_utf8_lossy(&more)
            ));
        }
    }
    Ok(Answer {
        code,
        body: events.into(),
    })
}
