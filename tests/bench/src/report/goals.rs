//! The goals of the benchmark, and the measured figures.

use std::fmt::Write as _;
use std::path::Path;

use super::by_size;
use super::figures::{Spread, ratio, short};
use super::table::samples;
use crate::sample;
use crate::scenario::Which;

/// A figure and its largest permitted value.
#[derive(Clone, Copy)]
struct Goal {
    says: &'static str,
    of: (Which, usize),
    who: &'static str,
    figure: &'static str,
    /// The contestant whose figure in the same turn is the divisor.
    than: Option<&'static str>,
    at_most: f64,
}

impl Goal {
    const fn new(says: &'static str, of: (Which, usize), figure: &'static str, at_most: f64) -> Self {
        let (who, than) = (OPERATOR, None);
        Self {
            says,
            of,
            who,
            figure,
            than,
            at_most,
        }
    }

    const fn than(self, than: &'static str) -> Self {
        let than = Some(than);
        Self { than, ..self }
    }

    const fn of(self, who: &'static str) -> Self {
        Self { who, ..self }
    }

    /// The same ratio for the raw writer, if the operator is compared with another contestant.
    fn of_the_raw_writer(self) -> Option<Self> {
        let than = self.than?;
        (self.who == OPERATOR && than != RAW).then(|| self.of(RAW))
    }
}

const OPERATOR: &str = "operator";
const RAW: &str = "raw writer";
const TUNED: &str = "controller-runtime, tuned";
const IDIOMATIC: &str = "controller-runtime, idiomatic";
const KUBERNETES: &str = "kube-controller-manager, 1000 QPS";

const TEN: (Which, usize) = (Which::Create, 10_000);
const FIFTY: (Which, usize) = (Which::Create, 50_000);
const COLD: (Which, usize) = (Which::Cold, 10_000);
const FEW: (Which, usize) = (Which::Flips, 100);
const MANY: (Which, usize) = (Which::Flips, 1000);
const FAILOVER: (Which, usize) = (Which::Failover, 1000);
const BROWN_OUT: (Which, usize) = (Which::BrownOut, 1000);
const NOISY: (Which, usize) = (Which::Noisy, 300);

const GOALS: [Goal; 26] = [
    Goal::new("10,000 links at once, time", TEN, "wall_s", 1.10).than(RAW),
    Goal::new("50,000 links at once, time", FIFTY, "wall_s", 1.25).than(RAW),
    Goal::new("10,000 links at once, time", TEN, "wall_s", 0.85).than(TUNED),
    Goal::new("10,000 links at once, time", TEN, "wall_s", 0.45).than(IDIOMATIC),
    Goal::new("its CPU a link", TEN, "cpu_ms_a_link", 0.333).than(TUNED),
    Goal::new("conflicts that it caused itself", TEN, "conflicts", 0.0),
    Goal::new("reads", TEN, "reads", 0.0),
    Goal::new("memory at rest, MiB", TEN, "rest_rss_mib", 55.0),
    Goal::new("memory at most, MiB", TEN, "peak_rss_mib", 82.5),
    Goal::new("memory at rest", TEN, "rest_rss_mib", 0.45).than(TUNED),
    Goal::new("memory at rest", TEN, "rest_rss_mib", 0.333).than(IDIOMATIC),
    Goal::new(
        "one of 100 pods flips, until its slice shows it, median",
        FEW,
        "single_p50_ms",
        0.7,
    )
    .than(KUBERNETES),
    Goal::new("the same, 99 %", FEW, "single_p99_ms", 0.5).than(KUBERNETES),
    Goal::new("one of 1,000 pods flips, median", MANY, "single_p50_ms", 0.7).than(KUBERNETES),
    Goal::new("the same, 99 %", MANY, "single_p99_ms", 0.5).than(KUBERNETES),
    Goal::new("100 pods flip at once, 99 %", FEW, "burst_p99_ms", 0.2).than(KUBERNETES),
    Goal::new("1,000 pods flip at once, 99 %", MANY, "burst_p99_ms", 1.15).than(RAW),
    Goal::new("1,000 pods flip at once, 99 %", MANY, "burst_p99_ms", 0.2).than(KUBERNETES),
    Goal::new(
        "a start with 10,000 active links, until ready",
        COLD,
        "to_ready_ms",
        1.3,
    )
    .than("bare client"),
    Goal::new("writes at such a start", COLD, "writes", 0.0),
    Goal::new("a start, until the first watch, ms", COLD, "to_first_watch_ms", 200.0),
    Goal::new(
        "the leader is asked to end: no service for, ms",
        FAILOVER,
        "ended_gap_ms",
        500.0,
    ),
    Goal::new(
        "the leader is killed: no service for, ms",
        FAILOVER,
        "killed_gap_ms",
        16_000.0,
    ),
    Goal::new(
        "with 1,000 actions a second in another namespace, 99 %",
        NOISY,
        "to_active_p99_ms",
        1.2,
    )
    .of("noisy, 1000 a second")
    .than("quiet"),
    Goal::new("after a brown-out, until all is done, s", BROWN_OUT, "recovered_s", 5.0).of("brown-out"),
    Goal::new("requests in a brown-out", BROWN_OUT, "sent_requests", 1.3)
        .of("brown-out")
        .than("fault-free"),
];

/// The goals as a Markdown table, with the medians of the samples in this folder.
pub(super) fn table(folder: &Path) -> String {
    let mut text = TEXT.to_owned();
    for goal in &GOALS {
        let than = goal.than.map(|than| format!(" of {than}")).unwrap_or_default();
        let times = if goal.than.is_some() { "×" } else { "" };
        let most = short(goal.at_most);
        let (shown, met) = match measured(folder, goal) {
            Some(spread) if spread.median <= goal.at_most => (format!("{times}{spread}"), "yes"),
            Some(spread) => (format!("{times}{spread}"), "**no**"),
            None => ("–".to_owned(), "not measured"),
        };
        let least = goal.of_the_raw_writer().and_then(|goal| measured(folder, &goal));
        let least = least.map_or_else(String::new, |spread| format!("×{}", short(spread.median)));
        writeln!(
            text,
            "| {} | {times}{most}{than} | {shown} | {met} | {least} |",
            goal.says
        )
        .expect("memory");
    }
    text
}

const TEXT: &str = "\
## Goals

The last column is the figure of the raw writer, which sends the same requests and decides nothing. If it is more than
the goal, the API server is the limit, and no client can reach the goal.

| | at most | measured | reached | raw writer |
|---|---|---:|---|---:|
";

fn measured(folder: &Path, goal: &Goal) -> Option<Spread> {
    let (scenario, size) = goal.of;
    let records = sample::read(&scenario.file(folder));
    let records = by_size(&records).remove(&size)?;
    let own = samples(&records, goal.who, goal.figure);
    match goal.than {
        Some(than) => ratio(&own, &samples(&records, than, goal.figure)),
        None => Spread::of(&own.iter().map(|(_, value)| *value).collect::<Vec<_>>()),
    }
}
