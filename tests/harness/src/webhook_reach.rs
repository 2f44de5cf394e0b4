//! Whether the API server can connect to the webhooks of tests. One in a container, as in a kind cluster, cannot.

use tokio::sync::OnceCell;

use crate::not_counted::not_counted;
use crate::{Verdict, Webhook, in_namespace};

/// True if the API server can connect to this machine. If not, the tests of this group are not counted.
pub async fn reaches_webhooks(group: &str) -> bool {
    static REACHES: OnceCell<bool> = OnceCell::const_new();
    let reaches = *REACHES.get_or_init(probe).await;
    if !reaches {
        not_counted(group, "the API server of this cluster cannot connect to this machine");
    }
    reaches
}

async fn probe() -> bool {
    let mut reaches = false;
    in_namespace(async |ns| {
        let webhook = Webhook::validating(ns, &["configmaps"], |_| Verdict::Allow).await;
        reaches = webhook.was_reached();
        webhook.lift().await;
    })
    .await;
    reaches
}
