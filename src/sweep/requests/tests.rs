//! Tests of what a sweep has to look at.

use instancelink_core::child::Kind;

use super::*;
use instancelink_cluster::LinkKey;

fn gone(number: usize) -> GoneLink {
    GoneLink {
        name: LinkKey::new("shop", &format!("link-{number}")),
        uid: format!("uid-{number}"),
        source: ("shop".into(), "web".to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn deletions_at_once_are_one_search_and_one_full_scan() {
    let requests = SweepRequests::default();
    for number in 0..10 {
        requests.add_gone_links(vec![gone(number)]);
    }
    let search = requests.next().await;
    assert_eq!((search.gone.len(), search.everything), (10, false));
    let started = Instant::now();
    let scan = requests.next().await;
    assert!(scan.everything && scan.gone.is_empty());
    assert!(started.elapsed() <= SCAN_DELAY + GATHER, "{:?}", started.elapsed());
    let more = tokio::time::timeout(Duration::from_mins(1), requests.next()).await;
    assert!(more.is_err());
}

#[tokio::test(start_paused = true)]
async fn very_many_deletions_are_one_full_scan() {
    let requests = SweepRequests::default();
    requests.add_gone_links((0..=MAX_GONE).map(gone).collect());
    let scan = requests.next().await;
    assert!(scan.everything && scan.gone.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_retry_checks_one_child_after_its_delay() {
    let requests = SweepRequests::default();
    let key = Key {
        kind: Kind::Slice,
        namespace: "shop".to_owned(),
        name: "web-db".to_owned(),
    };
    requests.retry(key.clone(), Duration::from_secs(5));
    let started = Instant::now();
    let retry = requests.next().await;
    assert!(started.elapsed() >= Duration::from_secs(5));
    assert_eq!((retry.children, retry.everything), (vec![key], false));
}

fn child() -> Key {
    Key {
        kind: Kind::Policy,
        namespace: "shop".to_owned(),
        name: "web-db-0123456789".to_owned(),
    }
}

/// lifecycle#sweep-cost
#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_be_judged_is_checked_after_pauses_that_grow_to_minutes() {
    let requests = SweepRequests::default();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        requests.put_off(child());
        assert!(requests.is_put_off(&child()));
        // Neither a scan nor a change of the child makes it due earlier.
        requests.check_soon([child()]);
        let started = Instant::now();
        assert_eq!(requests.next().await.children, [child()]);
        pauses.push(started.elapsed().as_secs());
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    requests.settled(&child());
    requests.put_off(child());
    let started = Instant::now();
    requests.next().await;
    assert_eq!(started.elapsed().as_secs(), 5, "it begins again after a success");
}

fn stray(number: usize) -> Key {
    Key {
        name: format!("stray-{number:08}"),
        ..child()
    }
}

/// The attack of a tenant on an operator that does not lead, so that nothing takes what is requested: objects that
/// look like children, each with a new name.
#[tokio::test(start_paused = true)]
async fn very_many_children_are_one_full_scan_and_none_that_is_put_off_is_forgotten() {
    let requests = SweepRequests::default();
    requests.put_off(child());
    for number in 0..100 * MAX_CHILDREN {
        requests.check_soon([stray(number)]);
        let pending = requests.pending.lock();
        assert!(pending.children.len() <= MAX_CHILDREN + 1, "{}", pending.children.len());
    }
    assert!(requests.is_put_off(&child()));
    let scope = requests.next().await;
    assert!(scope.everything && scope.children.len() < MAX_CHILDREN);
    let scope = requests.next().await;
    assert_eq!((scope.children, scope.everything), (vec![child()], false));
}

#[tokio::test(start_paused = true)]
async fn very_many_children_at_once_are_one_full_scan() {
    let requests = SweepRequests::default();
    requests.check_soon((0..=MAX_CHILDREN).map(stray));
    let scope = requests.next().await;
    assert!(scope.everything && scope.children.is_empty());
}

#[tokio::test(start_paused = true)]
async fn children_without_a_known_link_are_checked_together_after_a_moment_and_cause_no_scan() {
    let requests = SweepRequests::default();
    for _ in 0..3 {
        requests.check_soon([child()]);
    }
    let started = Instant::now();
    let scope = requests.next().await;
    assert_eq!((scope.children, scope.everything), (vec![child()], false));
    assert!(started.elapsed() >= SCAN_DELAY);
}
