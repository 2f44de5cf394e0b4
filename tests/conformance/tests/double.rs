//! Runs the scenarios against the double alone, so that each `cargo test` finds a mistake in one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use instancelink_conformance::scenario::Scenario;
use instancelink_conformance::sides;

#[test]
fn there_are_hundreds_of_scenarios_and_each_has_a_name_of_its_own() {
    let scenarios = Scenario::all();
    let names: BTreeSet<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
    assert!(names.len() >= 300, "{}", names.len());
    assert_eq!(names.len(), scenarios.len(), "two have one name");
}

#[tokio::test]
async fn every_scenario_plays_on_the_double() {
    for scenario in Scenario::all() {
        let played = sides::play(&sides::double(), &scenario, "alone").await;
        assert!(played.is_ok(), "{}: {played:?}", scenario.name);
    }
}

#[tokio::test]
async fn a_link_is_judged_by_schema_and_rules_in_far_less_than_a_millisecond() {
    use instancelink_testkit::api::{custom, resource::LINKS};
    let mut link = serde_json::json!({
        "metadata": {"name": "web-db"},
        "spec": {
            "linkName": "db",
            "instanceRef": {"kind": "Deployment", "name": "web"},
            "targetInstanceRef": {"kind": "Deployment", "name": "pg", "namespace": "data"},
            "ports": [{"name": "pg", "port": 5432}, {"name": "admin", "port": 5433}],
        },
    });
    custom::shape(&LINKS, &mut link);
    assert_eq!(custom::errors(&LINKS, &link, None, false), []);
    let started = Instant::now();
    for _ in 0..100 {
        custom::errors(&LINKS, &link, None, false);
    }
    let each = started.elapsed() / 100;
    println!("a link: {each:?}");
    // Unoptimised, and on a busy machine.
    assert!(each < Duration::from_millis(20), "{each:?}");
}
