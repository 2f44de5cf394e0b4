//! The cost of each edge in requests, with a real API server: exactly the minimum, and no read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::time::Duration;

use control_plane::Options;
use harness::{Link, LinkManifest, Namespace, idle_deployment, link, without_policies};
use instancelink_api::State::{Active, Inactive, Purged, Registering, Removed};
use instancelink_bench::gate::Gate;
use instancelink_bench::world::{make_pod, make_service, set_ready};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn campaign_each_edge_costs_the_least_it_can() {
    let mut gate = Gate::start().await;
    links_become_active(&mut gate).await;
    links_wait(&mut gate).await;
    links_are_acted_on(&mut gate).await;
    links_are_edited(&mut gate).await;
    pods_change(&mut gate).await;
    links_are_removed(&mut gate).await;
    links_are_deleted(&mut gate).await;
    nothing_happens(&mut gate).await;
    gate.finish();
}

/// A link of `web` to `pg` with its name as alias.
fn simple(name: &str) -> LinkManifest {
    link(name, name, "Deployment/web", "Service/pg")
}

async fn active(town: &Namespace, name: &str) -> Link {
    let link = town.link(simple(name)).await;
    link.reaches(Active).await;
    link
}

async fn inactive(town: &Namespace, name: &str) -> Link {
    let link = active(town, name).await;
    link.action("deactivate").await;
    link.reaches(Inactive).await;
    link
}

async fn removed(town: &Namespace, name: &str) -> Link {
    let link = inactive(town, name).await;
    link.action("remove").await;
    link.reaches(Removed).await;
    link
}

async fn links_become_active(gate: &mut Gate) {
    let town = gate.town("creation").await;
    gate.costs("the first link of a source becomes active", async |_, _| {
        active(&town, "db").await;
    })
    .await;
    gate.costs("another link of the source becomes active", async |_, _| {
        active(&town, "cache").await;
    })
    .await;
    let town = gate.town("no-policies").await;
    without_policies(&town, async || {
        gate.costs("a link without its finalizer becomes active", async |_, _| {
            active(&town, "db").await;
        })
        .await;
    })
    .await;
}

async fn links_wait(gate: &mut Gate) {
    let town = gate.plane.empty_namespace("waiting".to_owned()).await;
    town.fixed_service("pg").await;
    let db = Link::at(&town, "db");
    gate.costs("a link waits for its source", async |_, _| {
        town.link(simple("db")).await.reaches(Registering).await;
    })
    .await;
    gate.costs("its source appears", async |_, _| {
        town.create_object(&idle_deployment("web")).await;
        db.reaches(Active).await;
    })
    .await;

    let town = gate.plane.empty_namespace("waiting-together".to_owned()).await;
    town.fixed_service("pg").await;
    let mut links = Vec::new();
    for n in 0..10 {
        let link = town.link(simple(&format!("db-{n}"))).await;
        link.reaches(Registering).await;
        links.push(link);
    }
    gate.costs("the source of ten links appears", async |_, _| {
        town.create_object(&idle_deployment("web")).await;
        for link in &links {
            link.reaches(Active).await;
        }
    })
    .await;

    let town = gate.town("waiting-for-target").await;
    // Long enough that no progress is written during the test.
    let patient = json!({ "targetWaitSeconds": 3600 });
    let db = link("db", "db", "Deployment/web", "Service/late").spec("activation", patient);
    gate.costs("a link waits for its target", async |_, _| {
        let db = town.link(db).await;
        db.until("says so", |l| message(l).starts_with("waiting up to")).await;
    })
    .await;
    gate.costs("its target appears", async |_, _| {
        town.fixed_service("late").await;
        Link::at(&town, "db").reaches(Active).await;
    })
    .await;

    let town = gate.town("waiting-for-alias").await;
    let first = inactive(&town, "first").await;
    let second = link("second", "first", "Deployment/web", "Service/pg");
    gate.costs("a link waits for an alias", async |_, _| {
        town.link(second).await.reaches(Registering).await;
    })
    .await;
    gate.costs("the alias becomes free", async |_, _| {
        first.delete().await;
        Link::at(&town, "second").reaches(Active).await;
    })
    .await;
}

fn message(link: &instancelink_api::InstanceLink) -> &str {
    let status = link.status.as_ref();
    status
        .and_then(|s| s.transitioning_message.as_deref())
        .unwrap_or_default()
}

async fn links_are_acted_on(gate: &mut Gate) {
    let town = gate.town("actions").await;
    let db = active(&town, "db").await;
    gate.costs("deactivate", async |_, _| {
        db.action("deactivate").await;
        db.reaches(Inactive).await;
    })
    .await;
    gate.costs("activate", async |_, _| {
        db.action("activate").await;
        db.reaches(Active).await;
    })
    .await;
    gate.costs("an action changes nothing", async |_, _| {
        db.act("activate").await.is_accepted();
    })
    .await;
    gate.costs("desiredState becomes Inactive", async |_, _| {
        db.edit(json!({ "desiredState": "Inactive" })).await;
        db.reaches(Inactive).await;
    })
    .await;
    gate.costs("desiredState becomes Active", async |_, _| {
        db.edit(json!({ "desiredState": "Active" })).await;
        db.reaches(Active).await;
    })
    .await;
    // With the admission policies in force the API server refuses it, and the operator never sees it.
    without_policies(&town, async || {
        gate.costs("an action is rejected", async |_, _| {
            db.act("deactivate").await.is_rejected("ManagedBySpec");
        })
        .await;
    })
    .await;
}

async fn links_are_edited(gate: &mut Gate) {
    let town = gate.town("edits").await;
    let other = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "my" },
        "spec": { "ports": [{ "name": "my", "port": 3306 }] },
    });
    town.create_object(&other).await;
    let db = active(&town, "db").await;
    for (what, target) in [("retarget", "pg2"), ("retarget to another port", "my")] {
        gate.costs(what, async |_, _| {
            db.retarget(&format!("Service/{target}")).await;
            let there = |l: &instancelink_api::InstanceLink| {
                let status = l.status.as_ref();
                status.and_then(|s| s.target.as_ref()).is_some_and(|t| t.name == target) && l.state() == Active
            };
            db.until("leads there", there).await;
        })
        .await;
    }
    for (what, field) in [
        ("the name is edited", "name"),
        ("the description is edited", "description"),
    ] {
        gate.costs(what, async |_, _| {
            db.edit(json!({ field: "For orders" })).await;
        })
        .await;
    }
}

async fn pods_change(gate: &mut Gate) {
    let town = gate.town("pods").await;
    make_service(&town, "app").await;
    make_pod(&town, "app-0", "app", "10.1.0.1").await;
    make_pod(&town, "app-1", "app", "10.1.0.2").await;
    let db = link("db", "db", "Deployment/web", "Service/app").spec("addressing", "PodIP");
    let db = town.link(db).await;
    db.reaches(Active).await;
    let pods = town.api();
    gate.costs("the address of a pod changes", async |_, _| {
        set_ready(&pods, "app-0", "10.1.0.3", true).await;
    })
    .await;
    gate.costs("one of two pods becomes unready", async |_, _| {
        set_ready(&pods, "app-0", "10.1.0.3", false).await;
    })
    .await;
    gate.costs("the last ready pod becomes unready", async |_, _| {
        set_ready(&pods, "app-1", "10.1.0.2", false).await;
        db.condition("Available", "False", "").await;
    })
    .await;
}

async fn links_are_removed(gate: &mut Gate) {
    let town = gate.town("removal").await;
    let db = inactive(&town, "db").await;
    gate.costs("remove an inactive link", async |_, _| {
        db.action("remove").await;
        db.reaches(Removed).await;
    })
    .await;
    gate.costs("restore", async |_, _| {
        db.action("restore").await;
        db.reaches(Inactive).await;
    })
    .await;
    db.action("remove").await;
    db.reaches(Removed).await;
    gate.costs("purge a removed link", async |_, _| {
        db.action("purge").await;
        db.reaches(Purged).await;
    })
    .await;
    gate.costs("the object of a purged link is deleted", async |_, _| {
        db.edit(json!({ "ttlSecondsAfterPurged": 0 })).await;
        db.is_gone().await;
    })
    .await;
}

async fn links_are_deleted(gate: &mut Gate) {
    let town = gate.town("deletion").await;
    for (what, link) in [
        ("delete an active link", active(&town, "up").await),
        ("delete an inactive link", inactive(&town, "down").await),
        ("delete a removed link", removed(&town, "removed").await),
    ] {
        gate.costs(what, async |_, _| {
            link.delete().await;
            link.is_gone().await;
        })
        .await;
    }
}

/// A start with the links of all namespaces, and some that wait.
async fn nothing_happens(gate: &mut Gate) {
    let town = gate.town("quiet").await;
    let db = active(&town, "db").await;
    inactive(&town, "parked").await;
    removed(&town, "removed").await;
    let waiting = town
        .link(link("waiting", "db", "Deployment/missing", "Service/pg"))
        .await;
    waiting.reaches(Registering).await;
    let label = json!({ "metadata": { "labels": { "team": "orders" }, "annotations": { "note": "none" } } });
    gate.costs(
        "a watched object changes in a field that does not matter",
        async |_, _| {
            db.patch(&label).await;
            for (version, kind, name) in [("apps/v1", "Deployment", "web"), ("v1", "Service", "pg")] {
                town.object(version, kind, name).patch(&label).await;
            }
        },
    )
    .await;
    gate.costs("the operator starts again", async |plane, operator| {
        operator.program.stop(Duration::from_secs(30)).await;
        let options = Options::alone();
        *operator = control_plane::Operator::start_ready(plane, &plane.server(), &options).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
    })
    .await;
    gate.costs(
        "the API server starts again, and all watches start again",
        async |plane, operator| {
            plane.restart_api_server(Duration::from_secs(1)).await;
            tokio::time::sleep(Duration::from_secs(10)).await;
            operator.is_ready(Duration::from_mins(1)).await;
        },
    )
    .await;
}
