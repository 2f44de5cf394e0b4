//! The consent of the target's namespace to the policies of a link.

use instancelink_api::condition::Reason;
use instancelink_api::grant::Permission;

use crate::refusal::Refusal;
use crate::resolve::consent::{is_permitted, manifest};
use crate::snapshot::Snapshot;

/// True if the target's namespace permits a policy of this link.
pub(crate) fn is_policy_permitted(s: &Snapshot) -> bool {
    not_consented(s).is_none()
}

/// The refusal if the target's namespace does not consent to a policy.
pub(super) fn not_consented(s: &Snapshot) -> Option<Refusal> {
    let spec = &s.link.object.spec;
    let reference = spec.target_instance_ref.as_ref()?;
    let namespace = reference.namespace.as_deref()?;
    let own = s.link.object.metadata.namespace.as_deref().unwrap_or_default();
    (!is_permitted(s, reference, Permission::NetworkPolicy)).then(|| Refusal {
        reason: Reason::Forbidden,
        message: manifest(spec, reference, namespace, own),
    })
}
