//! `cargo xtask bench` runs this program: scenarios, contestants in turn, and the figures as lines of JSON and as a
//! page.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use instancelink_bench::contestant::Contestant;
use instancelink_bench::sample::{self, Record};
use instancelink_bench::scenario::{Size, Which};
use instancelink_bench::{bare, raw, report};

/// Measures contestants against each other.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run scenarios
    Run(Run),
    /// Stream all objects and drop them: the minimal cost of a start
    #[command(hide = true)]
    Bare,
    /// Write without deciding
    #[command(hide = true, subcommand)]
    Raw(Raw),
    /// Write the page and the pictures from the samples
    Report {
        /// The folder of the samples. The page is written next to it
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
enum Raw {
    /// Activate each new link with the learned writes
    Links { pattern: PathBuf },
    /// Follow the pods of a namespace in its slices
    Slices { namespace: String },
}

#[derive(Args)]
struct Run {
    /// The scenarios. Default: all
    scenarios: Vec<Which>,
    /// The contestants, in this order in each turn
    #[arg(long, value_delimiter = ',', default_value = "operator,raw")]
    contestants: Vec<Contestant>,
    /// The number of turns
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// The folder for the samples, one file of JSON lines for each scenario. Earlier samples of this size are replaced
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    size: Size,
}

#[tokio::main]
async fn main() {
    match Command::parse().verb {
        Verb::Run(options) => run(&options).await,
        Verb::Bare => bare::run().await,
        Verb::Raw(Raw::Links { pattern }) => raw::links::run(&pattern).await,
        Verb::Raw(Raw::Slices { namespace }) => raw::slices::run(&namespace).await,
        Verb::Report { folder } => report::write(&folder),
    }
}

async fn run(options: &Run) {
    let all = <Which as clap::ValueEnum>::value_variants();
    let chosen = if options.scenarios.is_empty() {
        all
    } else {
        &options.scenarios
    };
    for scenario in chosen {
        for turn in 0..options.repeats {
            let (machine, samples) = scenario.turn(&options.contestants, &options.size).await;
            let records = samples.into_iter().map(|sample| Record {
                turn,
                machine: machine.clone(),
                sample,
            });
            let records: Vec<Record> = records.collect();
            for record in &records {
                println!("{record}");
            }
            if let Some(folder) = &options.out {
                sample::keep(&scenario.file(folder), &records);
            }
        }
    }
}
