//! Orphans that another client creates again after their deletion.

use instancelink_core::child::Kind;

use super::*;

fn key() -> Key {
    Key {
        kind: Kind::Slice,
        namespace: "shop".to_owned(),
        name: "back-v4".to_owned(),
    }
}

/// The orphan, created for the `version`-th time.
fn created(version: usize) -> Value {
    let mut slice = orphan("back");
    slice["metadata"]["uid"] = format!("uid-{version}").into();
    slice["metadata"]["resourceVersion"] = version.to_string().into();
    slice
}

/// A controller that creates the orphan this time after each deletion, and the watch that shows both.
async fn creates_again(requests: Requests, sweeper: Arc<Sweeper>, after: Duration) {
    for version in 2.. {
        while count(&requests, "DELETE back-v4") < version - 1 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let gone = serde_json::from_value(created(version - 1)).unwrap();
        sweeper.cache.observe::<Slices>(Event::Delete(gone));
        tokio::time::sleep(after).await;
        let again = serde_json::from_value(created(version)).unwrap();
        sweeper.cache.observe::<Slices>(Event::Apply(again));
        sweeper.requests.check_soon([key()]);
    }
}

/// lifecycle#sweep-cost
#[tokio::test(start_paused = true)]
async fn an_orphan_that_others_create_again_and_again_costs_a_deletion_every_five_minutes_at_most() {
    for after in [1, 6, 30].map(Duration::from_secs) {
        let requests = Requests::default();
        let sweeper = sweeper(&requests, &[]);
        let first = serde_json::from_value(created(1)).unwrap();
        sweeper.cache.observe::<Slices>(Event::Apply(first));
        let controller = creates_again(Arc::clone(&requests), Arc::clone(&sweeper), after);
        let controller = tokio::spawn(controller);
        sweeps_for(Arc::clone(&sweeper), Duration::from_mins(12)).await;
        let early = count(&requests, "DELETE back-v4");
        sweeps_for(sweeper, Duration::from_hours(1)).await;
        controller.abort();
        let late = count(&requests, "DELETE back-v4") - early;
        assert!(
            early <= 9 && late <= 13,
            "after {after:?}: {early}, then {late} an hour"
        );
    }
}
