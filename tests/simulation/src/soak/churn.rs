//! The operations of users and kubelets during a day.

use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::{LINKS, PODS};
use instancelink_testkit::dice::Dice;
use serde_json::{Value, json};

use super::town::{PODS_EACH, TARGETS, Town, pod_of, space};

/// Operations from a seed.
pub(super) struct Churn {
    dice: Dice,
    /// The number of requested actions. Each has its own id.
    asked: u64,
    pub(super) deeds: u64,
}

impl Churn {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice(seed),
            asked: 0,
            deeds: 0,
        }
    }

    /// Runs one operation of a user or a kubelet.
    pub(super) fn deed(&mut self, town: &mut Town) {
        self.deeds += 1;
        let namespace = space(self.dice.roll(town.size.namespaces));
        if self.dice.roll(4) == 0 {
            return self.pod(town, &namespace);
        }
        let slot = self.dice.roll(town.size.links_each);
        let target = self.dice.roll(TARGETS);
        let Some(link) = town.get(&LINKS, &namespace, &town.name_of(slot)) else {
            return town.link_up(&namespace, slot, target);
        };
        match self.dice.roll(10) {
            0 | 1 if !link.is_terminating() => town.delete(&LINKS, &namespace, &town.name_of(slot)),
            2 | 3 => {
                let patch = json!({"spec": {"targetInstanceRef": {"name": format!("pg-{target}")}}});
                town.patch(&namespace, slot, &patch, "kubectl-edit");
            }
            4 => {
                let patch = json!({"spec": {"description": format!("of {target}")}});
                town.patch(&namespace, slot, &patch, "kubectl-edit");
            }
            5 => self.act(town, &namespace, slot, "purge"),
            _ => {
                let verb = self.dice.choose(&["activate", "deactivate", "remove", "restore"]);
                self.act(town, &namespace, slot, verb);
            }
        }
    }

    fn pod(&mut self, town: &mut Town, namespace: &str) {
        let (target, pod) = (self.dice.roll(TARGETS), self.dice.roll(PODS_EACH));
        match self.dice.roll(4) {
            0 => town.delete(&PODS, namespace, &pod_of(target, pod)),
            1 => town.pod_unready(namespace, target, pod),
            2 => town.pod_up(namespace, target, pod, true),
            _ => town.pod_up(namespace, target, pod, false),
        }
    }

    fn act(&mut self, town: &Town, namespace: &str, slot: u32, verb: &str) {
        self.asked += 1;
        let value = format!("{verb}/{}", self.asked);
        let patch = json!({"metadata": {"annotations": {"instancelink.dev/action": value}}});
        town.patch(namespace, slot, &patch, "kubectl-annotate");
    }

    /// Requests an action on a link at rest, or none. Returns the expected state.
    pub(super) fn last(&mut self, town: &Town, namespace: &str, slot: u32, link: &Value) -> String {
        let state = link["status"]["state"].as_str().unwrap_or_default();
        let choices: &[(&str, &str)] = match state {
            "active" => &[("", "active"), ("deactivate", "inactive"), ("remove", "removed")],
            "inactive" => &[("", "inactive"), ("activate", "active"), ("remove", "removed")],
            "removed" => &[("", "removed"), ("restore", "inactive")],
            _ => &[("", "purged")],
        };
        let (verb, then) = self.dice.choose(choices);
        if !verb.is_empty() {
            self.act(town, namespace, slot, verb);
        }
        then.to_owned()
    }
}
