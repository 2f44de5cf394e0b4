//! A group of writes that `step` decided on, and the promises that this group alone breaks.

use instancelink_api::State;
use instancelink_core::child::{Children, DesiredChild, Key, Kind, Slice};
use instancelink_core::effect::Effect;
use instancelink_core::fixture;

use crate::entries::Link;
use crate::object::Object;
use crate::promise::{Broken, Promise};
use crate::slots::{ELSEWHERE, lives_named_in, slot_of};

/// Writes that are sent together.
#[derive(Debug)]
pub(crate) struct Group {
    /// The link whose pass sent them; none for a sweep.
    pub(crate) link: Option<usize>,
    pub(crate) writes: Vec<Effect>,
    pub(crate) objects: Vec<Object>,
}

impl Group {
    /// Events are left out: they write no object of the model.
    pub(crate) fn of(link: Option<usize>, effects: Vec<Effect>) -> Self {
        let writes: Vec<Effect> = effects
            .into_iter()
            .filter(|e| !matches!(e, Effect::Publish(_)))
            .collect();
        let objects = writes.iter().map(|write| object_of(link, write)).collect();
        Self { link, writes, objects }
    }
}

fn object_of(link: Option<usize>, write: &Effect) -> Object {
    let child = |key: &Key| Object::Child(slot_of(key) as u8);
    match write {
        Effect::Create { child: desired } | Effect::Replace { child: desired, .. } => child(&desired.key()),
        Effect::Delete { key, .. } => child(key),
        _ => Object::Link(link.unwrap() as u8),
    }
}

/// The promises that the group breaks, whether or not its writes arrive.
pub(crate) fn broken_by(children: &Children, link: &Link, own: u8, granted: bool, effects: &[Effect]) -> Broken {
    let mut broken = Broken::default();
    for effect in effects {
        let desired = match effect {
            Effect::Create { child } | Effect::Replace { child, .. } => Some(child),
            _ => None,
        };
        let creates = matches!(effect, Effect::Create { .. });
        broken = broken
            .and(Broken::unless(!(creates && link.deleting), Promise::Deletion))
            .and(Broken::unless(
                has_preconditions(children, effect),
                Promise::Preconditions,
            ));
        let Some(desired) = desired else { continue };
        let purged = matches!(link.state, State::Purging | State::Purged);
        broken = broken
            .and(Broken::unless(!(purged && is_of(desired, own)), Promise::Purged))
            .and(Broken::unless(granted || !leads_elsewhere(desired), Promise::Consent))
            .and(Broken::unless(has_only_target_pods(desired), Promise::Content));
    }
    broken
}

fn has_preconditions(children: &Children, effect: &Effect) -> bool {
    let (key, named) = match effect {
        Effect::Replace {
            child,
            uid,
            resource_version,
            ..
        } => (child.key(), (uid, resource_version)),
        Effect::Delete {
            key,
            uid,
            resource_version,
        } => (key.clone(), (uid, resource_version)),
        _ => return true,
    };
    children
        .find(&key)
        .is_some_and(|found| found.version() == (named.0.as_str(), named.1.as_str()))
}

fn is_of(desired: &DesiredChild, life: u8) -> bool {
    match desired {
        DesiredChild::Directory(_) => false,
        DesiredChild::Environment(object) => {
            let entries = object.annotations.get(instancelink_api::keys::ENTRIES);
            entries.is_some_and(|entries| lives_named_in(entries) & life != 0)
        }
        DesiredChild::Slice(_) | DesiredChild::Policy(_) | DesiredChild::Binding(_) | DesiredChild::VirtualIp(_) => {
            true
        }
    }
}

fn endpoints(desired: &DesiredChild) -> &[instancelink_core::child::Endpoint] {
    match desired {
        DesiredChild::Slice(object) => {
            let slice: &Slice = &object.body;
            &slice.endpoints
        }
        _ => &[],
    }
}

fn leads_elsewhere(desired: &DesiredChild) -> bool {
    let policy = desired.key().kind == Kind::Policy && desired.key().namespace == ELSEWHERE;
    policy
        || endpoints(desired).iter().any(|endpoint| {
            endpoint
                .target
                .as_ref()
                .is_some_and(|target| target.namespace == ELSEWHERE)
        })
}

/// Every endpoint is a pod of the target with its own address (lifecycle#only-target-pods).
fn has_only_target_pods(desired: &DesiredChild) -> bool {
    endpoints(desired).iter().all(|endpoint| {
        let namespace = endpoint.target.as_ref().map(|target| target.namespace.as_str());
        let address = endpoint.address.to_string();
        [(fixture::NAMESPACE, "10.0.0.10"), (ELSEWHERE, "10.0.1.10")].contains(&(namespace.unwrap_or(""), &address))
    })
}
