//! Validation against a schema, with the API server's messages: first types and bounds, then CEL rules.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::schema::{List, Schema};
use super::{rules, value_type};
use crate::api::failure::FieldError;
use crate::api::object::Meta as _;

/// The errors of an object. Unchanged values are skipped: they were valid when they were stored.
pub fn errors(schema: &Schema, new: &Value, old: Option<&Value>, subresource: bool) -> Vec<FieldError> {
    let mut check = Check {
        errors: Vec::new(),
        subresource,
    };
    let Some(members) = new.as_object() else {
        return check.errors;
    };
    check.members(schema, members, old, "");
    if check.errors.iter().any(FieldError::is_blocking) {
        check.errors.push(FieldError::rules_not_checked());
        return check.errors;
    }
    let seen = |object: &Value| json!({"metadata": {"name": object.meta("name")}, "spec": object["spec"]});
    let (new_seen, old_seen) = (seen(new), old.map(seen));
    if old_seen.as_ref() != Some(&new_seen) {
        check
            .errors
            .extend(rules::broken(&schema.rules, "<nil>", &new_seen, old_seen.as_ref()));
    }
    for (name, schema) in &schema.properties {
        if let Some(value) = new.get(name) {
            check.rules(schema, value, old.and_then(|old| old.get(name)), name);
        }
    }
    check.errors
}

struct Check {
    errors: Vec<FieldError>,
    /// True for a write of the status: then the messages name fields relative to it.
    subresource: bool,
}

impl Check {
    fn members(&mut self, schema: &Schema, members: &Map<String, Value>, old: Option<&Value>, path: &str) {
        for name in schema.required.iter().filter(|name| !members.contains_key(*name)) {
            self.errors.push(FieldError::required(&joined(path, name)));
        }
        for (name, value) in members {
            if let Some(schema) = schema.properties.get(name).or(schema.additional.as_deref()) {
                self.value(schema, value, old.and_then(|old| old.get(name)), &joined(path, name));
            }
        }
    }

    fn value(&mut self, schema: &Schema, new: &Value, old: Option<&Value>, path: &str) {
        if old == Some(new) {
            return;
        }
        if !value_type::is_of(schema, new) {
            self.of_another_kind(schema, new, path);
            return;
        }
        if !schema.allowed.is_empty() && !schema.allowed.contains(new) {
            self.errors.push(FieldError::not_supported(path, new, &schema.allowed));
        }
        match new {
            Value::Object(members) => {
                if let Some(most) = schema.max_properties.filter(|most| (members.len() as u64) > *most) {
                    self.errors.push(FieldError::too_many(path, members.len(), most));
                }
                self.members(schema, members, old, path);
            }
            Value::Array(list) => self.list(schema, list, path),
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                if let Some(least) = schema.minimum.filter(|least| number < *least) {
                    self.refuse(path, new, &format!("should be greater than or equal to {least}"));
                }
                if let Some(most) = schema
                    .maximum
                    .filter(|most| number > *most || value_type::exceeds(new, *most))
                {
                    self.refuse(path, new, &format!("should be less than or equal to {most}"));
                }
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn list(&mut self, schema: &Schema, list: &[Value], path: &str) {
        if let Some(least) = schema.min_items.filter(|least| (list.len() as u64) < *least) {
            self.refuse(path, &list.len().into(), &format!("should have at least {least} items"));
        }
        if let Some(most) = schema.max_items.filter(|most| (list.len() as u64) > *most) {
            self.errors.push(FieldError::too_many(path, list.len(), most));
        }
        let key = |item: &Value| match &schema.list {
            List::Atomic => None,
            List::Set => Some(item.clone()),
            List::Map(keys) => Some(keys.iter().map(|key| (key.clone(), item[key].clone())).collect()),
        };
        for (index, item) in list.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if let Some(items) = &schema.items {
                self.value(items, item, None, &path);
            }
            if key(item).is_some_and(|found| list[..index].iter().any(|item| key(item).as_ref() == Some(&found))) {
                self.errors
                    .push(FieldError::duplicate(&path, &key(item).unwrap_or_default()));
            }
        }
    }

    fn text(&mut self, schema: &Schema, text: &str, path: &str) {
        let length = text.chars().count() as u64;
        let value = Value::from(text);
        if let Some(least) = schema.min_length.filter(|least| length < *least) {
            self.refuse(path, &value, &format!("should be at least {least} chars long"));
        }
        if let Some(most) = schema.max_length.filter(|most| length > *most) {
            self.errors.push(FieldError::too_long(path, most));
        }
        if let Some(pattern) = schema.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            self.refuse(path, &value, &format!("should match '{pattern}'"));
        }
        if schema.format == "date-time" && text.parse::<Timestamp>().is_err() {
            let why = format!(
                "{value}: {} in body must be of type date-time: {value}",
                self.named(path)
            );
            self.errors.push(FieldError::of_type(path, &why));
        }
    }

    fn of_another_kind(&mut self, schema: &Schema, new: &Value, path: &str) {
        let named = self.named(path).to_owned();
        if schema.kind == "integer" && new.is_f64() {
            let why = format!(
                "\"float64\": {named} in body must be of type {}: \"float64\"",
                schema.format
            );
            self.errors.push(FieldError::of_type(path, &why));
            let why = format!(
                "\"\": Checked value must be of type integer with format {} in {named}",
                schema.format
            );
            self.errors.push(FieldError::invalid("<nil>", &why));
            return;
        }
        let expected = if schema.kind.is_empty() {
            "integer,string"
        } else {
            &schema.kind
        };
        let found = value_type::name(new);
        let why = format!("\"{found}\": {named} in body must be of type {expected}: \"{found}\"");
        self.errors.push(FieldError::of_type(path, &why));
    }

    /// Checks the rules of a value, then those of the values inside it.
    fn rules(&mut self, schema: &Schema, new: &Value, old: Option<&Value>, path: &str) {
        if old == Some(new) {
            return;
        }
        self.errors.extend(rules::broken(&schema.rules, path, new, old));
        match new {
            Value::Object(members) => {
                for (name, value) in members {
                    if let Some(schema) = schema.properties.get(name).or(schema.additional.as_deref()) {
                        self.rules(schema, value, old.and_then(|old| old.get(name)), &joined(path, name));
                    }
                }
            }
            Value::Array(list) => {
                let Some(items) = &schema.items else { return };
                for (index, item) in list.iter().enumerate() {
                    // The API server finds an item's old value by its key; no rule of these CRDs on items needs it.
                    self.rules(items, item, None, &format!("{path}[{index}]"));
                }
            }
            _ => {}
        }
    }

    fn refuse(&mut self, path: &str, value: &Value, why: &str) {
        let why = format!("{value}: {} in body {why}", self.named(path));
        self.errors.push(FieldError::invalid(path, &why));
    }

    fn named<'a>(&self, path: &'a str) -> &'a str {
        let inner = path.strip_prefix("status.").filter(|_| self.subresource);
        inner.unwrap_or(path)
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
