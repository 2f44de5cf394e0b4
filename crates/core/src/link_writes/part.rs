//! The parts of a link that the operator writes.

use std::fmt::Write as _;

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent, keys};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::effect::Effect;
use crate::hash;

/// A part that is written on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Finalizer,
    Intent,
    Status,
}

/// A part as the operator wrote it.
#[derive(Clone, Debug)]
pub(super) enum Own {
    Finalizer,
    /// The intent, and the text of its annotation.
    Intent(Box<Intent>, String),
    Status(Box<InstanceLinkStatus>),
}

impl Part {
    /// The parts that the answer to this effect has as the operator wants them.
    pub(super) fn written_by(effect: &Effect) -> &'static [Self] {
        match effect {
            Effect::AcceptAction {
                add_finalizer: true, ..
            } => &[Self::Finalizer, Self::Intent],
            Effect::AcceptAction { .. } | Effect::WriteIntent { .. } => &[Self::Intent],
            Effect::AddFinalizer | Effect::DropFinalizer => &[Self::Finalizer],
            Effect::WriteStatus { .. } => &[Self::Status],
            Effect::DeleteLink
            | Effect::Create { .. }
            | Effect::Replace { .. }
            | Effect::Delete { .. }
            | Effect::Publish(_) => &[],
        }
    }

    /// The API server adds no finalizer to a link that is being deleted.
    pub(super) const fn may_be_written(self, link: &InstanceLink) -> bool {
        link.metadata.deletion_timestamp.is_none() || !matches!(self, Self::Finalizer)
    }

    /// A hash of what the link says.
    pub(super) fn content_in(self, link: &InstanceLink) -> i64 {
        match self {
            Self::Finalizer => i64::from(has_finalizer(link)),
            Self::Intent => hash::bits52(intent_of(link)),
            Self::Status => link.status.as_ref().map_or(0, content_of_status),
        }
    }

    /// What the operator wrote, from the answer; none if that has no such part.
    pub(super) fn own_of(self, link: &InstanceLink) -> Option<Own> {
        match self {
            Self::Finalizer => has_finalizer(link).then_some(Own::Finalizer),
            Self::Intent => {
                let text = intent_of(link);
                let intent = serde_json::from_str(text).ok()?;
                Some(Own::Intent(intent, text.to_owned()))
            }
            Self::Status => link.status.clone().map(Box::new).map(Own::Status),
        }
    }
}

impl Own {
    pub(super) fn put_into(&self, link: &mut InstanceLink) {
        match self {
            Self::Finalizer if has_finalizer(link) => {}
            Self::Finalizer => {
                let finalizers = link.metadata.finalizers.get_or_insert_default();
                finalizers.push(keys::FINALIZER.to_owned());
            }
            Self::Intent(_, text) => {
                let annotations = link.metadata.annotations.get_or_insert_default();
                annotations.insert(keys::INTENT.to_owned(), text.clone());
            }
            Self::Status(status) => link.status = Some((**status).clone()),
        }
    }

    /// The effect that writes it again.
    pub(super) fn write(&self) -> Effect {
        match self {
            Self::Finalizer => Effect::AddFinalizer,
            Self::Intent(intent, _) => Effect::WriteIntent { intent: intent.clone() },
            Self::Status(status) => Effect::WriteStatus { status: status.clone() },
        }
    }
}

fn has_finalizer(link: &InstanceLink) -> bool {
    let mut finalizers = link.metadata.finalizers.iter().flatten();
    finalizers.any(|name| name == keys::FINALIZER)
}

fn intent_of(link: &InstanceLink) -> &str {
    let annotations = link.metadata.annotations.as_ref();
    annotations
        .and_then(|all| all.get(keys::INTENT))
        .map_or("", String::as_str)
}

/// Without times: they are other ones each time.
fn content_of_status(status: &InstanceLinkStatus) -> i64 {
    let mut status = status.clone();
    status.history.clear();
    status.removed = None;
    if let Some(last) = &mut status.last_action {
        last.completed_at = None;
    }
    let conditions = std::mem::take(&mut status.conditions);
    let mut text = serde_json::to_string(&status).unwrap_or_default();
    for condition in conditions {
        let Condition {
            type_,
            status,
            reason,
            message,
            ..
        } = condition;
        let _ = write!(text, "\n{type_} {status} {reason} {message}");
    }
    hash::bits52(&text)
}
