//! Kills the processes of another pod, as a node out of memory would: SIGKILL, without a chance to say goodbye.
//!
//! Deleting a pod, even without grace, sends SIGTERM first; and from inside its own container a process 1 cannot be
//! killed. So a test of a crash needs a pod that sees its node's processes (`hostPID`), as root.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Kills every process of that name in the pod of that UID; an error when there is none.
pub(crate) fn run(pod_uid: &str, name: &str) -> Result<()> {
    let mut killed = 0;
    for entry in fs::read_dir("/proc").context("cannot list processes")?.flatten() {
        let number: Option<i32> = entry.file_name().to_str().and_then(|n| n.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else {
            continue;
        };
        // A process may end while it is looked at.
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

/// The kubelet names a pod's control group after its UID, with `-` or, where systemd makes it, `_`.
fn is_of(process: &Path, pod_uid: &str, name: &str) -> Result<bool> {
    let groups = fs::read_to_string(process.join("cgroup"))?.replace('_', "-");
    let comm = fs::read_to_string(process.join("comm"))?;
    Ok(groups.contains(pod_uid) && comm.trim() == name)
}
