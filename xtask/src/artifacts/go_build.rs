//! One call of `go build`: static programs, without what only a debugger reads.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::memory;
use crate::command;

/// What the compiler leaves out. The linker drops the debug information anyway, and it takes an eighth of the time.
const COMPILER: &str = "-gcflags=all=-dwarf=false";
/// What the linker leaves out.
pub(super) const LINKER: &str = "-s -w";

/// With this much memory, in MiB, the compiler collects garbage less often: it then takes less time, and up to 3 GiB where it
/// links an API server.
const PLENTY: u64 = 8 * 1024;
/// Go's own value is 100.
const SELDOM: &str = "400";

/// A call of the Go command in the folder of a module.
pub(super) fn go(module: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(module).env("CGO_ENABLED", "0");
    go
}

/// Builds programs of a module into a folder, under the names that Go gives them, or one program into a file. `begins` is
/// called for each package whose compilation begins.
pub(super) fn build(
    module: &Path,
    linker: &str,
    packages: &[&str],
    out: &Path,
    mut begins: impl FnMut(),
) -> Result<()> {
    let mut go = go(module);
    go.args([
        "build",
        "-v",
        "-mod=readonly",
        "-trimpath",
        COMPILER,
        "-ldflags",
        linker,
        "-o",
    ]);
    go.arg(out).args(packages);
    if std::env::var_os("GOGC").is_none() && memory::available().is_some_and(|free| free >= PLENTY) {
        go.env("GOGC", SELDOM);
    }
    command::follow(&mut go, |line| {
        let begun = is_package(line);
        if begun {
            begins();
        }
        begun
    })
}

/// `-v` prints the path of each package; everything else on stderr is an error.
fn is_package(line: &str) -> bool {
    !line.is_empty() && !line.contains([' ', ':', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_packages_are_told_from_errors() {
        assert!(is_package("k8s.io/api/core/v1"));
        assert!(is_package("go.etcd.io/etcd/server/v3"));
        assert!(!is_package("# k8s.io/api/core/v1"));
        assert!(!is_package("./main.go:3:2: undefined: x"));
        assert!(!is_package("go: downloading k8s.io/api v0.37.2"));
    }
}
