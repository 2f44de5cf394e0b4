//! What users do to links.

use instancelink_api::spec::{Addressing, DesiredState};
use instancelink_api::{InstanceLink, InstanceLinkSpec, crd, keys};
use instancelink_core::fixture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::slots::{ELSEWHERE, LINKS, uid_of};

/// A user does this to that link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// The first link, or the second.
    pub link: usize,
    /// What is done.
    pub edit: Edit,
}

/// What a user, or a tool, may do to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// `kubectl annotate --overwrite`.
    Act(&'static str),
    /// Sets `spec.desiredState`, or takes it away.
    Desire(Option<DesiredState>),
    /// An edit that the six fields of an update are about.
    Retarget,
    /// Leads the link into the other namespace, or back.
    Elsewhere,
    /// What cannot be served, or back.
    Unservable,
    /// `kubectl delete`.
    Delete,
    /// `kubectl create`, after the link has gone.
    Create,
    /// A backup drops the status.
    WipeStatus,
    /// `kubectl replace` with a bare manifest drops the annotations.
    DropAnnotations,
    /// Somebody takes the finalizer away.
    StripFinalizer,
}

/// What an edit makes of a link.
pub(crate) enum Edited {
    /// It cannot be done, or changes nothing.
    Same,
    New(Box<InstanceLink>),
    Gone,
}

/// A link as created; `life` 1 is one that is created after another of its name has gone.
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
    /// What becomes of a link.
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
            Self::Elsewhere => lead_elsewhere(&mut link.spec),
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

fn lead_elsewhere(spec: &mut InstanceLinkSpec) {
    let Some(target) = spec.target_instance_ref.as_mut() else {
        return;
    };
    target.namespace = match target.namespace {
        Some(_) => None,
        None => Some(ELSEWHERE.to_owned()),
    };
}
