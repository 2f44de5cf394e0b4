//! One run's figures.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use control_plane::Program;
use serde::{Deserialize, Serialize};

use crate::audit::Counts;
use crate::machine::Machine;

/// What one contestant did in one run of a scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Such as `create`.
    pub scenario: String,
    /// Who, as the page calls it.
    pub contestant: String,
    /// How many links there were, or pods where the scenario is about those.
    pub size: usize,
    /// Named figures; the name ends in the unit.
    pub figures: BTreeMap<String, f64>,
    /// What the API server was asked; none where whoever takes part is not audited.
    pub requests: Option<Counts>,
}

/// A sample as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// In which turn; what was measured in the same turn can be compared.
    pub turn: usize,
    /// Where.
    pub machine: Machine,
    /// The figures.
    #[serde(flatten)]
    pub sample: Sample,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sample {
            scenario,
            contestant,
            size,
            figures,
            requests,
        } = &self.sample;
        write!(f, "{scenario}, {contestant}, size {size}, turn {}", self.turn + 1)?;
        for (name, figure) in figures {
            write!(f, "\n  {name:28} {figure:10.2}")?;
        }
        requests.iter().try_for_each(|counts| write!(f, "\n  {counts}"))
    }
}

/// The samples in a file; none where there is no such file.
pub fn read(file: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let records = text.lines().map(serde_json::from_str);
    let records: Result<_, _> = records.collect();
    records.unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()))
}

/// Adds samples of one turn to a file. Those of the first turn take the place of an earlier run's of this size.
pub fn keep(file: &Path, turn: &[Record]) {
    let mut records = read(file);
    records.retain(|old| {
        let is_of_this_size = turn.iter().any(|new| new.sample.size == old.sample.size);
        !is_of_this_size || turn.iter().all(|new| new.turn > 0)
    });
    records.extend_from_slice(turn);
    let lines = records.iter().map(|r| serde_json::to_string(r).expect("JSON") + "\n");
    let written = std::fs::create_dir_all(file.parent().expect("a folder"))
        .and_then(|()| std::fs::write(file, lines.collect::<String>()));
    written.unwrap_or_else(|e| panic!("cannot write {}: {e}", file.display()));
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

/// Half of these times and all but one in a hundred are below, as two figures: `to_active` has `to_active_p50_ms`.
pub fn spread(name: &str, times: &[Duration]) -> [(String, f64); 2] {
    [("p50", 0.5), ("p99", 0.99)].map(|(part, of)| (format!("{name}_{part}_ms"), percentile(times, of)))
}

/// From when something was asked for until it was there, for everything that was asked for.
pub fn latencies(asked: &Times, reached: &Times) -> Vec<Duration> {
    let pairs = asked.iter().filter_map(|(name, at)| Some((at, reached.get(name)?)));
    pairs.map(|(at, there)| there.saturating_duration_since(*at)).collect()
}
