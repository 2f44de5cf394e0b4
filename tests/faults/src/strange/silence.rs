//! Whether the operator read each strange object, or named it.

use std::time::{Duration, Instant};

use harness::link;
use serde_json::json;
use tokio::time::sleep;

use super::kinds::{KINDS, Kind};
use super::writing::{Writers, name};
use crate::raw::{delete, post, text};

/// One of this number of targets gets a link of its own tenant.
const LINKED: u32 = 15;
/// How long a link may take until it has a state.
const LOOKS: Duration = Duration::from_secs(30);

impl Writers {
    /// Each link has a state, or is named in the log. A link to an object finds it, or names it.
    pub async fn unread(&self, kind: &'static Kind, numbers: &[u32], log: &dyn Fn() -> String) -> Option<String> {
        let (links, is_link) = (&KINDS[0], kind.kind == "InstanceLink");
        if kind.is_target() {
            for number in numbers.iter().filter(|number| *number % LINKED == 0) {
                let target = name(kind, *number);
                let target = json!({"apiVersion": kind.api_version, "kind": kind.kind, "name": target});
                let manifest = link(
                    &format!("to-{number}"),
                    &format!("to-{number}"),
                    "Deployment/web",
                    "Service/pg",
                )
                .spec("targetInstanceRef", target)
                .spec("activation", json!({"targetWaitSeconds": 0}));
                let _ = post(&self.editor, &links.path(&self.namespace, ""), &manifest.into_value()).await;
            }
        } else if !is_link {
            return None;
        }
        let silent = async || {
            let states = text(&self.administrator, &links.path(&self.namespace, "")).await;
            let log = log();
            let silent = states.into_iter().filter(|row| {
                let (name, state) = (&row[0], &row[1]);
                let unread = match name.strip_prefix("to-") {
                    Some(number) => state != "active" && !log.contains(&format!("s-{number}")),
                    None => is_link && (state.is_empty() || state == "requested"),
                };
                unread && !log.contains(&format!("{}/{name}", self.namespace))
            });
            silent.map(|row| row.join(" ")).collect::<Vec<String>>()
        };
        let started = Instant::now();
        let mut unread = silent().await;
        while !unread.is_empty() && started.elapsed() < LOOKS {
            sleep(Duration::from_millis(500)).await;
            unread = silent().await;
        }
        if kind.is_target() {
            for number in numbers {
                let _ = delete(
                    &self.administrator,
                    &links.path(&self.namespace, &format!("to-{number}")),
                )
                .await;
            }
        }
        let first = unread.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let count = unread.len();
        (count > 0).then(|| {
            format!(
                "{}: {count} objects are unread in silence, the first are {first}",
                kind.kind
            )
        })
    }
}
