//! The operator starts when all links are already active: how long until it is ready, and what that costs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Operator, Options, Program};
use jiff::Timestamp;
use tokio::time::sleep;

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::bare::{self, until};
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::quiet::until_quiet;
use crate::sample::{Meter, Sample};
use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(2);

/// The text on the page.
pub const TEXT: &str = "\
The operator starts while links are active and nothing has changed: it must not write. The bare client streams the same
kinds on the same control plane, parses the objects into the usual types, and forgets them. *first watch* is when the
API server received the first watch request. *work ends* is when the process has nothing more to do.
";

/// Runs both on one control plane.
pub async fn turn(_: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let plane = measured_plane().await;
    let world = World::make(&plane, size.links).await;
    let mut operator = Contestant::Operator.start(&plane).await.expect("a process");
    world.activate(&plane, 0..size.links).await;
    operator.stop(PATIENCE).await;
    let mut samples = Vec::new();
    for contestant in ["operator", "bare client"] {
        let (audit, started) = (Audit::start(&plane), Start::now());
        let (program, ready) = if contestant == "operator" {
            start_operator(&plane).await
        } else {
            bare::start(&plane, "bare client", &["bare".as_ref()]).await
        };
        samples.push(measure(contestant, size, program, &started, ready, audit).await);
    }
    (Machine::this(&plane).await, samples)
}

struct Start {
    at: Instant,
    by_the_wall: Timestamp,
}

impl Start {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            by_the_wall: Timestamp::now(),
        }
    }
}

async fn measure(
    contestant: &str,
    size: &Size,
    mut program: Program,
    started: &Start,
    ready: Instant,
    mut audit: Audit,
) -> Sample {
    let quiet = until_quiet(&program).await;
    let ms = |at: Instant| at.saturating_duration_since(started.at).as_secs_f64() * 1000.0;
    let cpu = program.cpu().expect("it runs");
    let mut figures = BTreeMap::from([
        ("to_ready_ms".to_owned(), ms(ready)),
        ("to_work_ends_ms".to_owned(), ms(quiet.max(ready))),
        ("cpu_ms".to_owned(), cpu.as_secs_f64() * 1000.0),
        ("peak_rss_mib".to_owned(), Meter::start(&program).mib("VmHWM")),
        ("rest_rss_mib".to_owned(), Meter::start(&program).mib("VmRSS")),
    ]);
    // A watch is audited when it ends.
    program.kill().await;
    sleep(Duration::from_millis(500)).await;
    let (requests, first_watch) = audit.take_with_first_watch(started.by_the_wall);
    let first_watch = first_watch.expect("it watches").duration_since(started.by_the_wall);
    figures.insert("to_first_watch_ms".to_owned(), first_watch.as_secs_f64() * 1000.0);
    Sample {
        scenario: "cold".to_owned(),
        contestant: contestant.to_owned(),
        size: size.links,
        figures,
        requests: Some(requests),
    }
}

async fn start_operator(plane: &ControlPlane) -> (Program, Instant) {
    let options = Options {
        log: "error",
        ..Options::alone()
    };
    let operator = Operator::start(plane, &plane.server(), &options).await;
    let ready = until(async || operator.readiness().await.is_ok()).await;
    (operator.program, ready)
}
