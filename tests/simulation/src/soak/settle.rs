//! The rest after a day or a night: waits for it, and checks what happened before.

use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::resource::{EVENTS, LINKS};
use instancelink_testkit::api::store::Store;
use tokio::time::{Instant, sleep};

use super::{Soak, judge, told};
use crate::operator::NAME;

/// How long everything may take to come to rest. The backoff after a refusal is up to five minutes.
const PATIENCE: Duration = Duration::from_mins(25);
/// How long nothing is written at rest.
const QUIET: Duration = Duration::from_secs(70);

impl Soak {
    /// Waits until there are no differences for a while.
    pub(super) async fn until(&mut self, when: &str, wrong: impl Fn(&Store) -> Vec<String>) {
        let began = Instant::now();
        let mut good = 0;
        loop {
            let found = wrong(&self.town.api.store());
            good = if found.is_empty() { good + 1 } else { 0 };
            if good == 2 {
                return;
            }
            if began.elapsed() > PATIENCE {
                let first = found.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
                let line = format!("lifecycle#converges: {when}: of {} not at rest: {first}", found.len());
                return self.report.violations.push(line);
            }
            sleep(Duration::from_secs(5)).await;
        }
    }

    /// Waits until nothing is written, checks the history since the last call, and drops it.
    pub(super) async fn settle(&mut self, when: &str) {
        if !self.is_quiet().await {
            let line = format!("lifecycle#no-idle-writes: {when}: a converged cluster is written to again and again");
            self.report.violations.push(line);
        }
        self.listen(when).await;
        let api = Arc::clone(&self.town.api);
        let history = api.change(|store, _| {
            let events: Vec<_> = store
                .all()
                .map(|(key, _)| key.clone())
                .filter(|key| *key.resource == EVENTS)
                .collect();
            for event in events {
                store.remove(&event, "time-to-live");
            }
            store.compact()
        });
        let (actions, violations) = judge::judge(&self.base, &history);
        self.report.actions += actions;
        self.report
            .violations
            .extend(violations.into_iter().map(|what| format!("{when}: {what}")));
        self.base = api
            .store()
            .all()
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect();
        drop(history);
        // The watches get the end of the events, and nothing else.
        sleep(Duration::from_secs(1)).await;
    }

    async fn is_quiet(&self) -> bool {
        for _ in 0..20 {
            let before = self.town.api.store().version();
            sleep(QUIET).await;
            let store = self.town.api.store();
            let ours = store
                .changes_after(before)
                .iter()
                .any(|change| change.by.starts_with(NAME));
            if !ours {
                return true;
            }
        }
        false
    }

    /// The metrics of the operator: its queue is empty, and its caches have the existing objects.
    async fn listen(&mut self, when: &str) {
        let metrics = told::metrics(self.port).await;
        let stand = self.town.api.store().of(&LINKS).count() as u64;
        let mut expect = |what: &str, found: u64, expected: u64| {
            if found != expected {
                let line = format!("{when}: the operator tells of {found} {what}, and there are {expected}");
                self.report.violations.push(line);
            }
        };
        expect("waiting links", told::sum(&metrics, "instancelink_queue_depth", ""), 0);
        expect("links", told::sum(&metrics, "instancelink_links", ""), stand);
        for outcome in ["panic", "endless"] {
            let label = format!("outcome=\"{outcome}\"");
            expect(outcome, told::sum(&metrics, "instancelink_reconciles_total", &label), 0);
        }
    }
}
