//! `cargo xtask up`: from a bare checkout to a cluster in which the demo runs.

use anyhow::Result;
use clap::Args;

use super::{demo, install};
use crate::cluster::{Cluster, Wanted};
use crate::image;
use crate::progress::say;

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// Only the cluster
    #[arg(long)]
    pub(crate) no_operator: bool,
    /// Run the operator from this image, which the cluster can pull, instead of building one
    #[arg(long)]
    pub(crate) image: Option<String>,
}

impl Options {
    /// The native cluster with everything in it, as tests need it.
    pub(crate) fn native() -> Self {
        Self {
            wanted: Wanted::native(),
            no_operator: false,
            image: None,
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let builds_operator = !options.no_operator && options.image.is_none();
    let cluster = Cluster::up(&options.wanted, builds_operator)?;
    if options.no_operator {
        say(&format!("\nexport KUBECONFIG={}", cluster.record.kubeconfig.display()));
        return Ok(());
    }
    if !cluster.has_node() {
        install::manifests_only(&cluster)?;
        say(&format!(
            "\nCRDs and policies are installed. No pods run here, so start the operator yourself:\n  \
             KUBECONFIG={} cargo run",
            cluster.record.kubeconfig.display()
        ));
        return Ok(());
    }
    let profile = options.wanted.profile();
    install::run(&cluster, options.image.as_deref(), profile)?;
    if cluster.record.provider == crate::cluster::record::Provider::Given {
        say("the demo needs images that only our own clusters have; apply deploy/samples after pushing them");
        return Ok(());
    }
    let workload = image::workload(profile)?;
    cluster.load(&workload)?;
    demo::run(&cluster, &workload.exact)?;
    demo::tour(&cluster)
}
