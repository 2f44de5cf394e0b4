//! What the promises ask about a link, or a child, read once when it gets its number.

use instancelink_api::spec::DesiredState;
use instancelink_api::{Desired, InstanceLink, State, keys};
use instancelink_core::action::Memory;
use instancelink_core::child::{Kind, ObservedChild};

use crate::normal::intent_of;
use crate::slots::{ELSEWHERE, LINKS, life_bit, lives_named_in, uid_of};

/// A link, and what is asked about it.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a question of its own
pub(crate) struct Link {
    pub(crate) object: InstanceLink,
    /// Number of what its siblings see of it.
    pub(crate) sibling: u32,
    pub(crate) state: State,
    pub(crate) life: u8,
    pub(crate) deleting: bool,
    pub(crate) held: bool,
    pub(crate) desired: u8,
    /// The copy of its memory that is in the annotations is there.
    pub(crate) has_intent: bool,
    pub(crate) wish: Option<DesiredState>,
    pub(crate) action: Option<String>,
    /// It leads into the other namespace.
    pub(crate) elsewhere: bool,
}

/// A desired state as a number, none being 0.
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
            wish: object.spec.desired_state,
            action: meta.annotations.as_ref().and_then(|a| a.get(keys::ACTION)).cloned(),
            elsewhere: target.and_then(|target| target.namespace.as_deref()) == Some(ELSEWHERE),
            object,
        }
    }

    /// The bit of this life of this link.
    pub(crate) fn life_bit(&self, link: usize) -> u8 {
        life_bit(link, self.life)
    }
}

/// A child, and what is asked about it.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) standing: ObservedChild,
    /// The lives of links that it belongs to, or has entries of.
    pub(crate) of: u8,
    /// UIDs of its owners.
    pub(crate) owners: Vec<String>,
    /// Addresses that it gives out as ready.
    pub(crate) ready: usize,
}

impl Child {
    pub(crate) fn of(standing: ObservedChild) -> Self {
        let of = match &standing {
            ObservedChild::Environment(found) => found.object.annotations.get(keys::ENTRIES).map(String::as_str),
            other => other.label(keys::LINK_UID),
        };
        let of = of.map_or(0, lives_named_in);
        let owners = standing.owners().iter().map(|owner| owner.uid.clone()).collect();
        let ready = match &standing {
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
            of,
            owners,
            ready,
            standing,
        }
    }

    pub(crate) fn is_slice(&self) -> bool {
        self.standing.key().kind == Kind::Slice
    }
}
