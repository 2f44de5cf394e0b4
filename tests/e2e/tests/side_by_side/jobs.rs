//! Jobs and CronJobs as sources: batch work reaches its database.
//!
//! Rules: contract#jobs, contract#delayed-hold.

use std::time::Duration;

use harness::{
    Namespace, Resolver, SHORT, eventually, gated, in_namespace, job, link, serving_deployment, slow_to_end,
};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Requested};
use instancelink_api::keys;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::{Value, json};

const JOB_ENDS: Duration = Duration::from_mins(2);

async fn is_complete(ns: &Namespace, name: &str) {
    eventually(&format!("Job {name} is complete"), JOB_ENDS, async || {
        let job = ns.api::<Job>().get(name).await.map_err(|e| e.to_string())?;
        let conditions = job.status.unwrap_or_default().conditions.unwrap_or_default();
        let is_complete = conditions.iter().any(|c| c.type_ == "Complete" && c.status == "True");
        is_complete.then_some(()).ok_or_else(|| format!("{conditions:?}"))
    })
    .await;
}

/// A CronJob that starts no Job by itself.
fn cron_job(name: &str, of: &Value) -> Value {
    let spec = json!({ "template": of["spec"]["template"] });
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": name },
        "spec": { "schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": { "spec": spec } },
    })
}

/// A Job as the controller of a CronJob creates it.
async fn create_job_of(ns: &Namespace, cron_job: &str, mut job: Value) {
    let owner = ns.object("batch/v1", "CronJob", cron_job).get().await;
    job["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job, "uid": owner.metadata.uid, "controller": true,
    }]);
    ns.create_object(&job).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_job_reaches_its_database_and_its_link_stays_active_after_it_has_finished() {
    in_namespace(async |ns| {
        ns.create_object(&serving_deployment("pg", "pg")).await;
        ns.ready_addresses("pg", 1).await;
        let il = ns.link(link("import-db", "db", "Job/import", "Deployment/pg")).await;
        let url = format!("http://db.import-links.{}.svc:8080/", ns.name);
        let import = ns.create_object(&job("import", &["get", &url])).await;
        il.reaches(Active).await;
        is_complete(ns, "import").await;
        il.stays(Active).await;
        let status = il.status().await;
        assert_eq!(status.instance_id, import.get().await.metadata.uid);
        let is = |kind: &str, value: &str| status.conditions.iter().any(|c| c.type_ == kind && c.status == value);
        assert!(is("Ready", "True") && is("Available", "True"), "{status:?}");
        assert!(!is("Reconciling", "True") && !is("Stalled", "True"), "{status:?}");
        import.delete().await;
        il.reaches(Inactive).await;
        il.condition("ResolvedRefs", "False", "SourceNotFound").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_job_that_exists_before_its_link_has_failed_and_is_tried_again_reaches_its_database() {
    in_namespace(async |ns| {
        ns.create_object(&serving_deployment("pg", "pg")).await;
        ns.ready_addresses("pg", 1).await;
        let url = format!("http://db.import-links.{}.svc:8080/", ns.name);
        ns.create_object(&job("import", &["get", &url])).await;
        eventually("the pod has failed", SHORT, async || {
            let pods = ns.pods_of("import").await;
            let failed = pods.iter().filter_map(|pod: &Pod| pod.status.as_ref());
            let containers = failed.flat_map(|status| status.container_statuses.iter().flatten());
            let restarts: i32 = containers.map(|container| container.restart_count).sum();
            (restarts > 0).then_some(()).ok_or_else(|| format!("{pods:?}"))
        })
        .await;
        let il = ns.link(link("import-db", "db", "Job/import", "Deployment/pg")).await;
        il.reaches(Active).await;
        is_complete(ns, "import").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_cron_job_has_the_pods_of_its_jobs() {
    in_namespace(async |ns| {
        ns.allow_readiness_gates().await;
        ns.fixed_service("pg").await;
        let of = gated(job("nightly", &["serve", "--port", "8080", "--text", "x"]), "db");
        ns.create_object(&cron_job("nightly", &of)).await;
        let il = ns.link(link("nightly-db", "db", "CronJob/nightly", "Service/pg")).await;
        il.reaches(Active).await;
        let directory = ns.object("v1", "Service", "nightly-links").get().await;
        let source = directory.metadata.annotations.unwrap_or_default();
        assert_eq!(source[keys::SOURCE], "CronJob/nightly");
        for run in ["nightly-1", "nightly-2"] {
            let mut one = of.clone();
            one["metadata"]["name"] = run.into();
            one["spec"]["template"]["metadata"]["labels"]["app"] = run.into();
            create_job_of(ns, "nightly", one).await;
            eventually(
                &format!("the gate of {run} is open"),
                Duration::from_mins(1),
                async || {
                    let pods = ns.pods_of(run).await;
                    let status = pods.first().and_then(|pod| pod.status.clone()).unwrap_or_default();
                    let conditions = status.conditions.unwrap_or_default();
                    let gate = conditions.iter().find(|c| c.type_ == "instancelink.dev/db");
                    match gate {
                        Some(gate) if gate.status == "True" => Ok(()),
                        other => Err(format!("{other:?}")),
                    }
                },
            )
            .await;
        }
        il.stays(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_of_a_deleted_cron_job_uses_the_alias_until_it_has_ended() {
    in_namespace(async |ns| {
        ns.create_object(&serving_deployment("pg", "pg")).await;
        ns.ready_addresses("pg", 1).await;
        let run = slow_to_end(job("nightly-1", &["serve", "--port", "8080", "--text", "x"]), 10);
        let nightly = ns.create_object(&cron_job("nightly", &run)).await;
        let manifest = link("nightly-db", "db", "CronJob/nightly", "Deployment/pg");
        let (il, mut watch) = ns.watched_link(manifest).await;
        watch.walks([Requested, Activating, Active]).await;
        create_job_of(ns, "nightly", run).await;
        ns.ready_addresses("nightly-1", 1).await;
        let pod = ns.pods_of("nightly-1").await.remove(0).name_any();
        let client = ns.client_in(Resolver::Musl, &pod).await;
        let url = format!("http://db.nightly-links.{}.svc:8080/", ns.name);
        client.fetches(&url, "pg from").await;
        let poll = client.poll(&url, Duration::from_millis(50), 140);
        nightly.delete_with(&DeleteParams::background()).await;
        il.condition("HoldDelayed", "True", "PodsRemain").await;
        poll.loses_nothing().await;
        watch
            .walks_within([Deactivating, Inactive], Duration::from_secs(30))
            .await;
    })
    .await;
}
