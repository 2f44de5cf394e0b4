//! A process of a test. Its output goes to a file, and it ends with the test.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A running process. It is killed when it is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Program {
    /// Starts it. Its output is appended to the file `log`.
    pub fn start(name: &str, log: &Path, command: &mut Command) -> Self {
        let open = std::fs::OpenOptions::new().create(true).append(true).open(log);
        let out = open.unwrap_or_else(|e| panic!("cannot write {}: {e}", log.display()));
        let err = out.try_clone().expect("another handle of a file");
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        Self {
            name: name.to_owned(),
            log: log.to_owned(),
            child,
        }
    }

    /// Its exit status. None while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Sends a signal, unless it has ended.
    pub fn send(&self, signal: Signal) {
        let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) else {
            return;
        };
        kill_process(pid, signal).expect("a process of ours can be signalled");
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a process of ours can be killed");
    }

    /// Sends SIGTERM and waits until it has ended.
    pub async fn stop(&mut self, limit: Duration) -> ExitStatus {
        self.send(Signal::TERM);
        self.wait(limit).await
    }

    /// Waits until it ends without a signal.
    pub async fn wait(&mut self, limit: Duration) -> ExitStatus {
        let waited = timeout(limit, self.child.wait()).await;
        waited
            .unwrap_or_else(|_| panic!("{} did not end within {limit:?}\n{}", self.name, self.tail()))
            .expect("a child of ours")
    }

    /// A field of its memory in `/proc/<pid>/status`, in bytes: `VmHWM` is the peak, `RssAnon` the anonymous memory
    /// in use. None if it has ended.
    pub fn memory(&self, what: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// The CPU time that it has used. None if it has ended.
    pub fn cpu(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        // The name, which may contain any character, is in parentheses. After it come the state and ten numbers.
        let mut numbers = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || numbers.next()?.parse::<u64>().ok();
        let used = ticks()? + ticks()?;
        Some(Duration::from_secs(used) / u32::try_from(rustix::param::clock_ticks_per_second()).ok()?)
    }

    /// Its process id. None if it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its whole output.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of its output, for messages.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}
