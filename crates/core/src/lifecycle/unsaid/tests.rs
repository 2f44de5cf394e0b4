use super::*;
use crate::fixture;

fn denied() -> Refusal {
    let answer = r#"admission webhook "keep.example.com" denied the request: no"#;
    Refusal::of_link("update", "shop", "web-db", answer).unwrap()
}

/// The times in seconds at which an event is due, of passes at these times.
fn told(passes: impl IntoIterator<Item = f64>, refusal: impl Fn(f64) -> Refusal) -> Vec<f64> {
    let mut s = fixture::snapshot();
    let (start, mut since) = (s.now, None);
    let mut told = Vec::new();
    for at in passes {
        s.now = start + SignedDuration::from_secs_f64(at);
        if event_of_refusal(&s, &refusal(at), &mut since).is_some() {
            told.push(at);
        }
    }
    told
}

/// contract#events
#[test]
fn a_link_that_cannot_be_written_has_an_event_about_it_after_some_seconds() {
    let retries = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 23.5];
    assert_eq!(told(retries, |_| denied()), [3.5]);
    let event = event_about(&denied());
    assert!(event.warning && event.reason == "AdmissionDenied", "{event:?}");
    for part in [
        "InstanceLink shop/web-db",
        "keep.example.com",
        "kubectl get validatingwebhookconfigurations",
    ] {
        assert!(event.note.contains(part), "{}", event.note);
    }
}

/// Refusals of children before make the pauses long, and changes of pods make passes without a pause.
///
/// contract#events
#[test]
fn neither_earlier_refusals_nor_changes_keep_the_event_back() {
    assert_eq!(told([0.0, 8.0, 16.0], |_| denied()), [8.0]);
    assert_eq!(told((0..100).map(|pass| f64::from(pass) / 10.0), |_| denied()), [2.5]);
}

/// contract#events
#[test]
fn the_event_comes_again_each_hour_while_the_refusal_lasts() {
    let passes = (0..1000).map(|pass| f64::from(pass) * 8.0);
    assert_eq!(told(passes, |_| denied()), [8.0, 3608.0, 7208.0]);
}

/// contract#events
#[test]
fn another_reason_is_told_once_a_minute_at_most() {
    let broken = r#"Internal error occurred: failed calling webhook "a.example.com": EOF"#;
    let broken = Refusal::of_link("update", "shop", "web-db", broken).unwrap();
    let passes = (0..12).map(|pass| f64::from(pass) * 8.0);
    let told = told(passes, |at| if at < 20.0 { denied() } else { broken.clone() });
    assert_eq!(told, [8.0, 72.0]);
}

#[test]
fn a_namespace_that_is_being_deleted_takes_no_event() {
    let mut s = fixture::snapshot();
    s.namespace.terminating = true;
    let mut since = None;
    for _ in 0..10 {
        assert_eq!(event_of_refusal(&s, &denied(), &mut since), None);
        s.now += SignedDuration::from_secs(8);
    }
}
