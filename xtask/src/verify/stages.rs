//! `cargo xtask test`: everything. The check, and the suites that start servers or run for long.
//!
//! This module says which stages there are and which run at the same time; `runner` runs them.

use anyhow::Result;
use clap::Args;

use super::campaigns::{self, Output, Part, record};
use super::proofs::{ProofOptions, Proofs};
use super::runner::{self, Done, Stage};
use super::{check, conformance, e2e, seeded};
use crate::artifacts::{cluster_binaries, static_binaries};
use crate::image;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Also the long campaigns, every seeded bug, the reproducible build and a cluster without IPv6, which take hours
    #[arg(long)]
    long: bool,
    #[command(flatten)]
    proofs: ProofOptions,
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
        self.campaigns.needs(Part::OnServers) || !self.e2e.is_empty()
    }

    /// Whether nothing needs the processors for long: then the suites that mostly wait can run at the same time.
    fn mostly_wait(&self) -> Result<bool> {
        Ok(check::is_light(&self.proofs)? && !self.campaigns.needs(Part::WithoutServers))
    }
}

/// `cargo xtask test`.
pub(crate) fn run(options: Options) -> Result<()> {
    record::clear()?;
    let suites = Suites::new(options)?;
    let stages = if options.long {
        long(&suites)
    } else if suites.mostly_wait()? {
        short(&suites)
    } else {
        ordinary(&suites)
    };
    runner::run(stages, record::print)
}

/// What takes processors runs at the lowest priority beside what mostly waits.
fn ordinary(suites: &Suites) -> Vec<Stage<'_>> {
    let campaigns = |part| move || campaigns::run_part(&suites.campaigns, part, Output::Collected, &suites.proofs);
    // One core links them for minutes. The suites that need them wait for them.
    let mut stages = vec![Stage::beside("static binaries", || static_binaries(suites))];
    stages.extend(check::stages(&suites.proofs));
    stages.extend([
        Stage::in_turn("documentation", || check::documentation(&suites.proofs)),
        Stage::beside("campaigns", campaigns(Part::WithoutServers)),
        Stage::in_turn("campaigns on servers", campaigns(Part::OnServers)),
        Stage::in_turn("conformance", || {
            conformance::run_plan(&suites.conformance, &suites.proofs)
        }),
        Stage::in_turn("end to end", || e2e::run_plan(&suites.e2e, &suites.proofs)),
    ]);
    stages
}

/// After a change of manifests or documents: the end-to-end tests run beside everything else.
fn short(suites: &Suites) -> Vec<Stage<'_>> {
    let mut stages = vec![
        // First, since two suites that build the same binary at the same time disturb each other.
        Stage::in_turn("static binaries", || static_binaries(suites)),
        Stage::in_turn("cluster", || cluster(suites)),
        Stage::beside("end to end", || e2e::run_plan(&suites.e2e, &suites.proofs)),
    ];
    stages.extend(check::stages(&suites.proofs));
    stages.extend([
        Stage::in_turn("documentation", || check::documentation(&suites.proofs)),
        Stage::in_turn("campaigns", || {
            campaigns::run_part(
                &suites.campaigns,
                Part::WithoutServers,
                Output::Collected,
                &suites.proofs,
            )
        }),
        Stage::in_turn("campaigns on servers", || {
            campaigns::run_part(&suites.campaigns, Part::OnServers, Output::Collected, &suites.proofs)
        }),
        Stage::in_turn("conformance", || {
            conformance::run_plan(&suites.conformance, &suites.proofs)
        }),
    ]);
    stages
}

/// One after the other: their output can be read while they run.
fn long(suites: &Suites) -> Vec<Stage<'_>> {
    let mut stages = check::stages(&suites.proofs);
    stages.extend([
        Stage::in_turn("documentation", || check::documentation(&suites.proofs)),
        Stage::in_turn("built twice", image::reproducible::check),
        Stage::in_turn("seeded bugs", || seeded::run(&seeded::Options::default())),
        Stage::in_turn("campaigns", || {
            campaigns::run_part(&suites.campaigns, Part::All, Output::Live, &suites.proofs)
        }),
        Stage::in_turn("conformance", || {
            conformance::run_plan(&suites.conformance, &suites.proofs)
        }),
        Stage::in_turn("end to end", || e2e::run_plan(&suites.e2e, &suites.proofs)),
        Stage::in_turn("end to end, IPv4", || {
            let plan = e2e::Plan::new(&e2e::Options::single_stack(), &suites.proofs)?;
            e2e::run_plan(&plan, &suites.proofs)
        }),
    ]);
    stages
}

/// What the suites run in pods and beside servers.
fn static_binaries(suites: &Suites) -> Result<Done> {
    if !suites.need_the_operator() {
        return Ok(Done::Unchanged);
    }
    static_binaries::static_binary("instancelink")?;
    Ok(Done::Ran)
}

/// The programs of the cluster for the end-to-end tests.
fn cluster(suites: &Suites) -> Result<Done> {
    if suites.e2e.is_empty() {
        return Ok(Done::Unchanged);
    }
    cluster_binaries::ensure(cluster_binaries::WITH_NODE)?;
    Ok(Done::Ran)
}
