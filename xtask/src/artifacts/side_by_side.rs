//! Builds the cluster's programs and our own at the same time, where there is memory for both: the linker of either uses
//! one processor for long.

use std::thread;

use anyhow::{Result, anyhow};

use super::cluster_binaries::{self, Tool};
use super::memory;
use super::static_binaries::{self, Profile};

/// In MiB: the compilers of both at their largest, and what else runs on a developer's machine.
const ENOUGH: u64 = 8 * 1024;

/// Builds what is missing of the tools, and our binaries with this profile.
pub(crate) fn ensure(tools: &[Tool], profile: Profile) -> Result<()> {
    let ours = || static_binaries::ensure(profile);
    if cluster_binaries::missing(tools)?.is_empty() {
        return ours();
    }
    if memory::available().is_none_or(|free| free < ENOUGH) {
        // Ours first: it is what fails while one works on the code.
        return ours().and_then(|()| cluster_binaries::ensure(tools));
    }
    thread::scope(|scope| {
        let theirs = scope.spawn(|| cluster_binaries::ensure(tools));
        let ours = ours();
        let theirs = theirs
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the build of the cluster's programs panicked")));
        ours.and(theirs)
    })
}
