//! The processes of a cluster. They run detached from the terminal. A record holds the pid and the start time of each, and
//! only processes with both are ended: after a while the pid alone can belong to another process.

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

/// Starts a program in the cluster's network namespace, and writes the record.
pub(crate) fn start<S: AsRef<OsStr>>(
    layout: &Layout,
    name: &str,
    program: &Path,
    args: impl IntoIterator<Item = S>,
) -> Result<()> {
    let log = layout.logs().join(format!("{name}.log"));
    let log = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    // It runs in a new session, so that Ctrl-C and the end of the terminal do not end it.
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
    // `setsid` and `nsenter` replace themselves by the program, so the pid and the start time stay the same.
    let pid = child.id();
    let born = started(pid).with_context(|| format!("{name} ended at once"))?;
    fs::write(layout.pids().join(name), format!("{pid} {born}"))?;
    Ok(())
}

/// Fails if the process has ended. The error shows the end of its log.
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

/// Whether there are records, and all their processes run.
pub(crate) fn all_alive(layout: &Layout) -> bool {
    let names = names(layout);
    !names.is_empty()
        && names
            .iter()
            .all(|name| recorded(layout, name).is_some_and(|record| record.is_alive()))
}

/// The name and the state of each process.
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

/// Ends the processes of these names: all get SIGTERM, and after the grace period SIGKILL.
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

/// The names of all records, sorted.
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

/// Sends a signal. It is no error if the process has ended.
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

/// When a process started, in ticks since boot. None if it has ended, also if its parent has not collected it.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses can contain spaces and parentheses.
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
