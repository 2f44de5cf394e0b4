//! Children that others change after the operator has written them (lifecycle#disputes). A write that only repeats an earlier
//! one waits longer each time. A write that the link asks for newly, because its pods or its spec changed, does not wait.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use instancelink_api::condition::Reason;
use instancelink_api::{State, keys};

use super::naming::Names;
use super::writes::child_of;
use crate::alteration::Alteration;
use crate::child::{DesiredChild, Key, Kind, ObservedChild};
use crate::disputes::{Asked, Disputes, Wishes, Written};
use crate::effect::{Answer, Effect};
use crate::hash;
use crate::refusal::Refusal;
use crate::resolve::endpoints::endpoint_groups;
use crate::resolve::{TargetVerdict, target_of};
use crate::snapshot::{Referenced, Secrets, Snapshot};

/// Records the write of a child before its answer is folded into the snapshot. An answer that differs from what was sent must
/// not look like a write that is missing: the child is not written again in this pass.
pub fn record(s: &mut Snapshot, effect: &Effect, answer: &Answer, alteration: Option<Alteration>) {
    let Some(key) = child_of(effect) else { return };
    let (uid, left, altered) = match (effect, answer) {
        (Effect::Create { child } | Effect::Replace { child, .. }, Answer::Child(found)) => {
            let (uid, version) = found.version();
            (uid.to_owned(), Some(version.to_owned()), !is_as_sent(child, found))
        }
        (Effect::Delete { .. }, Answer::Child(found)) => (String::new(), Some(found.version().1.to_owned()), false),
        (Effect::Delete { .. }, Answer::ChildGone(_)) => (String::new(), None, false),
        (Effect::Replace { .. }, Answer::ChildGone(_)) => {
            // Others deleted it before.
            if let Some(written) = s.disputes.written.get_mut(&key) {
                written.unwatched = None;
            }
            return;
        }
        _ => return,
    };
    let asked = asked(s, key.kind);
    let before = s.disputes.written.get(&key).filter(|before| before.asked == asked);
    let edited = before.is_some_and(|before| is_edited(before, effect));
    let repeated = edited || before.is_some_and(|before| before.altered);
    let count = |before: Option<u32>, more: bool| before.unwrap_or_default().saturating_add(u32::from(more));
    let written = Written {
        asked,
        uid,
        left,
        altered,
        times: count(before.map(|before| before.times), repeated),
        edits: count(before.map(|before| before.edits), edited),
        deleted: if edited {
            matches!(effect, Effect::Create { .. })
        } else {
            before.is_some_and(|before| before.deleted)
        },
        alteration: alteration.or_else(|| before.and_then(|before| before.alteration.clone())),
        unwatched: match answer {
            Answer::Child(found) if !is_watched(found) => Some(Box::new(found.clone())),
            _ => None,
        },
        at: s.now,
    };
    // A deletion does not show what admission does to content.
    let is_over = !altered && !matches!(effect, Effect::Delete { .. }) && before.is_some_and(|before| before.altered);
    if altered {
        s.refusals.insert(key.clone(), refused(&key, &written));
    }
    s.disputes.remember(key, written);
    if is_over {
        s.disputes.hasten();
    }
}

/// At the start of a pass: the recent writes, and the objects of them that no watch shows.
pub fn recall(s: &mut Snapshot, written: BTreeMap<Key, Written>) {
    s.disputes = Disputes::recalled(written, s.now);
    let unwatched = s
        .disputes
        .written
        .values()
        .filter_map(|written| written.unwatched.as_deref());
    for child in unwatched {
        if s.children.find(&child.key()).is_none() {
            s.children.put(child.clone());
        }
    }
}

/// False for an object without the label by which its kind is watched.
fn is_watched(found: &ObservedChild) -> bool {
    match found.key().kind {
        Kind::Slice => found.label(keys::LINK_UID).is_some(),
        Kind::Environment => found.label(keys::SOURCE_UID).is_some(),
        Kind::Directory | Kind::VirtualIp | Kind::Policy | Kind::Binding => true,
    }
}

/// Of the writes that are repeated again and again, the one that waited longest, and all others: a link makes one such write
/// a minute, for whichever child.
pub(super) fn one_slow(s: &Snapshot, mut due: Vec<Effect>) -> Vec<Effect> {
    let slow = |effect: &Effect| {
        let key = child_of(effect)?;
        let written = s.disputes.written.get(&key)?;
        is_repeated_by(s, written, effect)
            .then_some((written.at, key))
            .filter(|_| written.is_slow())
    };
    let first = due.iter().filter_map(slow).min();
    due.retain(|effect| slow(effect).is_none_or(|one| Some(one) == first));
    due
}

/// True if a write only repeats the one before.
fn is_repeated_by(s: &Snapshot, written: &Written, effect: &Effect) -> bool {
    let is_disputed = written.altered || is_edited(written, effect);
    is_disputed && child_of(effect).is_some_and(|key| written.asked == asked(s, key.kind))
}

/// True if the answer to this write differs from what was sent.
pub fn is_altered(effect: &Effect, answer: &Answer) -> bool {
    match (effect, answer) {
        (Effect::Create { child } | Effect::Replace { child, .. }, Answer::Child(found)) => !is_as_sent(child, found),
        _ => false,
    }
}

/// True if this write is due because another client changed the child, and after it the child is disputed: who that is will be
/// asked for.
pub fn is_repeated(s: &Snapshot, effect: &Effect) -> bool {
    let written = child_of(effect).and_then(|key| s.disputes.written.get(&key));
    written.is_some_and(|written| {
        written.is_disputed_after_another_edit() && is_edited(written, effect) && is_repeated_by(s, written, effect)
    })
}

/// Why a write of a child is not due now: it was refused in this pass, or it repeats one that others undo.
pub(super) fn refusal(s: &Snapshot, effect: &Effect) -> Option<Refusal> {
    let key = child_of(effect)?;
    s.refusals.get(&key).cloned().or_else(|| held(s, &key, effect, true))
}

/// The same for the removal of a child, or of this link's part of it. What others do to the content does not hold a deletion.
pub(super) fn refusal_of_removal(s: &Snapshot, key: &Key, effect: &Effect) -> Option<Refusal> {
    let is_deletion = matches!(effect, Effect::Delete { .. });
    let refused = s.refusals.get(key);
    let refused = refused.filter(|refusal| !(is_deletion && refusal.reason == Reason::AlteredByOthers));
    refused.cloned().or_else(|| held(s, key, effect, !is_deletion))
}

/// True if the API server does not take the operator's content for this child, so that it has to be deleted.
pub(super) fn resists(s: &Snapshot, key: &Key) -> bool {
    let state = s.link.object.state();
    let is_altered = |written: &Written| written.altered && written.asked.state == state;
    s.disputes.unchangeable.contains_key(key) || s.disputes.written.get(key).is_some_and(is_altered)
}

/// The children that others change again and again while the link rests, although they are right at this moment.
pub(super) fn disputed(s: &Snapshot) -> Vec<Refusal> {
    if s.disputes.written.is_empty() || s.link.object.state() != State::Active {
        return Vec::new();
    }
    let is_calm = |written: &Written| written.calm_at().is_none_or(|at| at <= s.now);
    let written = s.disputes.written.iter().filter(|(_, written)| !is_calm(written));
    written
        .filter(|(key, written)| written.asked == asked(s, key.kind))
        .map(|(key, written)| refused(key, written))
        .collect()
}

fn held(s: &Snapshot, key: &Key, effect: &Effect, by_admission: bool) -> Option<Refusal> {
    let written = s.disputes.written.get(key)?;
    let is_disputed = is_edited(written, effect) || (by_admission && written.altered);
    let slow = s.disputes.next_slow().filter(|_| written.is_slow());
    let is_early = written.until().max(slow).is_some_and(|until| s.now < until);
    (is_disputed && is_early && written.asked == asked(s, key.kind)).then(|| refused(key, written))
}

fn refused(key: &Key, written: &Written) -> Refusal {
    if written.deleted && !written.altered {
        Refusal::deleted(key)
    } else {
        Refusal::altered(key, written.alteration.as_ref())
    }
}

/// True if the object that an effect is about is not as the last write left it.
fn is_edited(written: &Written, effect: &Effect) -> bool {
    let seen = match effect {
        Effect::Replace { resource_version, .. } | Effect::Delete { resource_version, .. } => Some(resource_version),
        _ => None,
    };
    written.left.as_ref() != seen
}

/// Kubernetes assigns the addresses of a virtual IP, all of them or the one of the second family: they are no alteration.
fn is_as_sent(sent: &DesiredChild, found: &ObservedChild) -> bool {
    if let (DesiredChild::VirtualIp(sent), ObservedChild::VirtualIp(found)) = (sent, found)
        && found.object.body.addresses.starts_with(&sent.body.addresses)
    {
        let mut sent = sent.clone();
        sent.body.addresses.clone_from(&found.object.body.addresses);
        return found.object.is_as(&sent);
    }
    sent.is_met_by(found)
}

/// What the link asks of a child of this kind.
fn asked(s: &Snapshot, kind: Kind) -> Asked {
    let wishes = s.disputes.wishes.get_or_init(|| wishes(s));
    let more = match kind {
        Kind::Directory | Kind::Environment | Kind::VirtualIp => 0,
        Kind::Slice => wishes.endpoints,
        Kind::Policy => wishes.policy,
        Kind::Binding => wishes.secret,
    };
    Asked {
        state: s.link.object.state(),
        wish: (wishes.all, more),
    }
}

/// What the link asks of its children. It does not depend on the children: others could make it different each time.
fn wishes(s: &Snapshot) -> Wishes {
    let mut all = serde_json::to_string(&s.link.object.spec).unwrap_or_default();
    all.push_str(Names::of(s).source_uid);
    let [mut endpoints, mut policy, mut secret] = [const { String::new() }; 3];
    if let Ok(found) = endpoint_groups(s) {
        let _ = write!(all, "{:?}", found.ports);
        let _ = write!(endpoints, "{found:?}");
        let desired = super::policy::desired(s, &Names::of(s), &found);
        let _ = match (&desired, target_of(s)) {
            // The content of a policy that stays without its target is in part that of the one that exists.
            (Ok(kept), TargetVerdict::Missing { .. }) => {
                write!(policy, "{} {}", kept.ingress.is_some(), kept.egress.is_some())
            }
            _ => write!(policy, "{desired:?}"),
        };
    }
    if let Secrets::Known {
        referenced: Some(Referenced::Entries(entries)),
    } = &s.secrets
    {
        for (key, value) in entries {
            let _ = write!(secret, "{key}={}", hash::of_bytes(value.reveal()));
        }
    }
    let [all, endpoints, policy, secret] = [all, endpoints, policy, secret].map(|text| hash::bits52(&text));
    Wishes {
        all,
        endpoints,
        policy,
        secret,
    }
}

#[cfg(test)]
mod tests;
