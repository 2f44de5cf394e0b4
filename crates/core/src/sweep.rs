//! Sweeping: what to do with a child whose link is not known.
//!
//! Someone can take our finalizer away and delete the link; a re-list can hide a deletion. So at start, after each
//! re-list and after a link's deletion the operator shows every child that carries our labels to [`question`], puts the
//! question to the API server, and executes what [`sentence`] makes of the answer.
//!
//! Only a live answer condemns a child: caches of different kinds may be of different ages, so "not in the cache" means
//! "ask", never "delete". The answer has to be newer than the child as shown; and as the shared children of a source are
//! also written by its links, the operator holds the source's lock from the question to the write. Each write carries
//! the UID and resource version of the child that was judged, so one that changed meanwhile is judged again.
//!
//! ```text
//! child            asks                              goes when
//! slice            GET of its link                   NotFound, or another UID
//! virtual IP       the same
//! policy           the same
//! binding          the same
//! environment      LIST of its namespace's links     its entries of links not in the list; the last takes it along
//! directory        the same                          no link in the list has the instance it is named after
//! ```
//! An environment has entries of many links and names but one of them, and a directory may be needed by any link of its
//! source: hence the list.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::{InstanceLink, InstanceRef, keys};

use crate::child::{Environment, Kind, Observed, ObservedChild, Owner};
use crate::dataplane::{Body, delete, is_shared_child, replace, without};
use crate::effect::Effect;
use crate::resolve::directory_name;

/// The links that the cache knows.
#[derive(Clone, Debug, Default)]
pub struct KnownLinks {
    uids: BTreeSet<String>,
    /// The instance of each, by the link's path.
    instances: BTreeMap<String, InstanceRef>,
}

/// What has to be asked of the API server, live, before a child may be condemned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiveCheck {
    /// GET this link.
    Link {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The UID that the child names: any other one is another link.
        uid: String,
    },
    /// LIST all links of this namespace.
    Links {
        /// The namespace; empty for all of them.
        namespace: String,
    },
}

/// What the API server answered.
#[derive(Clone, Copy, Debug)]
pub enum LiveAnswer<'a> {
    /// UID of the link asked for; none for `NotFound`.
    Link(Option<&'a str>),
    /// All links of the namespace asked for.
    Links(&'a [InstanceLink]),
}

impl<L: Borrow<InstanceLink>> FromIterator<L> for KnownLinks {
    fn from_iter<I: IntoIterator<Item = L>>(links: I) -> Self {
        let mut known = Self::default();
        for link in links {
            let link = link.borrow();
            known.uids.extend(link.metadata.uid.clone());
            known.instances.insert(path_of(link), link.spec.instance_ref.clone());
        }
        known
    }
}

impl KnownLinks {
    /// Adds links of which only the UID is of interest.
    pub fn add_uids<'a>(&mut self, uids: impl IntoIterator<Item = &'a str>) {
        self.uids.extend(uids.into_iter().map(str::to_owned));
    }
}

/// What must be asked about a child; nothing where its links are known, or where it is not ours.
pub fn live_check(child: &ObservedChild, known: &KnownLinks) -> Option<LiveCheck> {
    match child {
        ObservedChild::Slice(found) => check_of_own(found, known),
        ObservedChild::VirtualIp(found) => check_of_own(found, known),
        ObservedChild::Policy(found) => check_of_own(found, known),
        ObservedChild::Binding(found) => check_of_own(found, known),
        ObservedChild::Directory(found) => (is_shared_child(found) && !found.terminating)
            .then_some(found)
            .filter(|found| !speaks(found, known))
            .map(|found| links_of(&found.object.namespace)),
        ObservedChild::Environment(found) => check_of_environment(found, known),
    }
}

/// What the answer means for the child: the write that removes it or the dead links' part in it, or nothing.
pub fn verdict(child: &ObservedChild, answer: LiveAnswer<'_>) -> Option<Effect> {
    match (child, answer) {
        (ObservedChild::Slice(found), answer) => verdict_on_own(found, answer),
        (ObservedChild::VirtualIp(found), answer) => verdict_on_own(found, answer),
        (ObservedChild::Policy(found), answer) => verdict_on_own(found, answer),
        (ObservedChild::Binding(found), answer) => verdict_on_own(found, answer),
        (ObservedChild::Directory(found), LiveAnswer::Links(links)) => {
            (is_shared_child(found) && !is_needed(found, links)).then(|| delete(found))
        }
        (ObservedChild::Environment(found), LiveAnswer::Links(links)) if is_shared_child(found) => {
            sentence_on_environment(found, links)
        }
        // Not a question that was asked about such a child.
        (ObservedChild::Environment(_), LiveAnswer::Links(_))
        | (ObservedChild::Directory(_) | ObservedChild::Environment(_), LiveAnswer::Link(_)) => None,
    }
}

/// About what belongs to one link.
fn check_of_own<T: Body>(found: &Observed<T>, known: &KnownLinks) -> Option<LiveCheck> {
    let uid = found
        .label(keys::LINK_UID)
        .filter(|_| found.is_managed() && !found.terminating)?;
    if known.uids.contains(uid) {
        return None;
    }
    // Where it does not say which link, the list of its namespace tells; for a policy, which may stand in another
    // namespace than its link, that of all.
    let named = found
        .object
        .annotations
        .get(keys::LINK)
        .and_then(|path| path.split_once('/'));
    Some(match named {
        Some((namespace, name)) => LiveCheck::Link {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        },
        None if T::KIND == Kind::Policy => links_of(""),
        None => links_of(&found.object.namespace),
    })
}

fn verdict_on_own<T: Body>(found: &Observed<T>, answer: LiveAnswer<'_>) -> Option<Effect> {
    let uid = found.label(keys::LINK_UID).filter(|_| found.is_managed())?;
    let lives = match answer {
        LiveAnswer::Link(live) => live == Some(uid),
        LiveAnswer::Links(links) => lives(uid, links),
    };
    (!lives).then(|| delete(found))
}

fn check_of_environment(found: &Observed<Environment>, known: &KnownLinks) -> Option<LiveCheck> {
    if !is_shared_child(found) || found.terminating {
        return None;
    }
    let entries = found.object.entries();
    let has_unknown = entries.keys().any(|uid| !known.uids.contains(*uid));
    let is_nobodys = entries.is_empty() && !speaks(found, known);
    (has_unknown || is_nobodys).then(|| links_of(&found.object.namespace))
}

fn sentence_on_environment(found: &Observed<Environment>, links: &[InstanceLink]) -> Option<Effect> {
    let entries = found.object.entries();
    let dead: BTreeSet<&str> = entries.into_keys().filter(|uid| !lives(uid, links)).collect();
    let is_empty = found.object.entries().is_empty();
    if dead.is_empty() && (!is_empty || is_needed(found, links)) {
        return None;
    }
    let path_of_uid = |uid: &str| {
        links
            .iter()
            .find(|link| link.metadata.uid.as_deref() == Some(uid))
            .map(path_of)
    };
    Some(without(found, &dead, path_of_uid).map_or_else(|| delete(found), |rest| replace(found, rest)))
}

/// True where the link that a shared child names is known, and has the instance: its own passes look after the child then.
fn speaks<T>(found: &Observed<T>, known: &KnownLinks) -> bool {
    let path = found.object.annotations.get(keys::LINK);
    path.and_then(|path| known.instances.get(path))
        .is_some_and(|instance| is_named_after(found, instance))
}

/// True where a link has the instance that the child is named after. What that link needs it decides itself.
fn is_needed<T>(found: &Observed<T>, links: &[InstanceLink]) -> bool {
    links.iter().any(|link| is_named_after(found, &link.spec.instance_ref))
}

/// True where the child has the name that this instance's would have, and no owner says that it is another one's. A link
/// whose instance is of another kind does not need the child, and waits for its name.
fn is_named_after<T>(found: &Observed<T>, instance: &InstanceRef) -> bool {
    let source_uid = found.label(keys::SOURCE_UID).unwrap_or_default();
    let owners = &found.object.owners;
    let is_owner = |owner: &Owner| owner.kind == instance.kind && owner.name == instance.name;
    directory_name(&instance.name, source_uid) == found.object.name
        && (owners.is_empty() || owners.iter().any(is_owner))
}

fn lives(uid: &str, links: &[InstanceLink]) -> bool {
    links.iter().any(|link| link.metadata.uid.as_deref() == Some(uid))
}

fn path_of(link: &InstanceLink) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}/{}", part(&link.metadata.namespace), part(&link.metadata.name))
}

fn links_of(namespace: &str) -> LiveCheck {
    LiveCheck::Links {
        namespace: namespace.to_owned(),
    }
}

#[cfg(test)]
mod tests;
