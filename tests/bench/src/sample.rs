//! One run's figures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use control_plane::Program;
use serde::Serialize;

use crate::audit::Counts;
use crate::contestant::Contestant;

/// What one contestant did in one run of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// Such as `create`.
    pub scenario: String,
    /// Who.
    pub contestant: Contestant,
    /// How many links there were.
    pub links: usize,
    /// Named figures; the name ends in the unit.
    pub figures: BTreeMap<String, f64>,
    /// What the API server was asked.
    pub requests: Counts,
}

/// The processor's time and memory of a process, from a moment on.
pub struct Meter<'a> {
    program: &'a Program,
    cpu: Duration,
}

impl<'a> Meter<'a> {
    /// From now on.
    pub fn start(program: &'a Program) -> Self {
        let cpu = program.cpu().expect("it runs");
        Self { program, cpu }
    }

    /// Milliseconds of processor time since then.
    pub fn cpu_ms(&self) -> f64 {
        self.program
            .cpu()
            .expect("it runs")
            .saturating_sub(self.cpu)
            .as_secs_f64()
            * 1000.0
    }

    /// A line of the kernel's account of its memory, in MiB.
    pub fn mib(&self, what: &str) -> f64 {
        #[allow(clippy::cast_precision_loss)] // bytes of a process
        let bytes = self.program.memory(what).expect("it runs") as f64;
        bytes / f64::from(1 << 20)
    }
}

/// When something happened, by the name of a link.
pub type Times = BTreeMap<String, Instant>;

/// The time below which that part of all lies, in milliseconds.
pub fn percentile(times: &[Duration], part: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )] // an index
    let index = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |t| t.as_secs_f64() * 1000.0)
}

/// From when something was asked for until it was there, for everything that was asked for.
pub fn latencies(asked: &Times, reached: &Times) -> Vec<Duration> {
    let pairs = asked.iter().filter_map(|(name, at)| Some((at, reached.get(name)?)));
    pairs.map(|(at, there)| there.saturating_duration_since(*at)).collect()
}
