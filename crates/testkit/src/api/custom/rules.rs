//! The rules of a schema (`x-kubernetes-validations`), evaluated as CEL.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use cel::extractors::This;
use cel::{Context, Env, Program};
use regex::Regex;
use serde_json::Value;

use crate::api::failure::FieldError;

/// A rule and its message.
#[derive(Debug)]
pub struct Rule {
    source: String,
    program: Program,
    message: String,
    /// It refers to the old value, so it is checked on updates only.
    of_changes: bool,
}

/// `namespace` is a reserved word in the CEL of Kubernetes: a field of this name is `__namespace__`.
const RESERVED: (&str, &str) = ("namespace", "__namespace__");

fn env() -> Arc<Env> {
    static ENV: OnceLock<Arc<Env>> = OnceLock::new();
    Arc::clone(ENV.get_or_init(|| Arc::new(Env::stdlib())))
}

impl Rule {
    /// Compiles an item of `x-kubernetes-validations`.
    pub fn compile(rule: &Value) -> Self {
        let source = rule["rule"].as_str().unwrap().to_owned();
        let members: Vec<&String> = rule.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            ["message", "rule"],
            "the double knows no other fields of a rule"
        );
        Self {
            program: env().compile(&source).unwrap_or_else(|e| panic!("{source}: {e}")),
            message: rule["message"].as_str().unwrap().to_owned(),
            of_changes: source.contains("oldSelf"),
            source,
        }
    }
}

/// The errors of one value: the rules that it breaks.
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
    // For a scalar, the API server prints the value too.
    let shown = match new {
        Value::Object(_) | Value::Array(_) => String::new(),
        scalar => format!("{scalar}: "),
    };
    broken
        .map(|rule| FieldError::invalid(path, &format!("{shown}{}", rule.message)))
        .collect()
}

/// `text.matches(pattern)`. The library's own function compiles the pattern at each call, which is slow.
#[expect(clippy::needless_pass_by_value, reason = "the library passes arguments this way")]
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
