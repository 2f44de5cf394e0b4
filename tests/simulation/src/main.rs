//! Replays a plan: `cargo run --package instancelink-simulation -- 'there and back' r17:done-but-500`.
//!
//! Prints every request with its faults, every state of the links, and the violations. With a star for
//! the number (`'r*:crash'`, `'e*:hidden'`) the fault happens at each point, one at a time, until there is a violation.
//!
//! `tenants 4711` replays a history of two tenants, and prints the writes of the one that harms.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use instancelink::telemetry::logs;
use instancelink_simulation::campaign::{Reference, Tolerance, side_by_side};
use instancelink_simulation::run::{Setting, run};
use instancelink_simulation::scripts;
use instancelink_simulation::tenants::{History, Quiet};
use instancelink_testkit::faults::plan::{Fault, Plan};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// The script of two tenants.
const TENANTS: &str = "tenants";
/// The number of plans that run before their violations are checked.
const BATCH: usize = 8;

#[derive(Parser)]
struct Args {
    /// The name of the script. Default: all
    script: String,
    /// The plan: `none`, or faults such as r17:done-but-500+e3:late, or one at each point: 'r*:crash'
    #[arg(default_value = "none")]
    plan: String,
    /// Two operators, one of which leads
    #[arg(long)]
    pair: bool,
    /// The log filter of the operators
    #[arg(long, value_parser = logs::filter)]
    log: Option<Targets>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (told, hurried, forged) = (scripts::all(), scripts::hurried(), scripts::forged());
    let mut out = io::stdout().lock();
    if args.script == TENANTS {
        return tenants(&args, &mut out);
    }
    let all = || told.iter().chain(&hurried).chain(&forged);
    let Some(script) = all().find(|script| script.name == args.script) else {
        let names: Vec<&str> = all().map(|script| script.name).collect();
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
    let plans = match plans(&args.plan, &reference) {
        Ok(plans) => plans,
        Err(why) => {
            let _ = writeln!(out, "{why}");
            return ExitCode::FAILURE;
        }
    };
    let is_hurried = hurried.iter().any(|other| other.name == script.name);
    let tolerance = |plan: &Plan| {
        if is_hurried {
            Tolerance::Hurry
        } else if plan.0.iter().any(|fault| matches!(fault, Fault::Event(..))) || (args.pair && !plan.0.is_empty()) {
            Tolerance::Watches
        } else {
            Tolerance::Requests
        }
    };
    show_logs(&args);
    let mut wrong = Vec::new();
    if let [plan] = plans.as_slice() {
        let outcome = run(script, plan, setting);
        for line in &outcome.log {
            let _ = writeln!(out, "{line}");
        }
        let _ = writeln!(out, "{:#?}", outcome.walks);
        wrong = reference.compare(&outcome, plan, tolerance(plan));
    } else {
        let plans: Vec<_> = plans.into_iter().map(|plan| (plan.clone(), tolerance(&plan))).collect();
        for batch in plans.chunks(BATCH) {
            let batch: Vec<_> = batch.iter().map(|(plan, t)| (&reference, plan.clone(), *t)).collect();
            (_, wrong) = side_by_side(&batch, |(reference, plan, tolerance)| reference.judge(plan, *tolerance));
            if !wrong.is_empty() {
                break;
            }
        }
    }
    verdict(&wrong, &mut out)
}

/// Replays a history of two tenants.
fn tenants(args: &Args, out: &mut impl io::Write) -> ExitCode {
    let history: History = match args.plan.parse() {
        Ok(history) => history,
        Err(why) => {
            let _ = writeln!(out, "{why}");
            return ExitCode::FAILURE;
        }
    };
    let quiet = Quiet::run();
    for write in history.writes() {
        let _ = writeln!(out, "{write}");
    }
    show_logs(args);
    let (sent, wrong) = quiet.compare(&history);
    let _ = writeln!(out, "{sent} writes were not refused");
    verdict(&wrong, out)
}

fn show_logs(args: &Args) {
    if let Some(filter) = &args.log {
        let lines = tracing_subscriber::fmt::layer().without_time();
        tracing_subscriber::registry()
            .with(lines.with_filter(filter.clone()))
            .init();
    }
}

fn verdict(wrong: &[String], out: &mut impl io::Write) -> ExitCode {
    for line in wrong {
        let _ = writeln!(out, "VIOLATED {line}");
    }
    if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The plan. If it contains a star, one plan for each point that the star can mean.
fn plans(text: &str, reference: &Reference<'_>) -> Result<Vec<Plan>, String> {
    if !text.contains('*') {
        return Ok(vec![text.parse()?]);
    }
    let (requests, events) = reference.outcome.points;
    let points = if text.starts_with('e') { events } else { requests };
    (1..=points)
        .map(|n| text.replace('*', &n.to_string()).parse())
        .collect()
}
