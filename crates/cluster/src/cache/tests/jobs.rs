//! Jobs and CronJobs as sources: found like other workloads, and a CronJob has its pods through Jobs.

use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::Source;

use super::*;

/// A link of this source.
fn link_of(kind: &str, source: &str, version: u64) -> Value {
    with(
        link("a", "db", &to("Service", "pg"), version),
        "/spec/instanceRef",
        json!({"kind": kind, "name": source}),
    )
}

fn cron_job(labels: &Value, version: u64) -> Value {
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": []}});
    json!({"metadata": meta("nightly", version), "spec": {"jobTemplate": {"spec": {"template": template}}}})
}

fn job(version: u64, status: &Value) -> Value {
    let owner = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": "nightly-uid", "controller": true}]);
    let selector = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "nightly-1-uid"}});
    let job = json!({"metadata": meta("nightly-1", version), "spec": {"selector": selector}, "status": status});
    with(job, "/metadata/ownerReferences", owner)
}

fn source(world: &World) -> Option<Source> {
    let key = ObjectName::new("shop", "a");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let observe = |index: &_| crate::observe::observe(index, &key, now, "cluster.local", &[]);
    world.cache.read(observe).unwrap().source
}

/// contract#spec-instance-ref
#[test]
fn a_job_is_a_source_and_its_status_concerns_no_link() {
    let world = World::new();
    world.apply::<Links>(link_of("Job", "nightly-1", 1));
    assert_eq!(source(&world), None);
    world.heard();
    world.apply::<Jobs>(job(2, &json!({})));
    assert_eq!(world.heard(), names(["a"]));
    let found = source(&world).unwrap();
    assert_eq!(found.uid, "nightly-1-uid");
    assert!(!found.pods.is_empty());
    world.apply::<Jobs>(job(
        3,
        &json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
    ));
    assert_eq!(world.heard(), names([]));
    world.delete::<Jobs>(job(4, &json!({})));
    assert_eq!(world.heard(), names(["a"]));
}

/// contract#policy-needs-labels
#[test]
fn the_pods_of_a_cron_job_have_the_labels_of_its_template() {
    let world = World::new();
    world.apply::<Links>(link_of("CronJob", "nightly", 1));
    world.heard();
    world.apply::<CronJobs>(cron_job(&json!({"app": "nightly"}), 2));
    assert_eq!(world.heard(), names(["a"]));
    let labels = |app: &str| Selector::of_labels(&[("app".to_owned(), app.to_owned())].into());
    assert_eq!(source(&world).unwrap().pods, labels("nightly"));
    world.apply::<CronJobs>(cron_job(&json!({"app": "report"}), 3));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(source(&world).unwrap().pods, labels("report"));
    world.apply::<CronJobs>(cron_job(&Value::Null, 4));
    assert!(source(&world).unwrap().pods.to_api().is_none());
}

/// contract#readiness-gates
#[test]
fn a_job_that_is_seen_after_its_pod_wakes_it() {
    let world = World::new();
    let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "nightly-1", "uid": "nightly-1-uid", "controller": true}]);
    let pod = json!({"metadata": meta("nightly-1-x", 1), "spec": {"readinessGates": [{"conditionType": "instancelink.dev/db"}]}});
    world.apply::<Pods>(with(pod, "/metadata/ownerReferences", owner));
    world.gated();
    world.apply::<Jobs>(job(2, &json!({})));
    assert_eq!(world.gated(), names(["nightly-1-x"]));
    let grand_owner = world.cache.read(|index| {
        let pod = index.pods.table.get(&ObjectName::new("shop", "nightly-1-x")).unwrap();
        let job = index.workloads.set("shop", pod.controller.as_ref().unwrap());
        job.unwrap().controller.clone().unwrap().name
    });
    assert_eq!(grand_owner, "nightly");
}

/// contract#delayed-hold
#[test]
fn a_pod_of_a_deleted_cron_job_is_found_without_its_job_and_its_end_concerns_the_link() {
    let world = World::new();
    let active = with(link_of("CronJob", "nightly", 1), "/status", json!({"state": "active"}));
    world.apply::<Links>(active);
    world.apply::<CronJobs>(cron_job(&Value::Null, 2));
    world.apply::<Jobs>(job(3, &json!({})));
    let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "nightly-1", "uid": "nightly-1-uid", "controller": true}]);
    let run = |version| {
        let pod = json!({"metadata": meta("nightly-1-x", version), "spec": {}});
        with(pod, "/metadata/ownerReferences", owner.clone())
    };
    world.apply::<Pods>(run(4));
    let is_waited_for = || {
        let (key, now) = (ObjectName::new("shop", "a"), jiff::Timestamp::UNIX_EPOCH);
        let observe = |index: &_| crate::observe::observe(index, &key, now, "cluster.local", &[]);
        world.cache.read(observe).unwrap().pods_of_former_source
    };
    assert!(!is_waited_for(), "the source exists");
    world.delete::<CronJobs>(cron_job(&Value::Null, 5));
    assert!(is_waited_for());
    world.delete::<Jobs>(job(6, &json!({})));
    assert!(is_waited_for(), "the Job goes before its pods");
    world.heard();
    world.delete::<Pods>(run(7));
    assert_eq!(world.heard(), names(["a"]));
    assert!(!is_waited_for());
}
