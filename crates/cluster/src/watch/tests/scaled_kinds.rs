//! Watches of kinds that links name, against an API server that serves them, or does not, or refuses to show them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use instancelink_core::snapshot::Unlisted;
use tokio::time::sleep;

use super::widgets::{Cluster, Served, forbidden, kind, to_widget, widget, widgets};
use super::*;

#[tokio::test]
async fn a_kind_is_watched_while_a_link_names_it_and_no_longer() {
    let cluster = Cluster::start(widgets(vec![widget(1, &json!({}))]));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 1));
    cluster.knows("pg").await;
    assert_eq!(cluster.world.heard(), names(["a"]));
    cluster.world.delete::<Links>(link("a", "db", &to_widget("pg"), 2));
    cluster.knows_why_not(Unlisted::Pending).await;
}

#[tokio::test]
async fn only_a_scale_that_a_link_names_is_read_and_only_once() {
    let cluster = Cluster::start(widgets(vec![widget(1, &json!({}))]));
    cluster.world.apply::<Links>(link("b", "b", &to_widget("other"), 1));
    let listed = |c: &Cluster| c.world.cache.is_listed(&kind());
    cluster.eventually("listed", listed).await;
    assert_eq!(cluster.api.scales.load(Ordering::SeqCst), 0);
    cluster.world.apply::<Links>(link("a", "db", &to_widget("pg"), 2));
    cluster.knows("pg").await;
    cluster.world.apply::<Links>(link("c", "c", &to_widget("pg"), 3));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(cluster.api.scales.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_selector_that_the_controller_writes_or_changes_is_read_anew_and_a_count_is_none() {
    let cluster = Cluster::linked(widgets(vec![widget(1, &json!({"selector": "app=pg"}))]));
    cluster.knows("pg").await;
    let of = |version, selector: &'static str, replicas| Served {
        selector: selector.to_owned(),
        ..widgets(vec![widget(
            version,
            &json!({"selector": selector, "replicas": replicas}),
        )])
    };
    cluster.serves(of(2, "app=pg2", 1));
    cluster.knows("pg2").await;
    let reads = cluster.api.scales.load(Ordering::SeqCst);
    cluster.serves(of(3, "app=pg2", 2));
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(cluster.api.scales.load(Ordering::SeqCst), reads);
}

#[tokio::test]
async fn a_kind_without_rights_or_without_scale_or_not_served_is_told_and_heals() {
    let cluster = Cluster::linked(Served {
        list: 403,
        ..widgets(vec![widget(1, &json!({}))])
    });
    cluster.knows_why_not(forbidden()).await;
    assert_eq!(cluster.world.heard(), names(["a"]));
    cluster.serves(Served {
        scale: 403,
        ..widgets(vec![widget(1, &json!({}))])
    });
    let listed = |c: &Cluster| c.world.cache.is_listed(&kind());
    cluster.eventually("listed", listed).await;
    cluster.knows_why_not(forbidden()).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
    cluster.serves(Served {
        list: 403,
        ..widgets(vec![])
    });
    cluster.knows_why_not(forbidden()).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
    cluster.serves(Served {
        list: 404,
        resources: vec!["widgets"],
        ..widgets(vec![])
    });
    cluster.knows_why_not(Unlisted::NotScalable).await;
    cluster.serves(Served {
        discovery: 404,
        ..widgets(vec![])
    });
    cluster.knows_why_not(Unlisted::NotServed).await;
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_leaves_open_what_there_is() {
    let cluster = Cluster::linked(Served {
        discovery: 503,
        ..widgets(vec![])
    });
    sleep(Duration::from_millis(200)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
    cluster.serves(Served {
        list: 500,
        ..widgets(vec![])
    });
    sleep(Duration::from_millis(200)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
}

#[tokio::test]
async fn a_kind_whose_server_is_down_is_not_taken_for_gone() {
    let cluster = Cluster::linked(Served {
        resources: Vec::new(),
        freshness: "Stale",
        ..widgets(vec![])
    });
    sleep(Duration::from_millis(200)).await;
    assert_eq!(cluster.why_not(), Some(Unlisted::Pending));
    cluster.serves(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
}

/// contract#unusable-objects
#[tokio::test]
async fn an_object_that_is_nested_deep_hides_no_other_of_its_kind() {
    let deep = (0..140).fold(json!(1), |inner, _| json!({ "a": inner }));
    let mut nested = widget(
        1,
        &json!({"conditions": [deep.clone()], "deep": deep.clone(), "selector": "app=nested"}),
    );
    nested["metadata"]["name"] = json!("nested");
    nested["spec"] = json!({"template": {"spec": deep.clone()}, "any": deep.clone()});
    let mut broken = widget(1, &deep);
    broken["metadata"]["name"] = json!("broken");
    broken["metadata"]["labels"] = deep;
    let cluster = Cluster::linked(widgets(vec![nested, broken, widget(1, &json!({}))]));
    cluster.knows("pg").await;
    let told = cluster.world.unusable();
    let names: Vec<&str> = told.iter().map(|object| &*object.name.name).collect();
    assert_eq!(names, ["broken"], "what nobody looks at does not matter");
    assert_eq!((told[0].kind, &*told[0].api_kind.kind), ("Scaled", "Widget"));
    assert_eq!(
        cluster.world.cache.count_unusable(),
        [(("Scaled", "unreadable"), 1)].into()
    );
    let broken = ObjectName::new("shop", "broken");
    let why_not = cluster.world.cache.read(|index| index.scaled.why_not(&kind(), &broken));
    assert_eq!(why_not, None, "no link waits for it");
}

fn selected_by(version: u64, value: &str) -> Served {
    let selector = format!("app={value}");
    Served {
        widgets: vec![widget(version, &json!({"selector": selector}))],
        selector,
        ..widgets(vec![])
    }
}

#[tokio::test]
async fn the_lists_of_a_kind_are_streamed_and_come_in_small_pages_where_they_cannot_be() {
    let cluster = Cluster::linked(widgets(vec![widget(1, &json!({}))]));
    cluster.knows("pg").await;
    assert_eq!(*cluster.api.lists.lock(), Vec::<String>::new());
    let cluster = Cluster::linked(Served {
        streams: false,
        ..widgets(vec![widget(1, &json!({}))])
    });
    cluster.knows("pg").await;
    let lists = cluster.api.lists.lock();
    assert!(
        !lists.is_empty() && lists.iter().all(|query| query.contains("limit=10")),
        "{lists:?}"
    );
}

/// contract#bounded-objects
#[tokio::test]
async fn a_selector_that_is_too_large_is_not_kept_and_the_link_recovers() {
    let many = |count: usize| (0..count).map(|n| format!("key-{n}=v")).collect::<Vec<_>>().join(",");
    // The first is too long to be parsed, and the second takes too much when it is.
    for count in [10_000, 5_500] {
        let cluster = Cluster::linked(Served {
            selector: many(count),
            ..widgets(vec![widget(1, &json!({"selector": "x"}))])
        });
        let name = ObjectName::new("shop", "pg");
        let why = |c: &Cluster| {
            let why = |index: &crate::Index| index.scaled.why_unusable(&kind(), &name).map(ToString::to_string);
            c.world.cache.read(why)
        };
        cluster.eventually("too large", |c| why(c).is_some()).await;
        assert!(
            why(&cluster)
                .unwrap()
                .starts_with("the field status.selector is too large")
        );
        assert_eq!((cluster.selected(), cluster.why_not()), (None, None));
        let told = cluster.world.unusable();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((&*told[0].uid, told[0].kind), ("pg-uid", "Scaled"));
        assert!(cluster.world.cache.is_unusable(&told[0]));
        cluster.serves(selected_by(2, "small"));
        cluster.knows("small").await;
        assert!(!cluster.world.cache.is_unusable(&told[0]));
        assert!(cluster.world.cache.count_unusable().is_empty());
    }
}

/// The attack of a tenant on the others with objects of the same kind.
#[tokio::test]
async fn an_object_that_changes_all_the_time_costs_a_read_a_second_and_does_not_hold_the_watch() {
    let cluster = Cluster::linked(Served {
        scale_takes: Duration::from_secs(3),
        ..widgets(vec![widget(1, &json!({}))])
    });
    let reads = |c: &Cluster| c.api.scales.load(Ordering::SeqCst);
    cluster.eventually("the first read", |c| reads(c) == 1).await;
    let mut other = widget(2, &json!({}));
    other["metadata"]["name"] = json!("other");
    other["metadata"]["uid"] = json!("other");
    cluster.serves(widgets(vec![widget(1, &json!({})), other]));
    let shown = |c: &Cluster| {
        let other = ObjectName::new("shop", "other");
        c.world
            .cache
            .read(|index| index.scaled.may_live(&kind(), &other, "other"))
    };
    cluster.eventually("the other object", shown).await;
    assert_eq!(cluster.selected(), None, "the scale is still being read");
    cluster.knows("pg").await;
    let before = reads(&cluster);
    for version in 3..23 {
        cluster.serves(selected_by(version, &format!("pg{version}")));
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_millis(1100)).await;
    assert!(
        (1..=4).contains(&(reads(&cluster) - before)),
        "{}",
        reads(&cluster) - before
    );
    cluster.serves(selected_by(30, "last"));
    cluster.knows("last").await;
}
