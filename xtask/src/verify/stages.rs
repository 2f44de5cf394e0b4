//! `cargo xtask test`: everything that must hold before a change is merged, fast stages first, with a table of times
//! at the end.

use std::io::{self, Write as _};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use super::campaigns::{self, Part};
use super::{conformance, e2e, seeded};
use crate::artifacts::static_binaries;
use crate::generate::{crds, docs};
use crate::progress::{explained, say};
use crate::{command, image, paths};

/// One of the things that must hold.
#[derive(Clone, Copy)]
struct Stage {
    name: &'static str,
    when: When,
    run: fn(Long) -> Result<()>,
}

/// Whether the long campaigns run.
type Long = bool;

/// When a stage runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    InTurn,
    /// It begins in its turn, and goes on while the next ones run: what takes one core, or what is content with the time that
    /// others leave. The long ones wait for their turn, alone, so that what they say can be read while they run.
    Beside,
    /// It takes minutes for what hardly ever changes.
    OnlyLong,
}

const fn stage(name: &'static str, when: When, run: fn(Long) -> Result<()>) -> Stage {
    Stage { name, when, run }
}

const STAGES: &[Stage] = &[
    // Linked whole by one core for minutes, and not needed before the campaigns on servers, which wait for it.
    stage("static binaries", When::Beside, |_| {
        static_binaries::static_binary("instancelink").map(drop)
    }),
    stage("format", When::InTurn, |_| cargo(&["fmt", "--all", "--check"])),
    stage("lints", When::InTurn, |_| {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ])
    }),
    stage("dependencies", When::InTurn, |_| dependencies()),
    stage("unit tests", When::InTurn, |_| {
        cargo(&["test", "--workspace", "--quiet"])
    }),
    stage("documentation", When::InTurn, |_| documentation()),
    stage("CRDs", When::InTurn, |_| crds::run(true)),
    stage("book", When::InTurn, |_| docs::run(true)),
    stage("seeded bugs", When::InTurn, |long| {
        seeded::run(&seeded::Options {
            check: !long,
            ..seeded::Options::default()
        })
    }),
    stage("built twice", When::OnlyLong, |_| image::reproducible::check()),
    stage("campaigns", When::Beside, |long| {
        campaigns_of(Part::WithoutServers, long)
    }),
    stage("campaigns on servers", When::InTurn, |long| {
        campaigns_of(Part::OnServers, long)
    }),
    stage("conformance", When::InTurn, |_| {
        conformance::run(&conformance::Options::default())
    }),
    stage("end to end", When::InTurn, |_| e2e::run(&e2e::Options::default())),
];

/// What became of a stage.
type Outcome = (&'static str, Duration, Result<()>);

/// Runs every stage even when one fails: a developer wants the whole list at once.
pub(crate) fn run(long: Long) -> Result<()> {
    let started = Instant::now();
    campaigns::forget()?;
    let mut beside: Vec<(Stage, JoinHandle<Outcome>)> = Vec::new();
    let mut results: Vec<Outcome> = Vec::new();
    for &stage in STAGES {
        match stage.when {
            When::OnlyLong if !long => {}
            When::Beside if !long => {
                let begun = thread::spawn(move || timed(stage, long));
                beside.push((stage, begun));
            }
            _ => results.push(timed(stage, long)),
        }
    }
    for (stage, begun) in beside {
        let ended = begun.join();
        results.push(ended.unwrap_or_else(|_| (stage.name, Duration::ZERO, Err(anyhow!("it panicked")))));
    }
    campaigns::print()?;
    let mut out = io::stdout().lock();
    writeln!(out, "\n{:<20} {:>9}  result", "stage", "seconds")?;
    for (name, took, outcome) in &results {
        let result = if outcome.is_ok() { "ok" } else { "FAILED" };
        writeln!(out, "{name:<20} {:>9.1}  {result}", took.as_secs_f64())?;
    }
    writeln!(out, "{:<20} {:>9.1}", "all", started.elapsed().as_secs_f64())?;
    let failed: Vec<&str> = results
        .iter()
        .filter(|(.., outcome)| outcome.is_err())
        .map(|(name, ..)| *name)
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn timed(stage: Stage, long: Long) -> Outcome {
    let name = stage.name;
    say(&format!("\n== {name}"));
    let started = Instant::now();
    let outcome = (stage.run)(long);
    if let Err(error) = &outcome {
        say(&explained(name, error));
    }
    (name, started.elapsed(), outcome)
}

fn campaigns_of(part: Part, long: Long) -> Result<()> {
    campaigns::run_all(&campaigns::Options {
        long,
        part,
        aside: part == Part::WithoutServers && !long,
        ..campaigns::Options::default()
    })
}

fn cargo(args: &[&str]) -> Result<()> {
    command::run(paths::cargo().args(args))
}

/// Licenses, sources and bans; advisories need the network and are looked at apart.
fn dependencies() -> Result<()> {
    if command::find("cargo-deny").is_none() {
        say("installing cargo-deny (once, takes minutes)");
        cargo(&["install", "cargo-deny", "--locked"])?;
    }
    cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])
}

fn documentation() -> Result<()> {
    command::run(paths::cargo().env("RUSTDOCFLAGS", "-D warnings").args([
        "doc",
        "--workspace",
        "--no-deps",
        "--keep-going",
        "--quiet",
    ]))
}
