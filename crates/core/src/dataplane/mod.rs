//! The data plane of a link: what it has in the cluster while it is up, and which writes bring it up or take it down.
//! `lifecycle` decides when.
//!
//! ```text
//! build ──► Plan ──► bring_up ──► effects … until empty; is_up says whether all of it was confirmed
//!                    problems ──► what is in the way, for conditions
//! take_down ──► Teardown::Act(effects) … Draining … Done          shrink: no plan can be made, but pods went
//! clear ──► the same without a drain
//! ```
//! Every function looks at the snapshot anew: a crash between two groups of writes is just a new first call.

mod binding;
mod diff;
mod directory;
mod docker;
mod environment;
mod naming;
mod ownership;
mod policy;
mod prune;
mod slice_packing;
mod slices;
mod teardown;
mod uri;
mod virtual_ip;
mod writes;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::child::{ChildSpec, Directory, Policy, Slice, VirtualIp};
use crate::effect::Effect;
use crate::refusal::Refusal;
pub use crate::resolve::Unservable;
use crate::resolve::endpoints::{Group, reach_of};
use crate::snapshot::Snapshot;

pub use binding::{Wanted, in_status, is_unseen};
pub use diff::{bring_up, is_up, problems};
pub use environment::WantedEnvironment;
pub use prune::prune;
pub use teardown::{has_children, take_down, teardown_now};

pub(crate) use binding::doubt;
pub(crate) use environment::without;
pub(crate) use ownership::is_shared_of_ours;
pub(crate) use writes::{Body, child_of, delete, replace};

/// What a link has in the cluster while it is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<'a> {
    /// The source's directory.
    pub directory: ChildSpec<Directory>,
    /// Under the directory at least one, empty if need be; the same under the virtual IP, where there is one.
    pub slices: Vec<ChildSpec<Slice>>,
    /// The link's virtual IP, where the spec asks for one.
    pub virtual_ip: Option<ChildSpec<VirtualIp>>,
    /// The policy in the target's namespace, where the spec asks for one and it would open a way.
    pub policy: Option<ChildSpec<Policy>>,
    /// The source's environment as it shall be with this link's entry in it (or without one); none where no link of the
    /// source has an entry, and so none shall stand.
    pub environment: WantedEnvironment<'a>,
    /// The link's Secret.
    pub binding: Wanted,
    /// Endpoints that are ready.
    pub ready: usize,
    /// What the spec asks for and the operator may not write: `Programmed=False/Forbidden`, each with what to do.
    pub forbidden: Vec<Refusal>,
}

/// How far taking down has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Teardown {
    /// Writes that are due now.
    Act(Vec<Effect>),
    /// The names have stopped; the rest goes at this time.
    Draining {
        /// When the names stopped.
        from: Timestamp,
        /// When the rest goes.
        until: Timestamp,
    },
    /// A deletion was refused, or somebody's finalizer holds a child: what is waited for.
    Waiting(String),
    /// Nothing of the link stands, nor anything shared that nobody needs.
    Done,
}

/// How far taking down without a drain has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Cleared {
    /// Writes that are due now.
    Act(Vec<Effect>),
    /// A deletion was refused, or somebody's finalizer holds a child: what is waited for.
    Waiting(String),
    /// Nothing of the link stands, nor anything shared that nobody needs.
    Done,
}

impl From<Cleared> for Teardown {
    fn from(cleared: Cleared) -> Self {
        match cleared {
            Cleared::Act(effects) => Self::Act(effects),
            Cleared::Waiting(message) => Self::Waiting(message),
            Cleared::Done => Self::Done,
        }
    }
}

/// What the link has in the cluster while it is up. `older` holds the UIDs of the siblings whose keys in the
/// environment come before this link's.
///
/// # Errors
/// Where the spec cannot be served with the target as it is now.
pub fn build<'a>(s: &'a Snapshot, older: &BTreeSet<String>) -> Result<Plan<'a>, Unservable> {
    let reach = reach_of(s)?;
    let names = naming::Names::of(s);
    let (policy, closed) = policy::wanted(s, &names, &reach)?;
    let virtual_ip = virtual_ip::wanted(s, &names, &reach);
    let slices = if virtual_ip.is_some() {
        let group = Group {
            ports: reach.ports.clone(),
            endpoints: virtual_ip::endpoints(s, &names, &reach),
        };
        let mut slices = slices::under_virtual_ip(s, &names, &reach);
        slices.extend(slices::under_directory(s, &names, &[group], &reach.ports));
        slices
    } else {
        slices::under_directory(s, &names, &reach.groups, &reach.ports)
    };
    Ok(Plan {
        directory: directory::wanted(s, &names),
        binding: binding::wanted(s, &names, &reach.ports),
        environment: WantedEnvironment::new(s, &reach.ports, older),
        ready: reach
            .groups
            .iter()
            .flat_map(|group| &group.endpoints)
            .filter(|endpoint| endpoint.ready)
            .count(),
        slices,
        virtual_ip,
        policy,
        forbidden: closed.into_iter().collect(),
    })
}

#[cfg(test)]
mod book;
#[cfg(test)]
mod tests;
