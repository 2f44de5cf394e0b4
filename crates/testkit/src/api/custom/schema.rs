//! A compiled structural schema, with the features that the project's CRDs use.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use regex::Regex;
use serde_json::{Map, Value};

use super::rules::Rule;

/// The schema of one value.
#[derive(Debug)]
pub struct Schema {
    /// `object`, `array`, `string`, `integer`, `boolean`; empty for an integer or a string.
    pub kind: String,
    /// `int64`, `date-time`, …; empty for none.
    pub format: String,
    /// The fields of an object.
    pub properties: BTreeMap<String, Schema>,
    /// The fields that must be present.
    pub required: Vec<String>,
    /// The schema of a map's values.
    pub additional: Option<Box<Schema>>,
    /// The schema of a list's items.
    pub items: Option<Box<Schema>>,
    /// The default value.
    pub default: Option<Value>,
    /// `enum`; empty if any value is allowed.
    pub allowed: Vec<Value>,
    /// The pattern of a string.
    pub pattern: Option<Regex>,
    /// `minimum`.
    pub minimum: Option<f64>,
    /// `maximum`.
    pub maximum: Option<f64>,
    /// `minLength`.
    pub min_length: Option<u64>,
    /// `maxLength`.
    pub max_length: Option<u64>,
    /// `minItems`.
    pub min_items: Option<u64>,
    /// `maxItems`.
    pub max_items: Option<u64>,
    /// `maxProperties`.
    pub max_properties: Option<u64>,
    /// How items are identified.
    pub list: List,
    /// CEL rules.
    pub rules: Vec<Rule>,
}

/// How the items of a list are identified.
#[derive(Debug, PartialEq, Eq)]
pub enum List {
    /// Items have no identity: the list is one value.
    Atomic,
    /// By their value.
    Set,
    /// By these fields.
    Map(Vec<String>),
}

/// Keywords of a schema that do not matter here.
const IGNORED: [&str; 4] = [
    "description",
    "title",
    "x-kubernetes-map-type",
    "x-kubernetes-int-or-string",
];

impl Schema {
    /// The schema of the one version of a CRD.
    pub fn of(crd: &CustomResourceDefinition) -> Self {
        let [version] = crd.spec.versions.as_slice() else {
            panic!("{:?} has more than one version", crd.metadata.name);
        };
        let schema = version.schema.as_ref().and_then(|s| s.open_api_v3_schema.as_ref());
        let json = serde_json::to_value(schema.unwrap()).unwrap();
        Self::compile(json.as_object().unwrap())
    }

    fn compile(json: &Map<String, Value>) -> Self {
        let mut words = json.clone();
        let mut take = |word: &str| words.remove(word).unwrap_or(Value::Null);
        let nested = |value: &Value| Box::new(Self::compile(value.as_object().unwrap()));
        let texts = |value: &Value| -> Vec<String> {
            let texts = value.as_array().into_iter().flatten();
            texts.map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
        let properties = take("properties");
        let properties = properties.as_object().into_iter().flatten();
        let keys = take("x-kubernetes-list-map-keys");
        let rules = take("x-kubernetes-validations");
        let schema = Self {
            kind: text(take("type")),
            format: text(take("format")),
            properties: properties.map(|(name, value)| (name.clone(), *nested(value))).collect(),
            required: texts(&take("required")),
            additional: Some(take("additionalProperties"))
                .filter(Value::is_object)
                .map(|v| nested(&v)),
            items: Some(take("items")).filter(Value::is_object).map(|v| nested(&v)),
            default: Some(take("default")).filter(|default| !default.is_null()),
            allowed: take("enum").as_array().cloned().unwrap_or_default(),
            pattern: take("pattern").as_str().map(|pattern| Regex::new(pattern).unwrap()),
            minimum: take("minimum").as_f64(),
            maximum: take("maximum").as_f64(),
            min_length: take("minLength").as_u64(),
            max_length: take("maxLength").as_u64(),
            min_items: take("minItems").as_u64(),
            max_items: take("maxItems").as_u64(),
            max_properties: take("maxProperties").as_u64(),
            list: match take("x-kubernetes-list-type").as_str() {
                Some("map") => List::Map(texts(&keys)),
                Some("set") => List::Set,
                _ => List::Atomic,
            },
            rules: rules.as_array().into_iter().flatten().map(Rule::compile).collect(),
        };
        words.retain(|word, _| !IGNORED.contains(&word.as_str()));
        assert!(
            words.is_empty(),
            "the double does not know what {words:?} means in a schema"
        );
        schema
    }
}
