//! Consents of the tenant's namespace. None of them is for what the other tenant's links ask for, except those with
//! invalid selectors, which consent to nothing.

use serde_json::{Value, json};

use super::{Tenant, Verb};

const GRANT: &str = "InstanceLinkGrant";

impl Tenant<'_> {
    pub(super) fn grant(&mut self) {
        let name = self.text(&["g1", "g2"]);
        match self.dice.roll(6) {
            0 => self.push(Verb::Delete, GRANT, &name, Value::Null),
            1 => {
                let mut patch = json!({"metadata": {}});
                self.odd_metadata(&mut patch);
                self.push(Verb::Patch, GRANT, &name, patch);
            }
            _ => self.create_grant(&name),
        }
    }

    fn create_grant(&mut self, name: &str) {
        let invalid = [
            json!({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": []}]}),
            json!({"matchExpressions": [{"key": "team", "operator": "NotIn"}]}),
            json!({"matchExpressions": [{"key": "team", "operator": "DoesNotExist", "values": ["x"]}]}),
            json!({"matchExpressions": [{"key": "-/-", "operator": "DoesNotExist"}]}),
            json!({"matchExpressions": [{"key": "team", "operator": "Sometimes", "values": ["x"]}]}),
            json!({"matchLabels": {"a/b/c": "x"}, "matchExpressions": []}),
        ];
        let theirs = &self.scene.theirs;
        let (from, to) = match self.dice.roll(4) {
            0 | 1 => {
                let from = json!({"namespaceSelector": invalid[self.dice.roll(6) as usize]});
                (from, json!({"kind": "Deployment"}))
            }
            2 => (json!({"namespace": theirs}), json!({"kind": "Service"})),
            _ => {
                let elsewhere = json!({"namespaceSelector": {"matchLabels": {"team": "none"}}});
                (elsewhere, json!({"kind": "Deployment"}))
            }
        };
        let allow: Value = json!(["Endpoints", "NetworkPolicy"]);
        let mut grant = json!({"metadata": {}, "spec": {"from": [from], "to": [to], "allow": allow}});
        self.odd_metadata(&mut grant);
        self.push(Verb::Create, GRANT, name, grant);
    }
}
