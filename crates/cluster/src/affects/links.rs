//! Links: a change concerns the link itself, the links that compete with it, and pods that wait for it.

use instancelink_api::condition::types;
use instancelink_api::spec::NetworkPolicyMode;
use instancelink_api::{Addressing, InstanceLink, InstanceLinkSpec, InstanceLinkStatus, InstanceRef, keys};
use instancelink_core::bounded_link::bound;
use instancelink_core::dataplane::counts;
use kube::core::ObjectMeta;

use super::{Watched, Who};
use crate::affected::{Affected, Cause, GoneLink};
use crate::index::Index;
use crate::index::link_keys::{scaled_kinds, source_key};
use crate::index::links::CachedLink;
use crate::store::fields::Fields;
use crate::store::lenient::Salvage;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Item as _, Table};

/// The watch of links.
pub struct Links;

/// A link that cannot be read keeps each field that can be read, so that its children and its claim are found and cleaned up.
impl Salvage for InstanceLink {
    fn salvage(metadata: ObjectMeta, fields: &Fields<'_>) -> Self {
        let status = || fields.fields("status").over(InstanceLinkStatus::default());
        Self {
            metadata,
            spec: fields.fields("spec").over(unknown_spec()),
            status: fields.has("status").then(status),
        }
    }

    fn trim(&mut self) {
        bound(self);
    }
}

/// The spec of a link of which nothing is known: it asks for nothing, and nothing of it ends by itself.
const fn unknown_spec() -> InstanceLinkSpec {
    InstanceLinkSpec {
        name: None,
        description: None,
        link_name: String::new(),
        instance_ref: InstanceRef {
            api_version: None,
            kind: String::new(),
            name: String::new(),
        },
        target_instance_ref: None,
        desired_state: None,
        ports: None,
        addressing: Addressing::Auto,
        publish_not_ready_addresses: false,
        activation: None,
        deactivation: None,
        network_policy: NetworkPolicyMode::None,
        outputs: None,
        infrastructure: None,
        ttl_seconds_after_removed: None,
        ttl_seconds_after_purged: i64::MAX,
    }
}

impl Watched for Links {
    type Raw = Stripped<InstanceLink>;
    type Item = CachedLink;
    const KIND: &'static str = keys::KIND;

    fn reduce(raw: Stripped<InstanceLink>) -> CachedLink {
        CachedLink::of(raw)
    }

    fn table(index: &mut Index) -> &mut Table<CachedLink> {
        &mut index.links.table
    }

    fn reindex(index: &mut Index, change: &Change<CachedLink>) {
        index.links.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<CachedLink>, who: Who) -> Affected {
        let mut affected = Affected::default();
        let (was, is) = (change.old.as_deref(), change.new.as_deref());
        let (before, after) = (was.map(CachedLink::peek), is.map(CachedLink::peek));
        let (old, new) = (before.as_deref(), after.as_deref());
        if who == Who::Others {
            affected.add(&change.name, Cause::Change);
        }
        if let (Some(was), Some(old)) = (was, old)
            && is.is_none_or(|is| is.uid != was.uid)
        {
            affected.gone.push(GoneLink {
                name: change.name.clone(),
                uid: was.uid().to_owned(),
                source: source_key(old),
            });
        }
        // After our own writes too: nothing else wakes those that wait for this link.
        if answers_differ(old, new) {
            for link in [old, new].into_iter().flatten() {
                let pods = index.pods.waiting_for(&change.name.namespace, &link.spec.link_name);
                affected.gated.extend(pods.cloned());
            }
        }
        affected.kinds |= names_other_scaled(old, new);
        if claims_differ(old, new) {
            let (left, now) = (old.zip(was), new.zip(is));
            // A link that another one of its name replaced may have had another alias.
            let replaced = left.filter(|(_, was)| is.is_none_or(|is| is.uid != was.uid));
            for (link, cached) in replaced.into_iter().chain(now) {
                let rivals = index.links.rivals(&change.name, &source_key(link), cached);
                affected.extend(rivals, Cause::Change);
            }
        }
        if shared_differ(old, new) {
            // What it adds to the shared children comes with its own pass. What it leaves there, another link removes.
            let link = new.zip(is).or(old.zip(was));
            let other = link.and_then(|(link, cached)| index.links.another_up(&change.name, &source_key(link), cached));
            affected.extend(other, Cause::Change);
        }
        affected
    }
}

/// True if the change names, or no longer names, objects of kinds that are watched only because links name them.
fn names_other_scaled(old: Option<&InstanceLink>, new: Option<&InstanceLink>) -> bool {
    let refs = |link: Option<&InstanceLink>| {
        let link = link.filter(|link| !scaled_kinds(link).is_empty())?;
        let spec = &link.spec;
        Some((spec.instance_ref.clone(), spec.target_instance_ref.clone()))
    };
    refs(old) != refs(new)
}

/// True if the change may free or take something that other links of the source wait for.
fn claims_differ(old: Option<&InstanceLink>, new: Option<&InstanceLink>) -> bool {
    let (Some(old), Some(new)) = (old, new) else {
        return true;
    };
    let intent = |link: &InstanceLink| {
        let annotations = link.metadata.annotations.as_ref();
        annotations.and_then(|a| a.get(keys::INTENT)).cloned()
    };
    old.metadata.uid != new.metadata.uid
        || old.metadata.generation != new.metadata.generation
        || old.metadata.deletion_timestamp != new.metadata.deletion_timestamp
        || old.metadata.finalizers != new.metadata.finalizers
        || old.status.as_ref().map(|s| s.state) != new.status.as_ref().map(|s| s.state)
        || intent(old) != intent(new)
}

/// True if the labels and annotations change that the link adds to the children of its source.
fn shared_differ(old: Option<&InstanceLink>, new: Option<&InstanceLink>) -> bool {
    let added = |link: Option<&InstanceLink>| {
        let link = link.filter(|link| counts(link.state()))?;
        link.spec.infrastructure.clone()
    };
    added(old) != added(new)
}

/// True if the readiness gates of this link's alias may get another answer.
fn answers_differ(old: Option<&InstanceLink>, new: Option<&InstanceLink>) -> bool {
    let (Some(old), Some(new)) = (old, new) else {
        return true;
    };
    let answer = |link: &InstanceLink| {
        let status = link.status.as_ref()?;
        let available = status.conditions.iter().find(|c| c.type_ == types::AVAILABLE);
        let available = available.map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()));
        Some((status.state, status.instance_id.clone(), available))
    };
    old.metadata.uid != new.metadata.uid || answer(old) != answer(new)
}
