//! Every schedule within some scopes, with the real step.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use instancelink_core::lifecycle::TABLE;
use instancelink_model::{explore, scopes};
use instancelink_testkit::campaign;

#[test]
fn campaign_every_schedule_keeps_every_promise() {
    let (mut edges, mut verdicts, mut reasons) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let only = std::env::var("INSTANCELINK_SCOPE").unwrap_or_default();
    for scope in scopes::all(campaign::long()) {
        if !scope.name.contains(&only) {
            continue;
        }
        let campaign = campaign::start(&format!("model: {}", scope.name));
        let found = explore(scope);
        println!(
            "{} states, {} steps, at most {} deep; {} questions to step",
            found.states, found.steps, found.depth, found.questions
        );
        edges.extend(found.edges);
        verdicts.extend(found.verdicts);
        reasons.extend(found.reasons);
        let violations: Vec<String> = found.violations.into_iter().map(|(_, story)| story).collect();
        campaign.finish(found.states, found.faults, &violations);
    }
    println!("{verdicts:?} {reasons:?}");
    let missing: Vec<_> = TABLE
        .iter()
        .flat_map(|process| process.edges)
        .filter(|(from, to)| !edges.contains(&(from.as_str(), to.as_str())))
        .collect();
    assert!(missing.is_empty(), "edges that were never taken: {missing:?}");
}
