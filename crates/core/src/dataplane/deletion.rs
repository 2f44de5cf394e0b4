//! Why a child of a link at rest is deleted. In a transition the state says it.

use instancelink_api::State;

use super::binding::DesiredBinding;
use super::naming::Names;
use super::ownership::{Ownership, ownership_of};
use super::plan::Plan;
use super::policy;
use crate::child::{Key, Kind};
use crate::snapshot::Snapshot;

/// Why this child is deleted, in words that follow "the operator deleted …:". `plan` is none where no plan can be built.
pub fn why_deleted(s: &Snapshot, plan: Option<&Plan<'_>>, child: &Key) -> String {
    let state = s.link.object.state();
    if state != State::Active {
        return format!("a link in the state {state} has no such object");
    }
    if child.kind == Kind::Slice && lost_directory(s) {
        let names = Names::of(s);
        return format!(
            "Service {}/{} is not the operator's, and the endpoints would answer under its name",
            names.namespace, names.directory
        );
    }
    if plan.is_some_and(|plan| desires(plan, child)) {
        return "a field was changed that cannot be changed back; the operator creates the object again".to_owned();
    }
    let unconsented = policy::unconsented(s).find(|found| child.kind == Kind::Policy && found.object.is(child));
    if let Some(found) = unconsented {
        return format!("namespace {} does not consent to policies", policy::leads_to(found));
    }
    "the link does not need it any more".to_owned()
}

fn lost_directory(s: &Snapshot) -> bool {
    let names = Names::of(s);
    match ownership_of(s, &s.children.directories, names.namespace, &names.directory) {
        Ownership::OtherSource | Ownership::Foreign => true,
        Ownership::Free | Ownership::Own(_) => false,
    }
}

fn desires(plan: &Plan<'_>, child: &Key) -> bool {
    match child.kind {
        Kind::Directory => plan.directory.is(child),
        Kind::Slice => plan.slices.iter().any(|slice| slice.is(child)),
        Kind::Environment => plan.environment.get().is_some_and(|desired| desired.is(child)),
        Kind::VirtualIp => plan.virtual_ip.as_ref().is_some_and(|desired| desired.is(child)),
        Kind::Policy => plan.policies().any(|desired| desired.is(child)),
        Kind::Binding => matches!(&plan.binding, DesiredBinding::Present(desired) if desired.is(child)),
    }
}
