//! Placeholders of scenarios: `$ns` and `$other` are its namespaces, `$2.uid` the UID in the second answer, `$2.rv` its
//! resource version, and `$2.spec.clusterIP` any other field of it.

use serde_json::Value;

use crate::answer::Answer;

/// The values of placeholders.
#[derive(Debug)]
pub struct Known<'a> {
    pub namespace: &'a str,
    pub answers: &'a [Answer],
}

impl Known<'_> {
    /// A value with all placeholders replaced.
    pub fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.value(text),
            Value::Array(list) => list.iter().map(|v| self.fill(v)).collect(),
            Value::Object(members) => {
                let filled = members.iter().map(|(k, v)| (k.clone(), self.fill(v)));
                Value::Object(filled.collect())
            }
            other => other.clone(),
        }
    }

    fn value(&self, text: &str) -> Value {
        let whole = text.strip_prefix('$').and_then(|t| t.split_once('.'));
        if let Some((number, path)) = whole
            && let Ok(number) = number.parse::<usize>()
        {
            return self.answer(number, path);
        }
        self.text(text).into()
    }

    /// A text with all placeholders replaced.
    pub fn text(&self, text: &str) -> String {
        let text = text
            .replace("$other", &other(self.namespace))
            .replace("$ns", self.namespace);
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
                .unwrap_or(after.len());
            let (name, behind) = after.split_at(end);
            if let Some((Ok(number), path)) = name.split_once('.').map(|(n, path)| (n.parse::<usize>(), path)) {
                let found = self.answer(number, path);
                filled.push_str(&found.as_str().map_or_else(|| found.to_string(), str::to_owned));
            } else {
                filled.push('$');
                filled.push_str(name);
            }
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    fn answer(&self, number: usize, path: &str) -> Value {
        let path = match path {
            "rv" => "metadata.resourceVersion",
            "uid" => "metadata.uid",
            path => path,
        };
        let Some(answer) = self.answers.get(number.wrapping_sub(1)) else {
            panic!("there is no answer {number} yet");
        };
        let mut at = &answer.body;
        for step in path.split('.') {
            at = match step.parse::<usize>() {
                Ok(index) => &at[index],
                Err(_) => &at[step],
            };
        }
        at.clone()
    }
}

/// The second namespace of a scenario.
pub fn other(namespace: &str) -> String {
    format!("{namespace}-other")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_filled_in_values_and_within_texts() {
        let body = json!({"metadata": {"resourceVersion": "7", "generation": 3}});
        let answers = [Answer { code: 200, body }];
        let known = Known {
            namespace: "a",
            answers: &answers,
        };
        let asked = json!({"v": "$1.rv", "g": "$1.metadata.generation", "p": "x?v=$1.rv&n=$ns,$other", "cost": "$5"});
        let filled = json!({"v": "7", "g": 3, "p": "x?v=7&n=a,a-other", "cost": "$5"});
        assert_eq!(known.fill(&asked), filled);
    }
}
