//! The scenarios in `scenarios/*.yaml`. Each has a sentence about the API server, and the requests that show it.
//!
//! ```yaml
//! a merge patch with an older version is refused:
//!   - POST configmaps: {metadata: {name: a}}
//!   - MERGE configmaps/a: {data: {k: v}}
//!   - MERGE configmaps/a: {metadata: {resourceVersion: $1.rv}, data: {k: w}}
//! ```
//!
//! The key `_` of a file has the YAML anchors that its scenarios share.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A sentence about the API server, and the requests that show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its file.
    pub file: String,
    pub name: String,
    pub steps: Vec<Step>,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub verb: Verb,
    /// `plural[/name[/subresource]][?query]` in the scenario's namespace, or a whole path that starts with `/`.
    pub target: String,
    pub body: Option<Value>,
    /// For a watch: the requests while it is open.
    pub meanwhile: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Merge,
    Json,
    Strategic,
    Delete,
    /// The number of events to collect. None for all until the watch ends.
    Watch(Option<usize>),
    /// Repeats the GET until the answer has this code.
    Await(u16),
}

impl Scenario {
    /// All scenarios.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        let of_file = |path: &std::path::PathBuf| {
            let file = path.file_stem().unwrap().to_string_lossy().into_owned();
            read(&file, &fs::read_to_string(path).unwrap())
        };
        files.iter().flat_map(of_file).collect()
    }

    /// All targets, including those of requests during watches.
    pub fn targets(&self) -> Vec<&str> {
        let nested = self.steps.iter().flat_map(|step| &step.meanwhile);
        self.steps
            .iter()
            .chain(nested)
            .map(|step| step.target.as_str())
            .collect()
    }

    /// Whether it contains a text.
    pub fn mentions(&self, text: &str) -> bool {
        format!("{:?}", self.steps).contains(text)
    }
}

fn read(file: &str, text: &str) -> Vec<Scenario> {
    let mut yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap_or_else(|e| panic!("{file}: {e}"));
    yaml.apply_merge().unwrap();
    let serde_yaml_ng::Value::Mapping(scenarios) = yaml else {
        panic!("{file}: no scenarios");
    };
    let mut read = Vec::new();
    for (name, steps) in scenarios {
        let name: String = serde_yaml_ng::from_value(name).unwrap();
        if name == "_" {
            continue;
        }
        let steps: Value = serde_yaml_ng::from_value(steps).unwrap_or_else(|e| panic!("{file}: {name}: {e}"));
        read.push(Scenario {
            file: file.to_owned(),
            steps: all_steps(&steps, &name),
            name,
        });
    }
    read
}

fn all_steps(steps: &Value, of: &str) -> Vec<Step> {
    let steps = steps.as_array().unwrap_or_else(|| panic!("{of}: no steps"));
    steps.iter().map(|s| step(s, of)).collect()
}

fn step(step: &Value, of: &str) -> Step {
    let (request, body) = match step {
        Value::String(request) => (request.as_str(), None),
        Value::Object(members) if members.len() == 1 => {
            let (request, body) = members.iter().next().unwrap();
            (request.as_str(), Some(body.clone()))
        }
        other => panic!("{of}: {other} is no step"),
    };
    let words: Vec<&str> = request.split(' ').collect();
    let (verb, target) = match words.as_slice() {
        ["WATCH", "end", target] => (Verb::Watch(None), target),
        ["WATCH", count, target] => (Verb::Watch(Some(count.parse().unwrap())), target),
        ["AWAIT", code, target] => (Verb::Await(code.parse().unwrap()), target),
        ["GET", target] => (Verb::Get, target),
        ["POST", target] => (Verb::Post, target),
        ["PUT", target] => (Verb::Put, target),
        ["MERGE", target] => (Verb::Merge, target),
        ["JSON", target] => (Verb::Json, target),
        ["STRATEGIC", target] => (Verb::Strategic, target),
        ["DELETE", target] => (Verb::Delete, target),
        _ => panic!("{of}: {request} is no request"),
    };
    let watches = matches!(verb, Verb::Watch(_));
    Step {
        verb,
        target: (*target).to_owned(),
        meanwhile: match &body {
            Some(steps) if watches => all_steps(steps, of),
            _ => Vec::new(),
        },
        body: body.filter(|_| !watches),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scenarios_share_stands_beside_them() {
        let text =
            "_: {spec: &s {a: 1}}\nit is so:\n  - POST pods: {spec: {<<: *s, b: 2}}\n  - WATCH 1 pods: [GET pods]\n";
        let all = read("f", text);
        assert_eq!(all.len(), 1);
        assert_eq!(
            all[0].steps[0].body,
            Some(serde_json::json!({"spec": {"a": 1, "b": 2}}))
        );
        assert_eq!(all[0].steps[1].meanwhile[0].target, "pods");
    }
}
