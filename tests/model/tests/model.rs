//! Every schedule within the scopes keeps every promise, and together they take every edge.

use std::collections::BTreeSet;

use instancelink_core::lifecycle::TABLE;
use instancelink_model::{explore, scopes};
use instancelink_testkit::campaign;

/// The reasons for a rejection (lifecycle#rejection-order).
const REJECTIONS: [&str; 6] = [
    "InvalidValue",
    "Deleting",
    "Purged",
    "NotPossibleNow",
    "ManagedBySpec",
    "AliasTaken",
];
/// The reasons for a hold, except an unknown kind of source.
const HOLDS: [&str; 4] = [
    "RefNotPermitted",
    "SourceNotFound",
    "AliasConflict",
    "DirectoryConflict",
];

/// The kinds of children in the model.
const CHILDREN: [&str; 4] = ["Directory", "Environment", "Slice", "Policy"];

#[test]
fn campaign_every_schedule_keeps_every_promise_and_every_edge_is_taken() {
    let whole = campaign::start("model: edges, verdicts and holds that are reached");
    let (mut edges, mut reached) = (BTreeSet::new(), BTreeSet::new());
    for scope in scopes::all(campaign::long()) {
        let campaign = campaign::start(&format!("model: {}", scope.name));
        let found = explore(scope);
        println!(
            "{} states, {} transitions, at most {} from the start; {} questions to step",
            found.states, found.steps, found.depth, found.questions
        );
        edges.extend(found.edges);
        reached.extend(found.verdicts);
        reached.extend(found.reasons);
        reached.extend(found.kinds);
        let violations: Vec<String> = found.violations.into_iter().map(|(_, story)| story).collect();
        campaign.finish(found.states, found.faults, &violations);
    }
    let all_edges: BTreeSet<_> = TABLE.iter().flat_map(|process| process.edges).collect();
    let never_taken = all_edges
        .iter()
        .filter(|(from, to)| !edges.contains(&(from.as_str(), to.as_str())))
        .map(|(from, to)| format!("never taken: {from} to {to}"));
    let accepted_verbs = 5;
    let accepted = ["activate", "deactivate", "remove", "restore", "purge"].map(|verb| format!("accepted {verb}"));
    let verdicts = REJECTIONS
        .into_iter()
        .chain(HOLDS)
        .chain(CHILDREN)
        .map(str::to_owned)
        .chain(accepted);
    let never_given = verdicts
        .filter(|verdict| !reached.contains(verdict))
        .map(|verdict| format!("never reached: {verdict}"));
    let missing: Vec<String> = never_taken.chain(never_given).collect();
    let expected = all_edges.len() + REJECTIONS.len() + HOLDS.len() + CHILDREN.len() + accepted_verbs;
    whole.finish(expected as u64, 0, &missing);
}
