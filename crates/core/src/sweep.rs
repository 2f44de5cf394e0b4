//! The sweep: what to do with a child whose link is not known.
//!
//! A user can remove the finalizer and delete the link, and a re-list can hide a deletion. So at its start, after each re-list
//! and after the deletion of a link, the operator calls [`live_check`] for each child, sends that request to the API server,
//! and executes what [`verdict`] makes of the answer (lifecycle#sweep-orphans). What is the operator's own is decided by
//! [`marks`](crate::marks), as in passes.
//!
//! Only a live answer leads to a deletion: caches of different kinds can have different ages, so "not in the cache" means
//! "ask", never "delete". The answer has to be newer than the observed child. The links of a source also write its shared
//! children, so the operator holds the lock of the source from the request to the write. Each write has the UID and the
//! resource version of the observed child as preconditions, so a child that changed meanwhile is judged again.
//!
//! ```text
//! child            live check                        is deleted when
//! slice            GET of its link                   NotFound, or a link that it does not belong to
//! virtual IP       the same
//! binding          the same
//! policy           the same                          also when the link has no target in its namespace
//! environment      LIST of its namespace's links     no entry is left of a link in the list; others lose theirs
//! directory        the same                          no link in the list has the instance it is named after
//! ```
//! An environment has entries of many links but names only one of them, and each link of a source can need its directory:
//! so these two need the list. A policy that lost its annotation needs the list of all namespaces.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use instancelink_api::{InstanceLink, keys};

use crate::child::{Environment, Key, Kind, Observed, ObservedChild};
use crate::dataplane::{Body, delete, repair, without};
use crate::effect::{Effect, Event};
use crate::marks::{LinkId, claims, is_named_after, is_of_link, is_shared_child, namespaces_of_policies, sources_in};

/// The links in the cache that a child may belong to.
#[derive(Clone, Debug, Default)]
pub struct KnownLinks {
    uids: BTreeSet<String>,
    /// By `namespace/name` of the link.
    links: BTreeMap<String, LinkFacts>,
}

/// What a sweep needs of a link. The API server may answer with very many links, and each may have much metadata, so nothing
/// else of them is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFacts {
    namespace: String,
    name: String,
    uid: String,
    source_kind: String,
    source_name: String,
    /// The other namespaces in which it may have a policy.
    policies_in: Vec<String>,
}

/// The request to the API server that is needed before a child can be deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiveCheck {
    /// GET this link.
    Link {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
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
    /// The link asked for; none for `NotFound`.
    Link(Option<&'a LinkFacts>),
    /// All links of the namespace asked for.
    Links(&'a [LinkFacts]),
}

impl From<&InstanceLink> for LinkFacts {
    fn from(link: &InstanceLink) -> Self {
        let LinkId { namespace, name, uid } = LinkId::of(link);
        let mut policies_in: Vec<String> = Vec::new();
        for place in namespaces_of_policies(link) {
            if place != namespace && policies_in.iter().all(|known| known != place) {
                policies_in.push(place.to_owned());
            }
        }
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            source_kind: link.spec.instance_ref.kind.clone(),
            source_name: link.spec.instance_ref.name.clone(),
            policies_in,
        }
    }
}

impl LinkFacts {
    fn id(&self) -> LinkId<'_> {
        LinkId {
            namespace: &self.namespace,
            name: &self.name,
            uid: &self.uid,
        }
    }

    /// True for a namespace in which the link may have a policy.
    fn may_have_policy_in(&self, namespace: &str) -> bool {
        self.namespace == namespace || self.policies_in.iter().any(|place| place == namespace)
    }

    /// As the annotation of a child names it.
    fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl<L: Borrow<InstanceLink>> FromIterator<L> for KnownLinks {
    fn from_iter<I: IntoIterator<Item = L>>(links: I) -> Self {
        let mut known = Self::default();
        for link in links {
            let link: &InstanceLink = link.borrow();
            let link = LinkFacts::from(link);
            if !link.uid.is_empty() {
                known.uids.insert(link.uid.clone());
            }
            known.links.insert(link.path(), link);
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

/// The request that a child needs. `None` if its links are known, or if the child is foreign.
pub fn live_check(child: &ObservedChild, known: &KnownLinks) -> Option<LiveCheck> {
    match child {
        ObservedChild::Slice(found) => check_of_own(found, known),
        ObservedChild::VirtualIp(found) => check_of_own(found, known),
        ObservedChild::Policy(found) => check_of_own(found, known),
        ObservedChild::Binding(found) => check_of_own(found, known),
        ObservedChild::Directory(found) => (is_shared_child(found) && !found.terminating)
            .then_some(found)
            .filter(|found| !is_known(found, known))
            .map(|found| links_of(&found.object.namespace)),
        ObservedChild::Environment(found) => check_of_environment(found, known),
    }
}

/// The write that follows from the answer: it deletes the child, or the part of links that do not exist. `None` if
/// nothing has to change.
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
            verdict_on_environment(found, links)
        }
        // No live check of such a child has this answer.
        (ObservedChild::Environment(_), LiveAnswer::Links(_))
        | (ObservedChild::Directory(_) | ObservedChild::Environment(_), LiveAnswer::Link(_)) => None,
    }
}

/// The request for a child of one link.
fn check_of_own<T: Body>(found: &Observed<T>, known: &KnownLinks) -> Option<LiveCheck> {
    if found.terminating || known.links.values().any(|link| is_child_of(found, link)) {
        return None;
    }
    let claim = claims(found).into_iter().next()?;
    Some(match claim.namespace {
        Some(namespace) => LiveCheck::Link {
            namespace,
            name: claim.name,
        },
        None => links_of(""),
    })
}

fn verdict_on_own<T: Body>(found: &Observed<T>, answer: LiveAnswer<'_>) -> Option<Effect> {
    if claims(found).is_empty() {
        return None;
    }
    let lives = match answer {
        LiveAnswer::Link(live) => live.is_some_and(|link| is_child_of(found, link)),
        LiveAnswer::Links(links) => links.iter().any(|link| is_child_of(found, link)),
    };
    (!lives).then(|| delete(found))
}

/// True if the passes of this link decide about the child.
fn is_child_of<T: Body>(found: &Observed<T>, link: &LinkFacts) -> bool {
    is_of_link(found, link.id()) && (T::KIND != Kind::Policy || link.may_have_policy_in(&found.object.namespace))
}

fn check_of_environment(found: &Observed<Environment>, known: &KnownLinks) -> Option<LiveCheck> {
    if !is_shared_child(found) || found.terminating {
        return None;
    }
    let entries = found.object.entries();
    let has_unknown = entries.keys().any(|uid| !known.uids.contains(*uid));
    let has_no_link = entries.is_empty() && !is_known(found, known);
    (has_unknown || has_no_link).then(|| links_of(&found.object.namespace))
}

fn verdict_on_environment(found: &Observed<Environment>, links: &[LinkFacts]) -> Option<Effect> {
    let by_uid: BTreeMap<&str, &LinkFacts> = links
        .iter()
        .filter(|link| !link.uid.is_empty())
        .map(|link| (link.uid.as_str(), link))
        .collect();
    let entries = found.object.entries();
    let is_empty = entries.is_empty();
    let dead: BTreeSet<&str> = entries.into_keys().filter(|uid| !by_uid.contains_key(uid)).collect();
    if dead.is_empty() && (!is_empty || is_needed(found, links)) {
        return None;
    }
    let path_of_uid = |uid: &str| by_uid.get(uid).map(|link| link.path());
    Some(without(found, &dead, path_of_uid).map_or_else(|| delete(found), |rest| repair(found, &rest)))
}

/// True where the link that a shared child names is known and has the same source: the passes of that link write the child.
fn is_known<T>(found: &Observed<T>, known: &KnownLinks) -> bool {
    let path = found.object.annotations.get(keys::LINK);
    path.and_then(|path| known.links.get(path))
        .is_some_and(|link| is_of_source(found, link))
}

/// True where a link has the source that the child is named after. The passes of that link decide whether it is needed.
fn is_needed<T>(found: &Observed<T>, links: &[LinkFacts]) -> bool {
    links.iter().any(|link| is_of_source(found, link))
}

/// True where the child has the name that it would have for the source of this link, and names no other source. A link whose
/// source has another kind does not need the child; it waits for the name.
fn is_of_source<T>(found: &Observed<T>, link: &LinkFacts) -> bool {
    let mut sources = sources_in(found).peekable();
    let of_link = (link.source_kind.as_str(), link.source_name.as_str());
    is_named_after(found, &link.source_name) && (sources.peek().is_none() || sources.any(|source| source == of_link))
}

/// The event on a child that was deleted as an orphan. Its link does not exist, so the event is on the child.
pub fn event(child: &Key) -> Event {
    Event::child_deleted(child, "no link needs it; the links that it was made for do not exist")
}

fn links_of(namespace: &str) -> LiveCheck {
    LiveCheck::Links {
        namespace: namespace.to_owned(),
    }
}

#[cfg(test)]
mod tests;
