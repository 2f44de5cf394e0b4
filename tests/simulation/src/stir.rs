//! What the operator looked at last it keeps parsed, about a thousand objects. One link that changes more often than that
//! takes their places, so that what is kept is the same whatever happened before.

use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::store::Key;
use serde_json::json;
use tokio::time::sleep;

use crate::script::merge;

/// Together a few hundred more than the objects that are kept parsed.
const PORTIONS: u32 = 16;
const PORTION: u32 = 100;

/// Labels this link again and again. A portion at a time: what changed before a watch begins anew is told as one change.
pub async fn stir(api: &Api, link: &Key) {
    for portion in 0..PORTIONS {
        for n in 0..PORTION {
            let patch = json!({"metadata": {"labels": {"stirred": format!("{portion:02}-{n:02}")}}});
            merge(api, link, None, &patch, "kubectl-label");
        }
        sleep(Duration::from_secs(5)).await;
    }
}
