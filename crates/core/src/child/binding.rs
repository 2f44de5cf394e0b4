//! The binding: a Secret of one link, in the form of the servicebinding.io specification.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::{ChildSpec, Observed};

/// The content of a binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The Secret's `type`, which is immutable.
    pub type_: String,
    /// Its entries.
    pub data: Entries,
    /// `immutable: true`, set by someone else: the operator never sets it.
    pub immutable: bool,
}

/// The entries of a Secret.
pub type Entries = BTreeMap<String, Confidential>;

/// A secret value. It never appears in a log, event, status, error or debug output (lifecycle#no-secret-values).
#[derive(Clone, PartialEq, Eq)]
pub struct Confidential(Arc<[u8]>);

impl Confidential {
    /// The value, to send to the API server and nowhere else.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Confidential {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(confidential)")
    }
}

impl From<Secret> for Observed<Binding> {
    fn from(secret: Secret) -> Self {
        let entries = secret.data.unwrap_or_default().into_iter();
        let body = Binding {
            type_: secret.type_.unwrap_or_default(),
            data: entries
                .map(|(key, ByteString(value))| (key, Confidential(value.into())))
                .collect(),
            immutable: secret.immutable.unwrap_or_default(),
        };
        Self::of(secret.metadata, body)
    }
}

impl ChildSpec<Binding> {
    /// The Secret to send.
    pub fn to_api(&self) -> Secret {
        let entries = self.body.data.iter();
        Secret {
            metadata: self.metadata(),
            type_: Some(self.body.type_.clone()),
            data: Some(
                entries
                    .map(|(key, value)| (key.clone(), ByteString(value.reveal().to_vec())))
                    .collect(),
            ),
            immutable: None,
            string_data: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_a_secret_value() {
        let secret: Secret = serde_yaml_ng::from_str(
            "{metadata: {name: creds, namespace: shop}, type: Opaque, data: {password: aHVudGVyMg==}}",
        )
        .unwrap();
        let found = Observed::<Binding>::from(secret);
        assert_eq!(found.object.body.data["password"].reveal(), b"hunter2");
        let shown = format!("{found:?} {found:#?}");
        assert!(shown.contains("password") && !shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("(confidential)"), "{shown}");
        assert!(!shown.contains("104, 117"), "{shown}");
    }
}
