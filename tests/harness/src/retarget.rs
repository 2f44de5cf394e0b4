//! A link that leads to one target after another, while a client uses it.

use std::time::Duration;

use instancelink_api::State::{Active, UpdatingActive};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{Link, Try, Watch};

/// How long the link leads to a target, at least.
const TURN: Duration = Duration::from_secs(2);
/// Requests in this time.
const REQUESTS: u32 = 100;

impl Link {
    /// Leads to each of these targets in turn, while a new client polls the alias `db` of `web`. No request fails. Returns the
    /// requests.
    pub async fn loses_nothing_when_retargeted(&self, watch: &mut Watch, targets: &[Value]) -> Vec<Try> {
        let client = self.namespace.client_pod("client").await;
        let url = format!("http://db.web-links.{}.svc:8080/", self.namespace.name);
        client.fetches(&url, "").await;
        // Two turns more: the last changes take some time, too.
        let turns = u32::try_from(targets.len()).expect("a few") + 2;
        let poll = client.poll(&url, TURN / REQUESTS, turns * REQUESTS);
        for target in targets {
            sleep(TURN).await;
            self.edit(json!({ "targetInstanceRef": target })).await;
            watch.walks([UpdatingActive, Active]).await;
        }
        poll.loses_nothing().await
    }
}
