//! A whole cluster as processes of this machine: etcd, API server, controllers, scheduler, containerd, kubelet,
//! kube-proxy and `CoreDNS` in a network namespace of their own, and what enforces NetworkPolicies if it is asked for.
//! `layout` has the names and folders, the other modules start one part each, and `teardown` removes everything, also
//! after a run that was killed.

mod cgroup;
mod control_plane;
mod daemon;
mod dns;
pub(crate) mod layout;
mod leftovers;
mod network;
mod node;
mod pki;
mod policies;
mod teardown;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::artifacts::static_binaries::Profile;
use crate::artifacts::{cluster_binaries as binaries, policy_engine, side_by_side};
use crate::cluster::kubectl::Kubectl;
use crate::progress::{say, step};
use crate::{command, image, packages};
use layout::Layout;

/// Starts the cluster if it does not run, and returns whether it was started. A cluster of which only a part runs is removed
/// first: it only had data of tests. If `enforce`, NetworkPolicies are enforced from now on, also in a cluster that runs
/// already.
pub(crate) fn up(layout: &Layout, profile: Profile, enforce: bool) -> Result<bool> {
    let enforce = enforce && layout.node;
    if layout.node {
        let of_policies = if enforce {
            packages::POLICIES
        } else {
            Default::default()
        };
        // All in one call, because each call reads the lists of packages.
        packages::ensure(&[packages::NODE, packages::STATIC, of_policies].concat())?;
        // Before the cluster starts: during work on the code, these builds are what fails most often.
        side_by_side::ensure(binaries::WITH_NODE, profile)?;
        if enforce {
            policy_engine::ensure()?;
        }
    } else {
        if layout.netns.is_some() {
            packages::ensure(packages::NAMESPACE)?;
        }
        binaries::ensure(binaries::CONTROL_PLANE)?;
    }
    let is_new = start_or_find(layout, profile)?;
    if enforce {
        step("enforce NetworkPolicies", || policies::ensure(layout))?;
    }
    Ok(is_new)
}

fn start_or_find(layout: &Layout, profile: Profile) -> Result<bool> {
    if is_running(layout) {
        say(&format!("cluster '{}' runs already", layout.name));
        return Ok(false);
    }
    if layout.folder.exists() {
        step("remove what is left of an earlier run", || teardown::remove(layout))?;
    }
    start(layout, profile).with_context(|| {
        format!(
            "cluster '{}' did not start. Its logs are in {}. `cargo xtask down --name {}` removes it",
            layout.name,
            layout.logs().display(),
            layout.name
        )
    })?;
    Ok(true)
}

/// Ends the cluster and removes all of it.
pub(crate) fn down(layout: &Layout) -> Result<()> {
    step(&format!("end cluster '{}'", layout.name), || teardown::remove(layout))
}

fn start(layout: &Layout, profile: Profile) -> Result<()> {
    // The kubelet starts no pod without pause.
    let images = if layout.node {
        Some((image::pause(profile)?, image::coredns()?))
    } else {
        None
    };
    for folder in [layout.folder.clone(), layout.logs(), layout.pids()] {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    if layout.netns.is_some() {
        step("make the network namespace", || network::make(layout))?;
    }
    step("make certificates", || pki::make(layout))?;
    step("start etcd and the API server", || control_plane::start(layout))?;
    if let Some((pause, coredns)) = images {
        step("start containerd", || node::start_containerd(layout))?;
        step("load the node's images", || {
            [&pause, &coredns].into_iter().try_for_each(|image| load(layout, image))
        })?;
        step("start kubelet and kube-proxy", || node::start(layout))?;
        step("start CoreDNS", || dns::apply(layout, &coredns.exact))?;
        step("wait for the node and for DNS", || node::wait(layout))?;
    }
    Ok(())
}

fn is_running(layout: &Layout) -> bool {
    daemon::all_alive(layout)
        && Kubectl::new(&layout.kubeconfig())
            .is_ok_and(|kubectl| command::succeeds(&mut kubectl.command(["get", "--raw", "/readyz"])))
}

/// Imports an image if the node does not have exactly this one.
pub(crate) fn load(layout: &Layout, image: &image::Image) -> Result<()> {
    let list = command::capture(ctr(layout).args(["images", "list"]))?;
    let digest_of = |name: &str| {
        let row = list.lines().find(|row| row.split_whitespace().next() == Some(name))?;
        row.split_whitespace().nth(2)
    };
    // Both names: the name that does not follow from the contents can belong to another build.
    if digest_of(&image.exact).is_some_and(|digest| digest_of(image.name) == Some(digest)) {
        return Ok(());
    }
    import(layout, &image.archive)
}

/// Imports an archive.
pub(crate) fn import(layout: &Layout, archive: &Path) -> Result<()> {
    command::capture(ctr(layout).args(["images", "import"]).arg(archive))?;
    Ok(())
}

fn ctr(layout: &Layout) -> Command {
    let mut ctr = Command::new("ctr");
    ctr.arg("--address")
        .arg(layout.containerd_socket())
        .args(["--namespace", "k8s.io"]);
    ctr
}

/// A line for each process: whether it runs.
pub(crate) fn status(layout: &Layout) -> Vec<String> {
    daemon::states(layout)
        .into_iter()
        .map(|(name, state)| format!("{name:<26} {state}"))
        .collect()
}

/// How long a part of the cluster can take until it answers.
const TIMEOUT: Duration = Duration::from_secs(90);
