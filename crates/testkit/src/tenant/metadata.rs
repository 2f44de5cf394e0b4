//! Metadata that the API server keeps and that a reader may not expect.

use serde_json::{Value, json};

use super::{Tenant, UNKNOWN_UID};

/// A time that the API server keeps and that many libraries cannot hold.
const LATEST: &str = "9999-12-31T23:59:59Z";

impl Tenant<'_> {
    /// The UID of an object of the other tenant, as a placeholder.
    pub(super) fn their_uid(&mut self) -> String {
        let theirs = self.scene.their_objects.clone();
        let n = self.dice.roll(u32::try_from(theirs.len().max(1)).unwrap_or(1)) as usize;
        theirs.get(n).map_or_else(
            || UNKNOWN_UID.to_owned(),
            |(kind, name)| format!("{{uid {kind} {name}}}"),
        )
    }

    /// Adds some of: labels of the other tenant, owners of the other tenant, a finalizer, strange field managers and
    /// annotations.
    pub(super) fn odd_metadata(&mut self, object: &mut Value) {
        let uid = self.their_uid();
        let metadata = &mut object["metadata"];
        if self.once_in(5) {
            metadata["labels"]["instancelink.dev/link-uid"] = uid.clone().into();
            metadata["labels"]["app.kubernetes.io/managed-by"] = "instancelink".into();
        }
        if self.once_in(6) {
            metadata["labels"]["app"] = "pg".into();
        }
        if self.once_in(6) {
            metadata["ownerReferences"] = json!([{
                "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "db", "uid": uid,
                "controller": self.once_in(2), "blockOwnerDeletion": true,
            }]);
        }
        if self.once_in(4) {
            metadata["finalizers"] = json!(["example.com/hold"]);
        }
        if self.once_in(4) {
            let deep = (0..self.dice.choose(&[1, 100, 200])).fold(json!({}), |inner, _| json!({"f:x": inner}));
            metadata["managedFields"] = json!([{
                "manager": "tenant", "operation": "Update", "apiVersion": "v1", "time": LATEST,
                "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:annotations": {"f:x": deep}}},
            }]);
        }
        if self.once_in(5) {
            metadata["annotations"]["example.com/text"] = "\u{202e}\u{7f}\u{feff}\u{fffd}🧨\n".repeat(100).into();
        }
    }

    /// A time of creation in a template: the API server keeps it.
    pub(super) fn odd_template(&mut self, template: &mut Value) {
        if self.once_in(2) {
            template["metadata"]["creationTimestamp"] = LATEST.into();
        }
    }
}
