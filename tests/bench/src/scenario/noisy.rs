//! Continuous actions on the links of one namespace: how long links of other namespaces take to become active
//! meanwhile.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use control_plane::ControlPlane;
use futures::{StreamExt as _, stream};
use tokio::sync::oneshot;

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::moments::{Moments, seen};
use crate::pace::ticks;
use crate::sample::{Meter, Sample, Times, latencies, spread};
use crate::tenants::{act, make_link, make_town};
use crate::world::{AT_ONCE, LINKS_OF_SOURCE, PATIENCE};

/// Actions a second in the noisy namespace: none, a rate that the API server can handle, and a rate that it cannot;
/// and whether an operator runs.
const NOISE: [(u32, bool); 4] = [(0, true), (20, true), (1000, true), (1000, false)];
/// Its links, acted on one after the other.
const NOISY: usize = 100;
const NOISY_TOWN: &str = "noisy";
/// The quiet namespaces, and how many links a second are created in them.
const NEIGHBOURS: usize = 8;
const PACE: u32 = 10;
/// The noise starts before the first of them.
const BEFORE: Duration = Duration::from_secs(5);

/// The text on the page.
pub const TEXT: &str = "\
Ten links a second are created in eight namespaces, each with its own source. In a ninth namespace, a client deactivates
and activates a hundred links: never, twenty times a second, and as often as the API server permits of 1,000 times a
second. Both clients are ordinary users, and the API server makes them wait like all others. *created* is how long the
API server took to answer the creation itself, and *to seen* how long it took until a watcher saw the new link: both are
the API server's part of *to active*. *taken* is how often the operator took an action or tried to. If the next action
has replaced it meanwhile, there is a conflict. *no operator*, where it was measured, is the same noise without an
operator: what the API server alone costs the neighbours.
";

/// Runs the operator without and with the noise, each on its own control plane.
pub async fn turn(_: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let (mut machine, mut samples) = (Machine::default(), Vec::<Sample>::new());
    for (actions, operated) in NOISE {
        let plane = measured_plane().await;
        let mut sample = run(&plane, actions, operated, size.links).await;
        if let Some(quiet) = samples.first() {
            for name in ["to_active_p50", "to_active_p99", "created_p99", "to_seen_p99"] {
                let figure = |sample: &Sample| sample.figures.get(&format!("{name}_ms")).copied();
                if let (Some(noisy), Some(quiet)) = (figure(&sample), figure(quiet)) {
                    sample.figures.insert(format!("{name}_times_quiet"), noisy / quiet);
                }
            }
        }
        samples.push(sample);
        machine = Machine::this(&plane).await;
    }
    (machine, samples)
}

#[allow(clippy::cast_precision_loss)] // numbers of requests
async fn run(plane: &ControlPlane, actions: u32, operated: bool, links: usize) -> Sample {
    let mut operator = Contestant::Operator.start(plane).await.expect("a process");
    let (tenant, neighbour) = (plane.user("tenant").await, plane.user("neighbour").await);
    let noisy = make_town(plane, NOISY_TOWN, NOISY / LINKS_OF_SOURCE, &tenant).await;
    let mut towns = Vec::new();
    for number in 0..NEIGHBOURS {
        let town = format!("neighbour-{number}");
        towns.push(make_town(plane, &town, links.div_ceil(NEIGHBOURS), &neighbour).await);
    }
    let (moments, edits) = (
        Moments::of(plane.client.clone(), "active"),
        Moments::of_edits(plane.client.clone()),
    );
    let making = (0..NOISY).map(|number| {
        let (noisy, source, alias) = (&noisy, number / LINKS_OF_SOURCE, number % LINKS_OF_SOURCE);
        async move { make_link(noisy, &noisy_name(number), source, alias).await }
    });
    stream::iter(making)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<()>>()
        .await;
    moments.all(NOISY, PATIENCE).await;
    if !operated {
        operator.stop(PATIENCE).await;
    }

    let mut audit = Audit::start(plane);
    let (meter, server) = (
        operated.then(|| Meter::start(&operator)),
        Meter::start(&plane.api_server),
    );
    let (stop, stopped) = oneshot::channel();
    let acting = tokio::spawn(async move { act(&noisy, noisy_name, NOISY, actions, stopped).await });
    tokio::time::sleep(BEFORE).await;
    let (asked, created) = (Mutex::<Times>::default(), Mutex::<Times>::default());
    let making = ticks(PACE).take(links).map(|number| {
        let (town, asked, created) = (&towns[number % NEIGHBOURS], &asked, &created);
        async move {
            note(asked, number);
            make_link(town, &name(number), number / NEIGHBOURS, 0).await;
            note(created, number);
        }
    });
    making.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    let [asked, created] = [asked, created].map(|times| times.into_inner().expect("no panic while held"));
    let first: Times = asked.iter().map(|(name, at)| (seen(name, 1), *at)).collect();
    let seen_at = edits.each(&first, PATIENCE).await;
    let reached = if operated {
        moments.each(&asked, PATIENCE).await
    } else {
        Times::new()
    };
    drop(stop);
    let (acted, span) = acting.await.expect("the noise");
    let requests = audit.take();
    let taken = requests.writes.get("patch instancelinks").copied().unwrap_or_default();
    let mut figures = BTreeMap::from([
        ("actions_a_second".to_owned(), acted as f64 / span.as_secs_f64()),
        ("taken_a_second".to_owned(), taken as f64 / span.as_secs_f64()),
        (
            "api_server_cores".to_owned(),
            server.cpu_ms() / 1000.0 / span.as_secs_f64(),
        ),
    ]);
    if let Some(meter) = meter {
        figures.insert("cores".to_owned(), meter.cpu_ms() / 1000.0 / span.as_secs_f64());
        figures.extend(spread("to_active", &latencies(&asked, &reached)));
    }
    figures.extend(spread("created", &latencies(&asked, &created)));
    figures.extend(spread("to_seen", &latencies(&first, &seen_at)));
    Sample {
        scenario: "noisy".to_owned(),
        contestant: match (actions, operated) {
            (0, _) => "quiet".to_owned(),
            (_, true) => format!("noisy, {actions} a second"),
            (_, false) => format!("noisy, {actions} a second, no operator"),
        },
        size: links,
        figures,
        requests: Some(requests),
    }
}

fn name(number: usize) -> String {
    format!("link-{number:04}")
}

fn noisy_name(number: usize) -> String {
    format!("noisy-{number:02}")
}

fn note(times: &Mutex<Times>, number: usize) {
    let mut times = times.lock().expect("no panic while held");
    times.insert(name(number), Instant::now());
}
