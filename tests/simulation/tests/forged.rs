//! The editor of another namespace makes objects with all marks of a link's children, and holds them and the link's policy with
//! finalizers. The link is cut and deleted as if they did not exist.

use instancelink_simulation::campaign::side_by_side;
use instancelink_simulation::run::{Setting, run};
use instancelink_simulation::script::Deed::{Act, Create, Delete, Forge, Wait};
use instancelink_simulation::script::kinds::{GRANTS, LINKS, POLICIES};
use instancelink_simulation::script::{Script, edit, link};
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::{AtEvent, AtRequest, Fault, Plan};
use serde_json::json;

fn active(name: &'static str) -> Script {
    let closed = json!({
        "metadata": {"name": "closed", "namespace": "data"},
        "spec": {"podSelector": {"matchLabels": {"app": "pg"}}, "policyTypes": ["Ingress"], "ingress": []},
    });
    let consent = json!({
        "metadata": {"name": "shop", "namespace": "data"},
        "spec": {
            "from": [{"namespace": "shop"}], "to": [{"kind": "Deployment", "name": "pg"}],
            "allow": ["Endpoints", "NetworkPolicy"],
        },
    });
    let spec = "{targetInstanceRef: {kind: Deployment, name: pg, namespace: data}, networkPolicy: Allow, \
                addressing: VirtualIP, ports: [{name: pg, port: 5432}]}";
    Script::new(name)
        .then(Create(&POLICIES, closed), &[])
        .then(Create(&GRANTS, consent), &[])
        .then(link("db", "db", "", spec), &[("db", "active")])
}

/// Each way to cut the link.
fn scripts() -> Vec<Script> {
    let gone = |script: Script| {
        script
            .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
            .then(Wait(30), &[])
    };
    let forged = |name| active(name).then(Forge("db"), &[("db", "active")]);
    vec![
        gone(forged("forged, and deactivated").then(Act("db", "deactivate/1"), &[("db", "inactive")])),
        gone(forged("forged, and removed").then(Act("db", "remove/1"), &[("db", "removed")])),
        gone(forged("forged, and deleted")),
        gone(forged("forged, and without consent").then(Delete(&GRANTS, "data", "shop"), &[("db", "inactive")])),
        gone(forged("forged, and without a policy").then(edit("db", "{networkPolicy: None}"), &[("db", "active")])),
        gone(forged("forged, and retargeted").then(
            edit(
                "db",
                "{targetInstanceRef: {kind: Deployment, name: pg, namespace: shop}}",
            ),
            &[("db", "active")],
        )),
        // The last ones are forged while the link goes.
        gone(
            active("forged at the end")
                .at_once(Forge("db"))
                .then(Act("db", "deactivate/1"), &[("db", "inactive")]),
        ),
    ]
}

/// lifecycle#no-wait-for-others
#[test]
fn what_the_editor_of_another_namespace_forges_or_holds_keeps_no_link() {
    let campaign = campaign::start("children forged in other namespaces");
    let scripts = scripts();
    let mut runs: Vec<(&Script, Plan)> = Vec::new();
    for script in &scripts {
        runs.push((script, Plan::default()));
        let (requests, events) = run(script, &Plan::default(), Setting::default()).points;
        for n in (1..=requests).step_by(13) {
            runs.push((script, Plan(vec![Fault::Request(n, AtRequest::DoneButReset)])));
            runs.push((script, Plan(vec![Fault::Request(n, AtRequest::Crash)])));
        }
        for n in (1..=events).step_by(31) {
            runs.push((script, Plan(vec![Fault::Event(n, AtEvent::VeryLate)])));
        }
    }
    let (faults, violations) = side_by_side(&runs, |(script, plan)| {
        let found = run(script, plan, Setting::default());
        let shown = |what: String| format!("'{}' {plan}: {what}", script.name);
        (found.injected, found.violations.into_iter().map(shown).collect())
    });
    campaign.finish(runs.len() as u64, faults, &violations);
}
