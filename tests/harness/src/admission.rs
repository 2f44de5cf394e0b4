//! What the API server asks an admission webhook, and what the webhook answers.

use k8s_openapi::ByteString;
use serde_json::{Value, json};
use tokio::time::Instant;

/// A request of a client that the API server asks a webhook about.
#[derive(Clone, Debug)]
pub struct Review {
    /// When the webhook was asked.
    pub at: Instant,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub operation: String,
    /// The resource, with its subresource: `instancelinks/status`.
    pub resource: String,
    /// The name of the object.
    pub name: String,
    /// The object as it would be written. Null for a deletion.
    pub object: Value,
    uid: String,
}

/// What a webhook answers.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Yes.
    Allow,
    /// No, with this code and these words.
    Deny(u16, String),
    /// Yes, with this JSON patch. An empty one changes nothing.
    Patch(Vec<Value>),
    /// The webhook does not answer.
    Silence,
    /// The webhook answers with something else than it was asked for.
    Nonsense,
}

impl Review {
    /// Reads an `AdmissionReview`.
    pub(crate) fn read(body: &[u8]) -> Self {
        let review: Value = serde_json::from_slice(body).expect("JSON");
        let request = &review["request"];
        let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let resource = [text("/resource/resource"), text("/subResource")];
        let resource: Vec<&str> = resource.into_iter().filter(|part| !part.is_empty()).collect();
        let names = [text("/name"), text("/object/metadata/name")];
        Self {
            at: Instant::now(),
            operation: text("/operation").to_owned(),
            resource: resource.join("/"),
            name: names
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default()
                .to_owned(),
            object: request["object"].clone(),
            uid: text("/uid").to_owned(),
        }
    }

    /// The answer for the API server. None if the webhook does not answer.
    pub(crate) fn answer(&self, verdict: &Verdict) -> Option<Vec<u8>> {
        let mut response = json!({ "uid": self.uid, "allowed": true });
        match verdict {
            Verdict::Allow => {}
            Verdict::Deny(code, message) => {
                response["allowed"] = false.into();
                response["status"] = json!({ "code": code, "message": message });
            }
            Verdict::Patch(patch) => {
                response["patchType"] = "JSONPatch".into();
                response["patch"] = json!(ByteString(json!(patch).to_string().into_bytes()));
            }
            Verdict::Silence => return None,
            Verdict::Nonsense => return Some(b"{}".to_vec()),
        }
        let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response });
        Some(review.to_string().into_bytes())
    }
}
