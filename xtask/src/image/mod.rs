//! Container images, made without a registry and without a builder. Each is one archive with one layer. The layer has one
//! static binary; only PostgreSQL's has more.

pub(crate) mod archive;
mod debian;
mod postgres;
pub(crate) mod reproducible;
mod sbom;
mod tarball;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::artifacts::static_binaries::{self, Profile};
use crate::artifacts::{cluster_binaries, go_programs};
use crate::paths;
use crate::progress::say;
use archive::Contents;

pub(crate) use postgres::image as postgres;

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
/// The image of every pod's sandbox.
pub(crate) const PAUSE: &str = "localhost/pause:dev";
/// The native cluster's DNS server.
pub(crate) const COREDNS: &str = "localhost/coredns:dev";
/// A client that resolves names as a Go program does.
pub(crate) const RESOLVER: &str = "localhost/resolver:dev";
/// A database, and a client that resolves names as most programs on Linux do.
pub(crate) const POSTGRES: &str = "localhost/postgres:dev";

/// The user of images that need no other. The operator's manifests require it.
const NOBODY: &str = "65532:65532";

pub(crate) fn operator(profile: Profile) -> Result<Image> {
    of_binary(
        OPERATOR,
        &static_binaries::compiled("instancelink", profile)?,
        &[],
        NOBODY,
    )
}

/// The pods of tests and demo.
pub(crate) fn workload(profile: Profile) -> Result<Image> {
    of_binary(WORKLOAD, &static_binaries::compiled("workload", profile)?, &[], NOBODY)
}

pub(crate) fn resolver() -> Result<Image> {
    of_binary(RESOLVER, &go_programs::binary("resolver")?, &[], NOBODY)
}

/// The workload's binary, which waits and does nothing.
pub(crate) fn pause(profile: Profile) -> Result<Image> {
    of_binary(
        PAUSE,
        &static_binaries::compiled("workload", profile)?,
        &["pause"],
        "65535:65535",
    )
}

/// It runs as root inside its container, since it listens on port 53.
pub(crate) fn coredns() -> Result<Image> {
    of_binary(COREDNS, &cluster_binaries::named("coredns")?, &[], "0:0")
}

/// The images that `cargo xtask image` makes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Which {
    Operator,
    Workload,
    Resolver,
    Postgres,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    #[arg(default_values = ["workload", "operator"])]
    pub(crate) which: Vec<Which>,
    /// Only build the operator twice, in different paths, and fail when the binaries differ; takes minutes
    #[arg(long)]
    pub(crate) twice: bool,
}

/// `cargo xtask image`: archives of what is shipped and of what the tests use.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.twice {
        return reproducible::check();
    }
    for one in &options.which {
        let image = match one {
            Which::Operator => operator(Profile::Dist),
            Which::Workload => workload(Profile::Dist),
            Which::Resolver => resolver(),
            Which::Postgres => postgres(),
        }?;
        say(&format!(
            "{} ({}), {:.1} MB: {}",
            image.name,
            image.exact,
            megabytes(&image.archive)?,
            image.archive.display()
        ));
        if matches!(one, Which::Operator) {
            let bill = sbom::write(&image.archive)?;
            say(&format!("bill of materials (CycloneDX): {}", bill.display()));
        }
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // shown with one decimal
fn megabytes(file: &Path) -> Result<f64> {
    Ok(fs::metadata(file)?.len() as f64 / 1e6)
}

/// The binary has the same name in the image as in its build folder.
fn of_binary(name: &'static str, binary: &Path, arguments: &[&str], user: &'static str) -> Result<Image> {
    let folder = paths::target()?.join("images");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = binary.file_name().unwrap_or_default().to_string_lossy();
    let repository = archive::repository(name);
    let short = repository.rsplit('/').next().unwrap_or(repository);
    let archive = folder.join(format!("{short}.tar"));
    let contents = Contents::of_binary(binary, &file, arguments, user)?;
    let exact = archive::write(&archive, name, &contents)?;
    Ok(Image { name, exact, archive })
}
