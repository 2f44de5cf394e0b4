//! The operator keeps the last thousand objects that it read uncompressed. One link that changes more often than that
//! replaces them, so that the uncompressed objects do not depend on the history.

use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::store::Key;
use serde_json::json;
use tokio::time::sleep;

use crate::script::merge;

/// In total a few hundred more than the uncompressed objects.
const PORTIONS: u32 = 16;
const PORTION: u32 = 100;

/// Changes a label of this link repeatedly, in portions: changes before a watch restarts arrive as one change.
pub async fn stir(api: &Api, link: &Key) {
    for portion in 0..PORTIONS {
        for n in 0..PORTION {
            let patch = json!({"metadata": {"labels": {"stirred": format!("{portion:02}-{n:02}")}}});
            merge(api, link, None, &patch, "kubectl-label");
        }
        sleep(Duration::from_secs(5)).await;
    }
}
