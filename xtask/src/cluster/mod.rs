//! Clusters of three kinds. Each has a kubeconfig, which is all that other tasks need. The folder of a cluster has a record,
//! so that later tasks find the cluster.

mod choice;
mod families;
mod folders;
mod kind;
pub(crate) mod kubectl;
pub(crate) mod native;
pub(crate) mod record;
mod setup;

use std::path::Path;

use anyhow::{Result, bail};

use crate::artifacts::{cluster_binaries, side_by_side};
use crate::image::Image;
use crate::paths;
use crate::progress::{say, step};
use kubectl::Kubectl;
use native::layout::Layout;
use record::{Provider, Record};

pub(crate) use choice::Wanted;

/// A cluster that this task started, or that the developer gave.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) record: Record,
}

/// The name of the cluster if none is given.
pub(crate) const DEFAULT: &str = "il";
/// The name of the cluster on which the end-to-end tests run with IPv4 only.
pub(crate) const SINGLE_STACK: &str = "il-ipv4";

impl Cluster {
    /// Starts the cluster, or finds it. The operator is built at the same time as the programs of the cluster.
    pub(crate) fn up(wanted: &Wanted, builds_operator: bool) -> Result<Self> {
        let mut record = wanted.resolve()?;
        let name = wanted.name.clone();
        let layout = Layout::new(&name, record.node, paths::is_root())?.with(record.families);
        let _lock = folders::lock(&name)?;
        let earlier = record::read(&name)?;
        if let Some(other) = earlier.as_ref().filter(|other| !other.fits(&record)) {
            bail!(
                "cluster '{name}' exists already as {}. End it with `cargo xtask down --name {name}`, or choose another --name",
                other.described()
            );
        }
        if wanted.network_policies && record.provider != Provider::Native {
            bail!(
                "--network-policies is for native clusters; in {}, the network plugin decides whether it enforces them",
                record.described()
            );
        }
        let kubectl = &[cluster_binaries::KUBECTL];
        match record.provider {
            Provider::Native => {}
            Provider::Kind if builds_operator => side_by_side::ensure(kubectl, wanted.profile())?,
            Provider::Kind | Provider::Given => cluster_binaries::ensure(kubectl)?,
        }
        // Before the start, because a file can change while the cluster starts. Without git, it is not known.
        let setup = setup::digest().ok();
        record.setup = earlier.and_then(|earlier| earlier.setup);
        match record.provider {
            Provider::Native => {
                if native::up(&layout, wanted.profile(), wanted.network_policies)? {
                    record.setup = setup;
                }
            }
            Provider::Kind => kind::up(&name, wanted.kind_image.as_deref(), &record.kubeconfig)?,
            Provider::Given => say(&format!("using the cluster of {}", record.kubeconfig.display())),
        }
        record::write(&name, &record)?;
        Ok(Self { name, record })
    }

    /// The cluster of this name.
    pub(crate) fn find(name: &str) -> Result<Option<Self>> {
        let record = record::read(name)?;
        Ok(record.map(|record| Self {
            name: name.to_owned(),
            record,
        }))
    }

    /// The cluster with this kubeconfig, if a task started it.
    pub(crate) fn of_kubeconfig(file: &Path) -> Result<Option<Self>> {
        for name in record::names()? {
            if let Some(cluster) = Self::find(&name)?
                && cluster.record.kubeconfig == file
            {
                return Ok(Some(cluster));
            }
        }
        Ok(None)
    }

    /// Ends a cluster, or removes what is left of it.
    pub(crate) fn down(name: &str) -> Result<()> {
        let record = record::read(name)?;
        let layout = Layout::new(name, true, paths::is_root())?;
        let held = folders::lock(name)?;
        match record.map(|record| record.provider) {
            Some(Provider::Kind) => kind::down(name)?,
            Some(Provider::Given) => {
                say("the cluster was not started by `cargo xtask up`, so it is not ended; only its record is removed");
            }
            Some(Provider::Native) | None => {}
        }
        // Also without a record: it is written last, so a run that was killed left none.
        native::down(&layout)?;
        folders::unlock(name, held)
    }

    pub(crate) fn kubectl(&self) -> Result<Kubectl> {
        Kubectl::new(&self.record.kubeconfig)
    }

    /// Loads an image into the nodes.
    pub(crate) fn load(&self, image: &Image) -> Result<()> {
        if self.record.provider == Provider::Native {
            let layout = Layout::new(&self.name, true, paths::is_root())?;
            return step(&format!("load {}", image.exact), || native::load(&layout, image));
        }
        self.load_archive(&image.archive)
    }

    /// Loads an image archive into the nodes.
    pub(crate) fn load_archive(&self, archive: &Path) -> Result<()> {
        step(&format!("load {}", archive.display()), || match self.record.provider {
            Provider::Native if !self.record.node => bail!("cluster '{}' has no node to load images into", self.name),
            Provider::Native => {
                let layout = Layout::new(&self.name, true, paths::is_root())?;
                native::import(&layout, archive)
            }
            Provider::Kind => kind::load(&self.name, archive),
            Provider::Given => bail!(
                "the nodes of this cluster pull their images from a registry. Push {} to it, and give its name by --image",
                archive.display()
            ),
        })
    }

    /// Whether it was started with the programs, and by the code, of this checkout.
    pub(crate) fn is_current(&self) -> bool {
        let now = setup::digest().ok();
        now.is_some() && now == self.record.setup
    }

    /// Whether pods run in the cluster.
    pub(crate) fn has_node(&self) -> bool {
        self.record.node
    }

    /// A line for each part of the cluster.
    pub(crate) fn parts(&self) -> Result<Vec<String>> {
        Ok(match self.record.provider {
            Provider::Native => native::status(&Layout::new(&self.name, self.record.node, paths::is_root())?),
            Provider::Kind | Provider::Given => vec![self.record.described()],
        })
    }
}
