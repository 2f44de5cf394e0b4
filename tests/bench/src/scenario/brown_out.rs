//! The API server is slow and refuses many requests, while links are created and edited: how long until all is done
//! afterwards.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Operator, Options};
use faults::{BrownOut, Proxy};
use futures::StreamExt as _;
use serde_json::json;

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::moments::{Moments, edit};
use crate::pace::ticks;
use crate::quiet::until_quiet;
use crate::sample::{Meter, Sample, Times, latencies, spread};
use crate::world::{AT_ONCE, Number, PATIENCE, World};

/// Changes a second, in turn a new link and an edit. The slowed operator can still handle this rate.
const PACE: u32 = 20;
const LATE: Duration = Duration::from_millis(200);
/// In percent of requests.
const REFUSED: u32 = 30;
const SEED: u64 = 1;

/// The text on the page.
pub const TEXT: &str = "\
Twenty times a second, a link is created or the description of another one is edited. Only the operator connects to the
API server through a proxy that takes 200 ms for each request and refuses 30 % of them, with 429 or 500. The same
changes are made without the proxy. *recovered* is the time from the end of the brown-out, and of the changes, until all
links were as requested. *sent requests* are those that reached the proxy, and *refused* those that the proxy answered
itself. The lines below count the requests that reached the API server. A client that does everything at once sends
1/0.7 = 1.43 requests for each that is done.
";

/// Runs the operator, each time on a new control plane.
pub async fn turn(_: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let (mut machine, mut samples) = (Machine::default(), Vec::new());
    for browned_out in [true, false] {
        let plane = measured_plane().await;
        samples.push(run(&plane, browned_out, size).await);
        machine = Machine::this(&plane).await;
    }
    let requests = |sample: &Sample| sample.figures["sent_requests"];
    let times = requests(&samples[0]) / requests(&samples[1]);
    samples[0]
        .figures
        .insert("sent_requests_times_fault_free".to_owned(), times);
    (machine, samples)
}

async fn run(plane: &ControlPlane, browned_out: bool, size: &Size) -> Sample {
    let changes = usize::try_from(u64::from(PACE) * size.seconds).expect("not many");
    let world = World::make(plane, size.links + changes.div_ceil(2)).await;
    let proxy = Proxy::start(plane).await;
    let options = Options {
        log: "error",
        ..Options::alone()
    };
    let operator = Operator::start_ready(plane, &proxy.server, &options).await.program;
    world.activate(plane, 0..size.links).await;
    until_quiet(&operator).await;

    let (active, answered) = (
        Moments::of(plane.client.clone(), "active"),
        Moments::of_edits(plane.client.clone()),
    );
    let mut audit = Audit::start(plane);
    let (meter, before) = (Meter::start(&operator), proxy.count());
    if browned_out {
        proxy.brown_out(BrownOut::new(LATE, REFUSED, SEED));
    }
    let (made, edited) = change(&world, size.links, changes).await;
    proxy.recover();
    let ended = Instant::now();
    let now_active = active.each(&made, PATIENCE).await;
    let now_answered = answered.each(&edited, PATIENCE).await;
    let last = now_active
        .values()
        .chain(now_answered.values())
        .max()
        .expect("a change");
    let recovered = last.saturating_duration_since(ended);
    until_quiet(&operator).await;
    let sent = proxy.seen().split_off(before);
    #[allow(clippy::cast_precision_loss)] // numbers of requests
    let count = |requests: usize| requests as f64;
    let mut figures = BTreeMap::from([
        ("recovered_s".to_owned(), recovered.as_secs_f64()),
        ("sent_requests".to_owned(), count(sent.len())),
        (
            "refused_requests".to_owned(),
            count(sent.iter().filter(|request| request.status == 0).count()),
        ),
        ("cpu_ms".to_owned(), meter.cpu_ms()),
    ]);
    figures.extend(spread("to_active", &latencies(&made, &now_active)));
    figures.extend(spread("to_observed", &latencies(&edited, &now_answered)));
    Sample {
        scenario: "brown-out".to_owned(),
        contestant: if browned_out { "brown-out" } else { "fault-free" }.to_owned(),
        size: size.links,
        figures,
        requests: Some(audit.take()),
    }
}

/// Creates a link and edits an existing one in turn. Returns when each was requested.
async fn change(world: &World, there: usize, changes: usize) -> (Times, Times) {
    let (made, edited) = (Mutex::<Times>::default(), Mutex::<Times>::default());
    let note = |times: &Mutex<Times>, what: String, at: Instant| {
        times.lock().expect("no panic while held").insert(what, at);
    };
    let changing = ticks(PACE).take(changes).map(|count| {
        let (made, edited, note) = (&made, &edited, &note);
        async move {
            let (at, new) = (Instant::now(), count % 2 == 0);
            let number = Number(if new { there + count / 2 } else { count / 2 % there });
            let (town, name) = (world.namespace_of(number), number.name());
            if new {
                note(made, name, at);
                town.create_object(&number.manifest()).await;
            } else {
                let link = harness::Link::at(town, &name);
                let edited_to = link.edit(json!({ "description": format!("edit {count}") })).await;
                note(
                    edited,
                    edit(&name, edited_to.metadata.generation.unwrap_or_default()),
                    at,
                );
            }
        }
    });
    changing.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    [made, edited]
        .map(|times| times.into_inner().expect("no panic while held"))
        .into()
}
