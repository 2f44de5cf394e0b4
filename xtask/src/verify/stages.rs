//! The two tiers of tests. `cargo xtask check` is for every change: minutes, without root and without a cluster.
//! `cargo xtask test` is everything: the check, and the suites that start servers or run for long.
//!
//! This module says which stages there are and in which order; `runner` runs them.

use anyhow::Result;
use clap::Args;

use super::campaigns::{self, Output, Part, record};
use super::proofs::{ProofOptions, Proofs};
use super::runner::{self, Stage};
use super::{conformance, e2e, layers, seeded};
use crate::artifacts::static_binaries;
use crate::progress::say;
use crate::{command, generate, image, paths};

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Also the long campaigns, every seeded bug and the reproducible build, which take hours
    #[arg(long)]
    long: bool,
    #[command(flatten)]
    proofs: ProofOptions,
}

/// `cargo xtask check`.
pub(crate) fn check() -> Result<()> {
    runner::run(check_stages(), || Ok(()))
}

fn check_stages() -> Vec<Stage<'static>> {
    vec![
        Stage::in_turn("format", || cargo(&["fmt", "--all", "--check"])),
        Stage::in_turn("layers", layers::check),
        Stage::in_turn("CRDs", || generate::crds(true)),
        Stage::in_turn("documents", || generate::docs(true)),
        Stage::in_turn("seeded patches", seeded::check),
        Stage::in_turn("dependencies", dependencies),
        Stage::in_turn("lints", lints),
        Stage::in_turn("unit tests", || cargo(&["test", "--workspace", "--quiet"])),
    ]
}

/// What the suites still have to run.
struct Suites {
    proofs: Proofs,
    campaigns: campaigns::Plan,
    conformance: conformance::Plan,
    e2e: e2e::Plan,
}

impl Suites {
    fn new(options: Options) -> Result<Self> {
        let proofs = Proofs::open(options.proofs)?;
        let campaigns = campaigns::Options {
            long: options.long,
            ..campaigns::Options::default()
        };
        Ok(Self {
            campaigns: campaigns::Plan::new(&campaigns, &proofs)?,
            conformance: conformance::Plan::new(&conformance::Options::default(), &proofs)?,
            e2e: e2e::Plan::new(&e2e::Options::default(), &proofs)?,
            proofs,
        })
    }

    fn need_the_operator(&self) -> bool {
        self.campaigns.needs_servers() || !self.e2e.is_empty()
    }
}

/// `cargo xtask test`.
pub(crate) fn test(options: Options) -> Result<()> {
    record::clear()?;
    let suites = Suites::new(options)?;
    let mut stages = Vec::new();
    if options.long {
        stages.extend(check_stages());
        stages.extend(long_stages(&suites));
    } else {
        if suites.need_the_operator() {
            // One core links it for minutes. The suites that need it wait for it.
            stages.push(Stage::beside("static binaries", || {
                static_binaries::static_binary("instancelink").map(drop)
            }));
        }
        stages.extend(check_stages());
        stages.extend(ordinary_stages(&suites));
    }
    runner::run(stages, record::print)
}

/// What takes processors runs at the lowest priority beside what mostly waits.
fn ordinary_stages(suites: &Suites) -> Vec<Stage<'_>> {
    let campaigns = |part| move || campaigns::run_part(&suites.campaigns, part, Output::Collected, &suites.proofs);
    vec![
        Stage::in_turn("documentation", documentation),
        Stage::beside("campaigns", campaigns(Part::WithoutServers)),
        Stage::in_turn("campaigns on servers", campaigns(Part::OnServers)),
        Stage::in_turn("conformance", || {
            conformance::run_plan(&suites.conformance, &suites.proofs)
        }),
        Stage::in_turn("end to end", || e2e::run_plan(&suites.e2e, &suites.proofs)),
    ]
}

/// One after the other: their output can be read while they run.
fn long_stages(suites: &Suites) -> Vec<Stage<'_>> {
    let campaigns = |part| move || campaigns::run_part(&suites.campaigns, part, Output::Live, &suites.proofs);
    vec![
        Stage::in_turn("documentation", documentation),
        Stage::in_turn("built twice", image::reproducible::check),
        Stage::in_turn("seeded bugs", || seeded::run(&seeded::Options::default())),
        Stage::in_turn("campaigns", campaigns(Part::All)),
        Stage::in_turn("conformance", || {
            conformance::run_plan(&suites.conformance, &suites.proofs)
        }),
        Stage::in_turn("end to end", || e2e::run_plan(&suites.e2e, &suites.proofs)),
    ]
}

fn cargo(args: &[&str]) -> Result<()> {
    command::run(paths::cargo().args(args))
}

fn lints() -> Result<()> {
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
}

/// Licences, sources and bans. Advisories need the network and are checked apart.
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
