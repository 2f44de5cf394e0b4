//! `cargo xtask bench` runs this: scenarios, contestants by turns, and the figures as JSON.

#![allow(clippy::expect_used)] // a measurement that fails is none

use std::path::PathBuf;

use clap::Parser;
use instancelink_bench::contestant::Contestant;
use instancelink_bench::sample::Sample;
use instancelink_bench::scenario::create;

/// Measures contestants beside each other.
#[derive(Parser)]
struct Args {
    /// Who takes part, in this order, again and again
    #[arg(long, value_delimiter = ',', default_value = "operator,raw")]
    contestants: Vec<Contestant>,
    /// How many links there are
    #[arg(long, default_value_t = 1000)]
    links: usize,
    /// How often each takes its turn
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Where the figures go, a line of JSON each
    #[arg(long)]
    out: Option<PathBuf>,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    for repeat in 0..args.repeats {
        for contestant in &args.contestants {
            let sample = create::run(*contestant, args.links).await;
            show(repeat, &sample);
            if let Some(out) = &args.out {
                write(out, &sample);
            }
        }
    }
}

fn show(repeat: usize, sample: &Sample) {
    println!(
        "{} {} of {} links, turn {}",
        sample.scenario,
        sample.contestant,
        sample.links,
        repeat + 1
    );
    for (name, figure) in &sample.figures {
        println!("  {name:28} {figure:10.2}");
    }
    println!("  {}", sample.requests);
}

fn write(out: &PathBuf, sample: &Sample) {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(out);
    let line = serde_json::to_string(sample).expect("JSON");
    writeln!(file.expect("the file of figures can be written"), "{line}").expect("the file of figures");
}
