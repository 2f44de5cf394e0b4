//! Existing links are changed continuously, and pods of their targets become ready and unready.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use control_plane::{ControlPlane, Program};
use futures::StreamExt as _;
use harness::{Link, Namespace, idle_deployment, link};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::json;

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::moments::{Moments, edit, seen};
use crate::pace::ticks;
use crate::quiet::until_quiet;
use crate::sample::{Meter, Sample, Times, latencies, spread};
use crate::world::{AT_ONCE, Number, PATIENCE, World, make_pod, make_service, set_ready};

/// Changes a second.
const RATES: [u32; 2] = [160, 300];
/// Ten changes in this order: six descriptions, a retarget, a desired state, two flips of pods.
const KINDS: usize = 10;
/// Services with two pods, one of which flips, and one link each.
const FLIPPING: usize = 10;

/// The text on the page.
pub const TEXT: &str = "\
All links are active. Of ten changes, six edit a description, one changes the target of a link, one deactivates or
activates a link, and two make one of the two pods of a target ready or unready. *to observed* is the time from the
request of an edit until a watcher of the harness sees a status that answers it. *to seen* is the time until it sees the
edit itself, which does not depend on the operator. *caught up* is the time from the last change until all changes were
answered. *changes* is how many of them the API server accepted, with at most 32 requests at a time: if this is less
than planned, it could not accept more.
";

/// Runs the operator at each rate, one after the other on one control plane.
pub async fn turn(_: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let plane = measured_plane().await;
    let world = World::make(&plane, size.links).await;
    let operator = Contestant::Operator.start(&plane).await.expect("a process");
    world.activate(&plane, 0..size.links).await;
    make_flipping(&plane, world.namespace_of(Number(0))).await;
    let (mut samples, mut first) = (Vec::new(), 0);
    for rate in RATES {
        let changes = usize::try_from(u64::from(rate) * size.seconds).expect("not many");
        samples.push(run(&plane, &world, &operator, rate, first..first + changes).await);
        first += changes;
    }
    (Machine::this(&plane).await, samples)
}

#[allow(clippy::cast_precision_loss)] // numbers of changes and requests
async fn run(
    plane: &ControlPlane,
    world: &World,
    operator: &Program,
    rate: u32,
    changes: std::ops::Range<usize>,
) -> Sample {
    until_quiet(operator).await;
    let answered = Moments::of_edits(plane.client.clone());
    let mut audit = Audit::start(plane);
    let (meter, server) = (Meter::start(operator), Meter::start(&plane.api_server));
    let (edited, started) = (Mutex::<[Times; 2]>::default(), Instant::now());
    let count = changes.len() as f64;
    let changing = ticks(rate).take(changes.len()).map(|number| {
        let (edited, number) = (&edited, changes.start + number);
        async move {
            let at = Instant::now();
            if let Some((link, generation)) = change(world, number).await {
                let mut edited = edited.lock().expect("no panic while held");
                edited[0].insert(edit(&link, generation), at);
                edited[1].insert(seen(&link, generation), at);
            }
        }
    });
    changing.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    let (ended, took) = (Instant::now(), started.elapsed().as_secs_f64());
    let [edited, seen] = edited.into_inner().expect("no panic while held");
    let reached = answered.each(&edited, PATIENCE).await;
    let last = reached.values().max().expect("an edit");
    let caught_up = last.saturating_duration_since(ended);
    until_quiet(operator).await;
    let requests = audit.take();
    let mut figures = BTreeMap::from([
        ("changes_a_second".to_owned(), count / took),
        ("caught_up_ms".to_owned(), caught_up.as_secs_f64() * 1000.0),
        ("cpu_ms_a_change".to_owned(), meter.cpu_ms() / count),
        ("api_server_cpu_ms_a_change".to_owned(), server.cpu_ms() / count),
        ("writes_a_change".to_owned(), requests.written() as f64 / count),
        ("peak_rss_mib".to_owned(), meter.mib("VmHWM")),
    ]);
    figures.extend(spread("to_observed", &latencies(&edited, &reached)));
    figures.extend(spread(
        "to_seen",
        &latencies(&seen, &answered.each(&seen, PATIENCE).await),
    ));
    Sample {
        scenario: "churn".to_owned(),
        contestant: format!("{rate} a second"),
        size: world.links,
        figures,
        requests: Some(requests),
    }
}

/// Sends one change, which its number determines. Returns the link and its generation if it is an edit.
async fn change(world: &World, count: usize) -> Option<(String, i64)> {
    let (number, turn) = (Number(count % world.links), count / world.links);
    let spec = match count % KINDS {
        0..=5 => json!({ "description": format!("edit {count}") }),
        6 => {
            let target = Number(number.0 + turn + 1).target();
            json!({ "targetInstanceRef": { "kind": "Service", "name": target } })
        }
        7 if turn.is_multiple_of(2) => json!({ "desiredState": "Inactive" }),
        7 => json!({ "desiredState": "Active" }),
        kind => {
            let flip = count / KINDS * 2 + kind - 8;
            let (pod, ready) = (flip % FLIPPING, flip / FLIPPING % 2 == 1);
            let pods: Api<Pod> = world.namespace_of(Number(0)).api();
            set_ready(&pods, &format!("flipping-{pod}-0"), &address(pod, 0), ready).await;
            return None;
        }
    };
    let link = Link::at(world.namespace_of(number), &number.name());
    let generation = link.edit(spec).await.metadata.generation;
    generation.map(|generation| (link.name, generation))
}

async fn make_flipping(plane: &ControlPlane, town: &Namespace) {
    let active = Moments::of(plane.client.clone(), "active");
    town.create_object(&idle_deployment("flipping")).await;
    let mut asked = Times::new();
    for number in 0..FLIPPING {
        let name = format!("flipping-{number}");
        make_service(town, &name).await;
        for pod in 0..2 {
            make_pod(town, &format!("{name}-{pod}"), &name, &address(number, pod)).await;
        }
        let manifest = link(&name, &name, "Deployment/flipping", &format!("Service/{name}"));
        asked.insert(name, Instant::now());
        town.create_object(&manifest.spec("addressing", "PodIP").into_value())
            .await;
    }
    active.each(&asked, PATIENCE).await;
}

fn address(number: usize, pod: usize) -> String {
    format!("10.3.{number}.{}", pod + 1)
}
