//! Each right of the shipped role is removed while links exist. The missing right is reported where users look, nothing
//! crashes or retries in a hot loop, and everything continues when the right is back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use control_plane::{Account, ControlPlane, Operator, Options};
use faults::{Proxy, Right, give_everywhere, give_in, make_account, make_role, rights_of};
use futures::FutureExt as _;
use futures::future::join_all;
use harness::{Link, Namespace, Object, eventually, link};
use instancelink_api::State::{Active, Deactivating, Inactive, Purged, Removed};
use instancelink_api::keys;
use instancelink_testkit::campaign;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tokio::time::sleep;

/// How long a right stays missing after that was reported.
const MISSING: Duration = Duration::from_secs(12);
/// How many requests about a namespace are allowed in this time. The first retries come after 0.5, 1, 2 and 4 s.
const PATIENT: usize = 30;
const SHOWS: Duration = Duration::from_secs(40);
const HEALS: Duration = Duration::from_mins(1);
const ACCOUNT: &str = "narrow";

/// Where a missing right is reported.
enum Sign {
    /// In the link's condition `Programmed`.
    Condition,
    /// In the operator's log: the link could not be written, or no link is concerned.
    Log,
    /// Nowhere: the operator does not need it in this case, and links work without it.
    Nowhere,
}

fn sign_of(right: &Right) -> Sign {
    match (right.verb.as_str(), right.resource.as_str()) {
        (_, "instancelinks" | "instancelinks/status" | "instancelinks/intent" | "instancelinkgrants/status") => {
            Sign::Log
        }
        // An event that could not be sent is not sent again. All Services and policies are watched, so the operator
        // needs no request to find the object that blocks a child.
        (_, "events") | ("get", "services" | "networkpolicies") => Sign::Nowhere,
        _ => Sign::Condition,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn campaign_each_right_to_write_is_missed_with_a_word_and_without_haste() {
    let plane = ControlPlane::start().await;
    let proxy = Proxy::start(&plane).await;
    let all = rights_of(&plane, "instancelink-operator").await;
    let (watches, writes): (Vec<Right>, Vec<Right>) = all.into_iter().partition(Right::is_for_watches);
    assert!(watches.len() > 20 && writes.len() > 20, "{watches:?} {writes:?}");
    make_account(&plane, ACCOUNT).await;
    make_role(&plane, "watches", &watches).await;
    give_everywhere(&plane, "watches", ACCOUNT).await;
    make_role(&plane, "writes", &writes).await;
    let options = Options {
        account: Account::named(ACCOUNT),
        ..Options::alone()
    };
    let mut operator = Operator::start_ready(&plane, &proxy.server, &options).await;

    let campaign = campaign::start("rights to write denied one by one, real RBAC");
    let outcomes = join_all(writes.iter().map(async |right| {
        let but: Vec<Right> = writes.iter().filter(|other| *other != right).cloned().collect();
        let role = format!("writes-but-{}", right.name());
        make_role(&plane, &role, &but).await;
        let namespace = plane.namespace(right.name()).await;
        let case = Case {
            namespace,
            right,
            role,
            proxy: &proxy,
            operator: &operator,
        };
        let outcome = AssertUnwindSafe(case.run()).catch_unwind().await;
        outcome.map_err(|panic| {
            format!(
                "without {right}: {}",
                panic.downcast_ref::<String>().cloned().unwrap_or_default()
            )
        })
    }))
    .await;
    let mut violations: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    if let Some(status) = operator.program.ended() {
        violations.push(format!("the operator ended with {status}"));
    }
    let log = operator.program.log();
    violations.extend(log.lines().filter(|line| line.contains("panicked")).map(str::to_owned));
    campaign.finish(writes.len() as u64, writes.len() as u64, &violations);
}

struct Case<'a> {
    namespace: Namespace,
    right: &'a Right,
    /// The role without it.
    role: String,
    proxy: &'a Proxy,
    operator: &'a Operator,
}

impl Case<'_> {
    async fn run(&self) {
        let ns = &self.namespace;
        let full = give_in(ns, "writes", ACCOUNT).await;
        let link = self.active_link().await;
        let narrow = give_in(ns, &self.role, ACCOUNT).await;
        full.delete().await;
        // The API server applies both a moment later.
        sleep(Duration::from_secs(2)).await;
        let concerned = self.provoke(&link).await;
        self.shows(&concerned).await;
        let before = self.requests();
        sleep(MISSING).await;
        let made = self.requests() - before;
        assert!(made <= PATIENT, "{made} requests within {MISSING:?}");
        assert!(self.operator.lives().await, "the operator answers its probe");
        let full = give_in(ns, "writes", ACCOUNT).await;
        narrow.delete().await;
        self.heals(&link, &concerned).await;
        drop(full);
    }

    /// A link with every kind of child that needs no overlay.
    async fn active_link(&self) -> Link {
        let ns = &self.namespace;
        ns.create_object(&harness::idle_deployment("db")).await;
        let isolating = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "isolates" },
            "spec": { "podSelector": { "matchLabels": { "app": "db" } }, "policyTypes": ["Ingress"] },
        });
        Object::of(&ns.client, &ns.name, &isolating).create(&isolating).await;
        let manifest = link("db", "db", "Deployment/web", "Deployment/db")
            .spec("ports", json!([{ "name": "pg", "port": 5432 }]))
            .spec("networkPolicy", "Allow")
            .spec("activation", json!({ "targetWaitSeconds": 0 }))
            .spec("ttlSecondsAfterPurged", 0);
        let link = ns.link(manifest).await;
        link.reaches(Active).await;
        for resource in ["services", "configmaps", "endpointslices", "networkpolicies"] {
            self.child(resource).await;
        }
        link
    }

    /// The operator's object of a kind. Waits until it exists.
    async fn child(&self, resource: &str) -> Object {
        let ns = &self.namespace;
        let (api_version, kind) = kind_of(resource);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        let api: Api<DynamicObject> = Api::namespaced_with(
            ns.client.clone(),
            &ns.name,
            &ApiResource::from_gvk_with_plural(&gvk, resource),
        );
        let ours = ListParams::default().labels(&format!("{}={}", keys::MANAGED_BY, keys::MANAGER));
        let name = eventually(&format!("{resource} of ours are there"), SHOWS, async || {
            let list = api.list(&ours).await.map_err(|e| e.to_string())?;
            let found = list
                .into_iter()
                .find(|o| !o.name_any().starts_with("late") && o.metadata.deletion_timestamp.is_none());
            found.map(|o| o.name_any()).ok_or_else(|| "none".to_owned())
        })
        .await;
        Object { api, name }
    }

    /// Does what makes the operator need the right, and returns the link that needs it.
    async fn provoke(&self, link: &Link) -> Link {
        let ns = &self.namespace;
        let resource = self.right.resource.as_str();
        match (self.right.verb.as_str(), resource) {
            ("create", "services" | "configmaps" | "endpointslices" | "networkpolicies") => {
                self.child(resource).await.delete().await;
            }
            ("patch", "services" | "configmaps" | "endpointslices" | "networkpolicies") => {
                let damage = match resource {
                    "services" => json!({ "metadata": { "labels": { "instancelink.dev/source-uid": null } } }),
                    "configmaps" => json!({ "data": { "DB_NAME": "/stranger/db" } }),
                    "endpointslices" => json!({ "ports": [{ "name": "db", "port": 1, "protocol": "TCP" }] }),
                    _ => json!({ "spec": { "ingress": [] } }),
                };
                self.child(resource).await.patch(&damage).await;
            }
            ("delete", "instancelinks") => {
                self.act(link, "remove").await;
                link.reaches(Removed).await;
                self.act(link, "purge").await;
            }
            ("patch", "instancelinkgrants/status") => {
                let from = json!({ "namespace": "elsewhere" });
                ns.grant("grant", &from, &json!({ "kind": "Deployment" })).await;
            }
            ("get", "instancelinks") => {
                self.orphan().await;
                // Its deletion makes the operator look for orphans.
                let late = ns
                    .link(harness::link("late", "late", "Deployment/web", "Service/pg"))
                    .await;
                late.reaches(Active).await;
                late.delete().await;
            }
            ("get", "configmaps" | "endpointslices") => {
                let (api_version, kind) = kind_of(resource);
                let name = if resource == "configmaps" {
                    "late-source-links"
                } else {
                    "late-v4"
                };
                let mut stranger = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } });
                if resource == "endpointslices" {
                    stranger["addressType"] = "IPv4".into();
                    stranger["endpoints"] = json!([]);
                }
                ns.create_object(&stranger).await;
                ns.create_object(&harness::idle_deployment("late-source")).await;
                return ns
                    .link(harness::link("late", "late", "Deployment/late-source", "Service/pg"))
                    .await;
            }
            _ => self.act(link, "deactivate").await,
        }
        link.clone()
    }

    async fn act(&self, link: &Link, verb: &str) {
        link.patch(&json!({ "metadata": { "annotations": { keys::ACTION: verb } } }))
            .await;
    }

    /// A slice of a link that never existed.
    async fn orphan(&self) {
        let uid = "00000000-0000-4000-8000-000000000000";
        let orphan = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [],
            "metadata": {
                "name": "never-v4",
                "labels": { keys::MANAGED_BY: keys::MANAGER, keys::LINK_UID: uid },
                "annotations": { keys::LINK: format!("{}/never", self.namespace.name) },
            },
        });
        self.namespace.create_object(&orphan).await;
    }

    async fn shows(&self, link: &Link) {
        let Right { verb, resource, .. } = self.right;
        match sign_of(self.right) {
            Sign::Condition => {
                let condition = link.condition("Programmed", "False", "Forbidden").await;
                let plural = resource.split('.').next().unwrap();
                for says in [format!("may not {verb} "), format!("resources: [{plural}]")] {
                    assert!(
                        condition.message.contains(&says),
                        "should say {says:?}: {}",
                        condition.message
                    );
                }
                if verb == "delete" {
                    link.reaches(Deactivating).await;
                }
            }
            Sign::Log => {
                let words = if resource == "instancelinks/intent" {
                    "operator's memory"
                } else {
                    verb.as_str()
                };
                let about = format!("{}/", self.namespace.name);
                eventually("the log says it", SHOWS, async || {
                    let log = self.operator.program.log();
                    let mut lines = log
                        .lines()
                        .filter(|line| line.contains(&about) && line.contains("retrying"));
                    if lines.any(|line| line.contains("forbidden") && line.contains(words)) {
                        Ok(())
                    } else {
                        let last = log.lines().rev().find(|line| line.contains(&about));
                        Err(last.unwrap_or_default().to_owned())
                    }
                })
                .await;
            }
            Sign::Nowhere => drop(link.reaches(Inactive).await),
        }
    }

    async fn heals(&self, link: &Link, concerned: &Link) {
        let (verb, resource) = (self.right.verb.as_str(), self.right.resource.as_str());
        match (verb, resource) {
            ("delete", "instancelinks") => {
                eventually("the purged object goes", HEALS, async || {
                    match link.object().find().await {
                        None => Ok(()),
                        Some(_) => Err(format!("still {}", Purged.as_str())),
                    }
                })
                .await;
            }
            ("patch", "instancelinkgrants/status") => {
                let grant = self.namespace.object(keys::API_VERSION, keys::GRANT_KIND, "grant");
                eventually("the grant has its condition", HEALS, async || {
                    let grant = grant.get().await;
                    let status = grant.data.pointer("/status/conditions/0/status");
                    if status == Some(&json!("True")) {
                        Ok(())
                    } else {
                        Err(format!("{status:?}"))
                    }
                })
                .await;
            }
            ("get", "instancelinks") => {
                let orphan = self
                    .namespace
                    .object("discovery.k8s.io/v1", "EndpointSlice", "never-v4");
                eventually("the orphan is swept", HEALS, async || {
                    orphan
                        .find()
                        .await
                        .map_or(Ok(()), |_| Err("it still exists".to_owned()))
                })
                .await;
            }
            ("get", "configmaps" | "endpointslices") => {
                let taken = |l: &instancelink_api::InstanceLink| {
                    let conditions = l.status.iter().flat_map(|s| &s.conditions);
                    conditions
                        .into_iter()
                        .any(|c| c.type_ == "Programmed" && c.reason == "NameTaken")
                };
                concerned.until_within("says whose name it is", HEALS, taken).await;
            }
            ("create" | "patch", "services" | "configmaps" | "endpointslices" | "networkpolicies") => {
                let programmed = |l: &instancelink_api::InstanceLink| {
                    let conditions = l.status.iter().flat_map(|s| &s.conditions);
                    conditions
                        .into_iter()
                        .any(|c| c.type_ == "Programmed" && c.status == "True")
                };
                concerned.until_within("is programmed again", HEALS, programmed).await;
                self.child(resource).await;
            }
            _ => drop(link.reaches_within(Inactive, HEALS).await),
        }
    }

    fn requests(&self) -> usize {
        let seen = self.proxy.seen();
        seen.iter()
            .filter(|request| request.namespace == self.namespace.name)
            .count()
    }
}

fn kind_of(resource: &str) -> (&'static str, &'static str) {
    match resource {
        "services" => ("v1", "Service"),
        "configmaps" => ("v1", "ConfigMap"),
        "endpointslices" => ("discovery.k8s.io/v1", "EndpointSlice"),
        _ => ("networking.k8s.io/v1", "NetworkPolicy"),
    }
}
