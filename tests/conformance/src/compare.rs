//! Compares two JSON values field by field.

use serde_json::Value;

/// The differences of two values, one line for each field: `path: the double has …, the real one …`.
pub fn differences(double: &Value, real: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", double, real, &mut found);
    found
}

fn compare(path: &str, double: &Value, real: &Value, found: &mut Vec<String>) {
    match (double, real) {
        (Value::Object(a), Value::Object(b)) => {
            // If the codes differ, the bodies are not compared: they are of different kinds.
            if let (Some(_), Some(_), false) = (a.get("code"), a.get("body"), a.get("code") == b.get("code")) {
                found.push(line(path, Some(&summary(double)), Some(&summary(real))));
                return;
            }
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let (a, b) = (a.get(key), b.get(key));
                let path = format!("{path}.{key}");
                match (a, b) {
                    (Some(a), Some(b)) => compare(&path, a, b, found),
                    (a, b) => found.push(line(&path, a, b)),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(line(path, Some(a), Some(b))),
    }
}

/// A short form of an answer.
fn summary(answer: &Value) -> Value {
    let (code, body) = (&answer["code"], &answer["body"]);
    format!(
        "{code} {} {}",
        body["reason"].as_str().unwrap_or("object"),
        body["message"]
    )
    .into()
}

fn line(path: &str, double: Option<&Value>, real: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    format!("{path}: the double has {}, the real one {}", shown(double), shown(real))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_one_has_and_what_is_unlike_differs() {
        let found = differences(&json!({"a": [1, 2], "b": 1}), &json!({"a": [1, 3], "c": null}));
        assert_eq!(
            found,
            [
                ".a[1]: the double has 2, the real one 3",
                ".b: the double has 1, the real one nothing",
                ".c: the double has nothing, the real one null"
            ]
        );
    }
}
