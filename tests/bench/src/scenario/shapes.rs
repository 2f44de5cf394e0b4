//! Each kind of request that writes a status, for small and big links: what it costs the API server.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use harness::{Namespace, Object, link};
use kube::Client;
use serde_json::{Value, json};

use super::{Size, measured_plane};
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::sample::{Meter, Sample, spread};
use crate::shape::Shape;

/// The size of the whole object as JSON without managed fields, in kB.
const SIZES: [usize; 4] = [1, 4, 16, 32];
/// Consecutive writes of one kind, and the number of turns of each kind.
const WRITES: usize = 100;
const ROUNDS: usize = 5;
const BALLAST: &str = "example.com/ballast";

/// The text on the page.
pub const TEXT: &str = "\
The status of a link (a state, a message that differs each time, and a condition) is written five hundred times by each
kind of request, one after the other, in turns of a hundred, without an operator. The size is that of the whole object
as JSON without managed fields; an annotation fills it up. A PUT sends all of it, the others only the status.
";

/// Runs each kind of request for each size on one control plane.
pub async fn turn(_: &[Contestant], _: &Size) -> (Machine, Vec<Sample>) {
    let plane = measured_plane().await;
    let town = plane.empty_namespace("town".to_owned()).await;
    let mut samples = Vec::new();
    for size in SIZES {
        let mut all = Vec::new();
        for shape in Shape::ALL {
            all.push(Written::new(&town, shape, size).await);
        }
        for _ in 0..ROUNDS {
            for written in &mut all {
                let meter = Meter::start(&plane.api_server);
                for _ in 0..WRITES {
                    written.write(&town.client).await;
                }
                written.cpu_ms += meter.cpu_ms();
            }
        }
        samples.extend(all.into_iter().map(|written| written.sample(size)));
    }
    (Machine::this(&plane).await, samples)
}

/// A link for one kind of request. Other kinds would add managers to its fields.
struct Written {
    shape: Shape,
    /// The object in the last answer, without managed fields.
    link: Value,
    times: Vec<Duration>,
    cpu_ms: f64,
}

impl Written {
    async fn new(town: &Namespace, shape: Shape, size: usize) -> Self {
        let name = format!("{}-{size}", shape.to_string().to_lowercase().replace(' ', "-"));
        let manifest = link(&name, "db", "Deployment/nobody", "Service/nobody");
        let object = town.create_object(&manifest.annotation(BALLAST, "").into_value()).await;
        let mut written = Self {
            shape,
            link: without_managed_fields(json!(object.get().await)),
            times: Vec::new(),
            cpu_ms: 0.0,
        };
        written.write(&town.client).await;
        written.fill(&object, size * 1024).await;
        written.times.clear();
        written
    }

    async fn fill(&mut self, object: &Object, bytes: usize) {
        let lacks = bytes.checked_sub(self.link.to_string().len());
        let ballast = "x".repeat(lacks.expect("a link without ballast is smaller"));
        let patch = json!({ "metadata": { "annotations": { BALLAST: ballast } } });
        self.link = without_managed_fields(json!(object.patch(&patch).await));
    }

    /// Writes a status that differs from the current one.
    async fn write(&mut self, client: &Client) {
        let request = self
            .shape
            .request(&self.link, status(&self.link["metadata"]["resourceVersion"]));
        let started = Instant::now();
        let answer = client.request_text(request).await.expect("an answer");
        self.times.push(started.elapsed());
        self.link = without_managed_fields(serde_json::from_str(&answer).expect("JSON"));
    }

    #[allow(clippy::cast_precision_loss)] // a number of writes
    fn sample(self, size: usize) -> Sample {
        let mut figures = BTreeMap::from([
            (
                "api_server_cpu_ms_a_write".to_owned(),
                self.cpu_ms / self.times.len() as f64,
            ),
            ("object_kb".to_owned(), self.link.to_string().len() as f64 / 1024.0),
        ]);
        figures.extend(spread("answered", &self.times));
        Sample {
            scenario: "shapes".to_owned(),
            contestant: self.shape.to_string(),
            size,
            figures,
            // An administrator sends them, who is not audited.
            requests: None,
        }
    }
}

fn status(version: &Value) -> Value {
    let message = format!("after {version}");
    json!({
        "state": "activating", "transitioning": "yes", "transitioningMessage": message,
        "conditions": [{
            "type": "Ready", "status": "False", "reason": "Activating", "message": message,
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    })
}

fn without_managed_fields(mut link: Value) -> Value {
    link["metadata"]
        .as_object_mut()
        .expect("an object")
        .remove("managedFields");
    link
}
