//! The cost of active links while nothing changes, in memory, CPU time and requests.

use std::collections::BTreeMap;
use std::time::Duration;

use control_plane::{ControlPlane, Program};

use super::{Size, measured_plane};
use crate::audit::Audit;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::quiet::until_quiet;
use crate::sample::{Meter, Sample};
use crate::world::World;

const ENDS: Duration = Duration::from_secs(30);

/// The text on the page.
pub const TEXT: &str = "\
All links are active. Each contestant was started again afterwards, so its memory contains nothing from their creation.
Bytes a link are the difference between all links and half of them. *own* is memory that does not belong to a file.
";

/// Runs each contestant once, each on its own control plane. The raw writer has no state to keep.
pub async fn turn(contestants: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
    let (mut machine, mut samples) = (Machine::default(), Vec::new());
    for contestant in contestants.iter().filter(|c| **c != Contestant::Raw) {
        let plane = measured_plane().await;
        samples.push(run(&plane, *contestant, size).await);
        machine = Machine::this(&plane).await;
    }
    (machine, samples)
}

#[allow(clippy::cast_precision_loss)] // numbers of links and seconds
async fn run(plane: &ControlPlane, contestant: Contestant, size: &Size) -> Sample {
    let world = World::make(plane, size.links).await;
    let half = size.links / 2;
    let (_, own_of_half) = settled(plane, &world, contestant, 0..half).await;
    let (program, own) = settled(plane, &world, contestant, half..size.links).await;
    let mut audit = Audit::start(plane);
    let meter = Meter::start(&program);
    tokio::time::sleep(Duration::from_secs(size.seconds)).await;
    let (cpu, requests) = (meter.cpu_ms(), audit.take());
    let minutes = size.seconds as f64 / 60.0;
    let asked = requests.written() + requests.read() + requests.watches;
    let figures = BTreeMap::from([
        ("cpu_ms_a_minute".to_owned(), cpu / minutes),
        ("requests_a_minute".to_owned(), asked as f64 / minutes),
        ("rest_rss_mib".to_owned(), meter.mib("VmRSS")),
        ("rest_own_mib".to_owned(), own),
        (
            "own_bytes_a_link".to_owned(),
            (own - own_of_half) * f64::from(1 << 20) / (size.links - half) as f64,
        ),
    ]);
    Sample {
        scenario: "idle".to_owned(),
        contestant: contestant.to_string(),
        size: size.links,
        figures,
        requests: Some(requests),
    }
}

/// Makes these links active, restarts the contestant, and returns its anonymous memory in MiB.
async fn settled(
    plane: &ControlPlane,
    world: &World,
    contestant: Contestant,
    links: std::ops::Range<usize>,
) -> (Program, f64) {
    let mut program = contestant.start(plane).await.expect("a process");
    world.activate(plane, links).await;
    program.stop(ENDS).await;
    let program = contestant.start(plane).await.expect("a process");
    until_quiet(&program).await;
    let own = Meter::start(&program).mib("RssAnon");
    (program, own)
}
