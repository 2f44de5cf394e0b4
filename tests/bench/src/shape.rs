//! The kinds of request by which a status can be written.

use std::fmt;

use http::{Method, Request};
use instancelink_api::{InstanceLink, keys};
use kube::Resource as _;
use serde_json::{Value, json};

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The whole object.
    Put,
    /// Only the status.
    MergePatch,
    /// Only the status, as one operation.
    JsonPatch,
    /// Only the status, which the sender owns as a whole.
    Apply,
}

impl Shape {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Put, Self::MergePatch, Self::JsonPatch, Self::Apply];

    /// The request that gives a link this status.
    pub fn request(self, link: &Value, status: Value) -> Request<Vec<u8>> {
        let text = |field: &str| link["metadata"][field].as_str().expect("a text");
        let (namespace, name) = (text("namespace"), text("name"));
        let (kind, body) = match self {
            Self::Put => {
                let mut link = link.clone();
                link["status"] = status;
                ("json", link)
            }
            Self::MergePatch => ("merge-patch+json", json!({ "status": status })),
            Self::JsonPatch => {
                // `replace` fails if there is no status yet. `add` works in both cases.
                let patch = json!([{ "op": "add", "path": "/status", "value": status }]);
                ("json-patch+json", patch)
            }
            Self::Apply => {
                let link = json!({
                    "apiVersion": keys::API_VERSION, "kind": keys::KIND, "metadata": { "name": name }, "status": status,
                });
                ("apply-patch+yaml", link)
            }
        };
        let links = InstanceLink::url_path(&(), Some(namespace));
        let force = if self == Self::Apply { "&force=true" } else { "" };
        let method = if self == Self::Put { Method::PUT } else { Method::PATCH };
        Request::builder()
            .method(method)
            .uri(format!("{links}/{name}/status?fieldManager=bench{force}"))
            .header("content-type", format!("application/{kind}"))
            .body(body.to_string().into_bytes())
            .expect("a request")
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put => "PUT",
            Self::MergePatch => "merge patch",
            Self::JsonPatch => "JSON patch",
            Self::Apply => "server-side apply",
        })
    }
}
