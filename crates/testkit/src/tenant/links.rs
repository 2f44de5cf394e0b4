//! Links of the tenant: with the names of the other tenant's links, to its workloads, and with forged memory.

use serde_json::{Value, json};

use super::{Tenant, Verb};

const LINK: &str = "InstanceLink";
const ALIASES: [&str; 4] = ["db", "cache", "api", "web"];
const VERBS: [&str; 5] = ["activate", "deactivate", "remove", "restore", "purge"];

impl Tenant<'_> {
    pub(super) fn create_link(&mut self) {
        let name = self.link_name();
        let spec = self.link_spec();
        let mut link = json!({"metadata": {}, "spec": spec});
        self.odd_metadata(&mut link);
        if self.once_in(4) {
            link["metadata"]["annotations"]["instancelink.dev/action"] = self.action().into();
        }
        if self.once_in(6) {
            link["metadata"]["annotations"]["instancelink.dev/intent"] = self.intent().into();
        }
        self.push(Verb::Create, LINK, &name, link);
    }

    /// An edit, an action, a lost or forged status, a removed finalizer, or a deletion.
    pub(super) fn change_link(&mut self) {
        let name = self.link_name();
        let (verb, body) = match self.dice.roll(9) {
            0 | 1 => {
                let target = self.target();
                (Verb::Patch, json!({"spec": {"targetInstanceRef": target}}))
            }
            2 => {
                let state = self.text(&["Active", "Inactive"]);
                (Verb::Patch, json!({"spec": {"desiredState": state}}))
            }
            3 | 4 => {
                let action = self.action();
                let annotations = json!({"instancelink.dev/action": action});
                (Verb::Patch, json!({"metadata": {"annotations": annotations}}))
            }
            5 => (Verb::PatchStatus, self.forged_status()),
            6 => (Verb::Patch, json!({"metadata": {"finalizers": null}})),
            7 => {
                let mut patch = json!({"metadata": {}});
                self.odd_metadata(&mut patch);
                (Verb::Patch, patch)
            }
            _ => (Verb::Delete, Value::Null),
        };
        self.push(verb, LINK, &name, body);
    }

    fn link_spec(&mut self) -> Value {
        let source = self.text(&["web", "web", "pg", "missing"]);
        let mut spec = json!({
            "linkName": self.text(&ALIASES),
            "instanceRef": {"kind": "Deployment", "name": source},
            "targetInstanceRef": self.target(),
        });
        let ports = self.dice.choose(&[0, 1, 2, 32]);
        if ports > 0 {
            let port = |n: i32| json!({"name": format!("p{n}"), "port": 5432 + n});
            spec["ports"] = (0..ports).map(port).collect();
            if self.once_in(3) {
                spec["addressing"] = "VirtualIP".into();
            }
        }
        if self.once_in(2) {
            spec["networkPolicy"] = "Allow".into();
        }
        if self.once_in(4) {
            spec["desiredState"] = self.text(&["Active", "Inactive"]).into();
        }
        if self.once_in(4) {
            spec["ttlSecondsAfterRemoved"] = 0.into();
            spec["ttlSecondsAfterPurged"] = 0.into();
        }
        if self.once_in(4) {
            spec["deactivation"] = json!({"drainSeconds": self.dice.choose(&[0, 5, 3600])});
        }
        if self.once_in(6) {
            spec["activation"] = json!({"targetWaitSeconds": self.dice.choose(&[0, 1, 3600])});
        }
        if self.once_in(4) {
            spec["description"] = "\u{202e}\u{0}\u{feff}𝕏🧨é".repeat(20).into();
        }
        spec
    }

    /// A target of the other tenant, of its own, or one that cannot exist.
    fn target(&mut self) -> Value {
        let theirs = self.scene.their_workloads.clone();
        match self.dice.roll(6) {
            0..3 if !theirs.is_empty() => {
                let (kind, name) = &theirs[self.dice.roll(u32::try_from(theirs.len()).unwrap_or(1)) as usize];
                json!({"kind": kind, "name": name, "namespace": self.scene.theirs})
            }
            3 => json!({"kind": "Deployment", "name": "pg"}),
            4 => {
                let kind = format!("Kind{}", self.dice.roll(1000));
                json!({"apiVersion": "example.com/v1", "kind": kind, "name": "x"})
            }
            _ => json!({"kind": "Service", "name": "web-links"}),
        }
    }

    fn action(&mut self) -> String {
        let verb = self.text(&VERBS);
        match self.dice.roll(4) {
            0 => verb,
            1 => "purge/\u{1b}[31m{{}}".repeat(40),
            _ => format!("{verb}/{}", self.dice.roll(50)),
        }
    }

    /// The memory of a link, as only the operator writes it.
    fn intent(&mut self) -> String {
        let handled: Vec<String> = (0..self.dice.choose(&[0, 16, 40]))
            .map(|n| format!("remove/{n}"))
            .collect();
        let at = self.text(&[
            "2026-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "-000001-01-01T00:00:00Z",
            "x",
        ]);
        let intent = json!({
            "seq": self.dice.choose(&[1u64, 1 << 53, u64::MAX]), "action": self.text(&VERBS), "id": "x", "at": at,
            "verdict": "Accepted", "handled": handled,
        });
        intent.to_string()
    }

    /// A status that the schema allows.
    fn forged_status(&mut self) -> Value {
        match self.dice.roll(3) {
            0 => json!({"status": null}),
            1 => json!({"status": {"state": self.text(&["active", "purged", "removed", "purging"])}}),
            _ => json!({"status": {"conditions": null, "lastAction": null}}),
        }
    }
}
