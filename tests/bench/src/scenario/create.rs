//! Links are created, all at once: how long until the last is active, and what it cost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use control_plane::{Account, client_of, kubeconfig_of};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::moments::Moments;
use crate::raw::{Pattern, Writer};
use crate::sample::{Meter, Sample, Times, latencies, percentile};
use crate::world::{AT_ONCE, LINKS_OF_SOURCE, Number, PATIENCE, World};

/// What the page says.
pub const TEXT: &str = "\
A hundred sources of ten links each, and ten Services, for each thousand links. The raw writer sends what the operator sends, in
the same number at once, and decides nothing: what it takes is what the API server takes.
";

/// Each contestant once, each on a control plane of its own.
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
    let program = contestant.start(&plane).await;
    let (writer, first) = if contestant == Contestant::Raw {
        let pattern = Pattern::learn(&plane, &world).await;
        let token = Account::shipped().token(&plane, None).await;
        let client = client_of(&kubeconfig_of(&plane.server(), &json!({ "token": token }))).await;
        // The first source's links are there already.
        (
            Some(Arc::new(Writer::new(client, pattern, &world).await)),
            LINKS_OF_SOURCE,
        )
    } else {
        (None, 0)
    };
    let moments = Moments::of(plane.client.clone(), "active");
    let mut audit = Audit::start(&plane);
    let meter = program.as_ref().map(Meter::start);
    let (server, etcd) = (Meter::start(&plane.api_server), Meter::start(&plane.etcd));
    let started = Instant::now();
    let asked = create(&world, first, writer).await;
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
    if let Some(meter) = meter {
        figures.insert("cpu_ms_a_link".to_owned(), meter.cpu_ms() * per_link);
        figures.insert("peak_rss_mib".to_owned(), meter.mib("VmHWM"));
        tokio::time::sleep(Duration::from_secs(5)).await;
        figures.insert("rest_rss_mib".to_owned(), meter.mib("VmRSS"));
        figures.insert("rest_own_mib".to_owned(), meter.mib("RssAnon"));
    }
    let sample = Sample {
        scenario: "create".to_owned(),
        contestant: contestant.to_string(),
        size: links,
        figures,
        requests: Some(audit.take()),
    };
    (Machine::this(&plane).await, sample)
}

/// Creates all links from the `first` on; a raw writer gets each to work on as it comes.
async fn create(world: &World, first: usize, writer: Option<Arc<Writer>>) -> Times {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<(Number, Value)>();
    let working = writer.map(|writer| {
        tokio::spawn(async move {
            let due = stream::unfold(receiver, async |mut r| r.recv().await.map(|item| (item, r)));
            let work = due.map(|(number, made)| {
                let writer = Arc::clone(&writer);
                async move { writer.activate(number, &made).await }
            });
            work.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        })
    });
    let asked: Mutex<Times> = Mutex::default();
    let creations = stream::iter(world.numbers().skip(first)).map(|number| {
        let (sender, asked) = (sender.clone(), &asked);
        async move {
            asked
                .lock()
                .expect("no panic while held")
                .insert(number.name(), Instant::now());
            let manifest = number.manifest();
            let namespace = world.namespace_of(number);
            let object = e2e::Object::of(&namespace.client, &namespace.name, &manifest);
            let made = object.create(&manifest).await;
            // Nobody listens where no raw writer works.
            let _ = sender.send((number, serde_json::to_value(made).expect("an object")));
        }
    });
    creations.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    drop(sender);
    if let Some(working) = working {
        working.await.expect("the raw writer");
    }
    asked.into_inner().expect("no panic while held")
}
