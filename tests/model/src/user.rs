//! The actions of users on links.

use instancelink_api::spec::{Addressing, DesiredState};
use instancelink_api::{InstanceLink, InstanceLinkSpec, crd, keys};
use instancelink_core::fixture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::slots::{ELSEWHERE, LINKS, uid_of};

/// An action of a user on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// The index of the link.
    pub link: usize,
    /// The action.
    pub edit: Edit,
}

/// What a user or a tool can do to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// `kubectl annotate --overwrite`.
    Act(&'static str),
    /// Sets or removes `spec.desiredState`.
    Desire(Option<DesiredState>),
    /// An edit that is an update.
    Retarget,
    /// Moves the target to the other namespace, or back.
    Elsewhere,
    /// Makes the spec impossible to serve, or back.
    Unservable,
    /// `kubectl delete`.
    Delete,
    /// `kubectl create`, after the link is gone.
    Create,
    /// A restored backup has no status.
    WipeStatus,
    /// `kubectl replace` with a manifest without annotations.
    DropAnnotations,
    /// Another client removes the finalizer.
    StripFinalizer,
}

/// The result of an edit.
pub(crate) enum Edited {
    /// It is not possible, or changes nothing.
    Same,
    New(Box<InstanceLink>),
    Gone,
}

/// A new link. `life` is 1 for a link that is recreated.
pub(crate) fn created(link: usize, life: u8, spec: &str) -> InstanceLink {
    let mut object = fixture::link_named(LINKS[link], &uid_of(link, life), spec);
    let at = match (link, life) {
        (0, 0) => "2025-12-31T23:57:00Z",
        (_, 0) => "2025-12-31T23:58:00Z",
        _ => "2025-12-31T23:59:00Z",
    };
    object.metadata.creation_timestamp = Some(Time(at.parse().unwrap()));
    object.status = Some(serde_json::from_value(crd::default_status()).unwrap());
    object
}

impl Edit {
    /// The link after the edit.
    pub(crate) fn apply(self, mut link: InstanceLink) -> Edited {
        let before = link.clone();
        let meta = &mut link.metadata;
        match self {
            Self::Act(value) => {
                let annotations = meta.annotations.get_or_insert_default();
                annotations.insert(keys::ACTION.to_owned(), value.to_owned());
            }
            Self::Desire(state) => link.spec.desired_state = state,
            Self::Retarget => {
                link.spec.publish_not_ready_addresses = !link.spec.publish_not_ready_addresses;
            }
            Self::Elsewhere => move_target(&mut link.spec),
            Self::Unservable => {
                link.spec.addressing = match link.spec.addressing {
                    Addressing::Auto => Addressing::ServiceIP,
                    _ => Addressing::Auto,
                };
            }
            Self::Delete if meta.finalizers.iter().flatten().next().is_none() => return Edited::Gone,
            Self::Delete => {
                meta.deletion_timestamp
                    .get_or_insert(Time(fixture::NOW.parse().unwrap()));
            }
            Self::Create => return Edited::Same,
            Self::WipeStatus => link.status = Some(serde_json::from_value(crd::default_status()).unwrap()),
            Self::DropAnnotations => meta.annotations = None,
            Self::StripFinalizer if meta.finalizers.is_some() && meta.deletion_timestamp.is_some() => {
                return Edited::Gone;
            }
            Self::StripFinalizer => meta.finalizers = None,
        }
        if link.spec != before.spec {
            *link.metadata.generation.get_or_insert(1) += 1;
        }
        let is_new = serde_json::to_value(&link).unwrap() != serde_json::to_value(&before).unwrap();
        if is_new {
            Edited::New(Box::new(link))
        } else {
            Edited::Same
        }
    }
}

fn move_target(spec: &mut InstanceLinkSpec) {
    let Some(target) = spec.target_instance_ref.as_mut() else {
        return;
    };
    target.namespace = match target.namespace {
        Some(_) => None,
        None => Some(ELSEWHERE.to_owned()),
    };
}
