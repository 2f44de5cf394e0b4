//! Effects on children, with the preconditions of the observed object.

use crate::child::{
    Binding, ChildKind, ChildSpec, Delta, Directory, Environment, Key, Observed, Policy, Slice, VirtualIp,
};
use crate::effect::Effect;

/// The most writes of one group. The rest follows in the next one, so that a link with very many slices does
/// not send all of its writes at once (lifecycle#writes-at-once).
pub(super) const AT_ONCE: usize = 100;

/// The body of a child that can be written.
pub(crate) trait Body: ChildKind {
    /// False if an immutable field differs: then the object must be deleted and created again.
    fn can_be_updated_to(&self, desired: &Self) -> bool;
}

impl Body for Directory {
    /// A cluster IP cannot be removed.
    fn can_be_updated_to(&self, desired: &Self) -> bool {
        self.headless == desired.headless
    }
}

impl Body for Slice {
    /// The address type is immutable.
    fn can_be_updated_to(&self, desired: &Self) -> bool {
        self.family == desired.family
    }
}

impl Body for Environment {
    /// With `immutable: true` the data cannot be changed.
    fn can_be_updated_to(&self, _: &Self) -> bool {
        !self.immutable
    }
}

impl Body for Policy {
    fn can_be_updated_to(&self, _: &Self) -> bool {
        true
    }
}

impl Body for VirtualIp {
    /// `clusterIP: None` cannot become an address.
    fn can_be_updated_to(&self, _: &Self) -> bool {
        !self.addresses.is_empty()
    }
}

impl Body for Binding {
    /// The type is immutable, and with `immutable: true` the data too.
    fn can_be_updated_to(&self, desired: &Self) -> bool {
        self.type_ == desired.type_ && !self.immutable
    }
}

pub(crate) fn create<T: Body>(object: &ChildSpec<T>) -> Effect {
    Effect::Create {
        child: T::desired(object.clone()),
    }
}

pub(crate) fn replace<T: Body>(found: &Observed<T>, object: ChildSpec<T>) -> Effect {
    Effect::Replace {
        delta: Box::new(Delta::between(&found.object, &object)),
        child: T::desired(object),
        uid: found.uid.clone(),
        resource_version: found.resource_version.clone(),
    }
}

/// Changes an observed child to the desired one. If an immutable field differs, the child is deleted; the next group of
/// writes creates it again.
pub(crate) fn repair<T: Body>(found: &Observed<T>, desired: &ChildSpec<T>) -> Effect {
    if found.object.body.can_be_updated_to(&desired.body) {
        replace(found, desired.clone())
    } else {
        delete(found)
    }
}

pub(crate) fn delete<T: Body>(found: &Observed<T>) -> Effect {
    Effect::Delete {
        key: key_of(&found.object),
        uid: found.uid.clone(),
        resource_version: found.resource_version.clone(),
    }
}

pub(crate) fn key_of<T: Body>(object: &ChildSpec<T>) -> Key {
    object.key(T::KIND)
}

/// The child an effect writes; none for effects on the link itself.
pub(crate) fn child_of(effect: &Effect) -> Option<Key> {
    match effect {
        Effect::Create { child } | Effect::Replace { child, .. } => Some(child.key()),
        Effect::Delete { key, .. } => Some(key.clone()),
        Effect::AcceptAction { .. }
        | Effect::WriteIntent { .. }
        | Effect::AddFinalizer
        | Effect::DropFinalizer
        | Effect::WriteStatus { .. }
        | Effect::DeleteLink
        | Effect::Publish(_) => None,
    }
}
