//! Texts that become part of a request's path. Each is checked here and nowhere else, because some come from annotations that
//! tenants write: a text with a slash or a dot segment would lead to another object.

use instancelink_core::child::names::{is_label, is_subdomain};

use super::failure::CallError;
use crate::name::ObjectName;

/// Namespace and name of an object, both valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct ObjectPath<'a> {
    namespace: &'a str,
    name: &'a str,
}

/// A namespace, valid; or all namespaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a>(Option<&'a str>);

/// A group, or a group and a version, as a path of discovery.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupPath<'a>(&'a str);

impl<'a> ObjectPath<'a> {
    pub(super) fn of(name: &'a ObjectName) -> Result<Self, CallError> {
        let path = Self {
            namespace: &name.namespace,
            name: &name.name,
        };
        if is_label(path.namespace) && is_subdomain(path.name) {
            Ok(path)
        } else {
            Err(refused(&name.to_string()))
        }
    }

    pub(super) const fn namespace(self) -> &'a str {
        self.namespace
    }

    pub(super) const fn name(self) -> &'a str {
        self.name
    }
}

impl<'a> Scope<'a> {
    /// An empty text means all namespaces.
    pub(super) fn of(namespace: &'a str) -> Result<Self, CallError> {
        if namespace.is_empty() {
            Ok(Self(None))
        } else if is_label(namespace) {
            Ok(Self(Some(namespace)))
        } else {
            Err(refused(namespace))
        }
    }

    pub(super) const fn namespace(self) -> Option<&'a str> {
        self.0
    }
}

impl<'a> GroupPath<'a> {
    pub(super) fn of(path: &'a str) -> Result<Self, CallError> {
        let (group, version) = path
            .split_once('/')
            .map_or((path, None), |(group, version)| (group, Some(version)));
        if is_subdomain(group) && version.is_none_or(is_label) {
            Ok(Self(path))
        } else {
            Err(refused(path))
        }
    }

    pub(super) const fn path(self) -> &'a str {
        self.0
    }
}

/// The name of a resource in a path, such as `rollouts`.
pub(super) fn checked_plural(plural: &str) -> Result<(), CallError> {
    if is_label(plural) { Ok(()) } else { Err(refused(plural)) }
}

fn refused(text: &str) -> CallError {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    CallError::Refused {
        code: 0,
        message: format!("{shown:?} is not a name that the API server accepts, so no request was sent"),
    }
}

#[cfg(test)]
mod tests;
