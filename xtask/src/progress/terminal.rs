//! Lines on stderr. On a terminal, the last line shows the steps that run. It is rewritten in place, and every other
//! line is printed above it. In a log, each step has a line at its start and a line at its end.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Running;

static RUNNING: Mutex<Vec<Arc<Running>>> = Mutex::new(Vec::new());

/// Erases the line of the cursor.
const ERASE: &str = "\r\x1b[K";

pub(super) fn is_one() -> bool {
    io::stderr().is_terminal()
}

/// Prints a separate line, above the line of the running step.
pub(super) fn line(text: &str) {
    write(&running(), Some(text));
}

/// Shows the current status of the steps that run.
pub(super) fn repaint() {
    write(&running(), None);
}

pub(super) fn begin(step: &Arc<Running>, text: &str) {
    let mut running = running();
    running.push(Arc::clone(step));
    write(&running, (!is_one()).then_some(text));
}

pub(super) fn end(step: &Arc<Running>, text: &str) {
    let mut running = running();
    running.retain(|other| !Arc::ptr_eq(other, step));
    write(&running, Some(text));
}

/// Held while something is written, so that lines of steps that run side by side do not mix.
fn running() -> MutexGuard<'static, Vec<Arc<Running>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(running: &[Arc<Running>], text: Option<&str>) {
    let line = text.map(|text| format!("{text}\n")).unwrap_or_default();
    let shown = if is_one() {
        format!("{ERASE}{line}{}", status(running, width()))
    } else {
        line
    };
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(shown.as_bytes()).and_then(|()| stderr.flush());
}

/// The steps that run, in one line that does not wrap. A line that wraps cannot be erased.
fn status(running: &[Arc<Running>], width: usize) -> String {
    if running.is_empty() {
        return String::new();
    }
    let steps: Vec<String> = running.iter().map(|step| step.shown()).collect();
    let status = format!("[{:6.1} s] … {}", super::since_start(), steps.join(" | "));
    if status.chars().count() < width {
        return status;
    }
    let kept: String = status.chars().take(width.saturating_sub(2)).collect();
    format!("{kept}…")
}

fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stderr()).map_or(80, |size| usize::from(size.ws_col).max(20))
}

#[cfg(test)]
mod tests {
    use super::super::Gauge;
    use super::*;

    fn step(what: &str) -> Arc<Running> {
        Arc::new(Running {
            what: what.to_owned(),
            gauge: Gauge::default(),
        })
    }

    #[test]
    fn steps_side_by_side_share_one_line_that_does_not_wrap() {
        let both = [step("build Kubernetes"), step("build the operator")];
        assert!(status(&both, 200).ends_with("… build Kubernetes | build the operator"));
        let narrow = status(&both, 40);
        assert_eq!(narrow.chars().count(), 39);
        assert!(narrow.ends_with('…'));
        assert_eq!(status(&[], 80), "");
    }
}
