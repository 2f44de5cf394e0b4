//! Facts: everything that the walk and the status are decided by, computed once in each step.

use instancelink_api::condition::Reason;
use instancelink_api::spec::{DesiredState, InstanceLinkSpec, Protocol};
use instancelink_api::{Desired, InstanceLink, InstanceLinkStatus, State};
use jiff::Timestamp;
use serde_json::json;

use super::alias::{self, Rivals, older_siblings};
use super::delayed_hold;
use crate::action::Memory;
use crate::dataplane::{self, Plan, Unservable};
use crate::hash;
use crate::resolve::{TargetVerdict, known_directory_of, scaled_kinds, target_of};
use crate::snapshot::Snapshot;

/// The state at which the link is to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The alias resolves.
    Active,
    /// The alias does not resolve.
    Inactive,
    /// Softly deleted.
    Removed,
    /// Scrubbed.
    Purged,
    /// The object is being deleted.
    Gone,
}

/// An outside reason to be inactive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// `Unusable`, `RefNotPermitted`, `SourceNotFound`, `KindNotSupported`, `AliasConflict` or `DirectoryConflict`.
    pub reason: Reason,
    /// What is missing, and what to do.
    pub message: String,
}

/// What a step is decided by.
pub(crate) struct Facts<'a> {
    pub s: &'a Snapshot,
    pub link: &'a InstanceLink,
    pub status: InstanceLinkStatus,
    pub state: State,
    pub memory: Memory,
    pub deleting: bool,
    pub has_children: bool,
    pub rivals: Rivals,
    /// The first hold, whether it counts in this state or not.
    pub hold: Option<Hold>,
    /// Consent of the target's namespace is missing: a hold that counts in every state.
    pub no_consent: bool,
    pub goal: Goal,
    /// The goal without any hold.
    pub unheld_goal: Goal,
    /// Until when the link stays active for the pods of a source that is gone.
    pub hold_delayed_until: Option<Timestamp>,
    pub target: TargetVerdict<'a>,
    pub plan: Result<Plan<'a>, Unservable>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(s: &'a Snapshot) -> Self {
        let link = &s.link.object;
        let memory = Memory::of(link);
        let state = link.state();
        let deleting = link.metadata.deletion_timestamp.is_some();
        let has_children = dataplane::has_children(s);
        let rivals = alias::rivals(s, &memory, has_children);
        let target = target_of(s);
        let no_consent = matches!(target, TargetVerdict::NotPermitted { .. });
        let registered = !matches!(state, State::Requested | State::Registering);
        let unusable = unusable_hold(s);
        let is_unusable = unusable.is_some();
        let consent = consent_hold(&target);
        let hold_delayed_until = delayed_hold::until(s, state);
        let claim = claim_hold(s, link, &rivals, hold_delayed_until);
        // Before it is registered, a link waits for its source and its alias, and not for consent.
        let hold = unusable.or(if registered {
            consent.or(claim)
        } else {
            claim.or(consent)
        });
        let unheld_goal = unheld_goal(link, state, deleting, memory.desired());
        let rivalled = rivals.alias.is_some() || rivals.directory.is_some();
        let counts = is_unusable
            || no_consent
            || (registered
                && (rivalled || (hold.is_some() && !only_delays_a_start(s, hold.as_ref(), hold_delayed_until))));
        let goal = if counts && unheld_goal == Goal::Active {
            Goal::Inactive
        } else {
            unheld_goal
        };
        let plan = dataplane::build(s, &older_siblings(s, &memory));
        Self {
            s,
            link,
            status: link.status.clone().unwrap_or_default(),
            state,
            deleting,
            has_children,
            rivals,
            hold,
            no_consent,
            goal,
            unheld_goal,
            hold_delayed_until,
            target,
            plan,
            memory,
        }
    }

    pub(crate) fn uid(&self) -> &str {
        self.link.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The link itself cannot be read: the other hold that counts in every state.
    pub(crate) fn is_unusable(&self) -> bool {
        self.s.link.why_unusable().is_some()
    }

    /// Hash of the six fields that start an update, as the spec has them now.
    pub(crate) fn hash(&self) -> String {
        let namespace = self.link.metadata.namespace.as_deref().unwrap_or_default();
        programmed_hash(&self.link.spec, namespace)
    }

    /// The spec is the one that was programmed last.
    pub(crate) fn is_programmed(&self) -> bool {
        self.status.programmed_hash.as_ref() == Some(&self.hash())
    }

    /// `namespace/name`.
    pub(crate) fn name(&self) -> String {
        crate::action::name_of(self.link)
    }

    /// Name of the source's directory, if it is known (contract#operator-fields).
    pub(crate) fn directory(&self) -> Option<String> {
        let source = self.s.source.as_ref();
        known_directory_of(self.link, source.map(|source| source.uid.as_str()))
    }

    /// The source exists, is not being deleted, and its namespace accepts objects: lifecycle#terminating-source.
    pub(crate) fn source_usable(&self) -> bool {
        self.s.source.as_ref().is_some_and(|source| !source.terminating) && !self.s.namespace.terminating
    }

    /// The source exists and the alias and the directory are this link's.
    pub(crate) fn registrable(&self) -> bool {
        self.source_usable() && self.rivals.alias.is_none() && self.rivals.directory.is_none()
    }

    /// When the present state was entered, if the history has it.
    pub(crate) fn entered_at(&self) -> Option<Timestamp> {
        self.status
            .history
            .last()
            .filter(|entry| entry.state == self.state)
            .map(|entry| entry.at.0)
    }

    /// `spec.desiredState` is set, so the manifest decides and not the actions.
    pub(crate) fn managed_by_spec(&self) -> bool {
        self.link.spec.desired_state.is_some()
    }
}

/// A source that is being deleted still exists (lifecycle#terminating-source), pods of one that is gone may still run, and one
/// that the operator cannot read may exist: nothing is started then, but an active link stays active.
fn only_delays_a_start(s: &Snapshot, hold: Option<&Hold>, hold_delayed_until: Option<Timestamp>) -> bool {
    hold.is_some_and(|hold| match hold.reason {
        Reason::SourceNotFound => s.source.is_some() || hold_delayed_until.is_some(),
        Reason::KindNotSupported => scaled_kinds::is_unreadable(s, &s.link.object.spec.instance_ref),
        _ => false,
    })
}

/// The goal (contract#goal) without its third line, the holds.
fn unheld_goal(link: &InstanceLink, state: State, deleting: bool, desired: Option<Desired>) -> Goal {
    if deleting {
        return Goal::Gone;
    }
    if matches!(state, State::Purging | State::Purged) {
        return Goal::Purged;
    }
    match (desired, link.spec.desired_state) {
        (Some(Desired::Purged), _) => Goal::Purged,
        (Some(Desired::Removed), _) => Goal::Removed,
        (_, Some(DesiredState::Inactive)) | (Some(Desired::Inactive), None) => Goal::Inactive,
        (_, Some(DesiredState::Active)) | (Some(Desired::Active) | None, None) => Goal::Active,
    }
}

/// The hold of a link that cannot be read (contract#unusable-objects). Its status can be written again, so it does not
/// matter.
fn unusable_hold(s: &Snapshot) -> Option<Hold> {
    let why = s.link.why_unusable()?;
    let name = crate::action::name_of(&s.link.object);
    let (namespace, name) = name.split_once('/').unwrap_or(("", &name));
    Some(Hold {
        reason: Reason::Unusable,
        message: format!(
            "{why}, so the operator does not know what this link asks for, and the alias resolves to no address; {} \
             with kubectl -n {namespace} edit instancelinks.instancelink.dev {name}, or create the link again",
            why.next_step()
        ),
    })
}

/// The hold that counts in each state: the target's namespace has not consented.
fn consent_hold(target: &TargetVerdict<'_>) -> Option<Hold> {
    match target {
        TargetVerdict::NotPermitted { message } => Some(Hold {
            reason: Reason::RefNotPermitted,
            message: message.clone(),
        }),
        _ => None,
    }
}

/// The holds of a registered link. A link that is not registered waits for the same: its source, its alias, its directory.
fn claim_hold(
    s: &Snapshot,
    link: &InstanceLink,
    rivals: &Rivals,
    hold_delayed_until: Option<Timestamp>,
) -> Option<Hold> {
    let source = &link.spec.instance_ref;
    let refusal = || scaled_kinds::refusal(s, "instanceRef", source.api_version(), &source.kind);
    if s.source.is_none()
        && let Some(message) = refusal()
    {
        return Some(Hold {
            reason: Reason::KindNotSupported,
            message,
        });
    }
    let not_found = |what: &str| Hold {
        reason: Reason::SourceNotFound,
        message: format!("source {} {} {what}", source.kind, source.name),
    };
    if let Some(why) = s.unusable.source.as_ref().filter(|_| s.source.is_none()) {
        let message = format!(
            "source {} {} exists, but {why}; {}, or delete this link",
            source.kind,
            source.name,
            why.next_step()
        );
        let reason = Reason::Unusable;
        return Some(Hold { reason, message });
    }
    let Some(found) = &s.source else {
        if hold_delayed_until.is_some() {
            return Some(not_found(&delayed_hold::message(s)));
        }
        return Some(not_found("does not exist; create it, or delete this link"));
    };
    let namespace = link.metadata.namespace.as_deref().unwrap_or_default();
    if let Some(other) = &rivals.alias {
        let message = format!(
            "link {other} already has the alias {} of {} {}; delete that link (kubectl -n {namespace} delete il {other}), or \
             create this one with another linkName",
            link.spec.link_name, source.kind, source.name
        );
        return Some(Hold {
            reason: Reason::AliasConflict,
            message,
        });
    }
    if let Some(other) = &rivals.directory {
        return Some(Hold {
            reason: Reason::DirectoryConflict,
            message: format!(
                "link {other} already has the directory Service for another instance with the name {}; delete that link \
                 (kubectl -n {namespace} delete il {other}), or rename one of the instances",
                source.name
            ),
        });
    }
    found
        .terminating
        .then(|| not_found("is being deleted; the link waits until it exists again"))
}

/// Hash of the six fields that start an update, with their defaults filled in: writing a default into the spec is no
/// update.
fn programmed_hash(spec: &InstanceLinkSpec, namespace: &str) -> String {
    let ports: Option<Vec<_>> = spec.ports.as_ref().map(|ports| {
        ports
            .iter()
            .map(|p| {
                json!([
                    p.name,
                    p.port,
                    p.target_port,
                    p.protocol.map_or(Protocol::Tcp.as_str(), Protocol::as_str)
                ])
            })
            .collect()
    });
    let fields = json!([
        spec.target_instance_ref.as_ref().map(|t| t.normalized(namespace)),
        ports,
        spec.addressing,
        spec.publish_not_ready_addresses,
        spec.network_policy,
        spec.environment(),
        spec.outputs.as_ref().and_then(|o| o.binding.as_ref()),
    ]);
    hash::hex(&fields.to_string(), 12)
}
