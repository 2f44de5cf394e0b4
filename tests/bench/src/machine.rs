//! The machine and the versions of a run.

use std::fmt;
use std::path::PathBuf;

use control_plane::ControlPlane;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// The variable in which `cargo xtask bench` passes the commit of the operator.
pub const COMMIT: &str = "INSTANCELINK_COMMIT";

/// The machine and the versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Processors that may be used.
    pub cores: usize,
    /// Memory, in GiB.
    pub memory_gib: u64,
    /// The Linux release.
    pub kernel: String,
    /// The API server's version.
    pub kubernetes: String,
    /// etcd's version.
    pub etcd: String,
    /// The commit the operator was built from.
    pub operator: String,
}

impl Machine {
    /// This one.
    pub async fn this(plane: &ControlPlane) -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let kilobytes = read("/proc/meminfo").lines().find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<u64>()
                .ok()
        });
        let version = plane.client.apiserver_version().await.expect("a version");
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kilobytes.unwrap_or_default() >> 20,
            kernel: release(&read("/proc/sys/kernel/osrelease")),
            kubernetes: version.git_version,
            etcd: etcd_version().await,
            operator: std::env::var(COMMIT).unwrap_or_else(|_| "unknown".to_owned()),
        }
    }
}

/// The text after the version names the builder of the kernel.
fn release(text: &str) -> String {
    text.trim().split('-').next().unwrap_or_default().to_owned()
}

/// `etcd Version: 3.7.3` is its first line.
async fn etcd_version() -> String {
    let path = std::env::var_os("ETCD")
        .map(PathBuf::from)
        .expect("ETCD says where etcd is");
    let output = Command::new(path).arg("--version").output().await.expect("etcd");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.lines().next().and_then(|line| line.rsplit(' ').next());
    version.unwrap_or_default().to_owned()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cores, {} GiB, Linux {}, Kubernetes {}, etcd {}, operator {}",
            self.cores, self.memory_gib, self.kernel, self.kubernetes, self.etcd, self.operator
        )
    }
}
