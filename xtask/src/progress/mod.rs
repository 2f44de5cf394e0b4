//! What the developer sees: each step with its own time and the time since the start, and how far a long step is. On
//! stderr, since stdout belongs to the answers that scripts read. Steps may run side by side.

mod gauge;
mod terminal;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};

pub(crate) use gauge::Gauge;

static STARTED: OnceLock<Instant> = OnceLock::new();

/// How often a terminal shows how far a long step is.
const REFRESH: Duration = Duration::from_millis(500);
/// How often a log does.
const REPORT: Duration = Duration::from_mins(1);

fn since_start() -> f64 {
    STARTED.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// Writes a line to stderr. A closed stderr must not end a task halfway.
pub(crate) fn say(text: &str) {
    terminal::line(text);
}

/// An error with its causes, a line each; without a backtrace, which says nothing of why another program failed.
pub(crate) fn explained(what: &str, error: &Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    format!("{what}: {}", causes.join("\n  because: "))
}

/// Runs one step and prints what it is, how long it took and whether it failed.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    run(what, &Gauge::default(), work)
}

/// As [`step`], for a step that takes minutes. The work reports its progress to the gauge. The developer sees the
/// progress and the time that is left. `expected` is the duration of the whole step, if it is known.
pub(crate) fn long_step<T>(
    what: &str,
    expected: Option<Duration>,
    work: impl FnOnce(&Gauge) -> Result<T>,
) -> Result<T> {
    let gauge = Gauge::new(expected);
    // The channel closes when the step ends, which ends the thread.
    let (running, ended) = mpsc::channel::<()>();
    let reporter = thread::spawn({
        let (what, gauge) = (what.to_owned(), gauge.clone());
        move || {
            let every = if terminal::is_one() { REFRESH } else { REPORT };
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                report(&what, &gauge);
            }
        }
    });
    let outcome = run(what, &gauge, || work(&gauge));
    drop(running);
    let _ = reporter.join();
    outcome
}

fn report(what: &str, gauge: &Gauge) {
    if terminal::is_one() {
        terminal::repaint();
    } else if let Some(position) = gauge.position() {
        terminal::line(&format!("[{:6.1} s] … {what}: {position}", since_start()));
    }
}

fn run<T>(what: &str, gauge: &Gauge, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let expected = gauge.expected().unwrap_or_default();
    let step = Arc::new(Running {
        what: what.to_owned(),
        gauge: gauge.clone(),
    });
    let _ = since_start();
    terminal::begin(&step, &format!("[{:6.1} s] … {what}{expected}", since_start()));
    let started = Instant::now();
    let outcome = work();
    let mark = if outcome.is_ok() { '✓' } else { '✗' };
    let took = started.elapsed().as_secs_f64();
    terminal::end(&step, &format!("[{:6.1} s] {mark} {what} ({took:.1} s)", since_start()));
    outcome
}

/// A step that has begun and not ended.
struct Running {
    what: String,
    gauge: Gauge,
}

impl Running {
    fn shown(&self) -> String {
        match self.gauge.position() {
            Some(position) => format!("{}: {position}", self.what),
            None => format!("{}{}", self.what, self.gauge.expected().unwrap_or_default()),
        }
    }
}
