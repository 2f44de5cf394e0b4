//! The cluster's binaries, built from the Go modules pinned under `tools/` into a cache folder. A folder is named by
//! the version and a digest of what pins it, so an upgrade never runs yesterday's binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::progress::step;
use crate::{command, digest, paths};

/// Must be the version in `tools/cluster/go.mod`; a test compares them.
pub(crate) const KUBERNETES: &str = "1.37.2";

/// A binary of the cluster: its file name, the module that pins it, and the package it is.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    module: &'static str,
    package: &'static str,
}

const fn tool(name: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        module: "cluster",
        package,
    }
}

pub(crate) const KUBECTL: Tool = tool("kubectl", "k8s.io/kubernetes/cmd/kubectl");
const ETCD: Tool = tool("etcd", "go.etcd.io/etcd/server/v3");
const API_SERVER: Tool = tool("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver");
const CONTROLLERS: Tool = tool(
    "kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
);
const SCHEDULER: Tool = tool("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler");
const KUBELET: Tool = tool("kubelet", "k8s.io/kubernetes/cmd/kubelet");
const PROXY: Tool = tool("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy");
const COREDNS: Tool = Tool {
    name: "coredns",
    module: "coredns",
    package: ".",
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

/// Builds what is missing, one after the other: the linker of the API server alone takes gigabytes.
pub(crate) fn ensure(tools: &[Tool]) -> Result<()> {
    let folder = folder()?;
    for tool in tools {
        if command::is_program(&path(*tool)?) {
            continue;
        }
        if command::find("go").is_none() {
            bail!(
                "{} is not built and there is no Go to build it with; install Go (the version is in tools/{}/go.mod) \
                 or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl and use --no-node",
                tool.name,
                tool.module
            );
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        step(&format!("build {} (once, takes minutes)", tool.name), || {
            build(*tool, &folder)
        })?;
    }
    Ok(())
}

fn build(tool: Tool, folder: &Path) -> Result<()> {
    let version = "k8s.io/component-base/version";
    let minor = KUBERNETES.split('.').nth(1).unwrap_or_default();
    let flags =
        format!("-s -w -X {version}.gitVersion=v{KUBERNETES} -X {version}.gitMajor=1 -X {version}.gitMinor={minor}");
    // Renamed when complete: a killed build must not leave half a binary that looks built.
    let partial = folder.join(format!("{}.partial", tool.name));
    command::capture(
        Command::new("go")
            .current_dir(module(tool))
            .env("CGO_ENABLED", "0")
            .args(["build", "-mod=readonly", "-trimpath", "-ldflags", &flags, "-o"])
            .arg(&partial)
            .arg(tool.package),
    )?;
    fs::rename(&partial, folder.join(tool.name))?;
    Ok(())
}

fn module(tool: Tool) -> PathBuf {
    paths::checkout().join("tools").join(tool.module)
}

/// `<cache>/<version>/bin`.
fn folder() -> Result<PathBuf> {
    let mut pins = Vec::new();
    for file in ["cluster/go.mod", "coredns/go.mod", "coredns/main.go"] {
        let file = paths::checkout().join("tools").join(file);
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
    fn the_version_in_binaries_is_the_version_pinned() {
        let pins = fs::read_to_string(module(KUBECTL).join("go.mod")).unwrap();
        assert!(pins.contains(&format!("k8s.io/kubernetes v{KUBERNETES} ")));
    }
}
