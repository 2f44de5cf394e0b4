//! Pods become ready and unready. A separate client measures the time until a slice shows the change.

use std::collections::BTreeMap;
use std::time::Duration;

use control_plane::{ControlPlane, Program};
use futures::{StreamExt as _, stream};
use harness::{Namespace, idle_deployment, link};
use instancelink_api::State;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use super::{Size, measured_plane};
use crate::arrivals::Arrivals;
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::quiet::until_quiet;
use crate::raw;
use crate::sample::{Meter, Sample, percentile};
use crate::world::{AT_ONCE, make_pod, make_service, set_ready};

/// Flips one after the other.
const SINGLES: usize = 200;
/// All pods at once, down and up again.
const BURSTS: usize = 2;
const CONTROLLER: &str = "endpointslice-controller";
const FAST: [&str; 2] = ["--kube-api-qps=1000", "--kube-api-burst=1000"];

/// The text on the page.
pub const TEXT: &str = "\
The time from the event of the pod to the event of the slice, both as a watcher of the harness receives them. Single:
two hundred flips, each after the slices have followed the one before. Burst: all pods of the target at once. The
EndpointSlice controller of Kubernetes does the same for an ordinary Service with the same pods on the same control
plane, with its default rate of 20 requests a second, and with 1,000. The raw writer writes the same slices as the
operator as soon as it receives the event of a pod, and decides nothing: its time is the time of the API server.
";

/// Runs each contestant once for each number of pods.
pub async fn turn(_: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let (mut machine, mut samples) = (Machine::default(), Vec::new());
    for pods in &size.pods {
        let plane = measured_plane().await;
        let town = make_town(&plane, *pods).await;
        let operator = Contestant::Operator.start(&plane).await.expect("a process");
        town.link(link("db", "db", "Deployment/web", "Service/app").spec("addressing", "PodIP"))
            .await
            .reaches(State::Active)
            .await;
        samples.push(run(&plane, &town, "operator", *pods, operator).await);
        let raw = raw::of_slices(&plane, &town.name).await;
        samples.push(run(&plane, &town, "raw writer", *pods, raw).await);
        for (name, flags) in [
            ("kube-controller-manager", &FAST[..0]),
            ("kube-controller-manager, 1000 QPS", &FAST),
        ] {
            let program = plane.start_controllers(CONTROLLER, flags);
            samples.push(run(&plane, &town, name, *pods, program).await);
        }
        machine = Machine::this(&plane).await;
    }
    (machine, samples)
}

/// A source, and a Service with this number of pods.
async fn make_town(plane: &ControlPlane, pods: usize) -> Namespace {
    // The controller of Kubernetes leaves out pods on a node that does not exist.
    let nodes: Api<Node> = Api::all(plane.client.clone());
    let node = serde_json::from_value(json!({ "metadata": { "name": "nowhere" } })).expect("a node");
    nodes.create(&PostParams::default(), &node).await.expect("a node");
    let town = plane.empty_namespace("town".to_owned()).await;
    town.create_object(&idle_deployment("web")).await;
    make_service(&town, "app").await;
    let making = (0..pods).map(|number| {
        let town = &town;
        async move { make_pod(town, &name(number), "app", &address(number)).await }
    });
    let making = stream::iter(making).buffer_unordered(AT_ONCE);
    making.collect::<Vec<()>>().await;
    town
}

fn name(pod: usize) -> String {
    format!("app-{pod:04}")
}

fn address(pod: usize) -> String {
    format!("10.2.{}.{}", pod / 250, pod % 250 + 1)
}

async fn run(plane: &ControlPlane, town: &Namespace, contestant: &str, pods: usize, mut program: Program) -> Sample {
    let api: Api<Pod> = town.api();
    // The slices of earlier contestants no longer change.
    until_quiet(&program).await;
    let arrivals = Arrivals::of(town).await;
    let mut audit = Audit::start(plane);
    let meter = Meter::start(&program);
    let mut single = Vec::new();
    for flip in 0..SINGLES {
        let (pod, ready) = (flip / 2 % pods, flip % 2 == 1);
        set_ready(&api, &name(pod), &address(pod), ready).await;
        single.extend(arrivals.after_each(&[address(pod)], ready).await);
    }
    let mut burst = Vec::new();
    let all: Vec<String> = (0..pods).map(address).collect();
    for ready in [false, true].into_iter().cycle().take(2 * BURSTS) {
        let flips = (0..pods).map(|pod| {
            let api = &api;
            async move { set_ready(api, &name(pod), &address(pod), ready).await }
        });
        let flips = stream::iter(flips).buffer_unordered(AT_ONCE).collect::<Vec<()>>();
        flips.await;
        burst.extend(arrivals.after_each(&all, ready).await);
    }
    #[allow(clippy::cast_precision_loss)] // a number of flips
    let flips = (single.len() + burst.len()) as f64;
    let figures = BTreeMap::from([
        ("single_p50_ms".to_owned(), percentile(&single, 0.5)),
        ("single_p99_ms".to_owned(), percentile(&single, 0.99)),
        ("burst_p50_ms".to_owned(), percentile(&burst, 0.5)),
        ("burst_p99_ms".to_owned(), percentile(&burst, 0.99)),
        ("cpu_ms_a_flip".to_owned(), meter.cpu_ms() / flips),
        ("slice_writes_a_flip".to_owned(), arrivals.slice_events() / flips),
        ("peak_rss_mib".to_owned(), meter.mib("VmHWM")),
    ]);
    program.stop(Duration::from_secs(30)).await;
    Sample {
        scenario: "flips".to_owned(),
        contestant: contestant.to_owned(),
        size: pods,
        figures,
        // The controllers of Kubernetes are not audited.
        requests: (contestant == "operator").then(|| audit.take()),
    }
}
