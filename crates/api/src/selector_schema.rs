//! The schema of a label selector in a spec: what Kubernetes refuses in its own kinds is refused here too.
//!
//! The schema of `LabelSelector` that Kubernetes publishes has none of these rules. They are in the code of the API
//! server, and only for its own kinds.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A key of a label: a name of at most 63 characters, with or without a DNS subdomain before a slash.
pub(crate) const KEY: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$";
/// What is wrong with a key that does not match.
pub(crate) const KEY_MESSAGE: &str = "a key of a label is a name of at most 63 letters, digits, '-', '_' and '.', or a DNS subdomain, \
                                      '/' and a name; write e.g. team or example.com/team";
/// A value of a label. Its length is limited separately.
pub(crate) const VALUE: &str = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$";

/// A selector of namespaces. The limits of its lists keep the cost of the rules within what the API server allows.
pub(crate) fn of_namespaces(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "description": "Selects namespaces by their labels. An empty selector selects all namespaces.",
        "properties": {
            "matchLabels": {
                "type": "object",
                "description": "The labels that a namespace must have.",
                "maxProperties": 64,
                "additionalProperties": { "type": "string", "maxLength": 63, "pattern": VALUE },
                "x-kubernetes-validations": [
                    { "rule": format!("self.all(k, k.matches('{KEY}'))"), "message": KEY_MESSAGE },
                ],
            },
            "matchExpressions": {
                "type": "array",
                "description": "Requirements that the labels of a namespace must all meet.",
                "maxItems": 16,
                "items": {
                    "type": "object",
                    "description": "One requirement.",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": { "type": "string", "description": "The key of the label.", "maxLength": 317 },
                        "operator": {
                            "type": "string",
                            "description": "How the label relates to the values.",
                            "enum": ["In", "NotIn", "Exists", "DoesNotExist"],
                        },
                        "values": {
                            "type": "array",
                            "description": "The values, for In and NotIn only.",
                            "maxItems": 256,
                            "items": { "type": "string", "maxLength": 63, "pattern": VALUE },
                        },
                    },
                    "x-kubernetes-validations": [
                        { "rule": format!("self.key.matches('{KEY}')"), "message": KEY_MESSAGE },
                        {
                            "rule": "!(self.operator in ['In', 'NotIn']) || (has(self.values) && self.values.size() > 0)",
                            "message": "In and NotIn need values; write at least one, or leave the requirement out",
                        },
                        {
                            "rule": "self.operator in ['In', 'NotIn'] || !has(self.values) || self.values.size() == 0",
                            "message": "Exists and DoesNotExist have no values; remove them, or write In or NotIn",
                        },
                    ],
                },
            },
        },
    })
}
