//! The parent cgroup of a cluster's pods: in each hierarchy of version 1, or in the one of version 2. Only pods of this
//! cluster are in it, so the pods of a run that was killed are found by it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::daemon::kill;

const ROOT: &str = "/sys/fs/cgroup";

/// Makes the cgroup. The kubelet does not start without its `cgroupRoot`.
pub(crate) fn make(name: &str) -> Result<()> {
    for hierarchy in hierarchies() {
        let folder = hierarchy.join(name);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot make cgroup {}", folder.display()));
            }
            _ => {}
        }
        // A new cpuset of version 1 has no processors and no memory.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(value) = fs::read_to_string(hierarchy.join(file)) {
                fs::write(folder.join(file), value)
                    .with_context(|| format!("cannot set {file} of {}", folder.display()))?;
            }
        }
    }
    if is_unified() {
        delegate(Path::new(ROOT))?;
        delegate(&Path::new(ROOT).join(name))?;
    }
    Ok(())
}

/// Ends every process in the cgroup and below it, and removes it.
pub(crate) fn remove(name: &str) {
    let folders: Vec<PathBuf> = hierarchies()
        .into_iter()
        .map(|h| h.join(name))
        .filter(|f| f.exists())
        .collect();
    // A process that starts at this moment can be missed. The next rounds find it.
    for _ in 0..50 {
        for folder in &folders {
            end_processes(folder);
            remove_tree(folder);
        }
        if folders.iter().all(|folder| !folder.exists()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn end_processes(folder: &Path) {
    for child in children(folder) {
        end_processes(&child);
    }
    let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    for pid in processes.lines().filter_map(|line| line.parse().ok()) {
        kill(pid, Signal::KILL);
    }
}

fn remove_tree(folder: &Path) {
    for child in children(folder) {
        remove_tree(&child);
    }
    // Only a cgroup without processes can be removed. The next round tries again.
    let _ = fs::remove_dir(folder);
}

fn children(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Version 2 has one hierarchy. Version 1 has one for each controller.
fn hierarchies() -> Vec<PathBuf> {
    if is_unified() {
        vec![ROOT.into()]
    } else {
        children(Path::new(ROOT))
    }
}

fn is_unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// In version 2: children may use every controller.
fn delegate(folder: &Path) -> Result<()> {
    let controllers = fs::read_to_string(folder.join("cgroup.controllers"))?;
    let all: Vec<String> = controllers.split_whitespace().map(|c| format!("+{c}")).collect();
    fs::write(folder.join("cgroup.subtree_control"), all.join(" "))
        .with_context(|| format!("cannot delegate the controllers of {}", folder.display()))
}
