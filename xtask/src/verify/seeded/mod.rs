//! `cargo xtask seeded`: puts bugs that other controllers had into this operator, one at a time, and runs the test that must
//! fail.
//!
//! A bug for which no test fails shows a gap in the tests. The patches are under `tests/seeded`. With `--check` they only have
//! to apply: a change that moves the code that they change must move them, too.

mod trial;

use std::io::{self, Write as _};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use instancelink_testkit::campaign::{self, Row};

use super::campaigns::record;
use crate::generate::seeded_page;
use crate::paths;
use crate::progress::say;
use crate::seeds::{self, Seed};
use trial::{Outcome, Trial};

/// How many seeded bugs there are at least.
const LEAST: usize = 25;

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Only bugs whose names begin with one of these words
    pub(crate) names: Vec<String>,
    /// Only check that each patch applies, and that the page that lists them is up to date
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.check {
        return check();
    }
    let seeds = seeds::all()?;
    let chosen: Vec<&Seed> = seeds
        .iter()
        .filter(|seed| options.names.is_empty() || options.names.iter().any(|name| seed.name.starts_with(name)))
        .collect();
    if chosen.is_empty() {
        bail!("the name of no seeded bug begins with {}", options.names.join(", "));
    }
    try_all(&chosen)
}

/// Every patch applies, and the page that lists them is up to date.
pub(crate) fn check() -> Result<()> {
    let seeds = seeds::all()?;
    if seeds.len() < LEAST {
        bail!(
            "there are {} seeded bugs, and there must be at least {LEAST}",
            seeds.len()
        );
    }
    let tree = paths::checkout();
    let failed: Vec<String> = seeds
        .iter()
        .filter_map(|seed| seed.apply(&tree, true).err())
        .map(|error| format!("{error:#}"))
        .collect();
    if !failed.is_empty() {
        bail!(
            "patches in tests/seeded do not apply; change them with the code that they change:\n{}",
            failed.join("\n")
        );
    }
    seeded_page::write(&seeds, true)
}

fn try_all(seeds: &[&Seed]) -> Result<()> {
    let started = Instant::now();
    let trial = Trial::new()?;
    let mut survivors = Vec::new();
    let mut lines = Vec::new();
    for seed in seeds {
        let began = Instant::now();
        let outcome = trial.try_out(seed)?;
        let line = format!(
            "{:<36} {:<44} {:>6.1}  {}",
            seed.name,
            seed.caught_by.to_string(),
            began.elapsed().as_secs_f64(),
            outcome.word()
        );
        say(&line);
        lines.push(line);
        if let Outcome::Survived(how) | Outcome::NotBuilt(how) | Outcome::Hung(how) = &outcome {
            say(how);
            survivors.push(format!("seeded bug {}: {}", seed.name, outcome.word()));
        }
    }
    record::append(
        "seeded bugs",
        &Row {
            campaign: "seeded bugs".to_owned(),
            plans: seeds.len() as u64,
            faults: seeds.len() as u64,
            violations: survivors.len() as u64,
            seconds: started.elapsed().as_secs_f64(),
            seed: campaign::seed(),
        },
        &survivors,
    )?;
    let mut out = io::stdout().lock();
    writeln!(out, "\n{:<36} {:<44} {:>6}  result", "seed", "caught by", "s")?;
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    if survivors.is_empty() {
        return Ok(());
    }
    bail!("{} of {} seeds: {}", survivors.len(), seeds.len(), survivors.join(", "))
}
