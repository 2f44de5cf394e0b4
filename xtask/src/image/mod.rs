//! Images without a registry and without a builder: one static binary, one layer, one archive.

pub(crate) mod archive;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::build::{cluster, ours};
use crate::places;
use crate::progress::say;
use archive::Contents;

/// An image archive and the names under which it is loaded.
pub(crate) struct Image {
    /// The name manifests and tests use.
    pub(crate) name: &'static str,
    /// The same repository with a tag that follows the contents: a pod template that names it changes exactly when
    /// the image does, which is what restarts pods.
    pub(crate) exact: String,
    pub(crate) archive: PathBuf,
}

/// The operator's name in the manifests.
pub(crate) const OPERATOR: &str = "localhost/instancelink:dev";
/// The name of the tests' and the demo's pods.
pub(crate) const WORKLOAD: &str = "localhost/workload:dev";
/// What the kubelet makes sandboxes of.
pub(crate) const PAUSE: &str = "localhost/pause:dev";
/// The native cluster's DNS server.
pub(crate) const COREDNS: &str = "localhost/coredns:dev";

/// The operator, as the unprivileged user that its manifests ask for.
pub(crate) fn operator() -> Result<Image> {
    let binary = ours::static_binary("instancelink")?;
    make(
        OPERATOR,
        &Contents {
            binary,
            file: "instancelink",
            arguments: &[],
            user: "65532:65532",
        },
    )
}

/// The pods of tests and demo.
pub(crate) fn workload() -> Result<Image> {
    let binary = ours::static_binary("workload")?;
    make(
        WORKLOAD,
        &Contents {
            binary,
            file: "workload",
            arguments: &[],
            user: "65532:65532",
        },
    )
}

/// The same binary, doing nothing.
pub(crate) fn pause() -> Result<Image> {
    let binary = ours::static_binary("workload")?;
    make(
        PAUSE,
        &Contents {
            binary,
            file: "workload",
            arguments: &["pause"],
            user: "65535:65535",
        },
    )
}

/// Root inside its container: it listens on port 53.
pub(crate) fn coredns() -> Result<Image> {
    let binary = cluster::named("coredns")?;
    make(
        COREDNS,
        &Contents {
            binary,
            file: "coredns",
            arguments: &[],
            user: "0:0",
        },
    )
}

/// `cargo xtask image`: the archives of what we ship and of what we test with.
pub(crate) fn run() -> Result<()> {
    for image in [workload()?, operator()?] {
        say(&format!(
            "{} ({}): {}",
            image.name,
            image.exact,
            image.archive.display()
        ));
    }
    Ok(())
}

fn make(name: &'static str, contents: &Contents) -> Result<Image> {
    let folder = places::target()?.join("images");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let repository = name.split(':').next().unwrap_or(name);
    let short = repository.rsplit('/').next().unwrap_or(repository);
    let archive = folder.join(format!("{short}.tar"));
    let exact = archive::write(&archive, name, repository, contents)?;
    Ok(Image { name, exact, archive })
}
