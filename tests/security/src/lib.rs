//! Reads the files of this repository that determine the safety of an installation: the manifests that users apply, and
//! the table of threats. The tests check their content, and that each test which a table names exists.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking
#![allow(clippy::missing_panics_doc)]

mod named_test;

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

pub use named_test::is_a_test;

/// A manifest and the file it is in.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its path from the root of the repository.
    pub file: String,
    /// The object.
    pub object: Value,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file.
pub fn text(file: &str) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()))
}

/// Every manifest in a folder and below it, without the files of kustomize.
pub fn manifests(folder: &str) -> Vec<Manifest> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") && !path.ends_with("kustomization.yaml") {
                found.extend(objects_in(&path));
            }
        }
    }
    assert!(!found.is_empty(), "no manifests in {folder}");
    found
}

fn objects_in(path: &Path) -> Vec<Manifest> {
    let text = std::fs::read_to_string(path).unwrap();
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    let objects = documents.map(|document| Value::deserialize(document).unwrap());
    let file = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    objects
        .filter(|object| !object.is_null())
        .map(|object| Manifest {
            file: file.clone(),
            object,
        })
        .collect()
}

impl Manifest {
    /// `kind`.
    pub fn kind(&self) -> &str {
        self.object["kind"].as_str().unwrap_or_default()
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The rights of a role, each as `verb group/resource`.
    pub fn rights(&self) -> Vec<String> {
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut rights = Vec::new();
        for rule in self.object["rules"].as_array().into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    let verbs = texts(&rule["verbs"]);
                    rights.extend(verbs.iter().map(|verb| format!("{verb} {group}/{resource}")));
                }
            }
        }
        rights
    }
}
