//! Installs the operator of this checkout into a cluster, with the manifests in `deploy/` that users apply, too.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::artifacts::static_binaries::Profile;
use crate::cluster::Cluster;
use crate::cluster::kubectl::Kubectl;
use crate::progress::step;
use crate::{command, image, paths};

const NAMESPACE: &str = "instancelink-system";
const DEPLOYMENT: &str = "instancelink";
/// A link for a dry run; it is never stored.
const LINK: &str = "
apiVersion: instancelink.dev/v1alpha1
kind: InstanceLink
metadata: {name: may-i, namespace: default}
spec:
  linkName: may-i
  instanceRef: {kind: Deployment, name: nobody}
  targetInstanceRef: {kind: Deployment, name: nobody}
";

/// Applies the manifests with the image built here (or the one given), and waits until the operator runs.
pub(crate) fn run(cluster: &Cluster, given: Option<&str>, profile: Profile) -> Result<()> {
    let image = match given {
        Some(given) => given.to_owned(),
        None if cluster.record.provider == crate::cluster::record::Provider::Given => bail!(
            "the nodes of this cluster must be able to pull the operator: push the archive of `cargo xtask image` \
             to a registry they use, and give that name by --image"
        ),
        None => {
            let image = image::operator(profile)?;
            cluster.load(&image)?;
            image.exact
        }
    };
    step("apply deploy/", || apply(cluster, &image))?;
    step("wait for the operator", || {
        cluster.kubectl()?.rollout(NAMESPACE, DEPLOYMENT)
    })?;
    step("wait until links can be made", || {
        links_can_be_made(&cluster.kubectl()?)
    })
}

/// The API server reads the schemas of new CRDs every five seconds. Until then it refuses objects of these CRDs to which a
/// `MutatingAdmissionPolicy` applies ("There can be a delay …", 503), with every failurePolicy.
fn links_can_be_made(kubectl: &Kubectl) -> Result<()> {
    command::retry("the API server takes a link", Duration::from_secs(30), || {
        let mut create = kubectl.command(["create", "--dry-run=server", "--filename=-"]);
        command::feed(&mut create, LINK).map(drop)
    })
}

/// For a cluster in which no pod runs.
pub(crate) fn manifests_only(cluster: &Cluster) -> Result<()> {
    step("apply deploy/", || apply(cluster, image::OPERATOR))?;
    step("wait until links can be made", || {
        links_can_be_made(&cluster.kubectl()?)
    })
}

fn apply(cluster: &Cluster, image: &str) -> Result<()> {
    let kubectl = cluster.kubectl()?;
    // The exact name within the manifests, not `kubectl set image` afterwards: one rollout instead of two, and none
    // when nothing changed.
    let manifests = kubectl
        .kustomize(&paths::checkout().join("deploy"))?
        .replace(image::OPERATOR, image);
    kubectl.apply(&manifests)?;
    // A new CRD is not served at once.
    for crd in crds(&manifests)? {
        let crd = format!("customresourcedefinition/{crd}");
        kubectl.ask(["wait", "--for=condition=Established", &crd, "--timeout=60s"])?;
    }
    Ok(())
}

/// The names of the CRDs in the manifests.
fn crds(manifests: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Object {
        kind: String,
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
    }
    let mut names = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(manifests) {
        let object = Option::<Object>::deserialize(document)
            .context("cannot read the manifests that kustomize made of deploy/")?;
        if let Some(object) = object.filter(|object| object.kind == "CustomResourceDefinition") {
            names.push(object.metadata.name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crds_are_found_among_other_objects() {
        let text =
            "kind: Namespace\nmetadata: {name: a}\n---\n---\nkind: CustomResourceDefinition\nmetadata: {name: b}\n";
        assert_eq!(crds(text).unwrap(), ["b"]);
    }
}
