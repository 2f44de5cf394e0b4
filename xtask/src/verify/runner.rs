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
    work: Box<dyn FnOnce() -> Result<Done> + Send + 'a>,
}

/// What a stage that did not fail has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Ran,
    /// Nothing ran, because everything passed before with the same inputs.
    Unchanged,
}

impl From<()> for Done {
    fn from((): ()) -> Self {
        Self::Ran
    }
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
    pub(super) fn in_turn<T: Into<Done>>(name: &'static str, work: impl FnOnce() -> Result<T> + Send + 'a) -> Self {
        Self::new(name, When::InTurn, work)
    }

    pub(super) fn beside<T: Into<Done>>(name: &'static str, work: impl FnOnce() -> Result<T> + Send + 'a) -> Self {
        Self::new(name, When::Beside, work)
    }

    fn new<T: Into<Done>>(name: &'static str, when: When, work: impl FnOnce() -> Result<T> + Send + 'a) -> Self {
        let work = Box::new(|| work().map(Into::into));
        Self { name, when, work }
    }
}

/// How a stage ended.
struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<Done>,
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
        let result = match result {
            Ok(Done::Ran) => "ok",
            Ok(Done::Unchanged) => "unchanged",
            Err(_) => "FAILED",
        };
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
                Err::<(), _>(anyhow!("broken"))
            }),
            Stage::in_turn("format", || {
                note("format");
                Err::<(), _>(anyhow!("not formatted"))
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
    fn the_table_lists_a_stage_in_which_nothing_ran_as_unchanged() {
        let stages = vec![
            Stage::in_turn("format", || Ok(())),
            Stage::in_turn("lints", || Ok(Done::Unchanged)),
        ];
        let mut table = Vec::new();
        run_and_print(stages, || Ok(()), &mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        let ends = |name: &str, end: &str| table.lines().any(|line| line.starts_with(name) && line.ends_with(end));
        assert!(ends("format", "  ok"), "{table}");
        assert!(ends("lints", "  unchanged"), "{table}");
    }

    #[test]
    fn a_stage_that_panics_beside_the_others_fails() {
        let stages = vec![Stage::beside("model", || -> Result<()> { unreachable!("on purpose") })];
        assert_eq!(failure_of(stages), "failed: model");
    }
}
