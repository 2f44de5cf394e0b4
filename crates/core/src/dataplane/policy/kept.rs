//! A policy that stays while its target is missing (contract#kept-endpoints). What the target selected, and on which ports its
//! pods listen, only the policy tells. All else of it is as the operator writes it.

use super::allow::End;
use super::object;
use crate::child::{ChildSpec, Policy, names};
use crate::dataplane::naming::Names;
use crate::snapshot::Snapshot;

/// The policy without what others changed in it, as far as that can be known.
pub(super) fn restored(s: &Snapshot, names: &Names<'_>, found: &ChildSpec<Policy>) -> ChildSpec<Policy> {
    let mut spec = found.body.spec();
    if names::is_egress(&found.name) {
        spec.policy_types = Some(vec!["Egress".to_owned()]);
        spec.ingress = None;
        // A rule without a peer lets the source out to everything.
        if let Some(rules) = &mut spec.egress {
            rules.retain(|rule| rule.to.as_ref().is_some_and(|peers| !peers.is_empty()));
        }
    } else {
        spec.policy_types = Some(vec!["Ingress".to_owned()]);
        spec.egress = None;
        if let Some(pods) = s.source.as_ref().and_then(|source| source.pods.to_api()) {
            let namespace = names.namespace;
            let peer = End { pods, namespace }.peer_in(&found.namespace);
            for rule in spec.ingress.iter_mut().flatten() {
                rule.from = Some(vec![peer.clone()]);
            }
        }
    }
    object(names, &found.namespace, found.name.clone(), &spec)
}
