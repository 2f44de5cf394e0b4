//! The histories of all links, from the events of one watch. If the watch cannot continue (the API server has dropped
//! the versions in between, or the CRD is gone), all histories end, and new ones start from the objects of a new list.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::follow_while_known;
use instancelink_api::InstanceLink;
use instancelink_properties::linear::Watched;
use kube::api::{ListParams, WatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::writer::is_operator;

/// A link without a write for this time is at rest.
const RESTS: Duration = Duration::from_secs(15);

/// The links that exist, and the findings about all links so far.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// By UID.
    existing: HashMap<String, Existing>,
    histories: u64,
    asked: u64,
    ambiguous: u64,
    violations: Vec<String>,
}

#[derive(Debug)]
struct Existing {
    watched: Watched,
    last: InstanceLink,
    seen: Instant,
}

impl Links {
    fn shows(&mut self, link: InstanceLink) {
        let uid = link.uid().unwrap_or_default();
        let seen = Instant::now();
        let mut existing = self.existing.remove(&uid).unwrap_or_else(|| Existing {
            watched: Watched::default(),
            last: link.clone(),
            seen,
        });
        let by_operator = is_operator(&existing.last, &link);
        existing.watched.version(&link, by_operator);
        (existing.last, existing.seen) = (link, seen);
        self.existing.insert(uid, existing);
    }

    fn gone(&mut self, link: &InstanceLink) {
        if let Some(mut existing) = self.existing.remove(&link.uid().unwrap_or_default()) {
            existing.watched.cut();
            self.judged(existing);
        }
    }

    fn gap(&mut self) {
        for mut existing in std::mem::take(&mut self.existing).into_values() {
            existing.watched.cut();
            self.judged(existing);
        }
    }

    /// Checks the links that still exist, and returns all findings.
    pub(crate) fn end(&mut self) -> Value {
        for mut existing in std::mem::take(&mut self.existing).into_values() {
            let is_going = existing.last.metadata.deletion_timestamp.is_some();
            if is_going || existing.seen.elapsed() < RESTS {
                existing.watched.cut();
            } else {
                existing.watched.rested();
            }
            self.judged(existing);
        }
        json!({
            "histories": self.histories,
            "asked": self.asked,
            "ambiguous": self.ambiguous,
            "violations": self.violations,
        })
    }

    fn judged(&mut self, existing: Existing) {
        let Existing { watched, last, .. } = existing;
        self.histories += watched.histories;
        self.asked += watched.asked;
        self.ambiguous += watched.ambiguous;
        let name = format!("{}/{}", last.namespace().unwrap_or_default(), last.name_any());
        let found = watched.violations.into_iter();
        self.violations
            .extend(found.map(|what| format!("lifecycle#actions-once: {name}: {what}")));
    }
}

/// Never ends. Reports when no event can be missed any more.
pub(crate) async fn watch(api: Api<InstanceLink>, links: Arc<Mutex<Links>>, begun: oneshot::Sender<()>) {
    let mut begun = Some(begun);
    loop {
        if let Ok(list) = api.list(&ListParams::default()).await {
            let from = list.metadata.resource_version.unwrap_or_default();
            {
                let mut links = links.lock().expect("no panic while held");
                list.items.into_iter().for_each(|link| links.shows(link));
            }
            if let Some(begun) = begun.take() {
                // If no receiver waits, there is nothing to report.
                let _ = begun.send(());
            }
            let take = |link: InstanceLink, gone| {
                let mut links = links.lock().expect("no panic while held");
                if gone { links.gone(&link) } else { links.shows(link) }
            };
            follow_while_known(&api, &WatchParams::default(), from, take).await;
            links.lock().expect("no panic while held").gap();
        }
        sleep(Duration::from_millis(200)).await;
    }
}
