//! The `OpenAPI` schemas that an API server serves.

use std::collections::HashMap;

use http::Request;
use kube::Client;
use serde_json::Value;

/// The schemas of several API groups, by their names.
#[derive(Debug, Default)]
pub struct Schemas {
    all: HashMap<String, Value>,
    /// The schema of each kind, by API version and kind.
    kinds: HashMap<(String, String), String>,
}

static NOTHING: Value = Value::Null;

impl Schemas {
    /// Asks the API server for the schemas of these API versions.
    pub async fn fetch(client: &Client, api_versions: &[&str]) -> Self {
        let index = get(client, "/openapi/v3").await;
        let mut schemas = Self::default();
        for api_version in api_versions {
            let root = if api_version.contains('/') { "apis" } else { "api" };
            let document = &index["paths"][format!("{root}/{api_version}")]["serverRelativeURL"];
            let path = document
                .as_str()
                .unwrap_or_else(|| panic!("{api_version} has no schemas"));
            let document = get(client, path).await;
            for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
                schemas.add(name, schema);
            }
        }
        schemas
    }

    fn add(&mut self, name: &str, schema: &Value) {
        for kind in schema["x-kubernetes-group-version-kind"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = |member: &str| kind[member].as_str().unwrap_or_default();
            let api_version = match text("group") {
                "" => text("version").to_owned(),
                group => format!("{group}/{}", text("version")),
            };
            self.kinds
                .insert((api_version, text("kind").to_owned()), name.to_owned());
        }
        self.all.insert(name.to_owned(), schema.clone());
    }

    /// The schema of a kind.
    pub fn of(&self, api_version: &str, kind: &str) -> &Value {
        let name = self.kinds.get(&(api_version.to_owned(), kind.to_owned()));
        let schema = name.and_then(|name| self.all.get(name));
        schema.unwrap_or_else(|| panic!("the API server has no schema of {kind}"))
    }

    /// What a schema refers to, or itself.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        let Some(reference) = reference else { return schema };
        let name = reference.rsplit('/').next().unwrap_or_default();
        self.all.get(name).map_or(&NOTHING, |schema| self.resolve(schema))
    }
}

async fn get(client: &Client, path: &str) -> Value {
    let request = Request::get(path).body(Vec::new()).expect("a request");
    let answer = client.request_text(request).await;
    let answer = answer.unwrap_or_else(|e| panic!("cannot get {path}: {e}"));
    serde_json::from_str(&answer).expect("JSON")
}
