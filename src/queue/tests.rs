use std::sync::Arc;

use super::*;

fn add(queue: &Queue, name: &str) {
    queue.add([(&LinkKey::new("shop", name), &Cause::Change)]);
}

fn queue(limit: usize) -> Arc<Queue> {
    let queue = Arc::new(Queue::new(limit));
    queue.open();
    queue.set_source_lookup(|key| Some((Arc::clone(&key.namespace), key.name.chars().take(1).collect())));
    queue
}

#[tokio::test(start_paused = true)]
async fn a_change_ends_the_wait_for_a_turn() {
    let queue = queue(4);
    let waiting = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.next().await.key }
    });
    tokio::task::yield_now().await;
    add(&queue, "a");
    assert_eq!(&*waiting.await.unwrap().name, "a");
}

#[tokio::test(start_paused = true)]
async fn a_delayed_turn_comes_without_a_change() {
    let queue = queue(4);
    add(&queue, "a");
    let turn = queue.next().await;
    let started = Instant::now();
    queue.finish(&turn, Ending::Settled(Some(Duration::from_secs(15))));
    queue.next().await;
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_secs(15) && waited < Duration::from_millis(15_010),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_passes_run_at_once_than_allowed() {
    let queue = queue(2);
    for name in ["a", "b", "c"] {
        add(&queue, name);
    }
    let first = queue.next().await;
    let _second = queue.next().await;
    let third = tokio::time::timeout(Duration::from_mins(1), queue.next()).await;
    assert!(third.is_err());
    queue.finish(&first, Ending::Settled(None));
    assert_eq!(&*queue.next().await.key.name, "c");
}

#[tokio::test(start_paused = true)]
async fn a_source_is_locked_only_between_passes() {
    let queue = queue(4);
    let source = ("shop".into(), "a".to_owned());
    add(&queue, "a1");
    let turn = queue.next().await;
    let locked = tokio::time::timeout(Duration::from_secs(1), queue.lock_source(source)).await;
    assert!(locked.is_err());
    queue.finish(&turn, Ending::Settled(None));
    let locked = queue.lock_source(("shop".into(), "a".to_owned())).await;
    add(&queue, "a2");
    let next = tokio::time::timeout(Duration::from_secs(1), queue.next()).await;
    assert!(next.is_err());
    drop(locked);
    assert_eq!(&*queue.next().await.key.name, "a2");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_lead_keeps_no_names() {
    let queue = Queue::new(4);
    for number in 0..10_000 {
        add(&queue, &format!("link-{number}"));
    }
    assert_eq!(queue.waiting(), 0);
    queue.open();
    add(&queue, "link");
    assert_eq!(&*queue.next().await.key.name, "link");
}
