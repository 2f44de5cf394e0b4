//! The three kinds of cluster, which all end in the same state: a kubeconfig under which everything else works. What
//! was started is recorded in a folder of the cluster's name, so that later tasks find it.

mod choice;
mod folders;
mod kind;
pub(crate) mod kubectl;
pub(crate) mod native;
pub(crate) mod record;

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

/// A cluster that was started or given.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) record: Record,
}

/// The cluster that tasks use when none is named.
pub(crate) const DEFAULT: &str = "il";

impl Cluster {
    /// Starts what is wanted, or finds it running. An operator that will be built for it is built beside the cluster's
    /// programs.
    pub(crate) fn up(wanted: &Wanted, builds_operator: bool) -> Result<Self> {
        let record = wanted.resolve()?;
        let name = wanted.name.clone();
        let layout = Layout::new(&name, record.node, paths::is_root())?;
        let _lock = folders::lock(&name)?;
        if let Some(other) = record::read(&name)?.filter(|other| !other.fits(&record)) {
            bail!(
                "cluster '{name}' is there as {}; end it with `cargo xtask down --name {name}`, or choose another --name",
                other.described()
            );
        }
        let kubectl = &[cluster_binaries::KUBECTL];
        match record.provider {
            Provider::Native => {}
            Provider::Kind if builds_operator => side_by_side::ensure(kubectl, wanted.profile())?,
            Provider::Kind | Provider::Given => cluster_binaries::ensure(kubectl)?,
        }
        match record.provider {
            Provider::Native => native::up(&layout, wanted.profile())?,
            Provider::Kind => kind::up(&name, wanted.kind_image.as_deref(), &record.kubeconfig)?,
            Provider::Given => say(&format!("using the cluster of {}", record.kubeconfig.display())),
        }
        record::write(&name, &record)?;
        Ok(Self { name, record })
    }

    /// The one that was started under this name.
    pub(crate) fn find(name: &str) -> Result<Option<Self>> {
        let record = record::read(name)?;
        Ok(record.map(|record| Self {
            name: name.to_owned(),
            record,
        }))
    }

    /// The one whose kubeconfig this is, when we started it.
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

    /// Ends it, or what is left of it.
    pub(crate) fn down(name: &str) -> Result<()> {
        let record = record::read(name)?;
        let layout = Layout::new(name, true, paths::is_root())?;
        let held = folders::lock(name)?;
        match record.map(|record| record.provider) {
            Some(Provider::Kind) => kind::down(name)?,
            Some(Provider::Given) => say("the cluster was given, so it stays as it is; only its record is removed"),
            Some(Provider::Native) | None => {}
        }
        // Also without a record: it is written last, and what a killed run left has none.
        native::down(&layout)?;
        folders::unlock(name, held)
    }

    pub(crate) fn kubectl(&self) -> Result<Kubectl> {
        Kubectl::new(&self.record.kubeconfig)
    }

    /// Makes an image known to the nodes. A given cluster pulls its images itself.
    pub(crate) fn load(&self, image: &Image) -> Result<()> {
        if self.record.provider == Provider::Native {
            let layout = Layout::new(&self.name, true, paths::is_root())?;
            return step(&format!("load {}", image.exact), || native::load(&layout, image));
        }
        self.load_archive(&image.archive)
    }

    /// Makes any image archive known to the nodes.
    pub(crate) fn load_archive(&self, archive: &Path) -> Result<()> {
        step(&format!("load {}", archive.display()), || match self.record.provider {
            Provider::Native if !self.record.node => bail!("cluster '{}' has no node to load images into", self.name),
            Provider::Native => {
                let layout = Layout::new(&self.name, true, paths::is_root())?;
                native::import(&layout, archive)
            }
            Provider::Kind => kind::load(&self.name, archive),
            Provider::Given => bail!(
                "a cluster that was given pulls its images from its registry; push {} there, and name it by --image",
                archive.display()
            ),
        })
    }

    /// Whether pods run in it.
    pub(crate) fn has_node(&self) -> bool {
        self.record.node
    }

    /// What there is to say of its parts.
    pub(crate) fn parts(&self) -> Result<Vec<String>> {
        Ok(match self.record.provider {
            Provider::Native => native::status(&Layout::new(&self.name, self.record.node, paths::is_root())?),
            Provider::Kind | Provider::Given => vec![self.record.described()],
        })
    }
}
