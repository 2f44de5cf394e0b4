//! Normalizes links: values without bound are reduced to what `step` can distinguish.
//!
//! - resource versions: a bit of the write says whether its object has changed since the decision;
//! - generations: whether the status has observed the current one;
//! - `seq` of both copies of the memory: which is the higher;
//! - history: its last entry, which has the time of the current state.

use instancelink_api::{InstanceLink, Intent, LastAction, Phase, Verdict, keys};
use instancelink_core::action::is_own;

/// Normalizes a link, and passes it through JSON as an API server does.
pub(crate) fn normalize(mut link: InstanceLink) -> InstanceLink {
    generations(&mut link);
    sequence(&mut link);
    link.metadata.resource_version = Some("1".to_owned());
    link.metadata.managed_fields = None;
    if link.metadata.finalizers.as_ref().is_some_and(Vec::is_empty) {
        link.metadata.finalizers = None;
    }
    if link
        .metadata
        .annotations
        .as_ref()
        .is_some_and(std::collections::BTreeMap::is_empty)
    {
        link.metadata.annotations = None;
    }
    if let Some(status) = link.status.as_mut() {
        let surplus = status.history.len().saturating_sub(1);
        status.history.drain(..surplus);
    }
    serde_json::from_value(serde_json::to_value(link).unwrap()).unwrap()
}

fn generations(link: &mut InstanceLink) {
    let present = link.metadata.generation;
    let relative = |observed: Option<i64>| observed.map(|observed| i64::from(Some(observed) == present));
    if let Some(status) = link.status.as_mut() {
        status.observed_generation = relative(status.observed_generation);
        for condition in &mut status.conditions {
            condition.observed_generation = relative(condition.observed_generation);
        }
    }
    link.metadata.generation = Some(1);
}

fn sequence(link: &mut InstanceLink) {
    let intent = intent_of(link).filter(|intent| is_own(intent, link));
    let last = link.status.as_ref().and_then(|status| status.last_action.as_ref());
    let last = last.map(|last| last.intent.seq);
    let (of_intent, of_last) = match (intent.as_ref().map(|intent| intent.seq), last) {
        (Some(intent), Some(last)) if intent > last => (2, 1),
        (Some(intent), Some(last)) if intent < last => (1, 2),
        _ => (1, 1),
    };
    if let Some(mut intent) = intent {
        intent.seq = of_intent;
        let annotations = link.metadata.annotations.get_or_insert_default();
        annotations.insert(keys::INTENT.to_owned(), serde_json::to_string(&intent).unwrap());
    }
    if let Some(last) = link.status.as_mut().and_then(|status| status.last_action.as_mut()) {
        last.intent.seq = of_last;
    }
}

pub(crate) fn intent_of(link: &InstanceLink) -> Option<Intent> {
    let annotations = link.metadata.annotations.as_ref()?;
    serde_json::from_str(annotations.get(keys::INTENT)?).ok()
}

/// The parts of a link that `step` reads when it decides about a sibling: identity, alias and source, state, and
/// desired state with its time.
pub(crate) fn as_sibling(link: &InstanceLink) -> InstanceLink {
    let spec = serde_json::json!({"linkName": link.spec.link_name, "instanceRef": link.spec.instance_ref});
    let name = link.metadata.name.as_deref().unwrap();
    let mut seen = InstanceLink::new(name, serde_json::from_value(spec).unwrap());
    seen.metadata = link.metadata.clone();
    seen.metadata.finalizers = None;
    seen.metadata.annotations = intent_of(link).map(|intent| {
        let intent = serde_json::to_string(&reduced(&intent)).unwrap();
        [(keys::INTENT.to_owned(), intent)].into()
    });
    let status = seen.status.get_or_insert_default();
    status.state = link.state();
    let last = link.status.as_ref().and_then(|status| status.last_action.as_ref());
    status.last_action = last.map(|last| LastAction {
        intent: reduced(&last.intent),
        message: String::new(),
        phase: Phase::Accepted,
        completed_at: None,
    });
    seen
}

fn reduced(intent: &Intent) -> Intent {
    Intent {
        action: String::new(),
        id: String::new(),
        verdict: Verdict::Accepted,
        reason: String::new(),
        manager: String::new(),
        handled: Vec::new(),
        ..intent.clone()
    }
}
