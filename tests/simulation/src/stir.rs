//! What the operator looked at last it keeps parsed, about a thousand objects. One link that changes more often than that
//! takes their places, so that what is kept is the same whatever happened before.

use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::store::Key;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::api::{Api, merge};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Together a few hundred more than the objects that are kept parsed.
const PORTIONS: u32 = 16;
const PORTION: u32 = 100;

/// Labels this link again and again. A portion at a time: what changed before a watch begins anew is told as one change.
pub async fn stir(api: &Arc<Api>, link: &Key) {
    for portion in 0..PORTIONS {
        for n in 0..PORTION {
            let patch = json!({"metadata": {"labels": {"stirred": format!("{portion:02}-{n:02}")}}});
            api.change(|store, now| {
                let Some(old) = store.get(link) else { return };
                let mut new = Value::clone(old);
                merge(&mut new, &patch);
                let by = "kubectl-label";
                write::update(store, link, None, new, false, Writer { by, now }).unwrap();
            });
        }
        sleep(Duration::from_secs(5)).await;
    }
}
