//! Takes a cluster away, whole or in pieces: every step starts from what is there, not from what should be.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde::Deserialize;

use super::layout::Layout;
use super::{cgroup, daemon, network};
use crate::command;

/// Where libcni keeps what it did, a file for each sandbox.
const CNI_RESULTS: &str = "/var/lib/cni/results";
/// Links that the kubelet makes for log collectors.
const CONTAINER_LOGS: &str = "/var/log/containers";

/// The kubelet goes first, so that it starts nothing anew; containerd and its shims after the pods.
pub(crate) fn remove(layout: &Layout) -> Result<()> {
    let grace = Duration::from_secs(3);
    daemon::stop(layout, &["kubelet".to_owned()], grace);
    cgroup::remove(&layout.cgroup());
    daemon::stop(layout, &daemon::names(layout), grace);
    end_shims(layout);
    // A process that was started between the two looks.
    cgroup::remove(&layout.cgroup());
    unmount(&layout.folder)?;
    remove_sandbox_networks(layout);
    network::remove(layout);
    remove_log_links(layout);
    match fs::remove_dir_all(&layout.folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", layout.folder.display()))
        }
        _ => Ok(()),
    }
}

/// A shim outlives containerd on purpose. It is ours when it was started for our socket.
fn end_shims(layout: &Layout) {
    let socket = layout.containerd_socket();
    let socket = socket.to_string_lossy();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.split('\0');
        let is_shim = words.next().is_some_and(|program| program.contains("containerd-shim"));
        if is_shim && words.any(|word| word == socket) {
            daemon::kill(pid, Signal::KILL);
        }
    }
    // Its socket lies outside the cluster's folder, and the shim's own end would have removed it.
    let tasks = layout
        .folder
        .join("containerd/state/io.containerd.runtime.v2.task/k8s.io");
    for entry in fs::read_dir(tasks).into_iter().flatten().flatten() {
        let address = fs::read_to_string(entry.path().join("address")).unwrap_or_default();
        if let Some(file) = address.trim().strip_prefix("unix://") {
            let _ = fs::remove_file(file);
        }
    }
}

/// Everything mounted within the folder, the innermost first.
fn unmount(folder: &Path) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
    let mut points: Vec<&str> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|point| Path::new(point).starts_with(folder))
        .collect();
    points.sort_unstable_by(|a, b| b.cmp(a));
    for point in points {
        command::capture(Command::new("umount").args(["--lazy", point]))?;
    }
    Ok(())
}

/// The namespaces of pods, found in what libcni noted under our network's name.
fn remove_sandbox_networks(layout: &Layout) {
    #[derive(Deserialize)]
    struct Sandbox {
        #[serde(default)]
        netns: String,
    }
    let ours = format!("{}-", layout.cni_network());
    for entry in fs::read_dir(CNI_RESULTS).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        // "il" is a prefix of "il-2": the note itself says which network it is about.
        let note = format!("\"networkName\":\"{}\"", layout.cni_network());
        if !name.starts_with(&ours) || !text.replace(' ', "").contains(&note) {
            continue;
        }
        if let Ok(sandbox) = serde_json::from_str::<Sandbox>(&text)
            && let Some(netns) = Path::new(&sandbox.netns).file_name()
        {
            let _ = command::capture(Command::new("ip").args(["netns", "del"]).arg(netns));
        }
        let _ = fs::remove_file(entry.path());
    }
}

fn remove_log_links(layout: &Layout) {
    for entry in fs::read_dir(CONTAINER_LOGS).into_iter().flatten().flatten() {
        if fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(layout.pod_logs())) {
            let _ = fs::remove_file(entry.path());
        }
    }
    // Ours when it is empty now; otherwise it stays.
    let _ = fs::remove_dir(CONTAINER_LOGS);
}
