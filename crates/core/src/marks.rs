//! What is the operator's own (contract#ownership). An object has several marks, and others may write or remove each of them.
//! Some combinations prove that the operator created the object for a link, or for the links of a source; no other object is
//! ever changed or deleted. Passes, the sweep and the indexes all ask here.
//!
//! ```text
//! of a link     the name and the place of such a child (always), and
//!               the link-uid label, and one of: managed-by label, annotation, ownerReference
//!               or the ownerReference and the annotation
//!               or, for a policy, whose name has a hash of the UID: the annotation and the managed-by label
//! of a source   the name of a directory (always), and
//!               the source-uid label, and one of: managed-by label, annotation, source annotation, ownerReference
//!               or the annotation, and one of: managed-by label, source annotation, ownerReference
//! ```
//! An ownerReference alone proves nothing: users write it, so that the garbage collector takes their objects along with the
//! link. So each combination has a mark with the prefix `instancelink.dev/`, with the value that belongs there.

use instancelink_api::{InstanceLink, keys};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::child::names::{self, is_directory, is_label, link_in};
use crate::child::{ChildKind, Kind, Observed, Owner};
use crate::resolve::directory_name;

/// A link, by what children name it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkId<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its UID.
    pub uid: &'a str,
}

/// The link that the marks of an object name. It may not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// Its namespace. None for a policy without its annotation: the link may be in any namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its UID. None for a policy that shows only a hash of it, in its name.
    pub uid: Option<String>,
}

impl<'a> LinkId<'a> {
    /// A link.
    pub fn of(link: &'a InstanceLink) -> Self {
        let metadata = &link.metadata;
        Self {
            namespace: metadata.namespace.as_deref().unwrap_or_default(),
            name: metadata.name.as_deref().unwrap_or_default(),
            uid: metadata.uid.as_deref().unwrap_or_default(),
        }
    }
}

/// True if the operator created this object for this link alone.
pub fn is_of_link<T: ChildKind>(found: &Observed<T>, link: LinkId<'_>) -> bool {
    let object = &found.object;
    let is_policy = T::KIND == Kind::Policy;
    let is_beside = object.namespace == link.namespace;
    let is_named =
        link_in(T::KIND, &object.name) == Some(link.name) && (!is_policy || is_named_as_policy(&object.name, link));
    if link.uid.is_empty() || !is_named || !(is_beside || may_be_elsewhere::<T>(&object.name)) {
        return false;
    }
    // Most objects have the first two marks, so the others are looked at only if one of these is missing.
    let managed = found.is_managed();
    let label = found.label(keys::LINK_UID) == Some(link.uid);
    let annotation = || named_in(found) == Some((link.namespace, link.name));
    // An owner is in the same namespace.
    let owner = || is_beside && owning_links(found).any(|owner| owner.uid == link.uid && owner.name == link.name);
    (label && (managed || annotation() || owner())) || (annotation() && (owner() || (is_policy && managed)))
}

/// True for the name of one of the link's two policies.
fn is_named_as_policy(name: &str, link: LinkId<'_>) -> bool {
    let own = if names::is_egress(name) {
        names::egress
    } else {
        names::policy
    };
    name == own(link.name, link.uid)
}

/// True for a child that need not be in the link's namespace: the policy in front of the target.
fn may_be_elsewhere<T: ChildKind>(name: &str) -> bool {
    T::KIND == Kind::Policy && !names::is_egress(name)
}

/// The links that this object may have been created for, by its marks alone. Empty for an object of others.
pub fn claims<T: ChildKind>(found: &Observed<T>) -> Vec<Claim> {
    let object = &found.object;
    let Some(name) = link_in(T::KIND, &object.name) else {
        return Vec::new();
    };
    let is_policy = T::KIND == Kind::Policy;
    let annotated = named_in(found)
        .filter(|(_, named)| *named == name)
        .map(|(namespace, _)| namespace)
        .filter(|namespace| *namespace == object.namespace || may_be_elsewhere::<T>(&object.name));
    let labels = found.label(keys::LINK_UID).into_iter();
    let owners = owning_links(found).map(|owner| owner.uid.as_str());
    let mut claims: Vec<Claim> = Vec::new();
    for uid in labels.chain(owners) {
        let beside = object.namespace.as_str();
        let places = [annotated.filter(|_| is_policy), Some(beside)];
        let place = places.into_iter().flatten().find(|namespace| {
            let (namespace, name) = (*namespace, name);
            is_of_link(found, LinkId { namespace, name, uid })
        });
        let Some(place) = place else { continue };
        // Only the annotation tells the namespace of the link of a policy that may be elsewhere.
        let is_place_known = !may_be_elsewhere::<T>(&object.name) || annotated == Some(place);
        let claim = Claim {
            namespace: is_place_known.then(|| place.to_owned()),
            name: name.to_owned(),
            uid: Some(uid.to_owned()),
        };
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    if let (true, Some(namespace)) = (is_policy && claims.is_empty() && found.is_managed(), annotated) {
        claims.push(Claim {
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
            uid: None,
        });
    }
    claims
}

/// True if the operator created this object for the links of a source.
pub fn is_shared_child<T>(found: &Observed<T>) -> bool {
    let object = &found.object;
    if !is_directory(&object.name) {
        return false;
    }
    let managed = found.is_managed();
    let label = found.label(keys::SOURCE_UID).is_some_and(|uid| !uid.is_empty());
    let annotation = || named_in(found).is_some_and(|(namespace, _)| namespace == object.namespace);
    let owner = || {
        let mut names = object
            .owners
            .iter()
            .map(|owner| directory_name(&owner.name, &owner.uid));
        names.any(|name| name == object.name)
    };
    let source = || {
        let uid = found.label(keys::SOURCE_UID).unwrap_or_default();
        source_in(found).is_some_and(|(_, name)| directory_name(name, uid) == object.name)
    };
    (label && (managed || annotation() || source() || owner())) || (annotation() && (managed || source() || owner()))
}

/// True for an object with the name of the directory of a source of this name. Where the name has a hash of the source's UID,
/// the label or an owner has to have the UID.
pub(crate) fn is_named_after<T>(found: &Observed<T>, instance: &str) -> bool {
    let label = found.label(keys::SOURCE_UID).unwrap_or_default();
    let owners = found.object.owners.iter().filter(|owner| owner.name == instance);
    let mut uids = std::iter::once(label).chain(owners.map(|owner| owner.uid.as_str()));
    uids.any(|uid| directory_name(instance, uid) == found.object.name)
}

/// Kind and name of the source in the annotation of a shared child, or of its owners, which it had in earlier versions.
pub fn sources_in<T>(found: &Observed<T>) -> impl Iterator<Item = (&str, &str)> {
    let annotated = source_in(found);
    let owners = found.object.owners.iter().filter(move |_| annotated.is_none());
    annotated
        .into_iter()
        .chain(owners.map(|owner| (owner.kind.as_str(), owner.name.as_str())))
}

/// The namespaces in which the link may have a policy: its own, and those of the targets in its spec and in its status.
pub fn namespaces_of_policies(link: &InstanceLink) -> impl Iterator<Item = &str> {
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    let targets = link.spec.target_instance_ref.iter().chain(programmed);
    let places = targets.filter_map(|target| target.namespace.as_deref());
    link.metadata.namespace.as_deref().into_iter().chain(places)
}

/// True if an object has any mark by which the operator alone is known. It proves no ownership, but such an object is no source of
/// addresses: links would lead to each other's endpoints. An ownerReference is none of these marks: users write it.
pub fn has_mark(meta: &ObjectMeta) -> bool {
    let labels = meta.labels.as_ref();
    let is_labelled = labels.is_some_and(|labels| {
        labels.contains_key(keys::LINK_UID) || labels.get(keys::MANAGED_BY).is_some_and(|by| by == keys::MANAGER)
    });
    let annotations = meta.annotations.as_ref();
    is_labelled || annotations.is_some_and(|annotations| annotations.contains_key(keys::LINK))
}

/// Namespace and name of the link in the annotation, if they are valid.
pub fn named_in<T>(found: &Observed<T>) -> Option<(&str, &str)> {
    let named = found.object.annotations.get(keys::LINK)?;
    named
        .split_once('/')
        .filter(|(namespace, name)| is_label(namespace) && is_label(name))
}

/// Kind and name of the source in the annotation.
fn source_in<T>(found: &Observed<T>) -> Option<(&str, &str)> {
    found.object.annotations.get(keys::SOURCE)?.split_once('/')
}

fn owning_links<T>(found: &Observed<T>) -> impl Iterator<Item = &Owner> {
    found.object.owners.iter().filter(|owner| owner.kind == keys::KIND)
}

#[cfg(test)]
mod tests;
