//! The rules of a schema (`x-kubernetes-validations`), evaluated as CEL.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use cel::extractors::This;
use cel::{Context, Env, Program};
use regex::Regex;
use serde_json::Value;

use crate::api::failure::FieldError;

/// A rule and what it says when it is broken.
#[derive(Debug)]
pub struct Rule {
    source: String,
    program: Program,
    message: String,
    /// Looks at what was before: it holds for changes only.
    of_changes: bool,
}

/// A member called `namespace` is `__namespace__` in CEL as Kubernetes has it, where the word is reserved.
const RESERVED: (&str, &str) = ("namespace", "__namespace__");

fn env() -> Arc<Env> {
    static ENV: OnceLock<Arc<Env>> = OnceLock::new();
    Arc::clone(ENV.get_or_init(|| Arc::new(Env::stdlib())))
}

impl Rule {
    /// From a member of `x-kubernetes-validations`.
    pub fn compile(rule: &Value) -> Self {
        let source = rule["rule"].as_str().unwrap().to_owned();
        let members: Vec<&String> = rule.as_object().unwrap().keys().collect();
        assert_eq!(members, ["message", "rule"], "a rule with more is not known here");
        Self {
            program: env().compile(&source).unwrap_or_else(|e| panic!("{source}: {e}")),
            message: rule["message"].as_str().unwrap().to_owned(),
            of_changes: source.contains("oldSelf"),
            source,
        }
    }
}

/// The rules of one value that are broken.
pub fn broken(rules: &[Rule], path: &str, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    if rules.is_empty() {
        return Vec::new();
    }
    let mut context = Context::with_env(env());
    context.add_function("matches", matches).unwrap();
    context.add_variable_from_value("self", value(new));
    if let Some(old) = old {
        context.add_variable_from_value("oldSelf", value(old));
    }
    let asked = rules.iter().filter(|rule| old.is_some() || !rule.of_changes);
    let broken = asked.filter(|rule| match rule.program.execute(&context) {
        Ok(cel::Value::Bool(holds)) => !holds,
        other => panic!("{} is {other:?} of {new}", rule.source),
    });
    // Of a scalar, the value is told too.
    let shown = match new {
        Value::Object(_) | Value::Array(_) => String::new(),
        scalar => format!("{scalar}: "),
    };
    broken
        .map(|rule| FieldError::invalid(path, &format!("{shown}{}", rule.message)))
        .collect()
}

/// `text.matches(pattern)`: the library's own compiles the pattern each time, which takes most of a rule's time.
#[expect(clippy::needless_pass_by_value, reason = "so the library hands arguments over")]
fn matches(This(text): This<Arc<String>>, pattern: Arc<String>) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap();
    let pattern = compiled
        .entry(pattern.to_string())
        .or_insert_with(|| Regex::new(&pattern).unwrap());
    pattern.is_match(&text)
}

fn value(json: &Value) -> cel::Value {
    match json {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => cel::Value::Int(whole),
            None => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(list) => list.iter().map(value).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            let name = |name: &String| {
                if name == RESERVED.0 {
                    RESERVED.1.to_owned()
                } else {
                    name.clone()
                }
            };
            let members = members.iter().map(|(key, member)| (name(key), value(member)));
            members.collect::<HashMap<_, _>>().into()
        }
    }
}
