//! The requests that the pods of a test send by several names at the same moments.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::moments::{Answer, Moment, Seen, follow_all};
use crate::{Namespace, eventually};

/// Long enough for pods to start and end on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// The number of moments in a row by which requests are answered, or fail.
const IN_A_ROW: usize = 20;

/// The requests of all pods of a namespace that send some.
pub struct Traffic {
    seen: Arc<Mutex<Seen>>,
    follower: JoinHandle<()>,
}

impl Namespace {
    /// Reads what all pods send, also those that are created later.
    pub(crate) fn traffic(&self) -> Traffic {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let follower = tokio::spawn(follow_all(self.api(), Arc::clone(&seen)));
        Traffic { seen, follower }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Traffic {
    /// Waits until the requests by all names are answered.
    pub async fn flows(&self) {
        self.until("all requests are answered", |answer| answer.error().is_none())
            .await;
    }

    /// Waits until the requests by all names fail.
    pub async fn stops(&self) {
        self.until("all requests fail", |answer| answer.error().is_some()).await;
    }

    /// The number of pods that have sent requests.
    pub fn senders(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        let pods: BTreeSet<&String> = seen.keys().map(|(pod, _)| pod).collect();
        pods.len()
    }

    /// The number of pods that have answered.
    pub fn servers(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        let answers = seen.values().flat_map(|(_, moment)| &moment.answers);
        let pods: BTreeSet<&String> = answers.filter_map(Answer::body).collect();
        pods.len()
    }

    /// What was sent since the last call.
    pub(crate) fn take(&self) -> Vec<Moment> {
        let mut seen = self.seen.lock().unwrap();
        let new = seen.values_mut().filter(|(is_taken, _)| !is_taken);
        new.map(|(is_taken, moment)| {
            *is_taken = true;
            moment.clone()
        })
        .collect()
    }

    async fn until(&self, what: &str, expected: impl Fn(&Answer) -> bool) {
        let before = self.seen.lock().unwrap().values().map(|(_, moment)| moment.at).max();
        eventually(what, PATIENCE, async || {
            let seen = self.seen.lock().unwrap();
            let new = seen.values().map(|(_, moment)| moment);
            let mut new: Vec<&Moment> = new.filter(|moment| Some(moment.at) > before).collect();
            new.sort_by_key(|moment| moment.at);
            let last = new.split_off(new.len().saturating_sub(IN_A_ROW));
            let are_all = last.iter().flat_map(|moment| &moment.answers).all(&expected);
            if last.len() == IN_A_ROW && are_all {
                Ok(())
            } else {
                Err(format!("{} moments, the last: {:?}", last.len(), last.last()))
            }
        })
        .await;
    }
}
