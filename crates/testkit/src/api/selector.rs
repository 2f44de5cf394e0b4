//! Label and field selectors of lists and watches.

use serde_json::Value;

use super::failure::Failure;
use super::object::Meta as _;
use super::resource::Resource;

/// The objects that a list or watch selects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    namespace: Option<String>,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Label {
        key: String,
        value: String,
        equal: bool,
    },
    LabelIn {
        key: String,
        values: Vec<String>,
        among: bool,
    },
    HasLabel {
        key: String,
        has: bool,
    },
    Field {
        path: Vec<String>,
        value: String,
        equal: bool,
    },
}

impl Selector {
    /// Parses the namespace of a path and the selectors of a query.
    pub fn parse(
        resource: &'static Resource,
        namespace: Option<&str>,
        labels: &str,
        fields: &str,
    ) -> Result<Self, Failure> {
        let mut terms = Vec::new();
        for text in requirements(labels) {
            terms.push(label(text)?);
        }
        for text in fields.split(',').filter(|text| !text.is_empty()) {
            let Some((key, value, equal)) = comparison(text) else {
                let why = format!("invalid selector: '{text}'; can't understand '{text}'");
                return Err(Failure::new(400, "BadRequest", why));
            };
            let names = ["metadata.name", "metadata.namespace"];
            if !names.contains(&key.as_str()) && !resource.selectable_fields().contains(&key.as_str()) {
                let why = if resource.selectable_fields().is_empty() {
                    format!("{key:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
                } else {
                    format!("field label not supported: {key}")
                };
                return Err(Failure::new(400, "BadRequest", why));
            }
            terms.push(Term::Field {
                path: key.split('.').map(str::to_owned).collect(),
                value,
                equal,
            });
        }
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            terms,
        })
    }

    /// True if it has no requirement besides the namespace.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// True if it selects this object.
    pub fn matches(&self, object: &Value) -> bool {
        let namespace = self.namespace.as_deref();
        namespace.is_none_or(|namespace| object.meta("namespace") == namespace)
            && self.terms.iter().all(|term| term.matches(object))
    }
}

impl Term {
    fn matches(&self, object: &Value) -> bool {
        match self {
            Self::Label { key, value, equal } => {
                let found = object.labels().and_then(|l| l.get(key)).and_then(Value::as_str);
                (found == Some(value.as_str())) == *equal
            }
            Self::LabelIn { key, values, among } => {
                let found = object.labels().and_then(|l| l.get(key)).and_then(Value::as_str);
                found.is_some_and(|found| values.iter().any(|value| value == found)) == *among
            }
            Self::HasLabel { key, has } => object.labels().is_some_and(|l| l.contains_key(key)) == *has,
            Self::Field { path, value, equal } => {
                let mut at = object;
                for step in path {
                    at = &at[step.as_str()];
                }
                let found = match at {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                (found == *value) == *equal
            }
        }
    }
}

/// The requirements of a label selector. Commas inside parentheses separate values, not requirements.
fn requirements(labels: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = labels.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|text| !text.is_empty()).collect()
}

fn label(text: &str) -> Result<Term, Failure> {
    if let Some((key, rest)) = text.split_once(' ').filter(|(key, _)| !key.contains(['=', '!'])) {
        let rest = rest.trim_start();
        let (operator, values) = rest.split_at(rest.find([' ', '(']).unwrap_or(rest.len()));
        let values = values
            .trim()
            .strip_prefix('(')
            .and_then(|values| values.strip_suffix(')'));
        let among = match operator {
            "in" => true,
            "notin" => false,
            found => {
                let why =
                    format!("unable to parse requirement: found '{found}', expected: in, notin, =, ==, !=, gt, lt");
                return Err(Failure::new(400, "BadRequest", why));
            }
        };
        let values = values
            .unwrap_or_default()
            .split(',')
            .map(|value| value.trim().to_owned());
        return Ok(Term::LabelIn {
            key: key.to_owned(),
            values: values.collect(),
            among,
        });
    }
    Ok(match comparison(text) {
        Some((key, value, equal)) => Term::Label { key, value, equal },
        None => match text.strip_prefix('!') {
            Some(key) => Term::HasLabel {
                key: key.to_owned(),
                has: false,
            },
            None => Term::HasLabel {
                key: text.to_owned(),
                has: true,
            },
        },
    })
}

/// `a=b`, `a==b` or `a!=b`.
fn comparison(text: &str) -> Option<(String, String, bool)> {
    if let Some((key, value)) = text.split_once("!=") {
        return Some((key.trim().to_owned(), value.trim().to_owned(), false));
    }
    let (key, value) = text.split_once('=')?;
    let value = value.strip_prefix('=').unwrap_or(value);
    Some((key.trim().to_owned(), value.trim().to_owned(), true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::resource::PODS;

    fn matches(labels: &str, fields: &str) -> bool {
        let pod = json!({"metadata": {"name": "a", "namespace": "shop", "labels": {"app": "pg"}}});
        Selector::parse(&PODS, Some("shop"), labels, fields)
            .unwrap()
            .matches(&pod)
    }

    #[test]
    fn an_object_is_selected_when_it_meets_every_requirement() {
        assert!(matches("app=pg,app", "metadata.name=a"));
        assert!(matches("app!=web,!tier", "metadata.name!=b"));
        assert!(matches("app in (web, pg),tier notin (db)", "metadata.namespace=shop"));
        assert!(!matches("app notin (pg)", ""));
        assert!(!matches("app=web", ""));
        assert!(!matches("tier", ""));
        assert!(!matches("", "metadata.name=b"));
    }
}
