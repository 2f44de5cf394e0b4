//! Removes a cluster, also one that is incomplete: each step removes what it finds.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::layout::Layout;
use super::{cgroup, daemon, leftovers, network};
use crate::command;

/// Removes everything. The kubelet ends first, so that it starts no pod again; containerd and its shims end after the pods.
pub(crate) fn remove(layout: &Layout) -> Result<()> {
    // Short, because nothing that the processes write at their end is kept.
    let grace = Duration::from_secs(1);
    daemon::stop(layout, &["kubelet".to_owned()], grace);
    if layout.netns.is_some() {
        cgroup::remove(&layout.cgroup());
    }
    daemon::stop(layout, &daemon::names(layout), grace);
    if layout.netns.is_some() {
        remove_node(layout)?;
    }
    match fs::remove_dir_all(&layout.folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", layout.folder.display()))
        }
        _ => Ok(()),
    }
}

/// Removes what only root can make.
fn remove_node(layout: &Layout) -> Result<()> {
    end_shims(layout);
    // Again, for a process that started meanwhile.
    cgroup::remove(&layout.cgroup());
    unmount(&layout.folder)?;
    leftovers::remove(layout);
    network::remove(layout);
    Ok(())
}

/// A shim does not end with containerd. It belongs to this cluster if its arguments name the cluster's socket.
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
    // Its socket is outside of the cluster's folder. A shim that is killed does not remove it.
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

/// Unmounts everything within the folder, the innermost first.
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
