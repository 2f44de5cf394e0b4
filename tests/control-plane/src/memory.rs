//! A limit of memory for one process, as a container has it: beyond it the kernel kills.

use std::path::{Path, PathBuf};

use crate::Program;

/// A cgroup of this test's own, in either version; gone when it is dropped and nothing is in it any more.
pub struct MemoryLimit(PathBuf);

impl MemoryLimit {
    /// None where no cgroup can be made: without root, or without the controller.
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
        // Where there is swap: it is not to be used.
        let _ = std::fs::write(limit.0.join(swap), "0");
        Some(limit)
    }

    /// Puts a process under the limit. What it has already is not counted, so it should just have been started.
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
