use http::{Request, Response};
use instancelink_cluster::Meter;
use instancelink_core::child::Kind;
use instancelink_core::fixture;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex as Shared;

use super::*;
use crate::clock::SystemClock;

#[test]
fn a_long_note_is_cut_between_two_characters() {
    assert_eq!(cut("short", 10), "short");
    assert_eq!(cut("aéé", 2), "a");
    assert_eq!(cut("aéé", 3), "aé");
}

/// contract#nothing-of-others-without-consent
#[tokio::test]
async fn an_event_names_the_target_only_with_consent() {
    let metrics = Arc::new(Metrics::new());
    let (queue, mut sent) = mpsc::channel(4);
    let publisher = Publisher {
        queue,
        metrics,
        clock: Arc::new(SystemClock),
        reporter: "test".into(),
    };
    let (_, event) = event_in("shop");
    let unconsented = fixture::snapshot().with_target_in("data");
    let consented = unconsented.clone().granted("data", "{kind: Deployment}");
    publisher.publish(&unconsented, &event);
    publisher.publish(&consented, &event);
    assert_eq!(sent.recv().await.unwrap().related, None);
    let related = sent.recv().await.unwrap().related.unwrap();
    assert_eq!(related.uid.as_deref(), Some(fixture::TARGET_UID));
}

/// The paths of the requests that were sent, each with its time.
type Sent = Arc<Shared<Vec<(String, Instant)>>>;

/// An API server that takes 20 ms for an event.
fn calls(sent: &Sent, metrics: &Arc<Metrics>) -> Calls {
    let sent = Arc::clone(sent);
    let serve = tower::service_fn(move |request: Request<Body>| {
        let sent = Arc::clone(&sent);
        async move {
            sent.lock().push((request.uri().path().to_owned(), Instant::now()));
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, std::convert::Infallible>(Response::new(Body::from(b"{}".to_vec())))
        }
    });
    Calls::new(Client::new(serve, "system"), Arc::clone(metrics) as Arc<dyn Meter>)
}

fn event_in(namespace: &str) -> (Key, Event) {
    let child = Key {
        kind: Kind::Slice,
        namespace: namespace.to_owned(),
        name: "web-db-v4".to_owned(),
    };
    let event = Event {
        warning: true,
        reason: "Forbidden".to_owned(),
        action: "write".to_owned(),
        note: "a note".to_owned(),
    };
    (child, event)
}

/// contract#events-take-turns
#[tokio::test(start_paused = true)]
async fn an_event_of_a_quiet_namespace_is_sent_during_a_flood_of_another() {
    let (sent, metrics) = (Sent::default(), Arc::new(Metrics::new()));
    let (publisher, sender) = channel(calls(&sent, &metrics), &metrics, Arc::new(SystemClock), "a-pod");
    tokio::spawn(Arc::new(sender).run());
    let publish = |namespace: &str| {
        let (child, event) = event_in(namespace);
        publisher.publish_about_child(&child, "uid", &event);
    };
    for _ in 0..100 {
        for _ in 0..50 {
            publish("loud");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = Instant::now();
    publish("quiet");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let sent = sent.lock();
    let quiet = sent.iter().find(|(path, _)| path.contains("/namespaces/quiet/"));
    let (_, at) = quiet.expect("the event of the quiet namespace was sent");
    assert!(*at - asked <= 3 * REFILL, "{:?}", *at - asked);
}

#[tokio::test(start_paused = true)]
async fn the_sender_ends_with_its_publishers_when_all_is_sent() {
    let (sent, metrics) = (Sent::default(), Arc::new(Metrics::new()));
    let (publisher, sender) = channel(calls(&sent, &metrics), &metrics, Arc::new(SystemClock), "a-pod");
    for number in 0..60 {
        let (child, event) = event_in(&format!("namespace-{number}"));
        publisher.publish_about_child(&child, "uid", &event);
    }
    drop(publisher);
    Arc::new(sender).run().await;
    assert_eq!(sent.lock().len(), 60);
}
