//! Which links a change concerns, which pods that wait for links, and which grants.

use std::collections::{BTreeMap, BTreeSet};

use instancelink_core::child::Key;

use crate::name::{LinkKey, ObjectName, SourceKey};

/// Why a link gets another pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Something it depends on changed.
    Change,
    /// A pod that may be one of its endpoints changed: the time to the slice's write is measured.
    Endpoints,
}

/// A link that is known to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneLink {
    /// Its name.
    pub name: LinkKey,
    /// Its UID.
    pub uid: String,
    /// Its source, whose shared children may name the link.
    pub source: SourceKey,
}

/// What a change concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Links that need a pass.
    pub links: BTreeMap<LinkKey, Cause>,
    /// Deleted links: what they may have left behind is swept.
    pub gone: Vec<GoneLink>,
    /// Pods whose readiness gates need an answer.
    pub gated: BTreeSet<ObjectName>,
    /// Grants whose status needs a look.
    pub grants: BTreeSet<ObjectName>,
    /// The set of objects that links name has changed, of kinds that are watched only because links name them.
    pub kinds: bool,
    /// Children that were created or changed, and whose link is not known: a sweep checks them.
    pub orphans: BTreeSet<Key>,
}

impl Affected {
    /// Adds links.
    pub fn extend<'a>(&mut self, links: impl IntoIterator<Item = &'a LinkKey>, cause: Cause) {
        for link in links {
            self.add(link, cause);
        }
    }

    /// Adds one link.
    pub fn add(&mut self, link: &LinkKey, cause: Cause) {
        match self.links.get_mut(link) {
            Some(known) => *known = cause.max(*known),
            None => {
                self.links.insert(link.clone(), cause);
            }
        }
    }

    /// Adds what another change concerns.
    pub fn merge(&mut self, other: Self) {
        for (link, cause) in &other.links {
            self.add(link, *cause);
        }
        self.gone.extend(other.gone);
        self.gated.extend(other.gated);
        self.grants.extend(other.grants);
        self.kinds |= other.kinds;
        self.orphans.extend(other.orphans);
    }

    /// True if the change concerns nothing.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.gone.is_empty()
            && self.gated.is_empty()
            && self.grants.is_empty()
            && !self.kinds
            && self.orphans.is_empty()
    }
}
