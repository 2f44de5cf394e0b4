//! Values from schemas: one field at a time is chosen by a random walk through the schema, and gets a value.

use instancelink_testkit::dice::Dice;
use serde_json::{Map, Value, json};

use super::extremes;
use super::schemas::Schemas;

/// How deep values of their own are.
const DEEPEST: u32 = 4;
/// The field of a list in a path.
const ITEM: &str = "0";
/// A field that a schema does not know and keeps.
const UNKNOWN: &str = "other";
/// Members of an object that are not changed by a walk.
const FIXED: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// A field and its value.
#[derive(Clone, Debug)]
pub(super) struct Twist {
    path: Vec<String>,
    value: Value,
}

impl Twist {
    /// Whether the API server's name of a field, such as `spec.ports[0].name`, is this one, contains it or is in it.
    pub(super) fn touches(&self, field: &str) -> bool {
        let named: Vec<&str> = field.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect();
        let steps = named.iter().zip(&self.path);
        !named.is_empty() && steps.clone().count() > 1 && steps.into_iter().all(|(a, b)| *a == b)
    }
}

/// A random field of a kind.
pub(super) fn twist(schemas: &Schemas, kind: &Value, dice: &mut Dice) -> Option<Twist> {
    let mut path = Vec::new();
    let mut schema = schemas.resolve(kind);
    loop {
        let stops = path.len() > 1 && dice.roll(4) == 0;
        if schema["x-kubernetes-preserve-unknown-fields"] == true && dice.roll(4) > 0 {
            path.push(UNKNOWN.to_owned());
            schema = &Value::Null;
        } else if let Some(properties) = schema["properties"].as_object().filter(|_| !stops) {
            let names: Vec<&String> = properties
                .keys()
                .filter(|name| !path.is_empty() || !FIXED.contains(&name.as_str()))
                .collect();
            let name = *names.get(dice.roll(u32::try_from(names.len()).ok().filter(|n| *n > 0)?) as usize)?;
            path.push(name.clone());
            schema = schemas.resolve(&properties[name]);
        } else if schema["items"].is_object() && !stops && dice.roll(3) > 0 {
            path.push(ITEM.to_owned());
            schema = schemas.resolve(&schema["items"]);
        } else {
            let value = value(schemas, schema, dice, 0);
            return Some(Twist { path, value });
        }
    }
}

/// A value of a schema.
fn value(schemas: &Schemas, schema: &Value, dice: &mut Dice, depth: u32) -> Value {
    let schema = schemas.resolve(schema);
    if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
        return values[dice.roll(u32::try_from(values.len()).unwrap_or(1)) as usize].clone();
    }
    if schema["x-kubernetes-int-or-string"] == true || schema["format"] == "int-or-string" {
        return extremes::formatted("int-or-string", dice);
    }
    let format = schema["format"].as_str().unwrap_or_default();
    match schema["type"].as_str() {
        Some("boolean") => (dice.roll(2) == 0).into(),
        Some("integer") => extremes::integer(format, dice),
        Some("number") => json!(0.5),
        Some("string") => extremes::formatted(format, dice),
        Some("array") => {
            let count = if depth >= DEEPEST {
                0
            } else {
                dice.choose(&[0, 1, 1, 2, 16])
            };
            (0..count)
                .map(|_| value(schemas, &schema["items"], dice, depth + 1))
                .collect()
        }
        Some("object") if schema["properties"].is_object() => object(schemas, schema, dice, depth),
        Some("object") if schema["additionalProperties"].is_object() => {
            let count = if depth >= DEEPEST {
                0
            } else {
                dice.choose(&[0, 1, 3, 100])
            };
            let mut members = Map::new();
            for _ in 0..count {
                members.insert(
                    extremes::name(dice),
                    value(schemas, &schema["additionalProperties"], dice, depth + 1),
                );
            }
            Value::Object(members)
        }
        // Quantities are either.
        None if schema["oneOf"].is_array() => extremes::formatted("quantity", dice),
        _ => extremes::anything(dice),
    }
}

/// The required members, and some of the others.
fn object(schemas: &Schemas, schema: &Value, dice: &mut Dice, depth: u32) -> Value {
    let mut members = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if is_required(schema, name) || (depth < DEEPEST && dice.roll(5) == 0) {
            members.insert(name.clone(), value(schemas, property, dice, depth + 1));
        }
    }
    Value::Object(members)
}

fn is_required(schema: &Value, name: &str) -> bool {
    let mut required = schema["required"].as_array().into_iter().flatten();
    required.any(|other| other == name)
}

/// Sets the field. Objects around it that are missing get their required members.
pub(super) fn apply(schemas: &Schemas, kind: &Value, object: &mut Value, twist: &Twist) {
    let (mut schema, mut place) = (schemas.resolve(kind), object);
    let mut dice = Dice(1);
    for step in &twist.path {
        if step == ITEM && schema["items"].is_object() {
            schema = schemas.resolve(&schema["items"]);
            if place.as_array().is_none_or(Vec::is_empty) {
                *place = json!([required(schemas, schema, &mut dice)]);
            }
            place = &mut place[0];
        } else {
            if !place.is_object() {
                *place = required(schemas, schema, &mut dice);
            }
            schema = schemas.resolve(&schema["properties"][step]);
            place = &mut place[step];
        }
    }
    *place = twist.value.clone();
}

/// The smallest value of a schema.
fn required(schemas: &Schemas, schema: &Value, dice: &mut Dice) -> Value {
    if schema["properties"].is_object() {
        object(schemas, schema, dice, DEEPEST)
    } else {
        Value::Null
    }
}
