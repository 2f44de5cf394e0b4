//! What B has, and what it does at fixed times. Each deed has ten seconds until the next one: without A, everything is at
//! rest long before.

use instancelink_testkit::api::Api;
use serde_json::{Value, json};

use super::places::{A, B};
pub(super) use crate::script::Deed;
use crate::script::kinds::{DEPLOYMENTS, GRANTS, LINKS, POLICIES};
use crate::script::{edit, link};
use crate::seeds;

/// B's consent to A, and the times in which its policies may show: until the deletion is done.
pub(super) const GRANTED: [u64; 2] = [45, 80];

/// Workloads of both tenants; a policy that isolates B's target; A's consent to endpoints of its `api`, and nothing else.
pub(super) fn plant(api: &Api) {
    seeds::plant(api);
    seeds::workload(api, A, "api", &["10.0.1.21"]);
    seeds::workload(api, A, "hidden", &["10.0.1.31"]);
    seeds::workload(api, A, "web", &["10.0.1.41"]);
    let closed = |namespace: &str, app: &str| {
        json!({
            "metadata": {"name": "closed", "namespace": namespace},
            "spec": {"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Ingress"], "ingress": []},
        })
    };
    seeds::put(api, &POLICIES, closed(B, "pg"));
    let spec =
        json!({"from": [{"namespace": B}], "to": [{"kind": "Deployment", "name": "api"}], "allow": ["Endpoints"]});
    seeds::put(
        api,
        &GRANTS,
        json!({"metadata": {"name": "api", "namespace": A}, "spec": spec}),
    );
}

/// The times in seconds, with a name for what is seen before it, and the deeds.
pub(super) fn script() -> Vec<(u64, &'static str, Vec<Deed>)> {
    let there = |name: &str| {
        format!("{{networkPolicy: Allow, targetInstanceRef: {{kind: Deployment, name: {name}, namespace: {A}}}}}")
    };
    let own = "{addressing: VirtualIP, ports: [{name: pg, port: 5432}], networkPolicy: Allow}";
    vec![
        (
            5,
            "before the links",
            vec![
                link("db", "db", "pg", own),
                link("api", "api", "", &there("api")),
                link("none", "none", "", &there("hidden")),
            ],
        ),
        (15, "created", vec![edit("db", "{desiredState: Inactive}")]),
        (25, "cut", vec![edit("db", "{desiredState: Active}")]),
        (35, "restored", vec![edit("db", "{targetInstanceRef: {name: pg-2}}")]),
        (45, "retargeted", vec![consent()]),
        (55, "granted", vec![Deed::Ready("pg-2-1-0", "10.0.0.21", false)]),
        (65, "not ready", vec![Deed::Ready("pg-2-1-0", "10.0.0.21", true)]),
        (75, "ready", vec![Deed::Delete(&GRANTS, B, "guest")]),
        (
            85,
            "revoked",
            vec![
                Deed::Act("api", "deactivate/1"),
                edit("none", &format!("{{targetInstanceRef: {{name: pg, namespace: {B}}}}}")),
            ],
        ),
        (95, "acted", vec![Deed::Delete(&LINKS, B, "db")]),
        (
            105,
            "one deleted",
            vec![Deed::Delete(&LINKS, B, "api"), Deed::Delete(&DEPLOYMENTS, B, "pg-2")],
        ),
        (115, "two deleted", vec![Deed::Delete(&LINKS, B, "none")]),
    ]
}

/// B's consent to links of A to its Deployment `pg`.
fn consent() -> Deed {
    let spec: Value = json!({
        "from": [{"namespace": A}], "to": [{"kind": "Deployment", "name": "pg"}], "allow": ["Endpoints", "NetworkPolicy"],
    });
    Deed::Create(
        &GRANTS,
        json!({"metadata": {"name": "guest", "namespace": B}, "spec": spec}),
    )
}
