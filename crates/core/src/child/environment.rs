//! The environment: a ConfigMap per source with the Docker link variables of its active links.

use std::collections::BTreeMap;

use instancelink_api::keys;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::{Deserialize, Serialize};

use super::{ChildSpec, Observed};

/// The links that have an entry in one environment, at most.
pub const MOST_ENTRIES: usize = 2048;

/// The content of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The variables.
    pub data: BTreeMap<String, String>,
    /// `immutable: true`, set by someone else: the operator never sets it.
    pub immutable: bool,
}

impl Environment {
    /// An environment with these variables.
    pub const fn new(data: BTreeMap<String, String>) -> Self {
        Self { data, immutable: false }
    }
}

impl From<ConfigMap> for Observed<Environment> {
    fn from(map: ConfigMap) -> Self {
        Self::of(
            map.metadata,
            Environment {
                data: map.data.unwrap_or_default(),
                immutable: map.immutable.unwrap_or_default(),
            },
        )
    }
}

impl ChildSpec<Environment> {
    /// True if this link has an entry, even an entry without keys.
    pub fn mentions(&self, link_uid: &str) -> bool {
        // UIDs have no escaped characters in JSON, so a text without the UID need not be parsed.
        let may_mention = |text: &String| text.contains(link_uid);
        self.annotations.get(keys::ENTRIES).is_some_and(may_mention) && self.entries().contains_key(link_uid)
    }

    /// The ConfigMap to send.
    pub fn to_api(&self) -> ConfigMap {
        ConfigMap {
            metadata: self.metadata(),
            data: Some(self.body.data.clone()),
            binary_data: None,
            immutable: None,
        }
    }
}
