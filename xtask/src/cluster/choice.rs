//! Which kind of cluster `up` starts: the one that is asked for, else kind where it can run, else native.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::record::{Provider, Record};
use super::{folders, kind};
use crate::artifacts::static_binaries::Profile;
use crate::paths;
use crate::progress::say;

/// What was asked for.
#[derive(Args, Clone, Debug)]
pub(crate) struct Wanted {
    /// Who runs the cluster; by default kind where Docker answers and kind is installed, else native
    #[arg(long, value_enum)]
    pub(crate) cluster: Option<Provider>,
    /// Install into the cluster of this file (with --cluster kubeconfig: of KUBECONFIG)
    #[arg(long)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The node image for kind
    #[arg(long)]
    pub(crate) kind_image: Option<String>,
    /// Clusters of different names run side by side
    #[arg(long, default_value = super::DEFAULT)]
    pub(crate) name: String,
    /// Only a control plane: no pods run, and root is not needed
    #[arg(long)]
    pub(crate) no_node: bool,
    /// Build what runs in pods as it is shipped; this takes minutes longer
    #[arg(long)]
    pub(crate) dist: bool,
}

impl Wanted {
    /// The native cluster of the default name, with what is shipped.
    pub(crate) fn native() -> Self {
        Self {
            cluster: Some(Provider::Native),
            kubeconfig: None,
            kind_image: None,
            name: super::DEFAULT.to_owned(),
            no_node: false,
            // What tests promise holds for what is shipped.
            dist: true,
        }
    }

    /// How what runs in its pods is compiled.
    pub(crate) fn profile(&self) -> Profile {
        if self.dist { Profile::Dist } else { Profile::Dev }
    }

    /// Decides what is left open.
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
                let file = file.context("which cluster? give --kubeconfig FILE or set KUBECONFIG")?;
                let file = std::path::absolute(&file)?;
                if !file.is_file() {
                    bail!("there is no kubeconfig {}", file.display());
                }
                Ok(Record {
                    provider,
                    kubeconfig: file,
                    node: true,
                })
            }
            Provider::Kind => {
                kind::require()?;
                Ok(Record {
                    provider,
                    kubeconfig: folders::of(&self.name)?.join("kubeconfig"),
                    node: true,
                })
            }
            Provider::Native => {
                let node = !self.no_node && paths::is_root();
                if !node && !self.no_node {
                    say("without root there is no node: pods will stay pending (run with sudo to have one)");
                }
                Ok(Record {
                    provider,
                    kubeconfig: folders::of(&self.name)?.join("kubeconfig"),
                    node,
                })
            }
        }
    }

    /// What runs under this name already stays what it is.
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
