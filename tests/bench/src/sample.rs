//! The figures of one run.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use control_plane::Program;
use serde::{Deserialize, Serialize};

use crate::audit::Counts;
use crate::machine::Machine;

/// The result of one contestant in one run of a scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// The scenario, such as `create`.
    pub scenario: String,
    /// The contestant's name on the page.
    pub contestant: String,
    /// The number of links, or of pods if the scenario is about pods.
    pub size: usize,
    /// Named figures. Each name ends with the unit.
    pub figures: BTreeMap<String, f64>,
    /// The requests to the API server. None for a contestant that is not audited.
    pub requests: Option<Counts>,
}

/// A sample as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The turn. Samples of the same turn can be compared.
    pub turn: usize,
    /// The machine.
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

/// The samples in a file. None if the file does not exist.
pub fn read(file: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let records = text.lines().map(serde_json::from_str);
    let records: Result<_, _> = records.collect();
    records.unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()))
}

/// Adds samples of one turn to a file. Those of the first turn replace the samples of an earlier run of this size.
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

/// The CPU time and memory of a process since a moment.
pub struct Meter<'a> {
    program: &'a Program,
    cpu: Duration,
}

impl<'a> Meter<'a> {
    /// The current end of the log.
    pub fn start(program: &'a Program) -> Self {
        let cpu = program.cpu().expect("it runs");
        Self { program, cpu }
    }

    /// Milliseconds of CPU time since then.
    pub fn cpu_ms(&self) -> f64 {
        self.program
            .cpu()
            .expect("it runs")
            .saturating_sub(self.cpu)
            .as_secs_f64()
            * 1000.0
    }

    /// A field of its memory in `/proc/<pid>/status`, in MiB.
    pub fn mib(&self, what: &str) -> f64 {
        #[allow(clippy::cast_precision_loss)] // bytes of a process
        let bytes = self.program.memory(what).expect("it runs") as f64;
        bytes / f64::from(1 << 20)
    }
}

/// The time of an event, by the name of a link.
pub type Times = BTreeMap<String, Instant>;

/// A quantile of the times, in milliseconds.
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

/// The 50th and 99th percentile as two figures, for example `to_active_p50_ms` and `to_active_p99_ms`.
pub fn spread(name: &str, times: &[Duration]) -> [(String, f64); 2] {
    [("p50", 0.5), ("p99", 0.99)].map(|(part, of)| (format!("{name}_{part}_ms"), percentile(times, of)))
}

/// The times from each request until its result.
pub fn latencies(asked: &Times, reached: &Times) -> Vec<Duration> {
    let pairs = asked.iter().filter_map(|(name, at)| Some((at, reached.get(name)?)));
    pairs.map(|(at, there)| there.saturating_duration_since(*at)).collect()
}
