//! Many links to one target, whose pods are replaced one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use control_plane::ControlPlane;
use futures::{StreamExt as _, stream};
use harness::{Namespace, idle_deployment, link};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::DeleteParams;

use super::{Size, measured_plane};
use crate::arrivals::Arrivals;
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::moments::Moments;
use crate::quiet::until_quiet;
use crate::sample::{Meter, Sample};
use crate::world::{AT_ONCE, LINKS_OF_SOURCE, Number, PATIENCE, make_pod, make_service};

/// Pods of the target, and how many of them are replaced at once.
const PODS: usize = 50;
const STEP: usize = 5;
/// The time between a new pod and the end of the pod that it replaces, as with a fast container.
const PAUSE: Duration = Duration::from_millis(500);

/// The text on the page.
pub const TEXT: &str = "\
All links have one Service with fifty pods as their target. The pods are replaced, five at a time, every half second.
*converged* is the time from the last event of a pod to the last event of a slice. One write for each link and step is
the minimum, because each step must be visible.
";

/// Runs the operator once.
pub async fn turn(_: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let plane = measured_plane().await;
    let town = make_town(&plane, size.links).await;
    let operator = Contestant::Operator.start(&plane).await.expect("a process");
    make_links(&plane, &town, size.links).await;
    until_quiet(&operator).await;

    let arrivals = Arrivals::of(&town).await;
    let mut audit = Audit::start(&plane);
    let (meter, server) = (Meter::start(&operator), Meter::start(&plane.api_server));
    let started = Instant::now();
    let pods: Api<Pod> = town.api();
    for first in (0..PODS).step_by(STEP) {
        for pod in first..first + STEP {
            make_pod(&town, &format!("new-{pod}"), "app", &address(1, pod)).await;
        }
        tokio::time::sleep(PAUSE).await;
        for pod in first..first + STEP {
            let now = DeleteParams::default().grace_period(0);
            pods.delete(&format!("old-{pod}"), &now).await.expect("the pod");
        }
        tokio::time::sleep(PAUSE).await;
    }
    let addresses: BTreeSet<String> = (0..PODS).map(|pod| address(1, pod)).collect();
    let converged = arrivals.converged(size.links, &addresses).await;
    let wall = started.elapsed();
    let requests = audit.until_quiet(Duration::from_secs(1)).await;
    #[allow(clippy::cast_precision_loss)] // numbers of requests and links
    let figures = BTreeMap::from([
        ("wall_s".to_owned(), wall.as_secs_f64()),
        ("converged_ms".to_owned(), converged.as_secs_f64() * 1000.0),
        (
            "writes_a_link".to_owned(),
            requests.written() as f64 / size.links as f64,
        ),
        ("cpu_ms".to_owned(), meter.cpu_ms()),
        ("api_server_cpu_ms".to_owned(), server.cpu_ms()),
        ("peak_rss_mib".to_owned(), meter.mib("VmHWM")),
    ]);
    let sample = Sample {
        scenario: "fan-in".to_owned(),
        contestant: Contestant::Operator.to_string(),
        size: size.links,
        figures,
        requests: Some(requests),
    };
    (Machine::this(&plane).await, vec![sample])
}

fn address(generation: usize, pod: usize) -> String {
    format!("10.{}.0.{}", generation + 1, pod + 1)
}

async fn make_town(plane: &ControlPlane, links: usize) -> Namespace {
    let town = plane.empty_namespace("town".to_owned()).await;
    make_service(&town, "app").await;
    for pod in 0..PODS {
        make_pod(&town, &format!("old-{pod}"), "app", &address(0, pod)).await;
    }
    for source in (0..links).step_by(LINKS_OF_SOURCE) {
        town.create_object(&idle_deployment(&Number(source).source())).await;
    }
    town
}

async fn make_links(plane: &ControlPlane, town: &Namespace, links: usize) {
    let moments = Moments::of(plane.client.clone(), "active");
    let making = (0..links).map(|number| async move {
        let number = Number(number);
        let source = format!("Deployment/{}", number.source());
        let link = link(&number.name(), &number.alias(), &source, "Service/app");
        town.create_object(&link.spec("addressing", "PodIP").into_value()).await;
    });
    let making = stream::iter(making).buffer_unordered(AT_ONCE);
    making.collect::<Vec<()>>().await;
    moments.all(links, PATIENCE).await;
}
