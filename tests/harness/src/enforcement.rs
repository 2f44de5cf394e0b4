//! Whether the cluster enforces NetworkPolicies. Only packets show it: an API server also takes policies that nothing
//! enforces.

use std::time::Duration;

use serde_json::json;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use crate::not_counted::not_counted;
use crate::{Namespace, in_namespace, serving_pod};

/// Much longer than any network plugin takes to apply a policy.
const PLUGIN: Duration = Duration::from_secs(10);

/// True if the cluster enforces NetworkPolicies. If not, the tests of this group are not counted.
pub async fn enforces_policies(group: &str) -> bool {
    static ENFORCES: OnceCell<bool> = OnceCell::const_new();
    let enforces = *ENFORCES.get_or_init(probe).await;
    if !enforces {
        not_counted(group, "this cluster does not enforce NetworkPolicies");
    }
    enforces
}

async fn probe() -> bool {
    let mut enforces = false;
    in_namespace(async |ns| enforces = is_closed_by_a_policy(ns).await).await;
    enforces
}

/// Two pods serve, and a policy isolates one of them.
async fn is_closed_by_a_policy(ns: &Namespace) -> bool {
    ns.create_object(&json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "closed" },
        "spec": { "podSelector": { "matchLabels": { "app": "closed" } }, "policyTypes": ["Ingress"] },
    }))
    .await;
    for name in ["open", "closed"] {
        ns.create_object(&serving_pod(name, &[("app", name)], name)).await;
    }
    let client = ns.client_pod("client").await;
    let open = ns.urls_of("open", 8080).await.remove(0);
    client.fetches(&open, "open").await;
    let closed = ns.urls_of("closed", 8080).await.remove(0);
    let started = Instant::now();
    while started.elapsed() < PLUGIN {
        if !client.is_answered(&closed).await {
            return true;
        }
        sleep(Duration::from_millis(200)).await;
    }
    false
}
