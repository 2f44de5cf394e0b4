//! Label and field selectors of lists and watches.

use serde_json::Value;

use super::failure::Failure;
use super::object::Meta as _;

/// What a list or watch is about.
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
    /// From the namespace of a path and the selectors of a query.
    pub fn parse(namespace: Option<&str>, labels: &str, fields: &str) -> Result<Self, Failure> {
        let mut terms = Vec::new();
        for text in labels.split(',').filter(|text| !text.is_empty()) {
            terms.push(match comparison(text) {
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
            });
        }
        for text in fields.split(',').filter(|text| !text.is_empty()) {
            let Some((key, value, equal)) = comparison(text) else {
                let why = format!("unable to parse requirement: invalid field selector: '{text}'");
                return Err(Failure::new(400, "BadRequest", why));
            };
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

    /// Whether an object is among those that are asked for.
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
            Self::HasLabel { key, has } => object.labels().is_some_and(|l| l.contains_key(key)) == *has,
            Self::Field { path, value, equal } => {
                let mut at = object;
                for step in path {
                    at = &at[step.as_str()];
                }
                (at.as_str().unwrap_or_default() == value) == *equal
            }
        }
    }
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

    fn matches(labels: &str, fields: &str) -> bool {
        let pod = json!({"metadata": {"name": "a", "namespace": "shop", "labels": {"app": "pg"}}});
        Selector::parse(Some("shop"), labels, fields).unwrap().matches(&pod)
    }

    #[test]
    fn labels_and_fields_are_all_asked_for() {
        assert!(matches("app=pg,app", "metadata.name=a"));
        assert!(matches("app!=web,!tier", "metadata.name!=b"));
        assert!(!matches("app=web", ""));
        assert!(!matches("tier", ""));
        assert!(!matches("", "metadata.name=b"));
    }
}
