//! Which links an event is about, and which pods that wait for links.

use std::collections::{BTreeMap, BTreeSet};

use super::links::SourceKey;
use super::name::{LinkKey, ObjectName};

/// Why a link is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// Something it depends on changed.
    Change,
    /// A pod that may be one of its endpoints changed: the time to the slice's write is measured.
    Endpoints,
}

/// A link that is known to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GoneLink {
    /// What it was called.
    pub(crate) name: LinkKey,
    /// Its UID.
    pub(crate) uid: String,
    /// The source it named, whose shared children may speak of it.
    pub(crate) source: SourceKey,
}

/// What an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Affected {
    /// To be looked at again.
    pub(crate) links: BTreeMap<LinkKey, Cause>,
    /// Deleted: what they may have left behind is swept.
    pub(crate) gone: Vec<GoneLink>,
    /// Pods whose readiness gates are to be looked at.
    pub(crate) gated: BTreeSet<ObjectName>,
    /// Links name other objects, or none any more, of kinds that are watched for them alone.
    pub(crate) kinds: bool,
    /// A child came or changed whose link nobody knows: it is swept.
    pub(crate) strays: bool,
}

impl Affected {
    /// Adds links.
    pub(crate) fn extend<'a>(&mut self, links: impl IntoIterator<Item = &'a LinkKey>, cause: Cause) {
        for link in links {
            self.add(link, cause);
        }
    }

    /// Adds one link.
    pub(crate) fn add(&mut self, link: &LinkKey, cause: Cause) {
        match self.links.get_mut(link) {
            Some(known) => *known = cause.max(*known),
            None => {
                self.links.insert(link.clone(), cause);
            }
        }
    }

    /// Takes in what another event is about.
    pub(crate) fn merge(&mut self, other: Self) {
        for (link, cause) in &other.links {
            self.add(link, *cause);
        }
        self.gone.extend(other.gone);
        self.gated.extend(other.gated);
        self.kinds |= other.kinds;
        self.strays |= other.strays;
    }

    /// True where the event is about nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty() && self.gone.is_empty() && self.gated.is_empty() && !self.kinds && !self.strays
    }
}
