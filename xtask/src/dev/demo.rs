//! The demo of `deploy/samples`: a web shop that finds its database through a link.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::cluster::Cluster;
use crate::cluster::kubectl::Kubectl;
use crate::progress::{say, step};
use crate::{command, image, paths};

const NAMESPACE: &str = "shop";
/// The port of the demo's database.
const PORT: u16 = 5432;
const LINK: &str = "instancelink/web-db";

/// Applies it and proves that a pod reaches the database by the link's names.
pub(crate) fn run(cluster: &Cluster, workload: &str) -> Result<()> {
    let kubectl = cluster.kubectl()?;
    step("apply deploy/samples", || {
        let samples = paths::checkout().join("deploy/samples");
        kubectl.apply(&kubectl.kustomize(&samples)?.replace(image::WORKLOAD, workload))
    })?;
    step("wait for the demo's pods", || {
        kubectl.rollout(NAMESPACE, "pg")?;
        kubectl.rollout(NAMESPACE, "web")
    })?;
    let state = step("wait for the link to be active", || settled(&kubectl))?;
    if state != "active" {
        say(&format!(
            "the demo's link is {state}, because an action asked for it; `up` does not change that"
        ));
        return Ok(());
    }
    for name in ["db.web-links.shop.svc", "db"] {
        let url = format!("http://{name}:{PORT}/");
        step(&format!("a pod of 'web' fetches {url}"), || fetch(cluster, &url))?;
    }
    Ok(())
}

/// Waits for a state that does not change by itself, and returns it.
fn settled(kubectl: &Kubectl) -> Result<String> {
    command::wait_for(&format!("{LINK} is active"), Duration::from_mins(1), || {
        let state = kubectl.ask(["--namespace", NAMESPACE, "get", LINK, "-o", "jsonpath={.status.state}"])?;
        Ok(["active", "inactive", "removed"]
            .contains(&state.as_str())
            .then_some(state))
    })
    .with_context(|| {
        let described = kubectl.ask(["--namespace", NAMESPACE, "describe", LINK]);
        format!("the link:\n{}", command::tail(&described.unwrap_or_default()))
    })
}

/// Tries for a while: a DNS server answers for a new name only after its watch has received it.
fn fetch(cluster: &Cluster, url: &str) -> Result<()> {
    let kubectl = cluster.kubectl()?;
    let get = [
        "--namespace",
        NAMESPACE,
        "exec",
        "deployment/web",
        "--",
        "/workload",
        "get",
        url,
    ];
    command::retry(&format!("{url} answers"), Duration::from_secs(20), || {
        kubectl.ask(get).map(drop)
    })
}

/// What to try next, on stdout.
pub(crate) fn tour(cluster: &Cluster) -> Result<()> {
    let kubeconfig = cluster.record.kubeconfig.display();
    let kubectl = crate::artifacts::cluster_binaries::path(crate::artifacts::cluster_binaries::KUBECTL)?;
    let kubectl = kubectl.parent().unwrap_or(&kubectl).display();
    writeln!(
        io::stdout(),
        "
The demo runs. To talk to it:

  export KUBECONFIG={kubeconfig}
  export PATH={kubectl}:$PATH        # this cluster's own kubectl

Try:

  kubectl -n shop get instancelinks
      the link web-db, its state 'active', and what it connects
  kubectl -n shop exec deploy/web -- /workload get http://db.web-links.shop.svc:{PORT}/
      the database's greeting, reached by the link's name
  kubectl -n shop annotate instancelink web-db instancelink.dev/action=deactivate
      asks for the link to be cut; the same 'get' then fails, and the state reads 'inactive'
  kubectl -n shop annotate instancelink web-db instancelink.dev/action=activate --overwrite
      restores it
  kubectl -n shop describe instancelink web-db
      its conditions and events: what happened, when and why

`cargo xtask status` shows what runs, `cargo xtask down` ends it and leaves nothing.",
    )?;
    Ok(())
}
