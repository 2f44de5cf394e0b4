//! Runs a scenario against an API server, and returns the answers.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::client::Client;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::fill::{self, Known};
use crate::scenario::{Scenario, Step, Verb};
use crate::wire;

/// How long to wait for the control plane.
const PATIENCE: Duration = Duration::from_secs(90);

/// The answers, and the objects afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    pub answers: Vec<Answer>,
    pub left: Vec<Value>,
}

/// Runs a scenario in its own existing namespaces, and cleans up.
pub async fn play(client: &Client, scenario: &Scenario, namespace: &str) -> Result<Played, String> {
    let mut answers = Vec::new();
    let mut outcome = Ok(());
    for step in &scenario.steps {
        outcome = perform(client, step, namespace, &mut answers).await;
        if outcome.is_err() {
            break;
        }
    }
    let left = left(client, scenario, namespace).await;
    release(client, &left, namespace).await;
    outcome.map_err(|error| format!("after {} answers: {error}", answers.len()))?;
    Ok(Played { answers, left })
}

async fn perform(client: &Client, step: &Step, namespace: &str, answers: &mut Vec<Answer>) -> Result<(), String> {
    let known = Known { namespace, answers };
    let path = wire::path(&known.text(&step.target), namespace);
    let mut body = step.body.as_ref().map(|body| known.fill(body));
    if let Some(body) = &mut body {
        complete(step, body);
    }
    let answer = match step.verb {
        Verb::Watch(count) => {
            let request = wire::request(step.verb, &path, None);
            let response = client.send(request).await.map_err(|e| e.to_string())?;
            for step in &step.meanwhile {
                Box::pin(perform(client, step, namespace, answers)).await?;
            }
            wire::events(response, count).await?
        }
        Verb::Await(code) => until(client, &path, code).await?,
        verb => wire::send(client, wire::request(verb, &path, body.as_ref())).await?,
    };
    answers.push(answer);
    Ok(())
}

/// Adds the kind to a whole object without one. An empty kind means that it is left out.
fn complete(step: &Step, body: &mut Value) {
    let Some(members) = body
        .as_object_mut()
        .filter(|_| matches!(step.verb, Verb::Post | Verb::Put))
    else {
        return;
    };
    if members.get("kind").is_some_and(|kind| kind == "") {
        members.remove("kind");
    } else if !members.contains_key("kind")
        && let Some(resource) = wire::resource(&step.target)
    {
        members.insert("apiVersion".to_owned(), resource.api_version().into());
        members.insert("kind".to_owned(), resource.kind.into());
    }
}

async fn until(client: &Client, path: &str, code: u16) -> Result<Answer, String> {
    let begun = Instant::now();
    loop {
        let answer = wire::send(client, wire::request(Verb::Get, path, None)).await?;
        if answer.code == code {
            return Ok(answer);
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!(
                "{path} is still answered with {}: {}",
                answer.code, answer.body
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The objects of all kinds of the scenario, in its namespaces.
async fn left(client: &Client, scenario: &Scenario, namespace: &str) -> Vec<Value> {
    let targets = scenario.targets();
    let plurals: BTreeSet<&str> = targets
        .iter()
        .filter_map(|target| wire::resource(target))
        .filter(|resource| resource.namespaced)
        .map(|resource| resource.plural)
        .collect();
    let mut left = Vec::new();
    for namespace in namespaces(scenario, namespace) {
        for plural in &plurals {
            let path = wire::path(plural, &namespace);
            if let Ok(answer) = wire::send(client, wire::request(Verb::Get, &path, None)).await {
                let items = answer.body["items"].as_array().cloned().unwrap_or_default();
                left.extend(items.into_iter().map(|item| json!({"of": plural, "object": item})));
            }
        }
    }
    left
}

/// The namespaces of a scenario.
pub fn namespaces(scenario: &Scenario, namespace: &str) -> Vec<String> {
    let mut all = vec![namespace.to_owned()];
    if scenario.mentions("other:") || scenario.mentions("$other") {
        all.push(fill::other(namespace));
    }
    all
}

/// Removes finalizers, so that the namespace can be deleted.
async fn release(client: &Client, left: &[Value], namespace: &str) {
    let held = left
        .iter()
        .filter(|item| !item["object"]["metadata"]["finalizers"].is_null());
    for item in held {
        let name = item["object"]["metadata"]["name"].as_str().unwrap_or_default();
        let place = item["object"]["metadata"]["namespace"].as_str().unwrap_or(namespace);
        let path = wire::path(&format!("{}/{name}", item["of"].as_str().unwrap_or_default()), place);
        let nothing = json!({"metadata": {"finalizers": null}});
        let _ = wire::send(client, wire::request(Verb::Merge, &path, Some(&nothing))).await;
    }
}
