use instancelink_api::keys;
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::fixture;
use crate::snapshot::Link;

/// Times are seconds since the start.
fn at(seconds: f64) -> Timestamp {
    let start: Timestamp = fixture::NOW.parse().unwrap();
    start + SignedDuration::from_secs_f64(seconds)
}

fn link(status: serde_json::Value, finalizers: &[&str]) -> InstanceLink {
    let mut link = fixture::link(fixture::SPEC);
    link.metadata.uid = Some("uid".to_owned());
    link.metadata.finalizers = Some(finalizers.iter().map(|name| (*name).to_owned()).collect());
    link.status = Some(serde_json::from_value(status).unwrap());
    link
}

fn right() -> InstanceLink {
    link(json!({ "state": "active" }), &[keys::FINALIZER])
}

fn observed(object: &InstanceLink) -> Link {
    Link {
        object: object.clone(),
        action_manager: String::new(),
        unusable: None,
    }
}

fn write_status() -> Effect {
    Effect::WriteStatus { status: Box::default() }
}

/// The operator and another client, which looks ten times a second and changes the link to this.
struct Dispute {
    writes: LinkWrites,
    seconds: f64,
    sent: Vec<f64>,
}

impl Dispute {
    fn begun(effects: &[Effect]) -> Self {
        let mut writes = LinkWrites::default();
        writes.take(&mut observed(&right()), at(0.0));
        for effect in effects {
            writes.record(effect, &right(), at(0.0));
        }
        Self {
            writes,
            seconds: 0.0,
            sent: Vec::new(),
        }
    }

    /// A pass over the changed link. What it sees before it writes.
    fn pass(&mut self, changed: &InstanceLink) -> InstanceLink {
        self.seconds += 0.1;
        let now = at(self.seconds);
        let mut seen = observed(changed);
        self.writes.take(&mut seen, now);
        // Until it is known that others change it back, the pass itself finds that the link is not right.
        let parts = self.writes.changed.iter().copied();
        let unknown: Vec<Part> = parts.filter(|part| self.writes.written[part].own.is_none()).collect();
        for part in unknown {
            let effect = if part == Part::Finalizer {
                Effect::AddFinalizer
            } else {
                write_status()
            };
            self.writes.record(&effect, &right(), now);
            self.sent.push(self.seconds);
        }
        while let Ok(effect) = self.writes.due(now) {
            self.writes.record(&effect, &right(), now);
            self.sent.push(self.seconds);
        }
        seen.object
    }

    fn lasts(&mut self, changed: &InstanceLink, seconds: f64) {
        let end = self.seconds + seconds;
        while self.seconds < end {
            self.pass(changed);
        }
    }
}

/// lifecycle#disputed-link
#[test]
fn what_others_change_back_is_written_once_a_minute_after_the_first() {
    let mut states = [
        json!({ "state": "inactive" }),
        json!({}),
        json!({ "state": "active", "conditions": [] , "instanceId": "x" }),
    ]
    .map(|status| (vec![write_status()], link(status, &[keys::FINALIZER])))
    .to_vec();
    states.push((vec![Effect::AddFinalizer], link(json!({ "state": "active" }), &[])));
    states.push((vec![Effect::AddFinalizer, write_status()], link(json!({}), &[])));
    for (effects, changed) in states {
        let mut dispute = Dispute::begun(&effects);
        dispute.lasts(&changed, 3600.0);
        let late: Vec<&f64> = dispute.sent.iter().filter(|at| **at > 65.0).collect();
        assert!((50..=60).contains(&late.len()), "{late:?}");
        assert!(late.windows(2).all(|pair| pair[1] - pair[0] >= 59.9), "{late:?}");
        assert!(
            dispute.sent.len() - late.len() <= 11 * effects.len(),
            "{:?}",
            dispute.sent
        );
    }
}

/// lifecycle#disputed-link
#[test]
fn in_the_pauses_a_pass_sees_what_the_operator_wrote() {
    let mut dispute = Dispute::begun(&[Effect::AddFinalizer, write_status()]);
    let changed = link(json!({ "state": "inactive" }), &["example.com/keep"]);
    dispute.lasts(&changed, 300.0);
    for _ in 0..600 {
        let seen = dispute.pass(&changed);
        assert_eq!(seen.state(), instancelink_api::State::Active);
        let finalizers = seen.metadata.finalizers.unwrap();
        assert_eq!(finalizers, ["example.com/keep", keys::FINALIZER]);
    }
    assert_eq!(dispute.writes.as_written(&changed).unwrap().status, right().status);
    assert!(dispute.writes.as_written(&right()).is_none());
}

/// lifecycle#disputed-link
#[test]
fn a_new_status_is_written_without_a_pause_and_is_put_back_from_then_on() {
    let mut dispute = Dispute::begun(&[write_status()]);
    let changed = link(json!({}), &[keys::FINALIZER]);
    dispute.lasts(&changed, 300.0);
    let new = link(json!({ "state": "deactivating" }), &[keys::FINALIZER]);
    dispute.writes.record(&write_status(), &new, at(dispute.seconds));
    let mut seen = observed(&changed);
    dispute.writes.take(&mut seen, at(dispute.seconds + 1.0));
    assert_eq!(seen.object.status, new.status);
    assert!(dispute.writes.due(at(dispute.seconds + 1.0)).is_err());
}

/// lifecycle#disputed-link
#[test]
fn three_changes_are_taken_back_at_once_and_all_is_forgotten_after_two_minutes() {
    let mut dispute = Dispute::begun(&[write_status()]);
    let changed = link(json!({}), &[keys::FINALIZER]);
    for sent in [1, 2, 3, 3, 3] {
        dispute.pass(&changed);
        assert_eq!(dispute.sent.len(), sent);
    }
    assert!(dispute.writes.is_disputed(at(1.0)) && dispute.writes.count(at(1.0)));
    assert!(!dispute.writes.is_disputed(at(130.0)) && !dispute.writes.count(at(130.0)));
}

/// lifecycle#disputed-link
#[test]
fn a_write_that_may_have_been_done_is_not_taken_for_one_of_others() {
    let mut dispute = Dispute::begun(&[write_status()]);
    let unknown = link(json!({ "state": "deactivating" }), &[keys::FINALIZER]);
    dispute.lasts(&link(json!({}), &[keys::FINALIZER]), 300.0);
    dispute.writes.forget(&write_status());
    let seen = dispute.pass(&unknown);
    assert_eq!(seen.status, unknown.status);
    assert!(dispute.writes.due(at(dispute.seconds + 100.0)).is_err());
}

/// lifecycle#disputed-link
#[test]
fn a_new_link_of_the_same_name_does_not_wait() {
    let mut dispute = Dispute::begun(&[Effect::AddFinalizer, write_status()]);
    dispute.lasts(&link(json!({}), &[]), 300.0);
    let mut new = link(json!({}), &[]);
    new.metadata.uid = Some("new".to_owned());
    assert!(dispute.writes.as_written(&new).is_none());
    let mut seen = observed(&new);
    dispute.writes.take(&mut seen, at(dispute.seconds));
    assert_eq!(seen.object.metadata.finalizers, Some(Vec::new()));
    assert!(!dispute.writes.is_disputed(at(dispute.seconds)));
}

/// lifecycle#disputed-link
#[test]
fn a_link_that_is_being_deleted_gets_no_finalizer() {
    let mut dispute = Dispute::begun(&[Effect::AddFinalizer]);
    let mut changed = link(json!({ "state": "active" }), &[]);
    dispute.lasts(&changed, 300.0);
    changed.metadata.deletion_timestamp = Some(crate::time::second(at(dispute.seconds)));
    let seen = dispute.pass(&changed);
    assert_eq!(seen.metadata.finalizers, Some(Vec::new()));
    assert!(dispute.writes.due(at(dispute.seconds + 100.0)).is_err());
}

#[test]
fn the_times_in_a_status_are_not_what_it_says() {
    let condition = |time, reason| json!({ "type": "Ready", "status": "True", "reason": reason, "message": "", "lastTransitionTime": time });
    let content = |condition| Part::Status.content_in(&link(json!({ "conditions": [condition] }), &[]));
    let first = content(condition("2026-01-01T00:00:00Z", "Ready"));
    assert_eq!(first, content(condition("2026-01-01T00:00:09Z", "Ready")));
    assert_ne!(first, content(condition("2026-01-01T00:00:00Z", "Pending")));
}
