//! `cargo xtask seeded`: bugs that other controllers had, each put into this operator by a patch, and the test that has
//! to notice.
//!
//! A seed that survives shows a hole in the suite. The patches are under `tests/seeded`; with `--check` they only have to
//! apply, so that a change which moves what they alter takes them along.

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
use trial::{Bench, Fate};

/// Fewer than these are no catalogue.
const LEAST: usize = 25;

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Only seeds whose names begin so
    pub(crate) names: Vec<String>,
    /// Only see that every patch applies, and that the table in the book is theirs
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
        bail!("no seed's name begins with {}", options.names.join(", "));
    }
    grow(&chosen)
}

/// Every patch applies, and the page that lists them is up to date.
pub(crate) fn check() -> Result<()> {
    let seeds = seeds::all()?;
    if seeds.len() < LEAST {
        bail!("there are {} seeds, and {LEAST} are promised", seeds.len());
    }
    let tree = paths::checkout();
    let astray: Vec<String> = seeds
        .iter()
        .filter_map(|seed| seed.apply(&tree, true).err())
        .map(|error| format!("{error:#}"))
        .collect();
    if !astray.is_empty() {
        bail!(
            "the code moved away from under patches in tests/seeded; move them along:\n{}",
            astray.join("\n")
        );
    }
    seeded_page::write(&seeds, true)
}

fn grow(seeds: &[&Seed]) -> Result<()> {
    let started = Instant::now();
    let bench = Bench::new()?;
    let mut survivors = Vec::new();
    let mut lines = Vec::new();
    for seed in seeds {
        let began = Instant::now();
        let fate = bench.try_out(seed)?;
        let line = format!(
            "{:<36} {:<44} {:>6.1}  {}",
            seed.name,
            seed.caught_by.to_string(),
            began.elapsed().as_secs_f64(),
            fate.word()
        );
        say(&line);
        lines.push(line);
        if let Fate::Survived(how) | Fate::NotBuilt(how) | Fate::Hung(how) = &fate {
            say(how);
            survivors.push(format!("seeded bug {}: {}", seed.name, fate.word()));
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
    writeln!(out, "\n{:<36} {:<44} {:>6}  fate", "seed", "caught by", "s")?;
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    if survivors.is_empty() {
        return Ok(());
    }
    bail!("{} of {} seeds: {}", survivors.len(), seeds.len(), survivors.join(", "))
}
