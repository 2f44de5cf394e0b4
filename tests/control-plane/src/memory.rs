//! A memory limit for one process, like that of a container: the kernel kills a process that exceeds it.

use std::path::{Path, PathBuf};

use crate::Program;

/// A cgroup for this test, of version 1 or 2. It is removed when it is dropped and empty.
pub struct MemoryLimit(PathBuf);

impl MemoryLimit {
    /// None if no cgroup can be created: without root, or without the memory controller.
    pub fn new(name: &str, bytes: u64) -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let unified = root.join("cgroup.controllers").exists();
        let parent = if unified { root.to_owned() } else { root.join("memory") };
        let folder = parent.join(format!("instancelink-{}-{name}", std::process::id()));
        std::fs::create_dir(&folder).ok()?;
        let limit = Self(folder);
        let (file, swap) = if unified {
            ("memory.max", "memory.swap.max")
        } else {
            ("memory.limit_in_bytes", "memory.swappiness")
        };
        std::fs::write(limit.0.join(file), bytes.to_string()).ok()?;
        // If the machine has swap, the process must not use it.
        let _ = std::fs::write(limit.0.join(swap), "0");
        Some(limit)
    }

    /// Puts a process under the limit. Memory that it has already is not counted, so call this right after the start.
    pub fn put(&self, program: &Program) {
        let pid = program.pid().expect("it runs");
        std::fs::write(self.0.join("cgroup.procs"), pid.to_string())
            .unwrap_or_else(|e| panic!("cannot put {pid} into {}: {e}", self.0.display()));
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}
