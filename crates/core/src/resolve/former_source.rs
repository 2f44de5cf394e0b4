//! The pods of a source that is gone (contract#delayed-hold). Its selector is gone with it, so its name decides: that of the
//! owner, and for a pod without an owner that of the pod, which its former owner gave it.

use instancelink_api::reference::group_in;
use instancelink_api::{InstanceRef, State};

use crate::child::Owner;
use crate::snapshot::Pod;

/// True for the states in which a link stays active for such pods: it is up.
pub const fn may_wait_in(state: State) -> bool {
    matches!(state, State::Active | State::UpdatingActive)
}

/// True if the pod runs and was one of the source's. `grand_owner` is the controller of its ReplicaSet or StatefulSet, if it is
/// known. A pod of another workload with a longer name may count; then the hold begins later, within its limit.
pub fn runs(source: &InstanceRef, pod: &Pod, grand_owner: Option<&Owner>) -> bool {
    if pod.finished || source.kind == "Pod" {
        return false;
    }
    let is_source = |owner: &Owner| {
        owner.kind == source.kind
            && owner.name == source.name
            && group_in(&owner.api_version) == group_in(source.api_version())
    };
    match (&pod.controller, grand_owner) {
        (Some(owner), _) if is_source(owner) => true,
        (Some(_), Some(owner)) => is_source(owner),
        (Some(set), None) => {
            matches!(set.kind.as_str(), "ReplicaSet" | "StatefulSet") && is_named_after(&set.name, &source.name)
        }
        (None, _) => is_named_after(&pod.name, &source.name),
    }
}

/// The names that a source of this pod may have: those for which [`runs`] may be true.
pub fn names(pod: &Pod, grand_owner: Option<&Owner>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let owners = pod.controller.iter().chain(grand_owner);
    names.extend(owners.map(|owner| owner.name.clone()));
    if grand_owner.is_none() {
        let own = pod.controller.as_ref().map_or(pod.name.as_str(), |set| &set.name);
        let ends = own.match_indices('-').map(|(end, _)| end);
        names.extend(ends.filter_map(|end| own.get(..end)).map(str::to_owned));
    }
    names.dedup();
    names
}

/// True for a name that a workload gives what it creates.
fn is_named_after(name: &str, source: &str) -> bool {
    name.strip_prefix(source).is_some_and(|rest| rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, owner, pod};

    fn source() -> InstanceRef {
        fixture::link(fixture::SPEC).spec.instance_ref
    }

    fn owned(controller: Option<Owner>) -> Pod {
        Pod {
            controller,
            ..pod("web-6d4c-x7", "10.0.0.20")
        }
    }

    /// contract#delayed-hold
    #[test]
    fn a_pod_is_known_by_its_owner_or_by_the_name_that_its_owner_gave_it() {
        let deployment = |name: &str| owner("apps/v1", "Deployment", name, "gone");
        let set = |name: &str| Some(owner("apps/v1", "ReplicaSet", name, "set"));
        let runs = |pod: &Pod, grand_owner: Option<&Owner>| runs(&source(), pod, grand_owner);
        assert!(runs(&owned(set("web-6d4c")), Some(&deployment("web"))));
        assert!(
            runs(&owned(set("web-6d4c")), None),
            "the ReplicaSet is gone, or has no owner"
        );
        assert!(runs(&owned(Some(deployment("web"))), None));
        assert!(runs(&owned(None), None));
        assert!(runs(&owned(None).terminating(), None), "it runs until it is gone");
        assert!(!runs(&owned(set("web-6d4c")), Some(&deployment("web-api"))));
        assert!(!runs(&owned(set("api-6d4c")), None));
        assert!(!runs(&owned(Some(owner("batch/v1", "Job", "web-1", "job"))), None));
        assert!(!runs(
            &owned(Some(owner("apps/v1", "StatefulSet", "web", "set"))),
            Some(&deployment("other"))
        ));
        assert!(!runs(
            &Pod {
                finished: true,
                ..owned(None)
            },
            None
        ));
        assert!(!runs(&pod("pg-0", "10.0.0.10"), None));
        let alone = InstanceRef {
            kind: "Pod".to_owned(),
            ..source()
        };
        assert!(!super::runs(&alone, &owned(None), None), "a pod has no pods");
    }

    #[test]
    fn the_names_of_its_sources_are_found_from_a_pod() {
        let deployment = owner("apps/v1", "Deployment", "web", "gone");
        let set = Some(owner("apps/v1", "ReplicaSet", "web-6d4c", "set"));
        assert!(names(&owned(set.clone()), Some(&deployment)).contains(&"web".to_owned()));
        assert!(names(&owned(set), None).contains(&"web".to_owned()));
        assert!(names(&owned(None), None).contains(&"web".to_owned()));
    }
}
