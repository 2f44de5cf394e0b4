//! References are written as a whole (contract#atomic-references): sequences of writes by three clients, each with its own field
//! manager, to a real API server. After each write, the reference is exactly the one that this write has.

mod client_side;
mod place;
mod sequences;

use futures::stream::{self, StreamExt as _};
use http::Request;
use instancelink_conformance::answer::Answer;
use instancelink_conformance::{sides, wire};
use kube::client::{Body, Client};
use serde_json::{Value, json};

use place::Place;

/// A client that applies on the server's side, one that applies as kubectl does, and one that edits.
const GITOPS: &str = "gitops";
const KUBECTL: &str = "kubectl-client-side-apply";
const CONSOLE: &str = "console";

/// Concurrent sequences.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn after_each_write_a_reference_is_the_one_that_was_written() {
    let client = sides::real().await;
    let namespace = format!("references-{}", std::process::id());
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let made = send(&client, "POST", "application/json", "/api/v1/namespaces", &space).await;
    assert_eq!(made.code, 201, "{}", made.body);
    let runs: Vec<(Place, usize, &str)> = Place::ALL
        .into_iter()
        .flat_map(|place| {
            place
                .sequences()
                .iter()
                .enumerate()
                .map(move |(n, steps)| (place, n, *steps))
        })
        .collect();
    let played = stream::iter(&runs).map(async |(place, number, steps)| {
        let object = place.object(&namespace, &format!("{}-{number}", place.word()));
        let played = play(&client, &object, steps).await;
        let release = json!({"metadata": {"finalizers": null}});
        send(
            &client,
            "PATCH",
            "application/merge-patch+json",
            &object.path(),
            &release,
        )
        .await;
        Some(format!("{place:?}: {steps}\n    {}", played.err()?))
    });
    let played: Vec<Option<String>> = played.buffered(AT_ONCE).collect().await;
    let problems: Vec<String> = played.into_iter().flatten().collect();
    let path = format!("/api/v1/namespaces/{namespace}");
    send(&client, "DELETE", "application/json", &path, &json!({})).await;
    assert!(
        problems.is_empty(),
        "{} of {}:\n{}",
        problems.len(),
        runs.len(),
        problems.join("\n")
    );
    println!("{} sequences", runs.len());
}

/// Plays the steps of a sequence: `writer reference`, with `!` in front of the reference where the write is refused.
async fn play(client: &Client, object: &place::Object, steps: &str) -> Result<(), String> {
    let mut before = Value::Null;
    for step in steps.split(',').map(str::trim) {
        let (writer, reference) = step.split_once(' ').unwrap();
        let (refused, reference) = reference
            .strip_prefix('!')
            .map_or((false, reference), |rest| (true, rest));
        let wanted = object.place.value(reference);
        let answer = write(client, object, writer, &wanted).await;
        if (answer.code >= 400) != refused {
            return Err(format!("{step}: {} {}", answer.code, answer.body["message"]));
        }
        let stored = wire_get(client, &object.path()).await;
        let found = object.place.of(&stored.body);
        let expected = if refused { &before } else { &wanted };
        if found != *expected {
            return Err(format!("{step}: {found}"));
        }
        before = found;
    }
    Ok(())
}

/// One write of the whole reference.
async fn write(client: &Client, object: &place::Object, writer: &str, reference: &Value) -> Answer {
    let manifest = object.manifest(reference);
    let path = object.path();
    let live = wire_get(client, &path).await;
    let exists = live.code == 200;
    let by = |manager: &str| format!("{path}?fieldManager={manager}");
    match writer {
        "apply" => {
            let path = format!("{}&force=true", by(GITOPS));
            send(client, "PATCH", "application/apply-patch+yaml", &path, &manifest).await
        }
        // Without force: refused if another client has changed the reference.
        "ask" => send(client, "PATCH", "application/apply-patch+yaml", &by(GITOPS), &manifest).await,
        "kubectl" if exists => {
            let changes = client_side::patch(&live.body, &manifest);
            send(client, "PATCH", "application/merge-patch+json", &by(KUBECTL), &changes).await
        }
        "kubectl" => {
            let path = format!("{}?fieldManager={KUBECTL}", object.collection());
            send(
                client,
                "POST",
                "application/json",
                &path,
                &client_side::annotated(&manifest),
            )
            .await
        }
        "replace" if exists => {
            let mut manifest = manifest;
            manifest["metadata"]["resourceVersion"] = live.body["metadata"]["resourceVersion"].clone();
            manifest["metadata"]["annotations"] = live.body["metadata"]["annotations"].clone();
            send(client, "PUT", "application/json", &by(CONSOLE), &manifest).await
        }
        "replace" => {
            let path = format!("{}?fieldManager={CONSOLE}", object.collection());
            send(client, "POST", "application/json", &path, &manifest).await
        }
        // A merge patch leaves alone what it does not name, so the whole reference names the absent fields too.
        "merge" => {
            let changes = object.place.patch(reference);
            send(client, "PATCH", "application/merge-patch+json", &by(CONSOLE), &changes).await
        }
        "json" => {
            let changes = json!([{"op": "add", "path": object.place.pointer(), "value": reference}]);
            send(client, "PATCH", "application/json-patch+json", &by(CONSOLE), &changes).await
        }
        other => panic!("{other} writes nothing"),
    }
}

async fn wire_get(client: &Client, path: &str) -> Answer {
    send(client, "GET", "application/json", path, &Value::Null).await
}

async fn send(client: &Client, method: &str, content_type: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("User-Agent", wire::USER_AGENT)
        .header("Accept", "application/json")
        .header("Content-Type", content_type)
        .body(Body::from(body))
        .unwrap();
    wire::send(client, request).await.unwrap()
}
