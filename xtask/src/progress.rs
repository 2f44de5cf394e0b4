//! What the developer sees: each step with its own time and the time since the start, on stderr, since stdout belongs
//! to the answers that scripts read.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};

static STARTED: OnceLock<Instant> = OnceLock::new();

fn since_start() -> Duration {
    STARTED.get_or_init(Instant::now).elapsed()
}

/// Writes a line to stderr. A closed stderr must not end a task halfway.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// An error with its causes, a line each; without a backtrace, which says nothing of why another program failed.
pub(crate) fn explained(what: &str, error: &Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    format!("{what}: {}", causes.join("\n  because: "))
}

/// Runs one step and prints what it is, how long it took and whether it failed.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    begin(what);
    let started = Instant::now();
    let outcome = work();
    end(what, started, outcome.is_ok());
    outcome
}

fn begin(what: &str) {
    let at = since_start().as_secs_f64();
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "[{at:6.1} s] … {what}");
        let _ = io::stderr().flush();
    } else {
        say(&format!("[{at:6.1} s] … {what}"));
    }
}

fn end(what: &str, started: Instant, ok: bool) {
    let at = since_start().as_secs_f64();
    let took = started.elapsed().as_secs_f64();
    let (mark, lead) = (
        if ok { '✓' } else { '✗' },
        if io::stderr().is_terminal() { "\r\x1b[K" } else { "" },
    );
    say(&format!("{lead}[{at:6.1} s] {mark} {what} ({took:.1} s)"));
}
