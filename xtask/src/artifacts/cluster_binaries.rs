//! The cluster's programs, in the versions that `tools/cluster` pins: those that the machine has already, and the others
//! built by Go. They are kept in a cache folder that is named by the version and a digest of what pins it, so an upgrade
//! never runs yesterday's program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{go_build, memory};
use crate::progress::{long_step, say, step};
use crate::{command, digest, paths};

/// Must be the version in `tools/cluster/go.mod`; a test compares them.
pub(crate) const KUBERNETES: &str = "1.37.2";
/// The same for etcd.
const ETCD_VERSION: &str = "3.7.3";

/// A program of the cluster: its file name, its package, and how one of the machine says which version it is.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    package: &'static str,
    version: Option<Version>,
}

/// The arguments that make a program print its version, and what the line begins with.
#[derive(Clone, Copy)]
struct Version {
    arguments: &'static [&'static str],
    prefix: &'static str,
    number: &'static str,
}

const fn kubernetes(name: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        package,
        version: Some(Version {
            arguments: &["--version"],
            prefix: "Kubernetes v",
            number: KUBERNETES,
        }),
    }
}

pub(crate) const KUBECTL: Tool = Tool {
    name: "kubectl",
    package: "k8s.io/kubernetes/cmd/kubectl",
    version: Some(Version {
        arguments: &["version", "--client"],
        prefix: "Client Version: v",
        number: KUBERNETES,
    }),
};
const ETCD: Tool = Tool {
    name: "etcd",
    package: "go.etcd.io/etcd/server/v3",
    version: Some(Version {
        arguments: &["--version"],
        prefix: "etcd Version: ",
        number: ETCD_VERSION,
    }),
};
const API_SERVER: Tool = kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver");
const CONTROLLERS: Tool = kubernetes(
    "kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
);
const SCHEDULER: Tool = kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler");
const KUBELET: Tool = kubernetes("kubelet", "k8s.io/kubernetes/cmd/kubelet");
const PROXY: Tool = kubernetes("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy");
/// Always built here: it runs in an image of one file, and one of the machine may need libraries.
const COREDNS: Tool = Tool {
    name: "coredns",
    package: "./coredns",
    version: None,
};

/// What a cluster without a node needs.
pub(crate) const CONTROL_PLANE: &[Tool] = &[KUBECTL, ETCD, API_SERVER, CONTROLLERS];
/// What a cluster with a node needs.
pub(crate) const WITH_NODE: &[Tool] = &[
    KUBECTL,
    ETCD,
    API_SERVER,
    CONTROLLERS,
    SCHEDULER,
    KUBELET,
    PROXY,
    COREDNS,
];

/// Processor time that a build of all of them takes, on a machine of today.
const PROCESSOR_SECONDS: u64 = 600;

/// Where a tool is once it is built. `KUBEBUILDER_ASSETS`, which other operators' developers have set already, comes
/// first for what it holds.
pub(crate) fn path(tool: Tool) -> Result<PathBuf> {
    if let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS") {
        let given = Path::new(&assets).join(tool.name);
        if command::is_program(&given) {
            return Ok(given);
        }
    }
    Ok(folder()?.join(tool.name))
}

/// The path of a tool by its file name.
pub(crate) fn named(name: &str) -> Result<PathBuf> {
    let tool = WITH_NODE.iter().find(|tool| tool.name == name);
    path(*tool.with_context(|| format!("no cluster tool is called {name}"))?)
}

/// Those that are not in the cache yet.
pub(crate) fn missing(tools: &[Tool]) -> Result<Vec<Tool>> {
    let mut missing = Vec::new();
    for &tool in tools {
        if !command::is_program(&path(tool)?) {
            missing.push(tool);
        }
    }
    Ok(missing)
}

/// Takes or builds what is missing.
pub(crate) fn ensure(tools: &[Tool]) -> Result<()> {
    if missing(tools)?.is_empty() {
        return Ok(());
    }
    let folder = folder()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let _lock = lock(&folder)?;
    for tool in missing(tools)? {
        take(tool, &folder)?;
    }
    let missing = missing(tools)?;
    let Some(first) = missing.first() else {
        return Ok(());
    };
    if command::find("go").is_none() {
        bail!(
            "{} is not built and there is no Go to build it with; install Go (the version is in tools/cluster/go.mod) \
             or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl and use --no-node",
            first.name
        );
    }
    build(&missing, &folder)
}

/// Held while programs are built: a second task waits, and then has them.
fn lock(folder: &Path) -> Result<fs::File> {
    let file = fs::File::create(folder.with_extension("lock"))?;
    if file.try_lock().is_err() {
        say("waiting for another task that builds the cluster's programs");
        file.lock()?;
    }
    Ok(file)
}

/// Copies a program that the machine has in exactly the pinned version. A copy, since the machine's may be upgraded.
fn take(tool: Tool, folder: &Path) -> Result<()> {
    let (Some(version), Some(program)) = (tool.version, command::find(tool.name)) else {
        return Ok(());
    };
    let printed = command::capture(Command::new(&program).args(version.arguments));
    if !printed.is_ok_and(|printed| version.is_printed_in(&printed)) {
        return Ok(());
    }
    let partial = folder.join(format!("{}.partial", tool.name));
    fs::copy(&program, &partial)
        .and_then(|_| fs::rename(&partial, folder.join(tool.name)))
        .with_context(|| format!("cannot copy {}", program.display()))?;
    say(&format!(
        "{} is the pinned version {}; it is used instead of building one",
        program.display(),
        version.number
    ));
    Ok(())
}

/// Builds all by one call: they share most of their packages, and one is linked while others are compiled.
fn build(tools: &[Tool], folder: &Path) -> Result<()> {
    let module = module();
    let packages: Vec<&str> = tools.iter().map(|tool| tool.package).collect();
    // The build would fetch them as well, but in silence.
    let needed = step("download the cluster's Go modules", || {
        command::capture(go_build::go(&module).args(["list", "-deps"]).args(&packages))
    })?;
    let needed = needed.lines().count();
    // Renamed when complete: a killed build must not leave half a program that looks built.
    let partial = folder.join("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    let what = match tools {
        [one] => format!("build {} (once)", one.name),
        several => format!("build the cluster's {} programs (once)", several.len()),
    };
    long_step(&what, expected(tools), |gauge| {
        let mut begun = 0;
        let (into, built) = (partial.clone(), tools.to_vec());
        gauge.note(move || linked(&into, &built));
        go_build::build(&module, &linker(), &packages, &partial, || {
            begun += 1;
            gauge.set(begun, needed, "packages");
        })
    })?;
    for tool in tools {
        fs::rename(partial.join(built_as(tool.package)), folder.join(tool.name))
            .with_context(|| format!("cannot keep {}", tool.name))?;
    }
    let _ = fs::remove_dir(&partial);
    Ok(())
}

/// Go writes a program when it is linked.
fn linked(partial: &Path, tools: &[Tool]) -> String {
    let linked = tools
        .iter()
        .filter(|tool| partial.join(built_as(tool.package)).exists());
    format!("{} of {} programs", linked.count(), tools.len())
}

fn expected(tools: &[Tool]) -> Duration {
    // The first takes most of what all need.
    let share = if tools.len() > 1 { 1 } else { 3 };
    Duration::from_secs(PROCESSOR_SECONDS / share / memory::processors())
}

fn linker() -> String {
    let version = "k8s.io/component-base/version";
    let minor = KUBERNETES.split('.').nth(1).unwrap_or_default();
    let strip = go_build::LINKER;
    format!("{strip} -X {version}.gitVersion=v{KUBERNETES} -X {version}.gitMajor=1 -X {version}.gitMinor={minor}")
}

/// The file that Go builds a package as: its last part that is no version.
fn built_as(package: &str) -> &str {
    let is_version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|digits| digits.parse::<u32>().is_ok())
    };
    let name = package.rsplit('/').find(|part| !is_version(part));
    name.unwrap_or(package)
}

impl Version {
    fn is_printed_in(self, text: &str) -> bool {
        let printed = text.lines().find_map(|line| line.strip_prefix(self.prefix));
        printed.is_some_and(|version| version.trim() == self.number)
    }
}

fn module() -> PathBuf {
    paths::checkout().join("tools/cluster")
}

/// `<cache>/<version>/bin`.
fn folder() -> Result<PathBuf> {
    let mut pins = Vec::new();
    for file in ["go.mod", "coredns/main.go"] {
        let file = module().join(file);
        pins.push(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    let hash = digest::sha256(pins.iter().map(Vec::as_slice));
    let version = format!("v{KUBERNETES}-{}", digest::short(&hash, 8));
    Ok(paths::cache()?.join(version).join("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_in_programs_are_the_versions_pinned() {
        let pins = fs::read_to_string(module().join("go.mod")).unwrap();
        assert!(pins.contains(&format!("k8s.io/kubernetes v{KUBERNETES} ")));
        assert!(pins.contains(&format!("go.etcd.io/etcd/server/v3 v{ETCD_VERSION} ")));
    }

    #[test]
    fn a_program_of_the_machine_is_used_only_in_exactly_the_pinned_version() {
        let kubectl = KUBECTL.version.unwrap();
        assert!(kubectl.is_printed_in(&format!("Client Version: v{KUBERNETES}\nKustomize Version: v5.8.1\n")));
        assert!(!kubectl.is_printed_in(&format!("Client Version: v{KUBERNETES}-distribution.3\n")));
        assert!(!kubectl.is_printed_in("Client Version: v1.36.0\n"));
        assert!(!kubectl.is_printed_in("error: unknown command\n"));
        let etcd = ETCD.version.unwrap();
        assert!(etcd.is_printed_in(&format!("etcd Version: {ETCD_VERSION}\nGit SHA: 1234567\n")));
    }

    #[test]
    fn go_names_a_program_by_the_last_part_of_its_package_that_is_no_version() {
        assert_eq!(built_as(ETCD.package), "server");
        assert_eq!(built_as(KUBELET.package), "kubelet");
        assert_eq!(built_as(COREDNS.package), "coredns");
    }
}
