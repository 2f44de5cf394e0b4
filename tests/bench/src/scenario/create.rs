//! All links are created at the same time: how long until the last is active, and what that costs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::moments::Moments;
use crate::raw;
use crate::sample::{Meter, Sample, Times, latencies, percentile};
use crate::world::{AT_ONCE, LINKS_OF_SOURCE, PATIENCE, World};

/// The text on the page.
pub const TEXT: &str = "\
For each thousand links there are a hundred sources with ten links each, and ten Services. The raw writer sends the same
requests as the operator, with the same concurrency, and decides nothing: its time is the time of the API server. It
watches like the operator, and reads only the name, the UID and the version of each object: no client can use less
processor time.
";

/// Runs each contestant once, each on its own control plane.
pub async fn turn(contestants: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let (mut machine, mut samples) = (Machine::default(), Vec::new());
    for contestant in contestants {
        let sample;
        (machine, sample) = run(*contestant, size.links).await;
        samples.push(sample);
    }
    (machine, samples)
}

async fn run(contestant: Contestant, links: usize) -> (Machine, Sample) {
    let plane = measured_plane().await;
    let world = World::make(&plane, links).await;
    // The raw writer has learned from the first source's links, which are active by then.
    let (program, first) = match contestant {
        Contestant::Raw => (raw::of_links(&plane, &world).await, LINKS_OF_SOURCE),
        other => (other.start(&plane).await.expect("a process"), 0),
    };
    let moments = Moments::of(plane.client.clone(), "active");
    let mut audit = Audit::start(&plane);
    let meter = Meter::start(&program);
    let (server, etcd) = (Meter::start(&plane.api_server), Meter::start(&plane.etcd));
    let started = Instant::now();
    let asked = create(&world, first).await;
    let reached = moments.all(links, PATIENCE).await;
    let last = reached.values().max().expect("a link");
    let wall = last.saturating_duration_since(started);
    let times = latencies(&asked, &reached);
    let mut figures = BTreeMap::from([
        ("wall_s".to_owned(), wall.as_secs_f64()),
        ("to_active_p50_ms".to_owned(), percentile(&times, 0.5)),
        ("to_active_p99_ms".to_owned(), percentile(&times, 0.99)),
    ]);
    #[allow(clippy::cast_precision_loss)] // a number of links
    let per_link = 1.0 / asked.len() as f64;
    figures.insert("api_server_cpu_ms_a_link".to_owned(), server.cpu_ms() * per_link);
    figures.insert("etcd_cpu_ms_a_link".to_owned(), etcd.cpu_ms() * per_link);
    figures.insert("cpu_ms_a_link".to_owned(), meter.cpu_ms() * per_link);
    figures.insert("peak_rss_mib".to_owned(), meter.mib("VmHWM"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    figures.insert("rest_rss_mib".to_owned(), meter.mib("VmRSS"));
    figures.insert("rest_own_mib".to_owned(), meter.mib("RssAnon"));
    let sample = Sample {
        scenario: "create".to_owned(),
        contestant: contestant.to_string(),
        size: links,
        figures,
        requests: Some(audit.take()),
    };
    (Machine::this(&plane).await, sample)
}

/// Creates all links from number `first`. Returns when each was requested.
async fn create(world: &World, first: usize) -> Times {
    let creations = stream::iter(world.numbers().skip(first)).map(async |number| {
        let asked = Instant::now();
        world.namespace_of(number).create_object(&number.manifest()).await;
        (number.name(), asked)
    });
    creations.buffer_unordered(AT_ONCE).collect().await
}
