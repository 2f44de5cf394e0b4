//! A link with every kind of child in a cluster whose policies change, or refuse, what the operator writes.

pub mod alterations;

use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::Api;
use instancelink_testkit::api::policies::Policies;
use instancelink_testkit::api::resource::{CONFIG_MAPS, LINKS, POLICIES, Resource, SECRETS, SERVICES, SLICES};
use instancelink_testkit::api::store::{Change, Key};
use instancelink_testkit::faults::hooks::{self, Hooks};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::operator::{NAME, Running};
use crate::script::{Deed, key, link, merge};
use crate::{oracle, seeds};

/// The kinds of children.
pub static KINDS: [&Resource; 5] = [&SERVICES, &SLICES, &CONFIG_MAPS, &POLICIES, &SECRETS];
/// A link with all of them.
const SPEC: &str = "{addressing: VirtualIP, ports: [{name: pg, port: 5432}], networkPolicy: Allow, \
                    outputs: {binding: {type: postgresql}}}";

/// A cluster with an operator.
pub struct Town {
    /// Its API server.
    pub api: Arc<Api>,
    _operator: Running,
}

impl Town {
    /// With workloads, and without links.
    pub fn new() -> Self {
        let api = Arc::new(Api::default());
        seeds::plant(&api);
        let closed = json!({
            "metadata": {"name": "closed", "namespace": "shop"},
            "spec": {"podSelector": {"matchLabels": {"app": "pg"}}, "policyTypes": ["Ingress"], "ingress": []},
        });
        seeds::put(&api, &POLICIES, closed);
        let none: Arc<dyn Hooks> = Arc::new(hooks::None);
        let operator = Running::start_with(&api, &none, &format!("{NAME}-1"), SignedDuration::ZERO, &[]);
        Self {
            api,
            _operator: operator,
        }
    }

    /// Creates the link `db`, with every kind of child.
    pub fn create_link(&self) {
        link("db", "db", "pg", SPEC).act(&self.api);
    }

    /// Creates a sibling, which shares the directory and the environment.
    pub fn create_sibling(&self) {
        link("cache", "cache", "pg-2", "").act(&self.api);
    }

    /// The policies of the cluster from now on.
    pub fn put(&self, policies: Policies) {
        self.api.change(|store, _| store.policies = policies);
    }

    /// Every child gets a label of another client, so that admission looks at it.
    pub fn touch(&self, label: &str) {
        for key in self.children() {
            let patch = json!({"metadata": {"labels": {"touched": label}}});
            merge(&self.api, &key, None, &patch, "kubectl-label");
        }
    }

    /// The objects that the operator created and that exist.
    pub fn children(&self) -> Vec<Key> {
        let store = self.api.store();
        let created = |change: &&Change| change.by.starts_with(NAME) && change.before.is_none();
        let all = store.changes_after(0).iter().filter(created);
        let mut keys: Vec<Key> = all.map(|change| change.key.clone()).collect();
        keys.retain(|key| KINDS.contains(&key.resource) && store.get(key).is_some());
        keys.sort();
        keys.dedup();
        keys
    }

    /// The state of a link; none if it is gone.
    pub fn state(&self, name: &str) -> Option<String> {
        let link = self.link(name)?;
        Some(link["status"]["state"].as_str().unwrap_or_default().to_owned())
    }

    fn link(&self, name: &str) -> Option<Value> {
        let store = self.api.store();
        store.get(&key(&LINKS, "shop", name)).map(|link| Value::clone(link))
    }

    /// The reason and the message of a condition.
    pub fn condition(&self, name: &str, of_type: &str) -> (String, String) {
        let link = self.link(name).unwrap_or_default();
        let all = link["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let found = all.into_iter().find(|c| c["type"] == of_type).unwrap_or_default();
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("message"))
    }

    /// Asks for an action.
    pub fn act(&self, link: &'static str, action: &'static str) {
        Deed::Act(link, action).act(&self.api);
    }

    /// Deletes a link.
    pub fn delete(&self, link: &'static str) {
        Deed::Delete(&LINKS, "shop", link).act(&self.api);
    }

    /// The writes of the operator since a version. The deletion and the creation of one object count as one.
    pub fn writes_since(&self, version: u64) -> Vec<String> {
        let store = self.api.store();
        let changes = store.changes_after(version).iter();
        let ours = changes.filter(|change| {
            let is_counted = KINDS.contains(&change.key.resource) || *change.key.resource == LINKS;
            change.by.starts_with(NAME) && is_counted && !change.deleted
        });
        ours.map(|change| format!("{} {}", change.key.resource.plural, change.key.name))
            .collect()
    }

    /// The newest version.
    pub fn version(&self) -> u64 {
        self.api.store().version()
    }

    /// The most writes in one of the next minutes.
    pub async fn most_writes_in(&self, minutes: u32) -> Vec<String> {
        let mut most = Vec::new();
        for _ in 0..minutes {
            let before = self.version();
            sleep(Duration::from_mins(1)).await;
            let writes = self.writes_since(before);
            if writes.len() > most.len() {
                most = writes;
            }
        }
        most
    }

    /// The violations of the invariants in the whole history.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = oracle::judge(self.api.store().changes_after(0));
        // An environment that cannot be changed is deleted, and its links write another (lifecycle#disputed-removal).
        violations.retain(|what| !what.contains("the entry of the active link"));
        // The oracle knows the address of a virtual IP by labels, which a policy may take.
        violations.retain(|what| !what.contains(" 10.96."));
        violations
    }
}

impl Default for Town {
    fn default() -> Self {
        Self::new()
    }
}
