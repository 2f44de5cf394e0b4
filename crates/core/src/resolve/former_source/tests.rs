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
    assert!(!runs(&owned(Some(owner("apps/v1", "DaemonSet", "web-1", "set"))), None));
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

/// contract#delayed-hold
#[test]
fn a_pod_of_a_cron_job_is_known_by_its_job() {
    let cron_job = InstanceRef {
        kind: "CronJob".to_owned(),
        name: "nightly".to_owned(),
        ..source()
    };
    let of_job = |name: &str| owned(Some(owner("batch/v1", "Job", name, "job")));
    let runs = |pod: &Pod, grand_owner: Option<&Owner>| runs(&cron_job, pod, grand_owner);
    assert!(runs(&of_job("nightly-29384"), None), "the Job is gone, too");
    assert!(runs(&of_job("nightly-29384").terminating(), None));
    let owner_of = |name: &str| owner("batch/v1", "CronJob", name, "gone");
    assert!(runs(&of_job("by-hand"), Some(&owner_of("nightly"))));
    assert!(!runs(&of_job("nightly-29384"), Some(&owner_of("nightly-29384"))));
    assert!(!runs(&of_job("weekly-29384"), None));
    assert!(!runs(&of_job("nightly"), None));
    let set = owned(Some(owner("apps/v1", "ReplicaSet", "nightly-6d4c", "set")));
    assert!(!runs(&set, None), "a CronJob has no ReplicaSets");
    assert!(names(&of_job("nightly-29384"), None).contains(&"nightly".to_owned()));
}

#[test]
fn the_names_of_its_sources_are_found_from_a_pod() {
    let deployment = owner("apps/v1", "Deployment", "web", "gone");
    let set = Some(owner("apps/v1", "ReplicaSet", "web-6d4c", "set"));
    assert!(names(&owned(set.clone()), Some(&deployment)).contains(&"web".to_owned()));
    assert!(names(&owned(set), None).contains(&"web".to_owned()));
    assert!(names(&owned(None), None).contains(&"web".to_owned()));
}
