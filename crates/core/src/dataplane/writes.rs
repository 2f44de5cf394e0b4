//! Effects on children, each with the preconditions of what stands.

use crate::child::{Binding, ChildKind, ChildSpec, Directory, Environment, Key, Observed, Policy, Slice, VirtualIp};
use crate::effect::Effect;

/// The body of a child that can be written.
pub(crate) trait Body: ChildKind {
    /// False where a field differs that the API server lets nobody change: only another object can be right.
    fn can_become(&self, wanted: &Self) -> bool;
}

impl Body for Directory {
    /// A cluster IP, once given, cannot become none.
    fn can_become(&self, wanted: &Self) -> bool {
        self.headless == wanted.headless
    }
}

impl Body for Slice {
    /// The address type is immutable.
    fn can_become(&self, wanted: &Self) -> bool {
        self.family == wanted.family
    }
}

impl Body for Environment {
    fn can_become(&self, _: &Self) -> bool {
        true
    }
}

impl Body for Policy {
    fn can_become(&self, _: &Self) -> bool {
        true
    }
}

impl Body for VirtualIp {
    /// None, once so, cannot become an address.
    fn can_become(&self, _: &Self) -> bool {
        !self.addresses.is_empty()
    }
}

impl Body for Binding {
    /// The type is immutable, and so is all of it where somebody closed it.
    fn can_become(&self, wanted: &Self) -> bool {
        self.type_ == wanted.type_ && !self.immutable
    }
}

pub(crate) fn create<T: Body>(object: &ChildSpec<T>) -> Effect {
    Effect::Create {
        child: T::desired(object.clone()),
    }
}

pub(crate) fn replace<T: Body>(found: &Observed<T>, object: ChildSpec<T>) -> Effect {
    Effect::Replace {
        child: T::desired(object),
        uid: found.uid.clone(),
        resource_version: found.resource_version.clone(),
    }
}

/// Makes what stands into what is wanted; what cannot become it goes, and is created anew in the group after.
pub(super) fn mend<T: Body>(found: &Observed<T>, wanted: &ChildSpec<T>) -> Effect {
    if found.object.body.can_become(&wanted.body) {
        replace(found, wanted.clone())
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
