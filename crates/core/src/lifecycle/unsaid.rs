//! What the status of a link cannot say, because a quota, a policy or a webhook refuses to write the link itself: an event says
//! it (contract#events).

use instancelink_api::condition::Reason;

use super::message;
use crate::effect::Event;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;

/// After so many refused passes in a row it lasts longer than the replacement of a policy or a webhook.
const LASTS_AFTER: u32 = 3;

/// The event about the refusal of a write of the link, after so many passes in a row that were refused before. None if it may be
/// over soon, or was published already.
pub fn event_of_refusal(s: &Snapshot, refusal: &Refusal, refused_before: u32) -> Option<Event> {
    // A namespace that is being deleted takes no new objects.
    let is_due = refused_before == LASTS_AFTER && !s.namespace.terminating;
    is_due.then(|| Event {
        warning: true,
        reason: refusal.reason.as_str().to_owned(),
        action: Reason::Transitioning.as_str().to_owned(),
        note: message::as_note(&refusal.message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// contract#events
    #[test]
    fn a_link_that_cannot_be_written_has_one_event_about_it_after_some_seconds() {
        let answer = r#"admission webhook "keep.example.com" denied the request: no"#;
        let refusal = Refusal::of_link("update", "shop", "web-db", answer).unwrap();
        let mut s = fixture::snapshot();
        let told: Vec<u32> = (0..20)
            .filter(|times| event_of_refusal(&s, &refusal, *times).is_some())
            .collect();
        assert_eq!(told, [3]);
        let event = event_of_refusal(&s, &refusal, 3).unwrap();
        assert!(event.warning && event.reason == "AdmissionDenied", "{event:?}");
        for part in [
            "InstanceLink shop/web-db",
            "keep.example.com",
            "kubectl get validatingwebhookconfigurations",
        ] {
            assert!(event.note.contains(part), "{}", event.note);
        }
        s.namespace.terminating = true;
        assert_eq!(event_of_refusal(&s, &refusal, 3), None);
    }
}
