//! The environment: a ConfigMap per source with the Docker link variables of its active links.

use std::collections::BTreeMap;

use instancelink_api::keys;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::{Deserialize, Serialize};

use super::{ChildSpec, Observed};

/// The variables, and whose they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The variables.
    pub data: BTreeMap<String, String>,
}

impl From<ConfigMap> for Observed<Environment> {
    fn from(map: ConfigMap) -> Self {
        Self::of(
            map.metadata,
            Environment {
                data: map.data.unwrap_or_default(),
            },
        )
    }
}

impl ChildSpec<Environment> {
    /// The annotation that maps each link's UID to its keys; empty where it is missing or unreadable. No text is copied: a
    /// source's environment has all of its links in it, and each of their steps looks at it.
    pub fn entries(&self) -> BTreeMap<&str, Vec<&str>> {
        self.annotations
            .get(keys::ENTRIES)
            .and_then(|v| serde_json::from_str(v).ok())
            .unwrap_or_default()
    }

    /// True where this link has an entry, even one without a key.
    pub fn mentions(&self, link_uid: &str) -> bool {
        // What is read without copying stands there as it is: a text without the UID needs no reading.
        let may = |text: &String| text.contains(link_uid);
        self.annotations.get(keys::ENTRIES).is_some_and(may) && self.entries().contains_key(link_uid)
    }

    /// The ConfigMap to send.
    pub fn to_api(&self, replaces: Option<(&str, &str)>) -> ConfigMap {
        ConfigMap {
            metadata: self.metadata(replaces),
            data: Some(self.body.data.clone()),
            binary_data: None,
            immutable: None,
        }
    }
}
