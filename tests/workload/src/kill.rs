//! Kills the processes of another pod with SIGKILL, as a node without free memory does.
//!
//! Deleting a pod, even without grace, sends SIGTERM first; and from inside its own container a process 1 cannot be
//! killed. So a test of a crash needs a root pod that sees the processes of its node (`hostPID`).

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Kills every process with this name in the pod with this UID. An error if there is none.
pub(crate) fn run(pod_uid: &str, name: &str) -> Result<()> {
    let mut killed = 0;
    for entry in fs::read_dir("/proc").context("cannot list processes")?.flatten() {
        let number: Option<i32> = entry.file_name().to_str().and_then(|n| n.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else {
            continue;
        };
        // A process may end during the search.
        if is_of(&entry.path(), pod_uid, name).unwrap_or(false) {
            kill_process(pid, Signal::KILL).context("cannot kill")?;
            killed += 1;
        }
    }
    if killed == 0 {
        bail!("pod {pod_uid} has no process {name} on this node");
    }
    Ok(())
}

/// The kubelet names a pod's cgroup after its UID, with `-`, or with `_` if systemd creates it.
fn is_of(process: &Path, pod_uid: &str, name: &str) -> Result<bool> {
    let groups = fs::read_to_string(process.join("cgroup"))?.replace('_', "-");
    let comm = fs::read_to_string(process.join("comm"))?;
    Ok(groups.contains(pod_uid) && comm.trim() == name)
}
