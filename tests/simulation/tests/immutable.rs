//! The API server does not update a child, because a field of it cannot be changed: every kind of child, in every state. The
//! child is deleted and created again, or the link says which command does that; and deletions end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::time::Duration;

use instancelink_simulation::altered::{KINDS, Town};
use instancelink_simulation::campaign::side_by_side;
use instancelink_simulation::operator::NAME;
use instancelink_simulation::run::paused;
use instancelink_simulation::script::{Deed, edit, merge};
use instancelink_testkit::api::failure::Failure;
use instancelink_testkit::api::field_error::FieldError;
use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::policies::Policies;
use instancelink_testkit::api::resource::{LINKS, Resource, SERVICES};
use instancelink_testkit::campaign;
use serde_json::json;
use tokio::time::sleep;

const SETTLED: Duration = Duration::from_secs(80);

/// The API server refuses each update of this kind by the operator.
fn refuses(kind: &'static Resource) -> Policies {
    Policies::refusing(move |resource, _, new, by| {
        let is_refused = *resource == *kind && by.starts_with(NAME);
        let error = FieldError::immutable("spec.field", "x");
        is_refused.then(|| Failure::invalid(resource, new.meta("name"), &[error]))
    })
}

/// What asks for an update of the children, or for their end.
fn deeds() -> Vec<(&'static str, Deed, Option<&'static str>)> {
    vec![
        (
            "a pod leaves",
            Deed::Ready("pg-1-0", "10.0.0.11", false),
            Some("active"),
        ),
        (
            "another target",
            edit("db", "{targetInstanceRef: {kind: Deployment, name: pg-2}}"),
            Some("active"),
        ),
        (
            "other ports",
            edit("db", "{ports: [{name: other, port: 5433}]}"),
            Some("active"),
        ),
        ("no sibling", Deed::Delete(&LINKS, "shop", "cache"), Some("active")),
        (
            "a drain",
            edit("db", "{deactivation: {drainSeconds: 20}, desiredState: Inactive}"),
            Some("inactive"),
        ),
        ("a cut", Deed::Act("db", "deactivate/1"), Some("inactive")),
        ("a removal", Deed::Act("db", "remove/1"), Some("removed")),
        ("a deletion", Deed::Delete(&LINKS, "shop", "db"), None),
    ]
}

/// Another client damages each child, so that it has to be updated.
fn damage(town: &Town, kind: &Resource) {
    for key in town.children().into_iter().filter(|key| *key.resource == *kind) {
        let patch = json!({"metadata": {"annotations": {"instancelink.dev/link": "shop/other"}}});
        merge(&town.api, &key, None, &patch, "kubectl-annotate");
    }
}

async fn play(
    kind: &'static Resource,
    what: &str,
    deed: &Deed,
    expected: Option<&str>,
    is_damaged: bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let town = Town::new();
    town.create_sibling();
    town.create_link();
    sleep(SETTLED).await;
    town.put(refuses(kind));
    if is_damaged {
        damage(&town, kind);
        sleep(SETTLED).await;
    }
    let before = town.version();
    deed.act(&town.api);
    sleep(SETTLED).await;
    let writes = town.writes_since(before).len();
    if writes > 30 {
        wrong.push(format!("{writes} writes"));
    }
    let (reason, message) = town.condition("db", "Programmed");
    // The address of a virtual IP that clients use is not given up.
    let keeps_address = *kind == SERVICES && expected == Some("active") && (is_damaged || what == "other ports");
    if keeps_address {
        let command = "kubectl -n shop delete services db-vip";
        if reason != "AlteredByOthers" || !message.contains(command) {
            wrong.push(format!("{:?} {reason}: {message}", town.state("db")));
        }
        Deed::Delete(&SERVICES, "shop", "db-vip").act(&town.api);
        sleep(SETTLED).await;
        let (reason, message) = town.condition("db", "Programmed");
        if reason != "Programmed" {
            wrong.push(format!("after the command: {reason}: {message}"));
        }
    } else if town.state("db").as_deref() != expected || (expected.is_some() && reason != "Programmed") {
        wrong.push(format!("{:?} {reason}: {message}", town.state("db")));
    }
    for link in ["db", "cache"] {
        if town.state(link).is_some() {
            town.delete(link);
        }
        sleep(SETTLED).await;
    }
    let left = town.children();
    if !left.is_empty() || town.state("db").is_some() {
        wrong.push(format!("left: {left:?} in {:?}", town.state("db")));
    }
    wrong.extend(town.violations());
    wrong
}

#[test]
fn a_child_that_is_not_updated_is_created_again_or_the_link_says_the_command() {
    let campaign = campaign::start("every kind of child that the API server does not update");
    let all = KINDS.iter().flat_map(|kind| {
        let deeds = deeds().into_iter();
        deeds.flat_map(move |(what, _, _)| [false, true].map(|is_damaged| (*kind, what, is_damaged)))
    });
    let cases: Vec<_> = all.collect();
    let (_, violations) = side_by_side(&cases, |(kind, what, is_damaged)| {
        let found = deeds().into_iter().find(|(name, ..)| name == what);
        let (_, deed, expected) = found.unwrap();
        let wrong = paused().block_on(play(kind, what, &deed, expected, *is_damaged));
        let damaged = if *is_damaged { ", damaged" } else { "" };
        let line = format!("{}, {what}{damaged}: {}", kind.plural, wrong.join("; "));
        (1, if wrong.is_empty() { Vec::new() } else { vec![line] })
    });
    let runs = cases.len() as u64;
    campaign.finish(runs, runs, &violations);
}
