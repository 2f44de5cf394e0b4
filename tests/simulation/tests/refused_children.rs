//! Quotas, policies and webhooks refuse each write of a child, one at a time. The link says who refuses which object and what
//! to do, sends little, and goes on within ten seconds after the end.
//!
//! Rules: contract#refused-writes, lifecycle#refused-child-holds-state, lifecycle#forbidden-deletion-waits, lifecycle#retries.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::sync::Arc;
use std::time::Duration;

use instancelink_simulation::campaign::side_by_side;
use instancelink_simulation::operator::{NAME, Running};
use instancelink_simulation::run::paused;
use instancelink_simulation::script::Deed::{self, Act, Create, Delete, Ready};
use instancelink_simulation::script::kinds::{LINKS, POLICIES};
use instancelink_simulation::script::{edit, link};
use instancelink_simulation::{oracle, seeds};
use instancelink_testkit::api::Api;
use instancelink_testkit::campaign;
use instancelink_testkit::faults::hooks::Hooks;
use instancelink_testkit::faults::refusing::{Refuser, Refusing};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Longer than the wait for a target, and than all growing pauses before the longest.
const SETTLED: Duration = Duration::from_mins(1);
/// How soon a link goes on: ten seconds, and its next states.
const SOON: Duration = Duration::from_secs(11);
/// A pause that grew: a missing right gives no event, and needs no short pauses.
const LATER: Duration = Duration::from_mins(7);

/// What users do, with the state of the link `db` after it.
fn deeds() -> Vec<(Deed, &'static str)> {
    let isolates = json!({
        "metadata": {"name": "closed", "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": {"app": "pg"}}, "policyTypes": ["Ingress"], "ingress": []},
    });
    let spec = "{addressing: VirtualIP, ports: [{name: pg, port: 5432}], networkPolicy: Allow, \
                outputs: {binding: {type: postgresql}}}";
    vec![
        (Create(&POLICIES, isolates), "gone"),
        (link("cache", "cache", "pg-2", ""), "gone"),
        (link("db", "db", "pg", spec), "active"),
        (Ready("pg-1-0", "10.0.0.11", false), "active"),
        (edit("db", "{targetInstanceRef: {name: pg-2}}"), "active"),
        (Act("db", "deactivate/1"), "inactive"),
        (Act("db", "activate/2"), "active"),
        (edit("db", "{addressing: Auto, networkPolicy: None}"), "active"),
        (Delete(&LINKS, "shop", "db"), "gone"),
        (Delete(&LINKS, "shop", "cache"), "gone"),
    ]
}

fn found(api: &Api, name: &str) -> Option<Value> {
    let store = api.store();
    let mut links = store.of(&LINKS);
    links
        .find(|link| link["metadata"]["name"] == name)
        .map(|link| Value::clone(link))
}

fn programmed(link: &Value) -> &Value {
    let conditions = link["status"]["conditions"].as_array().unwrap();
    conditions.iter().find(|c| c["type"] == "Programmed").unwrap()
}

/// The links that are not as they must be: `db` in this state, each programmed, and none left that is being deleted.
fn unfinished(api: &Api, state: &str) -> Vec<Value> {
    let wrong = |name: &str, state: Option<&str>| {
        found(api, name).filter(|link| {
            let is_there = state.is_none_or(|state| link["status"]["state"] == state);
            !is_there || programmed(link)["status"] != "True" || !link["metadata"]["deletionTimestamp"].is_null()
        })
    };
    wrong("db", Some(state))
        .into_iter()
        .chain(wrong("cache", None))
        .collect()
}

/// What is wrong with the words of the links that wait.
fn unsaid(waiting: &[Value], refusing: &Refusing, refuser: Refuser) -> Option<String> {
    let write = refusing.refused()?;
    let (reason, who, next) = match refuser {
        Refuser::Quota => (
            "QuotaExceeded",
            "exceeded quota: objects",
            "kubectl -n shop edit resourcequota objects",
        ),
        Refuser::Policy(_) => (
            "AdmissionDenied",
            "'teams'",
            "kubectl edit validatingadmissionpolicy teams",
        ),
        Refuser::Webhook(_) => (
            "AdmissionDenied",
            "teams.example.com",
            "kubectl get validatingwebhookconfigurations",
        ),
        Refuser::BrokenWebhook => (
            "AdmissionFailed",
            "teams.example.com",
            "kubectl get validatingwebhookconfigurations",
        ),
        Refuser::UnfitPatch => (
            "AdmissionFailed",
            "Internal error occurred",
            "kubectl get validatingwebhookconfigurations",
        ),
        Refuser::MutatingPolicy => (
            "AdmissionDenied",
            "'teams'",
            "kubectl edit mutatingadmissionpolicy teams",
        ),
        Refuser::Rights => ("Forbidden", "cannot", "kind: RoleBinding"),
    };
    let object = format!("{} shop/{}", write.kind, write.name);
    let says = |link: &Value| {
        let condition = programmed(link);
        let message = condition["message"].as_str().unwrap_or_default();
        condition["reason"] == reason && [object.as_str(), who, next].iter().all(|part| message.contains(part))
    };
    let silent = waiting.iter().find(|link| !says(link))?;
    Some(format!(
        "it does not say {reason}, {object}, {who:?} and {next:?}: {}",
        silent["status"]
    ))
}

async fn play(refuser: Refuser, number: usize) -> (Arc<Refusing>, Vec<String>) {
    let api = Arc::new(Api::default());
    seeds::plant(&api);
    let refusing = Arc::new(Refusing::new(NAME, refuser, number));
    let hooks: Arc<dyn Hooks> = refusing.clone();
    let operator = Running::start_with(
        &api,
        &hooks,
        &format!("{NAME}-1"),
        SignedDuration::ZERO,
        &["--verify-dns=false"],
    );
    sleep(Duration::from_secs(1)).await;
    let mut wrong = Vec::new();
    for (i, (deed, state)) in deeds().into_iter().enumerate() {
        let mut complain = |what: String| wrong.push(format!("contract#refused-writes: at step {}: {what}", i + 1));
        deed.act(&api);
        sleep(SETTLED).await;
        let waiting = unfinished(&api, state);
        if waiting.is_empty() {
            continue;
        }
        if refusing.refused().is_none() {
            complain(format!(
                "a link waits although nothing is refused: {}",
                waiting[0]["status"]
            ));
            break;
        }
        unsaid(&waiting, &refusing, refuser).into_iter().for_each(&mut complain);
        let before = refusing.times();
        sleep(Duration::from_mins(1)).await;
        // Each of the two links may try every 6.4 to 8 seconds.
        let tries = refusing.times() - before;
        if tries > 2 * 10 {
            complain(format!("{tries} tries in a minute"));
        }
        refusing.lift();
        sleep(if refuser == Refuser::Rights { LATER } else { SOON }).await;
        if let Some(late) = unfinished(&api, state).first() {
            complain(format!("it does not go on: {}", late["status"]));
            break;
        }
    }
    assert!(!operator.has_ended());
    wrong.extend(oracle::judge(api.store().changes_after(0)));
    (refusing, wrong)
}

#[test]
fn the_refuser_of_each_write_of_a_child_is_named_and_the_link_goes_on_soon_after_the_end() {
    let campaign = campaign::start("each write of a child refused by quota, policy, webhook or rights");
    let (undisturbed, wrong) = paused().block_on(play(Refuser::Quota, 0));
    assert_eq!(wrong, Vec::<String>::new());
    let writes = undisturbed.writes();
    for kind in ["Service", "EndpointSlice", "ConfigMap", "NetworkPolicy", "Secret"] {
        for verb in ["create", "delete"] {
            let is_written = writes.iter().any(|write| write.kind == kind && write.verb == verb);
            assert!(is_written, "no {verb} of a {kind}: {writes:?}");
        }
    }
    let plans: Vec<(Refuser, usize)> = (1..=writes.len())
        .flat_map(|number| Refuser::ALL.map(|refuser| (refuser, number)))
        .filter(|(refuser, number)| *refuser != Refuser::Quota || writes[number - 1].verb == "create")
        .collect();
    let (faults, violations) = side_by_side(&plans, |(refuser, number)| {
        let (refusing, wrong) = paused().block_on(play(*refuser, *number));
        let write = &writes[number - 1];
        let lines = wrong
            .into_iter()
            .map(|what| format!("{refuser:?} refuses write {number}, {write:?}: {what}"));
        (refusing.times() as u64, lines.collect())
    });
    campaign.finish(plans.len() as u64, faults, &violations);
}
