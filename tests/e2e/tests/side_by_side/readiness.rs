//! Pods that are ready only while their link is active and has ready endpoints.
//!
//! Rule: contract#readiness-gates.

use std::time::Duration;

use harness::{
    Hold, Namespace, SHORT, eventually, gated, in_namespace, link, never, serving_deployment, serving_pod, serving_set,
};
use instancelink_api::State::{Active, Inactive};
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use kube::ResourceExt as _;

const GATE: &str = "instancelink.dev/db";

fn condition(pod: &Pod, kind: &str) -> Option<PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|c| c.type_ == kind).cloned()
}

/// Waits until the gate of the only pod of `app` has this status and reason, and the pod is ready accordingly.
async fn gate_is(ns: &Namespace, app: &str, status: &str, reason: &str) -> PodCondition {
    let what = format!("the gate of {app} is {status}, {reason}");
    eventually(&what, Duration::from_mins(1), async || {
        let pods = ns.pods_of(app).await;
        let gate = pods.first().and_then(|pod| condition(pod, GATE));
        let ready = pods.first().and_then(|pod| condition(pod, "Ready"));
        match (&gate, &ready) {
            (Some(gate), Some(ready))
                if gate.status == status && gate.reason.as_deref() == Some(reason) && ready.status == status =>
            {
                Ok(gate.clone())
            }
            _ => Err(format!("{gate:?}, {ready:?}")),
        }
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_is_ready_while_its_link_is_active_and_says_why_where_it_is_not() {
    in_namespace(async |ns| {
        ns.allow_readiness_gates().await;
        ns.fixed_service("pg").await;
        ns.create_object(&gated(serving_deployment("web", "web"), "db")).await;
        let missing = gate_is(ns, "web", "False", "LinkNotFound").await;
        let message = missing.message.unwrap();
        assert!(
            message.contains("instanceRef Deployment web and the linkName db"),
            "{message}"
        );
        ns.next_second().await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.reaches(Active).await;
        let open = gate_is(ns, "web", "True", "EndpointsReady").await;
        assert!(open.last_transition_time > missing.last_transition_time, "{open:?}");
        link.act("deactivate").await.is_accepted();
        link.reaches(Inactive).await;
        let parked = gate_is(ns, "web", "False", "NotActive").await;
        assert!(parked.message.unwrap().contains("link web-db is not active"));
        link.act("activate").await.is_accepted();
        gate_is(ns, "web", "True", "EndpointsReady").await;
        link.delete().await;
        link.is_gone().await;
        gate_is(ns, "web", "False", "LinkNotFound").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_without_a_ready_endpoint_keeps_the_pod_unready() {
    in_namespace(async |ns| {
        ns.allow_readiness_gates().await;
        ns.create_object(&serving_deployment("pg", "pg")).await;
        ns.ready_addresses("pg", 1).await;
        ns.create_object(&gated(serving_deployment("web", "web"), "db")).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Deployment/pg")).await;
        link.reaches(Active).await;
        gate_is(ns, "web", "True", "EndpointsReady").await;
        let pg = &ns.pods_of("pg").await[0];
        ns.set_ready(pg, false).await;
        gate_is(ns, "web", "False", "NoReadyEndpoints").await;
        ns.set_ready(pg, true).await;
        gate_is(ns, "web", "True", "EndpointsReady").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn pods_of_every_kind_of_source_are_served() {
    in_namespace(async |ns| {
        ns.allow_readiness_gates().await;
        ns.fixed_service("pg").await;
        for kind in ["StatefulSet", "DaemonSet", "ReplicaSet", "Pod"] {
            let name = kind.to_lowercase();
            let manifest = match kind {
                "Pod" => serving_pod(&name, &[("app", &name)], "x"),
                _ => serving_set(kind, &name, "x"),
            };
            ns.create_object(&gated(manifest, "db")).await;
            let source = format!("{kind}/{name}");
            ns.link(link(&format!("{name}-db"), "db", &source, "Service/pg")).await;
        }
        for app in ["statefulset", "daemonset", "replicaset", "pod"] {
            gate_is(ns, app, "True", "EndpointsReady").await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_gate_that_another_client_writes_is_written_back() {
    in_namespace(async |ns| {
        ns.allow_readiness_gates().await;
        ns.create_object(&gated(serving_deployment("web", "web"), "db")).await;
        gate_is(ns, "web", "False", "LinkNotFound").await;
        let pod = ns.pods_of("web").await[0].name_any();
        let forged =
            format!(r#"{{"status":{{"conditions":[{{"type":"{GATE}","status":"True","reason":"Forged"}}]}}}}"#);
        ns.kubectl(&["patch", "pod", &pod, "--subresource=status", "-p", &forged])
            .await
            .succeeds();
        gate_is(ns, "web", "False", "LinkNotFound").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_gate_that_a_policy_refuses_delays_no_other_pod_and_is_written_once_the_policy_is_gone() {
    in_namespace(async |ns| {
        ns.allow_readiness_gates().await;
        ns.fixed_service("pg").await;
        let hold = Hold::gates(ns, "stuck").await;
        for (app, link_name) in [("stuck", "stuck-db"), ("web", "web-db")] {
            ns.create_object(&gated(serving_deployment(app, app), "db")).await;
            let source = format!("Deployment/{app}");
            ns.link(link(link_name, "db", &source, "Service/pg"))
                .await
                .reaches(Active)
                .await;
        }
        gate_is(ns, "web", "True", "EndpointsReady").await;
        assert_eq!(condition(&ns.pods_of("stuck").await[0], GATE), None);
        hold.lift().await;
        gate_is(ns, "stuck", "True", "EndpointsReady").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_the_right_the_pod_stays_unready_with_one_event_and_its_link_works() {
    in_namespace(async |ns| {
        ns.fixed_service("pg").await;
        ns.create_object(&gated(serving_deployment("web", "web"), "db")).await;
        let link = ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        link.reaches(Active).await;
        let pod = eventually("the pod runs", Duration::from_mins(1), async || {
            let pod = ns.pods_of("web").await.into_iter().next().ok_or("none")?;
            match condition(&pod, "ContainersReady") {
                Some(c) if c.status == "True" => Ok(pod),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        let name = pod.name_any();
        let events = ns.events_about(&name, "Forbidden", 1).await;
        let note = events[0].note.clone().unwrap();
        ns.kubectl_with(&["apply", "--dry-run=server", "-f", "-"], &note)
            .await
            .succeeds();
        // This does not depend on the link.
        link.act("deactivate").await.is_accepted();
        link.reaches(Inactive).await;
        link.act("activate").await.is_accepted();
        link.reaches(Active).await;
        never("the pod is told nothing", Duration::from_secs(2), async || {
            let pod = &ns.pods_of("web").await[0];
            let (gate, ready) = (condition(pod, GATE), condition(pod, "Ready").unwrap());
            if gate.is_none() && ready.status == "False" && ready.reason.as_deref() == Some("ReadinessGatesNotReady") {
                Ok(())
            } else {
                Err(format!("{gate:?} {ready:?}"))
            }
        })
        .await;
        ns.events_about(&name, "Forbidden", 1).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn other_gates_and_pods_without_any_are_left_alone() {
    in_namespace(async |ns| {
        ns.allow_readiness_gates().await;
        ns.fixed_service("pg").await;
        let mut web = gated(serving_deployment("web", "web"), "db");
        let gates = web["spec"]["template"]["spec"]["readinessGates"]
            .as_array_mut()
            .unwrap();
        gates.push(serde_json::json!({ "conditionType": "example.com/other" }));
        ns.create_object(&web).await;
        ns.create_object(&serving_deployment("plain", "plain")).await;
        ns.link(link("web-db", "db", "Deployment/web", "Service/pg")).await;
        ns.link(link("plain-db", "db", "Deployment/plain", "Service/pg")).await;
        eventually("the gate of ours is open", SHORT, async || {
            let pod = ns.pods_of("web").await.into_iter().next().ok_or("none")?;
            match condition(&pod, GATE) {
                Some(c) if c.status == "True" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        ns.ready_addresses("plain", 1).await;
        let web = &ns.pods_of("web").await[0];
        assert_eq!(condition(web, "example.com/other"), None);
        assert_ne!(condition(web, "Ready").unwrap().status, "True");
        assert_eq!(condition(&ns.pods_of("plain").await[0], GATE), None);
    })
    .await;
}
