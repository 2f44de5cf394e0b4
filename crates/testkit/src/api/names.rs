//! Validation of metadata: names, labels, finalizers.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::failure::FieldError;
use super::object::Meta as _;
use super::resource::{NAMESPACES, Resource, SERVICES};

/// The form of a name, and the message about a text that does not have it.
struct Form {
    pattern: Regex,
    most: usize,
    why: &'static str,
}

fn form(pattern: &str, most: usize, why: &'static str) -> Form {
    let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    Form { pattern, most, why }
}

static SUBDOMAIN: LazyLock<Form> = LazyLock::new(|| {
    let why = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
               and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
               '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    form(
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
        253,
        why,
    )
});
static LABEL: LazyLock<Form> = LazyLock::new(|| {
    let why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end \
               with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
               '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    form("[a-z0-9]([-a-z0-9]*[a-z0-9])?", 63, why)
});
static VALUE: LazyLock<Form> = LazyLock::new(|| {
    let why = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start \
               and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
               validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    form("(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", 63, why)
});
static KEY: LazyLock<Form> = LazyLock::new(|| {
    let why = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
               alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
               '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    form("([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", 63, why)
});

impl Form {
    /// The message about a text that does not have this form.
    fn error(&self, text: &str) -> Option<String> {
        if text.len() > self.most {
            return Some(format!("must be no more than {} characters", self.most));
        }
        (!self.pattern.is_match(text)).then(|| self.why.to_owned())
    }
}

/// The errors of an object's metadata.
pub fn errors(resource: &Resource, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old.is_none() {
        let name = new.meta("name");
        let is_label = *resource == SERVICES || *resource == NAMESPACES;
        let why = if is_label && name.contains('.') {
            Some("must not contain dots".to_owned())
        } else if is_label {
            LABEL.error(name)
        } else {
            SUBDOMAIN.error(name)
        };
        errors.extend(why.map(|why| FieldError::invalid("metadata.name", &format!("{name:?}: {why}"))));
    }
    if old.is_none_or(|old| old.labels() != new.labels()) {
        errors.extend(
            new.labels()
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| label(key, value)),
        );
    }
    let standard = ["orphan", "foregroundDeletion", "kubernetes"];
    for (index, finalizer) in new.finalizers().into_iter().enumerate() {
        // The API server does not check the finalizers of custom objects for this.
        if !resource.is_custom() && !finalizer.contains('/') && !standard.contains(&finalizer) {
            let why = format!("{finalizer:?}: name is neither a standard finalizer name nor is it fully qualified");
            errors.push(FieldError::invalid(&format!("metadata.finalizers[{index}]"), &why));
        }
    }
    if let Some(old) = old.filter(|old| old.is_terminating()) {
        let known = old.finalizers();
        let late = new.finalizers().into_iter().filter(|f| !known.contains(f));
        let late: Vec<String> = late.map(|f| format!("{f:?}")).collect();
        if !late.is_empty() {
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                late.join(", ")
            );
            errors.push(FieldError::forbidden("metadata.finalizers", &why));
        }
    }
    errors
}

fn label(key: &str, value: &Value) -> Option<FieldError> {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    let value = value.as_str().unwrap_or_default();
    let (text, why) = match (KEY.error(name), VALUE.error(value)) {
        (Some(why), _) => (key, why),
        (None, Some(why)) => (value, why),
        (None, None) => return None,
    };
    Some(FieldError::invalid("metadata.labels", &format!("{text:?}: {why}")))
}
