//! The entries of the library: a link or a child, with the facts that the promises need, computed once.

use instancelink_api::spec::DesiredState;
use instancelink_api::{Desired, InstanceLink, State, keys};
use instancelink_core::action::Memory;
use instancelink_core::child::{Kind, ObservedChild};

use crate::normalize::intent_of;
use crate::slots::{ELSEWHERE, LINKS, life_bit, lives_named_in, uid_of};

/// A link with its facts.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(crate) struct Link {
    pub(crate) object: InstanceLink,
    /// Its number as its siblings see it.
    pub(crate) sibling: u32,
    pub(crate) state: State,
    pub(crate) life: u8,
    pub(crate) deleting: bool,
    pub(crate) held: bool,
    pub(crate) desired: u8,
    /// The intent annotation is present.
    pub(crate) has_intent: bool,
    /// `spec.desiredState`.
    pub(crate) desired_state: Option<DesiredState>,
    pub(crate) action: Option<String>,
    /// Its target is in the other namespace.
    pub(crate) elsewhere: bool,
}

/// A desired state as a number; 0 for none.
pub(crate) const fn desired_number(desired: Option<Desired>) -> u8 {
    match desired {
        None => 0,
        Some(Desired::Active) => 1,
        Some(Desired::Inactive) => 2,
        Some(Desired::Removed) => 3,
        Some(Desired::Purged) => 4,
    }
}

impl Link {
    pub(crate) fn of(object: InstanceLink, sibling: u32) -> Self {
        let meta = &object.metadata;
        let link = LINKS
            .iter()
            .position(|name| meta.name.as_deref() == Some(name))
            .unwrap();
        let target = object.spec.target_instance_ref.as_ref();
        Self {
            sibling,
            state: object.state(),
            life: u8::from(meta.uid.as_deref() == Some(uid_of(link, 1).as_str())),
            deleting: meta.deletion_timestamp.is_some(),
            held: meta.finalizers.iter().flatten().next().is_some(),
            desired: desired_number(Memory::of(&object).desired()),
            has_intent: intent_of(&object).is_some(),
            desired_state: object.spec.desired_state,
            action: meta.annotations.as_ref().and_then(|a| a.get(keys::ACTION)).cloned(),
            elsewhere: target.and_then(|target| target.namespace.as_deref()) == Some(ELSEWHERE),
            object,
        }
    }

    /// The bit of this life of the link.
    pub(crate) fn life_bit(&self, link: usize) -> u8 {
        life_bit(link, self.life)
    }
}

/// A child with its facts.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) observed: ObservedChild,
    /// The lives of links that it belongs to, or has entries of.
    pub(crate) of: u8,
    /// UIDs of its owners.
    pub(crate) owners: Vec<String>,
    /// Number of its ready endpoints.
    pub(crate) ready: usize,
}

impl Child {
    pub(crate) fn of(observed: ObservedChild) -> Self {
        let of = match &observed {
            ObservedChild::Environment(found) => found.object.annotations.get(keys::ENTRIES).map(String::as_str),
            other => other.label(keys::LINK_UID),
        };
        let of = of.map_or(0, lives_named_in);
        let owners = observed.owners().iter().map(|owner| owner.uid.clone()).collect();
        let ready = match &observed {
            ObservedChild::Slice(found) => found
                .object
                .body
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.ready)
                .count(),
            _ => 0,
        };
        Self {
            observed,
            of,
            owners,
            ready,
        }
    }

    pub(crate) fn is_slice(&self) -> bool {
        self.observed.key().kind == Kind::Slice
    }
}
