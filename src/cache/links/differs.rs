//! What a change of a link means for others: compared is what they wait for, and nothing else.

use instancelink_api::condition::types;
use instancelink_api::{InstanceLink, keys};

use super::scaled_kinds;

/// True where objects of kinds that are watched for links alone are named, or not any more.
pub(super) fn names_other_scaled(old: Option<&InstanceLink>, new: Option<&InstanceLink>) -> bool {
    let refs = |link: Option<&InstanceLink>| {
        let link = link.filter(|link| !scaled_kinds(link).is_empty())?;
        let spec = &link.spec;
        Some((spec.instance_ref.clone(), spec.target_instance_ref.clone()))
    };
    refs(old) != refs(new)
}

/// True where the change may free or take something that other links of the source wait for.
pub(super) fn claims_differ(old: Option<&InstanceLink>, new: Option<&InstanceLink>) -> bool {
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

/// True where the readiness gates of this link's alias may be answered in another way.
pub(super) fn answers_differ(old: Option<&InstanceLink>, new: Option<&InstanceLink>) -> bool {
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
