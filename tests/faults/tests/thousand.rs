//! A thousand links: their memory in the operator, what happens when the operator is killed because memory is
//! exhausted, and how long the deletion of their namespace takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, MemoryLimit, Operator, Options};
use faults::{Proxy, Request};
use futures::{StreamExt as _, stream};
use harness::{Namespace, eventually, idle_deployment, link, residue_of};
use instancelink_api::InstanceLink;
use instancelink_api::State::{self, Active, Inactive};
use instancelink_testkit::campaign;
use k8s_openapi::api::core::v1 as core;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use tokio::time::sleep;

const LINKS: usize = 1000;
const SOURCES: usize = 100;
/// The memory that the operator may use for them.
const MEMORY: u64 = 128 << 20;
/// The limit in `deploy/`.
const SHIPPED: u64 = 512 << 20;
const STARVES: Duration = Duration::from_mins(2);
/// The time in which a namespace with a thousand links must be gone.
const GOES: Duration = Duration::from_mins(1);
/// On a machine that is too slow for that: this multiple of the time for creating them. The API server takes most of
/// it, because it deletes one link after the other. Measured: 2.0 and 2.8.
const GOES_FOR_MAKING: u32 = 4;
/// Writes for a link that is deleted with its source: four of its status, one for its finalizer, one for its slice, and one for
/// the environment, if the links of a source are not due together. Which of them is deleted first differs from run to run:
/// 5,000 and 7,000 writes were measured.
const WRITES: usize = 7;
const REACHED: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread")]
async fn campaign_a_thousand_links_outlive_an_operator_without_memory_and_go_with_their_namespace() {
    let plane = ControlPlane::start().await;
    let proxy = Proxy::start(&plane).await;
    let mut operator = Operator::start_ready(&plane, &proxy.server, &Options::alone()).await;
    let campaign = campaign::start("a thousand links: out of memory, and their namespace deleted");
    let mut violations = Vec::new();
    let mut faults = 1;

    let town = plane.namespace("town".to_owned()).await;
    let began = Instant::now();
    populate(&town).await;
    all_reach(&town, Active).await;
    let made = began.elapsed();
    let peak = operator.program.memory("VmHWM").unwrap();
    let own = operator.program.memory("RssAnon").unwrap();
    println!(
        "{LINKS} links: {} MiB at most, {} MiB of its own",
        peak >> 20,
        own >> 20
    );
    if peak > MEMORY {
        violations.push(format!("{} MiB for {LINKS} links", peak >> 20));
    }

    // With half of the memory that it needs, it is killed each time it is started.
    operator.program.kill().await;
    let tight = MemoryLimit::new("tight", own / 2);
    if let Some(limit) = &tight {
        faults += 1;
        let mut starved = Operator::start(&plane, &proxy.server, &Options::alone()).await;
        limit.put(&starved.program);
        edit_all(&town, "Inactive").await;
        let status = starved.program.wait(STARVES).await;
        println!("with {} MiB it ended with {status}", own >> 21);
        if status.code().is_some() {
            violations.push(format!(
                "it should be killed, but ended with {status}: {}",
                starved.program.tail()
            ));
        }
    } else {
        println!("no memory cgroup can be made here: it is only killed");
        edit_all(&town, "Inactive").await;
    }
    drop(tight);
    // With the limit of `deploy/` it completes all work.
    let shipped = MemoryLimit::new("shipped", SHIPPED);
    operator = Operator::start(&plane, &proxy.server, &Options::alone()).await;
    if let Some(limit) = &shipped {
        limit.put(&operator.program);
    }
    all_reach(&town, Inactive).await;
    violations.extend(residue_of(&town).await);

    edit_all(&town, "Active").await;
    all_reach(&town, Active).await;
    let namespaces: Api<core::Namespace> = Api::all(plane.client.clone());
    let before = proxy.count();
    let started = Instant::now();
    namespaces.delete(&town.name, &DeleteParams::default()).await.unwrap();
    eventually("the namespace is gone", REACHED, async || {
        match namespaces.get_opt(&town.name).await {
            Ok(None) => Ok(()),
            Ok(Some(found)) => Err(format!("{:?}", found.status)),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
    let took = started.elapsed();
    let requests = proxy.seen();
    let writes = requests
        .iter()
        .skip(before)
        .filter(|r| r.namespace == town.name && r.writes())
        .count();
    println!(
        "{}",
        by_right(
            requests
                .iter()
                .skip(before)
                .filter(|r| r.namespace == town.name && r.writes())
        )
    );
    println!(
        "the {LINKS} links were made in {made:.1?}; their namespace was gone after {took:.1?} and {writes} writes"
    );
    if took > GOES.max(made * GOES_FOR_MAKING) {
        violations.push(format!("the namespace took {took:.1?} to go"));
    }
    // 5 % for conflicts with other clients.
    if writes > LINKS * WRITES * 21 / 20 {
        violations.push(format!("{writes} writes until the namespace was gone"));
    }
    if let Some(status) = operator.program.ended() {
        violations.push(format!("the operator ended with {status}: {}", operator.program.tail()));
    }
    campaign.finish(LINKS as u64, faults, &violations);
}

/// The numbers of requests, by verb and resource.
fn by_right<'a>(requests: impl Iterator<Item = &'a Request>) -> String {
    let mut counts = BTreeMap::<String, usize>::new();
    for request in requests {
        *counts.entry(request.right()).or_default() += 1;
    }
    format!("{counts:?}")
}

async fn populate(town: &Namespace) {
    let sources = stream::iter(0..SOURCES).map(|number| async move {
        town.create_object(&idle_deployment(&format!("source-{number}"))).await;
    });
    sources.buffer_unordered(16).collect::<Vec<()>>().await;
    let links = stream::iter(0..LINKS).map(|number| async move {
        let source = format!("Deployment/source-{}", number % SOURCES);
        let alias = format!("alias-{}", number / SOURCES);
        town.link(link(&format!("link-{number}"), &alias, &source, "Service/pg"))
            .await;
    });
    links.buffer_unordered(16).collect::<Vec<()>>().await;
}

async fn edit_all(town: &Namespace, desired: &str) {
    let edits = stream::iter(0..LINKS).map(|number| async move {
        let link = harness::Link::at(town, &format!("link-{number}"));
        link.edit(json!({ "desiredState": desired })).await;
    });
    edits.buffer_unordered(16).collect::<Vec<()>>().await;
}

async fn all_reach(town: &Namespace, state: State) {
    let api: Api<InstanceLink> = town.api();
    let there = ListParams::default().fields(&format!("status.state={state}"));
    eventually(&format!("all are {state}"), REACHED, async || {
        // A list of a thousand links is more expensive for the API server than a link.
        sleep(Duration::from_secs(2)).await;
        let found = api.list(&there).await.map_err(|e| e.to_string())?.items.len();
        if found == LINKS {
            Ok(())
        } else {
            Err(format!("{found} are"))
        }
    })
    .await;
}
