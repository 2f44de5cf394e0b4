//! The cost of decisions, as a number of CPU instructions. Callgrind counts them for each call of `step` from the
//! creation to the deletion of a link. The number does not depend on the speed of the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::process::Command;

use instancelink_api::{State, keys};
use instancelink_core::fixture::{self, World};
use instancelink_core::snapshot::Sibling;
use instancelink_testkit::campaign;
use serde_json::json;

/// The instructions of all steps of [`life`], in the profile of the campaigns. Give the reason when you change it.
const KNOWN: u64 = 9_650_000;
/// The siblings of the link. They share its directory and its environment.
const SIBLINGS: usize = 9;

#[test]
fn campaign_the_steps_of_a_life_take_as_many_instructions_as_they_did() {
    let campaign = campaign::start("instructions of all steps of a link's life");
    let counted = counted();
    println!("{counted} instructions, {KNOWN} known");
    let violations = campaign::differs(counted, KNOWN, "instructions");
    campaign.finish(1, 0, violations.as_slice());
}

/// Runs this program again under callgrind, with only the life.
fn counted() -> u64 {
    let program = std::env::current_exe().unwrap();
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--collect-atstart=no",
        ])
        .arg("--toggle-collect=instancelink_core::lifecycle::step")
        .arg(program)
        .args(["--exact", "life", "--ignored", "--test-threads=1"])
        .output()
        .expect("valgrind is installed");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    let counted = collected.and_then(|(_, count)| count.trim().parse().ok());
    counted.unwrap_or_else(|| panic!("callgrind does not tell what it counted:\n{told}"))
}

#[test]
#[ignore = "callgrind runs it, to count its instructions"]
fn life() {
    let mut world = World::new((0..SIBLINGS).fold(fixture::snapshot(), |s, n| s.with_sibling(sibling(n))));
    world.settle();
    assert_eq!(world.state(), State::Active);
    share_the_environment(&mut world);
    for (action, state) in [
        ("deactivate", State::Inactive),
        ("activate", State::Active),
        ("deactivate", State::Inactive),
        ("remove", State::Removed),
        ("restore", State::Inactive),
        ("activate", State::Active),
    ] {
        world.act(action);
        assert_eq!(world.state(), state);
    }
    world.delete();
    world.settle();
    assert!(world.gone);
}

/// The siblings have variables in the environment too.
fn share_the_environment(world: &mut World) {
    let environment = &mut world.s.children.environments[0].object;
    let mut entries = serde_json::to_value(environment.entries()).unwrap();
    for n in 0..SIBLINGS {
        let keys = [
            "NAME",
            "PORT",
            "PORT_1_TCP",
            "PORT_1_TCP_ADDR",
            "PORT_1_TCP_PORT",
            "PORT_1_TCP_PROTO",
        ];
        let keys = keys.map(|key| format!("ALIAS_{n}_{key}"));
        entries[uid(n)] = json!(keys);
        let values = keys.map(|key| (key, format!("alias-{n}.web-links.shop.svc")));
        environment.body.data.extend(values);
    }
    let entries = entries.to_string();
    environment.annotations.insert(keys::ENTRIES.to_owned(), entries);
}

fn uid(n: usize) -> String {
    format!("55555555-eeee-4eee-8eee-{n:012}")
}

fn sibling(n: usize) -> Sibling {
    let spec = format!("linkName: alias-{n}\ninstanceRef: {{kind: Deployment, name: web}}\n");
    let link = fixture::link_named(&format!("web-{n}"), &uid(n), &spec);
    fixture::as_sibling(link, State::Active, true)
}
