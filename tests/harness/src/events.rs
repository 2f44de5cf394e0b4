//! Events about a link or a pod, as `kubectl events` shows them.

use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;

use crate::{Link, Namespace, SHORT, eventually};

impl Namespace {
    /// Waits until a link has events with a reason, and panics unless there are this many. A series counts as often as
    /// it says.
    pub async fn events_of(&self, link: &Link, reason: &str, count: i32) -> Vec<Event> {
        self.events_about(&link.name, reason, count).await
    }

    /// The same for any object, by its name.
    pub async fn events_about(&self, name: &str, reason: &str, count: i32) -> Vec<Event> {
        let fields = format!("regarding.name={name},reason={reason}");
        let api = self.api::<Event>();
        let what = format!("{count} events {reason} about {name}");
        eventually(&what, SHORT, async || {
            let events = api
                .list(&ListParams::default().fields(&fields))
                .await
                .map_err(|e| e.to_string())?
                .items;
            let found: i32 = events.iter().map(|e| e.series.as_ref().map_or(1, |s| s.count)).sum();
            if found == count {
                Ok(events)
            } else {
                Err(format!("{found}: {events:#?}"))
            }
        })
        .await
    }
}
