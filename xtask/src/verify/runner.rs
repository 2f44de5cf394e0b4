//! Runs stages and prints how long each took. Every stage runs, even when one fails: a developer wants all failures at once.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::progress::{explained, say};

/// A part of the tests.
pub(super) struct Stage<'a> {
    name: &'static str,
    when: When,
    work: Box<dyn FnOnce() -> Result<()> + Send + 'a>,
}

/// When a stage runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    InTurn,
    /// It begins in its turn, and the next stages run at the same time: it uses one core, or only the time that others
    /// leave, or it mostly waits.
    Beside,
}

impl<'a> Stage<'a> {
    pub(super) fn in_turn(name: &'static str, work: impl FnOnce() -> Result<()> + Send + 'a) -> Self {
        let (when, work) = (When::InTurn, Box::new(work));
        Self { name, when, work }
    }

    pub(super) fn beside(name: &'static str, work: impl FnOnce() -> Result<()> + Send + 'a) -> Self {
        let (when, work) = (When::Beside, Box::new(work));
        Self { name, when, work }
    }
}

/// How a stage ended.
struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<()>,
}

/// Runs all stages. The table is printed after `summary`, which prints what the stages found.
pub(super) fn run(stages: Vec<Stage<'_>>, summary: impl FnOnce() -> Result<()>) -> Result<()> {
    run_and_print(stages, summary, io::stdout())
}

fn run_and_print(stages: Vec<Stage<'_>>, summary: impl FnOnce() -> Result<()>, out: impl Write) -> Result<()> {
    let started = Instant::now();
    let outcomes = run_all(stages);
    summary()?;
    print(&outcomes, started.elapsed(), out)?;
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err());
    let failed: Vec<&str> = failed.map(|outcome| outcome.name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn run_all(stages: Vec<Stage<'_>>) -> Vec<Outcome> {
    thread::scope(|scope| {
        let (mut outcomes, mut running) = (Vec::new(), Vec::new());
        for stage in stages {
            match stage.when {
                When::InTurn => outcomes.push(timed(stage)),
                When::Beside => running.push((stage.name, scope.spawn(|| timed(stage)))),
            }
        }
        for (name, thread) in running {
            outcomes.push(thread.join().unwrap_or_else(|_| Outcome {
                name,
                took: Duration::ZERO,
                result: Err(anyhow!("it panicked")),
            }));
        }
        outcomes
    })
}

fn timed(stage: Stage<'_>) -> Outcome {
    let name = stage.name;
    say(&format!("\n== {name}"));
    let started = Instant::now();
    let result = (stage.work)();
    if let Err(error) = &result {
        say(&explained(name, error));
    }
    Outcome {
        name,
        took: started.elapsed(),
        result,
    }
}

fn print(outcomes: &[Outcome], all: Duration, mut out: impl Write) -> Result<()> {
    writeln!(out, "\n{:<20} {:>9}  result", "stage", "seconds")?;
    for Outcome { name, took, result } in outcomes {
        let result = if result.is_ok() { "ok" } else { "FAILED" };
        writeln!(out, "{name:<20} {:>9.1}  {result}", took.as_secs_f64())?;
    }
    writeln!(out, "{:<20} {:>9.1}", "all", all.as_secs_f64())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The table is not printed: it would look like a failure of the tests that run this one.
    fn failure_of(stages: Vec<Stage<'_>>) -> String {
        run_and_print(stages, || Ok(()), io::sink()).unwrap_err().to_string()
    }

    #[test]
    fn all_stages_run_and_those_that_fail_are_named() {
        let ran = Mutex::new(Vec::new());
        let note = |name| ran.lock().unwrap().push(name);
        let stages = vec![
            Stage::beside("links", || {
                note("links");
                bail!("broken")
            }),
            Stage::in_turn("format", || {
                note("format");
                bail!("not formatted")
            }),
            Stage::in_turn("tests", || {
                note("tests");
                Ok(())
            }),
        ];
        let error = failure_of(stages);
        assert_eq!(error, "failed: format, links");
        assert_eq!(ran.lock().unwrap().len(), 3);
    }

    #[test]
    fn a_stage_that_panics_beside_the_others_fails() {
        let stages = vec![Stage::beside("model", || unreachable!("on purpose"))];
        assert_eq!(failure_of(stages), "failed: model");
    }
}
