//! Which link has an alias, and which has a directory: the queue of lifecycle#alias-queue.

use std::collections::BTreeSet;

use instancelink_api::{Desired, InstanceLink, State};
use jiff::Timestamp;

use crate::action::Memory;
use crate::resolve::directory_name;
use crate::snapshot::Snapshot;

/// The rank of one link in the queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ClaimRank<'a> {
    /// A link that is up sorts first, since false is less than true: lifecycle#never-evicted.
    not_up: bool,
    /// The earliest is first: lifecycle#earliest-claim-first.
    since: Timestamp,
    /// With equal times, the smaller UID is first.
    uid: &'a str,
    /// Name of the link.
    name: &'a str,
}

impl<'a> ClaimRank<'a> {
    fn of(link: &'a InstanceLink, memory: &Memory, has_children: bool) -> Self {
        Self {
            not_up: !is_up(link, has_children),
            since: since(link, memory),
            uid: link.metadata.uid.as_deref().unwrap_or_default(),
            name: link.metadata.name.as_deref().unwrap_or_default(),
        }
    }
}

/// The other links that have, or claim before this one, what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rivals {
    /// Claims the alias before this link (lifecycle#alias-taken).
    pub alias: Option<String>,
    /// Claims the directory's name before this link's source.
    pub directory: Option<String>,
    /// Claims the alias or the directory at all: a restored link would be behind it.
    pub any: Option<String>,
}

/// Finds the rivals of the snapshot's link.
pub(crate) fn rivals(s: &Snapshot, memory: &Memory, has_children: bool) -> Rivals {
    let link = &s.link.object;
    let own = ClaimRank::of(link, memory, has_children);
    let (mut alias, mut directory) = (Vec::new(), Vec::new());
    let mut any = None;
    for sibling in &s.siblings {
        let other = sibling.object.as_ref();
        let memory = Memory::of(other);
        let same_source = other.spec.instance_ref.is_of_the_kind_of(&link.spec.instance_ref);
        let contends = if same_source {
            other.spec.link_name == link.spec.link_name
        } else {
            shares_directory_name(link)
        };
        if !contends || !claims(other, &memory, sibling.has_children) {
            continue;
        }
        let rank = ClaimRank::of(other, &memory, sibling.has_children);
        any.get_or_insert_with(|| rank.name.to_owned());
        if same_source { &mut alias } else { &mut directory }.push(rank);
    }
    let ahead = |rivals: Vec<ClaimRank<'_>>| {
        let first = rivals.into_iter().chain([own.clone()]).min();
        first.filter(|first| *first != own).map(|first| first.name.to_owned())
    };
    Rivals {
        alias: ahead(alias),
        directory: ahead(directory),
        any,
    }
}

/// UIDs of the siblings of the same source that are older than this link: their environment keys come first.
pub(crate) fn older_siblings(s: &Snapshot, memory: &Memory) -> BTreeSet<String> {
    let link = &s.link.object;
    let own = (since(link, memory), link.metadata.uid.as_deref().unwrap_or_default());
    s.siblings
        .iter()
        .filter(|sibling| {
            sibling
                .object
                .spec
                .instance_ref
                .is_of_the_kind_of(&link.spec.instance_ref)
        })
        .filter_map(|sibling| {
            let uid = sibling.object.metadata.uid.as_deref()?;
            ((since(&sibling.object, &Memory::of(&sibling.object)), uid) < own).then(|| uid.to_owned())
        })
        .collect()
}

/// lifecycle#who-claims
fn claims(link: &InstanceLink, memory: &Memory, has_children: bool) -> bool {
    let state = link.state();
    let on_its_way = matches!(
        state,
        State::Activating | State::Active | State::UpdatingActive | State::Deactivating
    );
    let going = link.metadata.deletion_timestamp.is_some()
        || matches!(state, State::Purging | State::Purged)
        || matches!(memory.desired(), Some(Desired::Removed | Desired::Purged));
    has_children || on_its_way || !going
}

/// Such a link is never evicted: lifecycle#never-evicted.
fn is_up(link: &InstanceLink, has_children: bool) -> bool {
    has_children || matches!(link.state(), State::Active | State::UpdatingActive)
}

fn since(link: &InstanceLink, memory: &Memory) -> Timestamp {
    memory
        .since()
        .or_else(|| link.metadata.creation_timestamp.as_ref().map(|t| t.0))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Sources of different kinds with one name need the same directory, unless the name is so long that the directory is
/// named by the UID.
fn shares_directory_name(link: &InstanceLink) -> bool {
    let name = &link.spec.instance_ref.name;
    directory_name(name, "a") == directory_name(name, "b")
}
