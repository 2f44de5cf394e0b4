//! Links that name kinds which the API server does not serve, and what they cost. In virtual time.
//!
//! Rule: contract#missing-kinds.

use std::sync::atomic::Ordering;
use std::time::Duration;

use instancelink_core::snapshot::{ApiKind, Unlisted};
use tokio::time::{Instant, sleep};

use super::super::retry_intervals::RetryIntervals;
use super::widgets::{Cluster, Served, to_widget, widget, widgets};
use super::*;

fn cluster(served: Served) -> Cluster {
    Cluster::with(served, RetryIntervals::default())
}

fn without_widgets() -> Served {
    Served {
        discovery: 404,
        ..widgets(Vec::new())
    }
}

fn name_unknown(cluster: &Cluster, n: u64) {
    let target = json!({"apiVersion": format!("unknown{n}.example.com/v1"), "kind": format!("Kind{n}"), "name": "x"});
    let name = format!("unknown-{n}");
    cluster.world.apply::<Links>(link(&name, &name, &target, n + 10));
}

/// How often discovery is asked in this time.
async fn asked_in(cluster: &Cluster, time: Duration) -> usize {
    let before = cluster.api.discoveries.load(Ordering::SeqCst);
    sleep(time).await;
    cluster.api.discoveries.load(Ordering::SeqCst) - before
}

/// The attack of a tenant: links that name kinds that do not exist.
#[tokio::test(start_paused = true)]
async fn three_hundred_unknown_kinds_cost_some_tens_of_requests_an_hour_and_few_are_looked_for() {
    let cluster = cluster(widgets(vec![widget(1, &json!({}))]));
    for n in 0..300 {
        name_unknown(&cluster, n);
    }
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
    let first = asked_in(&cluster, Duration::from_hours(1)).await;
    assert!((10..=40).contains(&first), "{first} requests in the first hour");
    let later = asked_in(&cluster, Duration::from_hours(10)).await;
    assert!((100..=130).contains(&later), "{later} requests in ten hours");

    let why_not = |n: u64| {
        let kind = ApiKind::new(&format!("unknown{n}.example.com/v1"), &format!("Kind{n}"));
        let name = ObjectName::new("shop", "x");
        cluster.world.cache.read(|index| index.scaled.why_not(&kind, &name))
    };
    let told = |why: &Unlisted| (0..300).filter(|n| why_not(*n).as_ref() == Some(why)).count();
    let not_served = told(&Unlisted::NotServed);
    assert_eq!(not_served + told(&Unlisted::TooMany), 300);
    assert!((1..=16).contains(&not_served), "{not_served}");
    cluster.knows("pg").await;
}

/// A variation: the links change all the time, and name other kinds.
#[tokio::test(start_paused = true)]
async fn links_that_name_another_unknown_kind_each_second_make_the_pauses_no_shorter_than_ten_seconds() {
    let cluster = cluster(without_widgets());
    let before = cluster.api.discoveries.load(Ordering::SeqCst);
    for n in 0..600 {
        name_unknown(&cluster, n);
        if n > 0 {
            cluster
                .world
                .delete::<Links>(link(&format!("unknown-{}", n - 1), "x", &json!({}), n + 1000));
        }
        sleep(Duration::from_secs(1)).await;
    }
    let asked = cluster.api.discoveries.load(Ordering::SeqCst) - before;
    assert!(asked <= 66, "{asked} requests in ten minutes");
}

/// A variation: the links name the same unknown kinds, and change all the time.
#[tokio::test(start_paused = true)]
async fn changes_of_links_with_unknown_kinds_cost_no_requests() {
    let cluster = cluster(without_widgets());
    name_unknown(&cluster, 0);
    let quiet = asked_in(&cluster, Duration::from_mins(10)).await;
    let before = cluster.api.discoveries.load(Ordering::SeqCst);
    for n in 0..600 {
        name_unknown(&cluster, 0);
        cluster
            .world
            .apply::<Links>(link("b", "b", &json!({"kind": "Service", "name": "x"}), n + 10));
        sleep(Duration::from_secs(1)).await;
    }
    let asked = cluster.api.discoveries.load(Ordering::SeqCst) - before;
    assert!(
        asked <= quiet,
        "{asked} requests in ten minutes, {quiet} without changes"
    );
}

/// A kind that is installed so long after the first link named it.
async fn found_after(installed: Duration) -> Duration {
    let cluster = cluster(without_widgets());
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
    sleep(installed).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    let since = Instant::now();
    while cluster.selected().is_none() {
        assert!(since.elapsed() < Duration::from_hours(1), "it is never found");
        sleep(Duration::from_millis(100)).await;
    }
    since.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_kind_is_found_within_half_a_minute_after_its_installation_and_later_within_five_minutes() {
    for installed in [1, 9, 11, 33, 60, 90, 119] {
        let found = found_after(Duration::from_secs(installed)).await;
        assert!(found <= Duration::from_secs(30), "{found:?} after {installed} s");
    }
    for installed in [5, 20, 60, 600] {
        let found = found_after(Duration::from_mins(installed)).await;
        assert!(found <= Duration::from_mins(5), "{found:?} after {installed} min");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_kind_is_asked_for_at_once_however_long_others_are_missing() {
    let cluster = cluster(without_widgets());
    name_unknown(&cluster, 0);
    sleep(Duration::from_hours(3)).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(cluster.selected().as_deref(), Some("pg"));
    // The API server serves something new: what else is missing may follow.
    let asked = asked_in(&cluster, Duration::from_secs(40)).await;
    assert!(asked >= 3, "{asked} requests");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_removed_and_installed_again_is_found_within_half_a_minute() {
    let cluster = cluster(widgets(vec![widget(1, &json!({}))]));
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
    cluster.knows("pg").await;
    sleep(Duration::from_hours(3)).await;
    cluster.serves(Served {
        list: 404,
        ..without_widgets()
    });
    cluster.knows_why_not(Unlisted::NotServed).await;
    sleep(Duration::from_secs(50)).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    sleep(Duration::from_secs(30)).await;
    assert_eq!(cluster.selected().as_deref(), Some("pg"));
}

/// An API server that does not answer is asked every ten seconds, however often links change.
#[tokio::test(start_paused = true)]
async fn discovery_that_fails_is_asked_every_ten_seconds_at_most() {
    let cluster = cluster(Served {
        discovery: 503,
        ..widgets(Vec::new())
    });
    for n in 0..120 {
        name_unknown(&cluster, n);
        sleep(Duration::from_secs(1)).await;
    }
    let asked = cluster.api.discoveries.load(Ordering::SeqCst);
    assert!(asked <= 16, "{asked} requests in two minutes");
}
