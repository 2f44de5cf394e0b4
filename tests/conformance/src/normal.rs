//! Normalizes answers, so that two runs can be compared. UIDs, resource versions, times and addresses become symbols in
//! the order of their appearance, so that equal values stay equal.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::leniency;
use crate::play::Played;

/// The times that the API server writes.
const TIMES: [&str; 4] = ["creationTimestamp", "deletionTimestamp", "time", "lastTransitionTime"];
/// The addresses that it assigns.
const ADDRESSES: [&str; 3] = ["clusterIP", "clusterIPs", "ip"];

/// The answers and the remaining objects, in the form in which they are compared.
pub fn normal(played: &Played) -> Value {
    let mut left: Vec<&Value> = played
        .left
        .iter()
        .filter(|item| !leniency::is_control_planes(item))
        .collect();
    left.sort_by_key(|item| {
        let text = |field: &str| {
            item["object"]["metadata"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        (item["of"].to_string(), text("namespace"), text("name"))
    });
    let answers = played.answers.iter().enumerate();
    let answers: Map<String, Value> = answers
        .map(|(i, answer)| (format!("{}", i + 1), json!({"code": answer.code, "body": answer.body})))
        .collect();
    let mut all = json!({"answers": answers, "left": left});
    for item in all["left"].as_array_mut().into_iter().flatten() {
        // Lists leave them out.
        item["object"]["kind"].take();
        item["object"]["apiVersion"].take();
    }
    leniency::apply(&mut all);
    let mut symbols = Symbols::default();
    symbols.learn(&all);
    symbols.replace(&mut all, "");
    all
}

#[derive(Default)]
struct Symbols {
    known: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Symbols {
    /// Gives a symbol to every UID, version, address and generated name of an object.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|v| self.learn(v)),
            Value::Object(members) => {
                for (key, value) in members {
                    match (key.as_str(), value) {
                        ("uid", Value::String(text)) => self.symbol("uid", text),
                        ("resourceVersion", Value::String(text)) if is_object(members) => {
                            self.symbol("version", text);
                        }
                        ("name", Value::String(text)) if is_generated(members, text) => {
                            self.symbol("generated name", text);
                        }
                        (key, Value::String(text)) if ADDRESSES.contains(&key) && is_address(text) => {
                            self.symbol("address", text);
                        }
                        (_, value) => self.learn(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn symbol(&mut self, kind: &'static str, text: &str) {
        if text.is_empty() || self.known.contains_key(text) {
            return;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        self.known.insert(text.to_owned(), format!("<{kind} {count}>"));
    }

    fn replace(&self, value: &mut Value, key: &str) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(|v| self.replace(v, key)),
            Value::Object(members) => {
                members.retain(|_, value| !value.is_null());
                if !is_object(members) {
                    // The version of a list or a bookmark is that of the whole server, which other clients change too.
                    if let Some(version) = members.get_mut("resourceVersion").filter(|v| v.is_string()) {
                        *version = "<now>".into();
                    }
                }
                for (key, value) in members.iter_mut() {
                    self.replace(value, key);
                }
            }
            Value::String(text) => {
                if TIMES.contains(&key) && text.starts_with("20") {
                    "<time>".clone_into(text);
                } else if let Some(symbol) = self.known.get(text.as_str()) {
                    text.clone_from(symbol);
                } else if key == "message" {
                    *text = self.in_text(text);
                }
            }
            _ => {}
        }
    }

    /// Replaces known words of a message. Versions are replaced only where the message names one.
    fn in_text(&self, text: &str) -> String {
        let versions = text.contains("ResourceVersion");
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let mut filled = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(is_of_word) {
            let (before, word) = rest.split_at(start);
            let (word, after) = word.split_at(word.find(|c| !is_of_word(c)).unwrap_or(word.len()));
            filled.push_str(before);
            let symbol = self
                .known
                .get(word)
                .filter(|symbol| versions || !symbol.starts_with("<version"));
            filled.push_str(symbol.map_or(word, String::as_str));
            rest = after;
        }
        filled + rest
    }
}

/// The metadata of an object has a UID, that of a list has none.
fn is_object(members: &Map<String, Value>) -> bool {
    members.contains_key("uid")
}

fn is_generated(metadata: &Map<String, Value>, name: &str) -> bool {
    let prefix = metadata.get("generateName").and_then(Value::as_str);
    prefix.is_some_and(|prefix| name.len() == prefix.len() + 5 && name.starts_with(prefix))
}

fn is_address(text: &str) -> bool {
    text.starts_with("10.")
}
