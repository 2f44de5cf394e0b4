//! The cluster's processes: started detached from the terminal, written down by pid and start time, and ended only by
//! that record. A pid alone may by then be somebody else's.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::layout::Layout;
use super::network;
use crate::command;

/// Starts a program of the cluster in its namespace and writes it down.
pub(crate) fn start<S: AsRef<OsStr>>(
    layout: &Layout,
    name: &str,
    program: &Path,
    args: impl IntoIterator<Item = S>,
) -> Result<()> {
    let log = layout.logs().join(format!("{name}.log"));
    let log = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    // Its own session: neither Ctrl-C nor the end of the terminal reaches it.
    let mut command = Command::new("setsid");
    if let Some(netns) = &layout.netns {
        command.arg("nsenter").arg(network::entrance(netns));
    }
    let child = command
        .arg(program)
        .args(args)
        .current_dir(&layout.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    // Both wrappers replace themselves, so the pid stays, and with it the start time.
    let pid = child.id();
    let born = started(pid).with_context(|| format!("{name} ended at once"))?;
    fs::write(layout.pids().join(name), format!("{pid} {born}"))?;
    Ok(())
}

/// An error that shows the end of its log when it has ended by itself.
pub(crate) fn check(layout: &Layout, name: &str) -> Result<()> {
    if recorded(layout, name).is_some_and(|record| record.is_alive()) {
        return Ok(());
    }
    let log = layout.logs().join(format!("{name}.log"));
    let text = fs::read(&log).unwrap_or_default();
    bail!(
        "{name} has ended; the end of {}:\n{}",
        log.display(),
        command::tail(&String::from_utf8_lossy(&text))
    );
}

/// Whether there are processes written down, and all of them run.
pub(crate) fn all_alive(layout: &Layout) -> bool {
    let names = names(layout);
    !names.is_empty()
        && names
            .iter()
            .all(|name| recorded(layout, name).is_some_and(|record| record.is_alive()))
}

/// Each process with what can be said of it.
pub(crate) fn states(layout: &Layout) -> Vec<(String, String)> {
    let state = |name: &String| match recorded(layout, name) {
        Some(record) if record.is_alive() => format!("runs, pid {}", record.pid),
        Some(_) | None => "has ended".to_owned(),
    };
    names(layout)
        .into_iter()
        .map(|name| (name.clone(), state(&name)))
        .collect()
}

/// Ends those of the names that run: asked first, all at once, then forced.
pub(crate) fn stop(layout: &Layout, names: &[String], grace: Duration) {
    let running: Vec<Record> = names.iter().filter_map(|name| recorded(layout, name)).collect();
    for record in &running {
        record.send(Signal::TERM);
    }
    let asked = Instant::now();
    while asked.elapsed() < grace && running.iter().any(Record::is_alive) {
        std::thread::sleep(Duration::from_millis(20));
    }
    for record in &running {
        record.send(Signal::KILL);
    }
    for name in names {
        let _ = fs::remove_file(layout.pids().join(name));
    }
}

/// Every process that is written down, sorted.
pub(crate) fn names(layout: &Layout) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(layout.pids())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

struct Record {
    pid: u32,
    born: u64,
}

impl Record {
    fn is_alive(&self) -> bool {
        started(self.pid) == Some(self.born)
    }

    fn send(&self, signal: Signal) {
        if self.is_alive() {
            kill(self.pid, signal);
        }
    }
}

/// Sends a signal; a process that is gone already is what was wanted.
pub(crate) fn kill(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

fn recorded(layout: &Layout, name: &str) -> Option<Record> {
    let text = fs::read_to_string(layout.pids().join(name)).ok()?;
    let (pid, born) = text.split_once(' ')?;
    Some(Record {
        pid: pid.parse().ok()?,
        born: born.trim().parse().ok()?,
    })
}

/// When a process started, in ticks since boot; none for one that is gone or only waits to be collected.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may itself hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start_time() {
        let me = std::process::id();
        let born = started(me).unwrap();
        assert!(Record { pid: me, born }.is_alive());
        assert!(
            !Record {
                pid: me,
                born: born + 1
            }
            .is_alive()
        );
    }
}
