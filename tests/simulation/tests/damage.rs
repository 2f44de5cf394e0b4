//! Another client changes or removes any field of a link's metadata or of a child. It is repaired, or the link
//! reports what blocks it. Afterwards everything can still be taken down.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use instancelink_simulation::campaign::{Reference, Tolerance, side_by_side};
use instancelink_simulation::run::Setting;
use instancelink_simulation::script::Deed::{Act, Create, Damage, Delete, Wait};
use instancelink_simulation::script::kinds::{LINKS, POLICIES};
use instancelink_simulation::script::{self, Script, link};
use instancelink_simulation::{damage, run};
use instancelink_testkit::campaign;
use instancelink_testkit::faults::plan::Plan;
use serde_json::json;

fn built() -> Script {
    let isolates = json!({
        "metadata": {"name": "closed", "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": {"app": "pg"}}, "policyTypes": ["Ingress"], "ingress": []},
    });
    let spec = "{addressing: VirtualIP, ports: [{name: pg, port: 5432}], networkPolicy: Allow}";
    Script::new("damaged")
        .then(Create(&POLICIES, isolates), &[])
        .then(link("db", "db", "pg", spec), &[("db", "active")])
        .then(
            link("cache", "cache", "pg-2", ""),
            &[("db", "active"), ("cache", "active")],
        )
}

fn damaged(damage: &script::Damage) -> (Script, Script) {
    let repaired = built()
        .then(Damage(damage.clone()), &[("db", "active"), ("cache", "active")])
        .then(Wait(400), &[("db", "active"), ("cache", "active")]);
    let taken_down = built()
        .then(Damage(damage.clone()), &[("db", "active"), ("cache", "active")])
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone"), ("cache", "active")])
        .then(Delete(&LINKS, "shop", "cache"), &[("cache", "gone")]);
    (repaired, taken_down)
}

#[test]
fn each_damage_is_repaired_and_the_link_can_be_taken_down() {
    let campaign = campaign::start("every member of links and children damaged");
    let script = built();
    let reference = Reference::of(&script, Setting::default());
    let damages = damage::all(&reference.outcome.api.store());
    let end = built()
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
        .then(Delete(&LINKS, "shop", "cache"), &[("cache", "gone")]);
    let end = Reference::of(&end, Setting::default());
    let (_, violations) = side_by_side(&damages, |damage| {
        let (repaired, taken_down) = damaged(damage);
        let mut violations = Vec::new();
        for (script, reference) in [(repaired, &reference), (taken_down, &end)] {
            let found = run::run(&script, &Plan::default(), Setting::default());
            let mut wrong = reference.compare(&found, &Plan::default(), Tolerance::Damage);
            wrong.retain(|what| !what.starts_with("lifecycle#foreign-untouched"));
            if !wrong.is_empty() {
                let what = damage.value.as_ref().map_or("removed".to_owned(), ToString::to_string);
                let (kind, name) = (damage.key.resource.plural, &damage.key.name);
                let at = &damage.pointer;
                violations.push(format!("{kind} {name} {at} {what}: {}", wrong.join("; ")));
            }
        }
        (1, violations)
    });
    let runs = 2 * damages.len() as u64;
    campaign.finish(runs, damages.len() as u64, &violations);
}
