//! Actions, requested as users do: with `kubectl annotate` where its output is tested, else with a patch.

use instancelink_api::{InstanceLink, LastAction, Phase, Verdict, keys};
use serde_json::json;

use crate::{Link, Output};

/// The outcome of a request: `status.lastAction`, and the link that it was read from.
#[derive(Debug)]
pub struct Acknowledged {
    /// The acknowledgement.
    pub action: LastAction,
    /// The link as read with it.
    pub link: InstanceLink,
}

impl Link {
    /// Sets the action annotation through the API. Panics if admission refuses it.
    pub async fn action(&self, value: &str) {
        self.try_action(value)
            .await
            .unwrap_or_else(|e| panic!("{value} on link {} is refused: {e}", self.name));
    }

    /// Sets the action annotation through the API.
    pub async fn try_action(&self, value: &str) -> Result<InstanceLink, kube::Error> {
        let patch = json!({ "metadata": { "annotations": { keys::ACTION: value } } });
        let params = kube::api::PatchParams::default();
        self.api
            .patch(&self.name, &params, &kube::api::Patch::Merge(&patch))
            .await
    }

    /// `kubectl annotate il <name> instancelink.dev/action=<value>`, with more arguments.
    pub async fn annotate_with(&self, value: &str, more: &[&str]) -> Output {
        let pair = format!("{}={value}", keys::ACTION);
        let arguments = [&["annotate", "il", self.name.as_str(), pair.as_str()], more].concat();
        self.namespace.kubectl(&arguments).await
    }

    /// `kubectl annotate il <name> instancelink.dev/action=<value>`.
    pub async fn annotate(&self, value: &str) -> Output {
        self.annotate_with(value, &[]).await
    }

    /// The number of the last acknowledged request. 0 if there is none.
    pub async fn seq(&self) -> u64 {
        self.status().await.last_action.map_or(0, |a| a.intent.seq)
    }

    /// Requests an action and waits until it is accepted or rejected.
    pub async fn act(&self, value: &str) -> Acknowledged {
        let before = self.seq().await;
        self.action(value).await;
        self.acknowledged_after(before).await
    }

    /// Waits until its request is taken: removed from the action annotation and written to the intent.
    pub async fn is_taken(&self) -> InstanceLink {
        self.until("has its request taken", |l| {
            let annotations = l.metadata.annotations.as_ref();
            annotations.is_some_and(|a| a.contains_key(keys::INTENT) && !a.contains_key(keys::ACTION))
        })
        .await
    }

    /// Waits for the acknowledgement of a request with a higher number.
    pub async fn acknowledged_after(&self, seq: u64) -> Acknowledged {
        let newer = |l: &InstanceLink| last_action(l).is_some_and(|a| a.intent.seq > seq);
        let link = self
            .until(&format!("acknowledges a request after number {seq}"), newer)
            .await;
        let action = last_action(&link).cloned().expect("it was there");
        Acknowledged { action, link }
    }

    /// Waits until the last request is in a phase.
    pub async fn action_is(&self, phase: Phase) -> InstanceLink {
        self.until(&format!("has its last action {phase:?}"), |l| {
            last_action(l).is_some_and(|a| a.phase == phase)
        })
        .await
    }
}

impl Acknowledged {
    /// Panics unless the request was accepted.
    pub fn is_accepted(self) -> Self {
        assert_eq!(self.action.intent.verdict, Verdict::Accepted, "{:#?}", self.action);
        self
    }

    /// Panics unless the request was rejected for this reason.
    pub fn is_rejected(self, reason: &str) -> Self {
        let intent = &self.action.intent;
        assert_eq!(
            (intent.verdict, intent.reason.as_str()),
            (Verdict::Rejected, reason),
            "{:#?}",
            self.action
        );
        assert_eq!(self.action.phase, Phase::Rejected, "{:#?}", self.action);
        assert!(
            !self.action.message.is_empty(),
            "a rejection says why: {:#?}",
            self.action
        );
        self
    }
}

fn last_action(link: &InstanceLink) -> Option<&LastAction> {
    link.status.as_ref()?.last_action.as_ref()
}
