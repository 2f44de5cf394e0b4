//! Which kind of cluster `up` starts: the kind that is given, or else a cluster of `kind` if it can run, or else a native one.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::families::Families;
use super::record::{Provider, Record};
use super::{folders, kind};
use crate::artifacts::static_binaries::Profile;
use crate::paths;
use crate::progress::say;

/// The options for a cluster.
#[derive(Args, Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of the command
pub(crate) struct Wanted {
    /// What runs the cluster (default: kind if Docker answers and kind is installed, else native)
    #[arg(long, value_enum)]
    pub(crate) cluster: Option<Provider>,
    /// Install into the cluster of this file (default with --cluster kubeconfig: KUBECONFIG)
    #[arg(long)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The node image for kind
    #[arg(long)]
    pub(crate) kind_image: Option<String>,
    /// The name of the cluster; clusters of different names run side by side
    #[arg(long, default_value = super::DEFAULT)]
    pub(crate) name: String,
    /// Start a control plane only: no pods run, and root is not needed
    #[arg(long)]
    pub(crate) no_node: bool,
    /// Build what runs in pods as it is shipped; takes minutes longer
    #[arg(long)]
    pub(crate) dist: bool,
    /// Give nodes, pods and Services of a native cluster no IPv6 addresses
    #[arg(long)]
    pub(crate) single_stack: bool,
    /// Enforce NetworkPolicies, from now until the native cluster ends
    #[arg(long, conflicts_with = "no_node")]
    pub(crate) network_policies: bool,
}

impl Wanted {
    /// The native cluster of the default name, with the binaries that are shipped.
    pub(crate) fn native() -> Self {
        Self {
            cluster: Some(Provider::Native),
            kubeconfig: None,
            kind_image: None,
            name: super::DEFAULT.to_owned(),
            no_node: false,
            // The promises of the tests are about the binaries that are shipped.
            dist: true,
            single_stack: false,
            network_policies: false,
        }
    }

    /// The profile of the binaries that run in pods.
    pub(crate) fn profile(&self) -> Profile {
        if self.dist { Profile::Dist } else { Profile::Dev }
    }

    /// Decides what the options do not say.
    pub(crate) fn resolve(&self) -> Result<Record> {
        let provider = match self.cluster {
            Some(provider) => provider,
            None if self.kubeconfig.is_some() => Provider::Given,
            None if self.kind_image.is_some() => Provider::Kind,
            None => self.by_default()?,
        };
        match provider {
            Provider::Given => {
                let file = self
                    .kubeconfig
                    .clone()
                    .or_else(|| std::env::var_os("KUBECONFIG").map(PathBuf::from));
                let file = file.context("no cluster is given; use --kubeconfig FILE or set KUBECONFIG")?;
                let file = std::path::absolute(&file)?;
                if !file.is_file() {
                    bail!("there is no file {}", file.display());
                }
                Ok(Record {
                    provider,
                    kubeconfig: file,
                    node: true,
                    families: Families::default(),
                    setup: None,
                })
            }
            Provider::Kind => {
                kind::require()?;
                Ok(Record {
                    provider,
                    kubeconfig: folders::of(&self.name)?.join("kubeconfig"),
                    node: true,
                    families: Families::default(),
                    setup: None,
                })
            }
            Provider::Native => {
                let node = !self.no_node && paths::is_root();
                if !node && !self.no_node {
                    say("without root there is no node, so pods stay pending. Run this with sudo to have a node");
                }
                Ok(Record {
                    provider,
                    kubeconfig: folders::of(&self.name)?.join("kubeconfig"),
                    node,
                    families: self.families()?,
                    setup: None,
                })
            }
        }
    }

    /// Those that are asked for. Without a wish, a cluster of this name that exists keeps its own.
    fn families(&self) -> Result<Families> {
        let earlier = super::record::read(&self.name)?;
        let kept = earlier.map(|record| record.families).filter(|_| !self.single_stack);
        Ok(kept.unwrap_or_else(|| Families::of_new(self.single_stack)))
    }

    /// A cluster of this name that exists keeps its kind.
    fn by_default(&self) -> Result<Provider> {
        if let Some(record) = super::record::read(&self.name)? {
            return Ok(record.provider);
        }
        let provider = if !self.no_node && kind::is_possible() {
            Provider::Kind
        } else {
            Provider::Native
        };
        say(match provider {
            Provider::Kind => "Docker answers and kind is installed: starting a kind cluster",
            Provider::Native | Provider::Given => "starting a native cluster (processes of this machine)",
        });
        Ok(provider)
    }
}
