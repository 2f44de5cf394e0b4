//! Replays a plan: `cargo run --package instancelink-simulation -- 'there and back' r17:done-but-500`.
//!
//! Prints every request with its faults, every state that the links went through, and what was violated.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use instancelink_simulation::campaign::{Reference, Tolerance};
use instancelink_simulation::run::{Setting, run};
use instancelink_simulation::scripts;
use instancelink_testkit::faults::plan::Plan;

#[derive(Parser)]
struct Args {
    /// The script's name; left out: all of them
    script: String,
    /// The plan: `none`, or faults such as r17:done-but-500+e3:late
    #[arg(default_value = "none")]
    plan: Plan,
    /// Two operators, one of which leads
    #[arg(long)]
    pair: bool,
    /// What the operators log, as a filter
    #[arg(long)]
    log: Option<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut scripts = scripts::all();
    scripts.extend(scripts::hurried());
    let mut out = io::stdout().lock();
    let Some(script) = scripts.iter().find(|script| script.name == args.script) else {
        let names: Vec<&str> = scripts.iter().map(|script| script.name).collect();
        let _ = writeln!(
            out,
            "there is no script {:?}; there are: {}",
            args.script,
            names.join(", ")
        );
        return ExitCode::FAILURE;
    };
    let setting = Setting { pair: args.pair };
    let reference = Reference::of(script, setting);
    if let Some(filter) = &args.log {
        tracing_subscriber::fmt().with_env_filter(filter).without_time().init();
    }
    let outcome = run(script, &args.plan, setting);
    let wrong = reference.compare(&outcome, &args.plan, Tolerance::Requests);
    for line in &outcome.log {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{:#?}", outcome.walks);
    for line in &wrong {
        let _ = writeln!(out, "VIOLATED {line}");
    }
    if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
