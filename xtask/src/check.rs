//! `cargo xtask test`: everything that must hold before a change is merged, fast stages first, with a table of times
//! at the end.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::command;
use crate::progress::{explained, say};
use crate::{campaigns, conformance, crds, docs, e2e, image, packages, places, seeded};

/// A stage's name and what it runs.
type Stage = (&'static str, fn(Long) -> Result<()>);
/// Whether the long campaigns run.
type Long = bool;

/// The stage that takes minutes for what hardly ever changes.
const ONLY_LONG: &str = "built twice";

const STAGES: &[Stage] = &[
    ("format", |_| cargo(&["fmt", "--all", "--check"])),
    ("lints", |_| {
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
    ("dependencies", |_| dependencies()),
    ("unit tests", |_| cargo(&["test", "--workspace", "--quiet"])),
    ("documentation", |_| documentation()),
    ("CRDs", |_| crds::run(true)),
    ("book", |_| docs::run(true)),
    ("seeded bugs", |long| {
        seeded::run(&seeded::Options {
            check: !long,
            ..seeded::Options::default()
        })
    }),
    (ONLY_LONG, |_| image::twice::check()),
    ("campaigns", |long| {
        campaigns::run_all(&campaigns::Options {
            long,
            ..campaigns::Options::default()
        })
    }),
    ("conformance", |_| conformance::run(&conformance::Options::default())),
    ("end to end", |_| e2e::run(&e2e::Options::default())),
];

/// Runs every stage even when one fails: a developer wants the whole list at once.
pub(crate) fn run(long: Long) -> Result<()> {
    packages::ensure(packages::STATIC)?;
    campaigns::forget()?;
    let mut results: Vec<(&str, Duration, Result<()>)> = Vec::new();
    for (name, stage) in STAGES.iter().filter(|(name, _)| long || *name != ONLY_LONG) {
        say(&format!("\n== {name}"));
        let started = Instant::now();
        let outcome = stage(long);
        if let Err(error) = &outcome {
            say(&explained(name, error));
        }
        results.push((name, started.elapsed(), outcome));
    }
    campaigns::print()?;
    let mut out = io::stdout().lock();
    writeln!(out, "\n{:<16} {:>9}  result", "stage", "seconds")?;
    for (name, took, outcome) in &results {
        let result = if outcome.is_ok() { "ok" } else { "FAILED" };
        writeln!(out, "{name:<16} {:>9.1}  {result}", took.as_secs_f64())?;
    }
    let total: Duration = results.iter().map(|(_, took, _)| *took).sum();
    writeln!(out, "{:<16} {:>9.1}", "all", total.as_secs_f64())?;
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

fn cargo(args: &[&str]) -> Result<()> {
    command::run(places::cargo().args(args))
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
    command::run(places::cargo().env("RUSTDOCFLAGS", "-D warnings").args([
        "doc",
        "--workspace",
        "--no-deps",
        "--keep-going",
        "--quiet",
    ]))
}
