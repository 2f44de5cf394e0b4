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
        selector,
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
