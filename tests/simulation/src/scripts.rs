//! The scripts. Together they pass every edge of the lifecycle, and use every kind of child.

pub mod forged;

pub use forged::forged;
use serde_json::json;

use crate::script::Deed::{Act, Create, Delete, Patch, Ready, Wait, WipeStatus, Workload};
use crate::script::kinds::{DEPLOYMENTS, GRANTS, LINKS, NAMESPACES, PODS, POLICIES};
use crate::script::{Script, edit, grant, link};

/// All of them.
pub fn all() -> Vec<Script> {
    vec![
        walk(),
        purge(),
        updates(),
        waiting(),
        orphaned(),
        rivals(),
        consent(),
        desired(),
        virtual_ip(),
        drain(),
        shared(),
        pods(),
        lost_memory(),
        namespace(),
    ]
}

/// Scripts with steps without a pause: only the end is compared.
pub fn hurried() -> Vec<Script> {
    vec![overtaken(), swapped(), replaced(), cut_early(), together()]
}

fn overtaken() -> Script {
    Script::new("overtaken")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .at_once(Act("db", "deactivate/1"))
        .then(Act("db", "activate/2"), &[("db", "active")])
        .at_once(Act("db", "deactivate/3"))
        .at_once(WipeStatus("db"))
        .then(Act("db", "activate/4"), &[("db", "active")])
        .at_once(Act("db", "remove/5"))
        .at_once(Act("db", "remove/6"))
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn swapped() -> Script {
    Script::new("there and back at once")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .at_once(edit("db", "{targetInstanceRef: {name: pg-2}}"))
        .then(edit("db", "{targetInstanceRef: {name: pg}}"), &[("db", "active")])
        .at_once(Ready("pg-1-0", "10.0.0.99", true))
        .then(Ready("pg-1-0", "10.0.0.11", true), &[("db", "active")])
        .at_once(Ready("pg-1-0", "10.0.0.11", false))
        .then(Ready("pg-1-0", "10.0.0.11", true), &[("db", "active")])
        .at_once(edit("db", "{desiredState: Inactive}"))
        .then(edit("db", "{desiredState: Active}"), &[("db", "active")])
        .at_once(edit("db", "{ports: [{name: pg, port: 6432}]}"))
        .then(edit("db", "{ports: null}"), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn replaced() -> Script {
    let target = "{targetInstanceRef: {kind: Deployment, name: pg, namespace: data}}";
    Script::new("deleted and made again at once")
        .then(grant(), &[])
        .then(link("db", "db", "", target), &[("db", "active")])
        .at_once(Delete(&GRANTS, "data", "shop"))
        .then(grant(), &[("db", "active")])
        .then(
            edit("db", "{targetInstanceRef: {namespace: shop}}"),
            &[("db", "active")],
        )
        .at_once(Delete(&DEPLOYMENTS, "shop", "pg"))
        .then(Workload("pg", &["10.0.0.51"]), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

/// A link that is cut and deleted before it may be active.
pub fn cut_early() -> Script {
    Script::new("cut before it is up")
        .then(link("db", "db", "pg", ""), &[])
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

/// Links of one source that are due together, and so write their shared objects together.
pub fn together() -> Script {
    Script::new("links of one source at once")
        .at_once(link("db", "db", "pg", ""))
        .at_once(link("cache", "cache", "pg-2", ""))
        .then(
            link("queue", "queue", "pg", ""),
            &[("db", "active"), ("cache", "active"), ("queue", "active")],
        )
        .at_once(Act("db", "deactivate/1"))
        .at_once(Act("cache", "deactivate/2"))
        .then(
            Act("queue", "deactivate/3"),
            &[("db", "inactive"), ("cache", "inactive"), ("queue", "inactive")],
        )
        .at_once(Act("db", "activate/4"))
        .at_once(Act("cache", "activate/5"))
        .then(
            Act("queue", "activate/6"),
            &[("db", "active"), ("cache", "active"), ("queue", "active")],
        )
        .at_once(Act("cache", "deactivate/7"))
        .at_once(Delete(&LINKS, "shop", "db"))
        .then(
            Delete(&LINKS, "shop", "queue"),
            &[("db", "gone"), ("cache", "inactive"), ("queue", "gone")],
        )
        .then(Delete(&LINKS, "shop", "cache"), &[("cache", "gone")])
}

fn walk() -> Script {
    Script::new("there and back")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(Act("db", "activate/2"), &[("db", "active")])
        .then(Act("db", "deactivate"), &[("db", "inactive")])
        .then(Act("db", "remove/3"), &[("db", "removed")])
        .then(Act("db", "restore/4"), &[("db", "inactive")])
        .then(Act("db", "activate/2"), &[("db", "inactive")])
        .then(Act("db", "activate/5"), &[("db", "active")])
        .then(Act("db", "purge"), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn purge() -> Script {
    Script::new("to the end")
        .then(
            link("db", "db", "pg", "{ttlSecondsAfterRemoved: 30}"),
            &[("db", "active")],
        )
        .then(Act("db", "remove/1"), &[("db", "removed")])
        .then(Wait(60), &[("db", "purged")])
        .then(Act("db", "activate/2"), &[("db", "purged")])
        .then(
            link("cache", "cache", "pg", "{ttlSecondsAfterPurged: 30}"),
            &[("cache", "active")],
        )
        .then(Act("cache", "remove"), &[("cache", "removed")])
        .then(Act("cache", "purge"), &[])
        .then(Wait(60), &[("cache", "gone")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn updates() -> Script {
    Script::new("edited")
        .then(
            link("db", "db", "pg", "{ports: [{name: pg, port: 5432}]}"),
            &[("db", "active")],
        )
        .then(edit("db", "{description: the database}"), &[("db", "active")])
        .then(edit("db", "{infrastructure: {labels: {team: a}}}"), &[("db", "active")])
        .then(edit("db", "{targetInstanceRef: {name: pg-2}}"), &[("db", "active")])
        .then(edit("db", "{ports: [{name: pg, port: 6432}]}"), &[("db", "active")])
        .then(
            edit("db", "{ports: [{name: pg, port: 6432}, {name: admin, port: 6433}]}"),
            &[("db", "active")],
        )
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(edit("db", "{targetInstanceRef: {name: pg}}"), &[("db", "inactive")])
        .then(Act("db", "activate/2"), &[("db", "active")])
        .then(edit("db", "{publishNotReadyAddresses: true}"), &[("db", "active")])
        .then(edit("db", "{infrastructure: null}"), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn waiting() -> Script {
    Script::new("ends that come and go")
        .then(link("db", "db", "late", ""), &[("db", "activating")])
        .then(Workload("late", &["10.0.0.31"]), &[("db", "active")])
        .then(Delete(&DEPLOYMENTS, "shop", "web"), &[("db", "inactive")])
        .then(Workload("web-2", &[]), &[])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

/// Target and source are deleted without their pods, and created again.
fn orphaned() -> Script {
    let free = || json!({"metadata": {"ownerReferences": null}});
    Script::new("ends that are replaced while their pods serve")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .at_once(Patch(&PODS, "pg-1-0", free()))
        .at_once(Patch(&PODS, "pg-1-1", free()))
        .then(Delete(&DEPLOYMENTS, "shop", "pg"), &[("db", "active")])
        .then(Ready("pg-1-0", "10.0.0.11", false), &[("db", "active")])
        .then(Workload("pg", &["10.0.0.41"]), &[("db", "active")])
        .at_once(Patch(&PODS, "web-1-0", free()))
        .at_once(Delete(&DEPLOYMENTS, "shop", "web"))
        .then(Workload("web", &["10.0.0.51"]), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn rivals() -> Script {
    Script::new("two of one alias")
        .then(link("one", "db", "pg", ""), &[("one", "active")])
        .then(Wait(2), &[])
        .then(
            link("two", "db", "pg-2", ""),
            &[("one", "active"), ("two", "registering")],
        )
        .then(
            Act("one", "deactivate/1"),
            &[("one", "inactive"), ("two", "registering")],
        )
        .then(Act("one", "remove/2"), &[("one", "removed"), ("two", "active")])
        .then(Act("one", "restore/3"), &[("one", "removed"), ("two", "active")])
        .then(Delete(&LINKS, "shop", "two"), &[("two", "gone"), ("one", "removed")])
        .then(Act("one", "restore/4"), &[("one", "inactive")])
        .then(Act("one", "activate/5"), &[("one", "active")])
        .then(Delete(&LINKS, "shop", "one"), &[("one", "gone")])
}

fn consent() -> Script {
    let target = "{targetInstanceRef: {kind: Deployment, name: pg, namespace: data}}";
    Script::new("into another namespace")
        .then(link("db", "db", "", target), &[("db", "inactive")])
        .then(grant(), &[("db", "active")])
        .then(Delete(&GRANTS, "data", "shop"), &[("db", "inactive")])
        .then(grant(), &[("db", "active")])
        .then(
            edit("db", "{targetInstanceRef: {namespace: shop}}"),
            &[("db", "active")],
        )
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn desired() -> Script {
    Script::new("as the spec says")
        .then(
            link("db", "db", "pg", "{desiredState: Inactive}"),
            &[("db", "inactive")],
        )
        .then(edit("db", "{desiredState: Active}"), &[("db", "active")])
        .then(Act("db", "deactivate/1"), &[("db", "active")])
        .then(
            edit("db", "{desiredState: Inactive, targetInstanceRef: {name: pg-2}}"),
            &[("db", "inactive")],
        )
        .then(Act("db", "remove/2"), &[("db", "removed")])
        .then(edit("db", "{desiredState: Active}"), &[("db", "removed")])
        .then(Act("db", "restore/3"), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn virtual_ip() -> Script {
    let spec = "{addressing: VirtualIP, ports: [{name: pg, port: 5432}], networkPolicy: Allow}";
    let isolates = json!({
        "metadata": {"name": "closed", "namespace": "shop"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": []},
    });
    Script::new("an address of its own")
        .then(Create(&POLICIES, isolates), &[])
        .then(link("db", "db", "pg", spec), &[("db", "active")])
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(Act("db", "activate/2"), &[("db", "active")])
        .then(edit("db", "{addressing: Auto}"), &[("db", "active")])
        .then(edit("db", "{addressing: VirtualIP}"), &[("db", "active")])
        .then(Act("db", "remove/3"), &[("db", "removed")])
        .then(Act("db", "restore/4"), &[("db", "inactive")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn drain() -> Script {
    Script::new("drained")
        .then(
            link("db", "db", "pg", "{deactivation: {drainSeconds: 12}}"),
            &[("db", "active")],
        )
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(Act("db", "activate/2"), &[("db", "active")])
        .then(Act("db", "remove/3"), &[("db", "removed")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn shared() -> Script {
    Script::new("two links of one source")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .then(
            link("cache", "cache", "pg-2", ""),
            &[("cache", "active"), ("db", "active")],
        )
        .then(Act("db", "deactivate/1"), &[("db", "inactive"), ("cache", "active")])
        .then(
            Act("cache", "deactivate/2"),
            &[("db", "inactive"), ("cache", "inactive")],
        )
        .then(Act("db", "activate/3"), &[("db", "active")])
        .then(Act("cache", "activate/4"), &[("db", "active"), ("cache", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone"), ("cache", "active")])
        .then(Delete(&LINKS, "shop", "cache"), &[("cache", "gone")])
}

/// Three links of one source, which write its environment again and again.
pub fn siblings() -> Script {
    let active = [("db", "active"), ("cache", "active"), ("queue", "active")];
    Script::new("three links of one source")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .then(link("cache", "cache", "pg-2", ""), &active[..2])
        .then(
            link(
                "queue",
                "queue",
                "pg",
                "{addressing: VirtualIP, ports: [{name: mq, port: 5672}]}",
            ),
            &active,
        )
        .then(edit("db", "{ports: [{name: pg, port: 6432}]}"), &active)
        .then(
            Act("cache", "deactivate/1"),
            &[("db", "active"), ("cache", "inactive"), ("queue", "active")],
        )
        .then(Act("cache", "activate/2"), &active)
        .then(
            Delete(&LINKS, "shop", "queue"),
            &[("db", "active"), ("cache", "active"), ("queue", "gone")],
        )
}

fn pods() -> Script {
    Script::new("pods that come and go")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .then(Ready("pg-1-0", "10.0.0.11", false), &[("db", "active")])
        .then(Ready("pg-1-0", "10.0.0.11", true), &[("db", "active")])
        .then(Ready("pg-1-1", "10.0.0.99", true), &[("db", "active")])
        .then(
            Delete(&crate::script::kinds::PODS, "shop", "pg-1-0"),
            &[("db", "active")],
        )
        .then(Delete(&DEPLOYMENTS, "shop", "pg"), &[("db", "active")])
        .then(Workload("pg", &["10.0.0.41"]), &[("db", "active")])
        .then(Act("db", "deactivate"), &[("db", "inactive")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn lost_memory() -> Script {
    let bare = json!({"metadata": {"annotations": null, "finalizers": null}});
    Script::new("memory lost")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(WipeStatus("db"), &[("db", "inactive")])
        .then(Patch(&LINKS, "db", bare.clone()), &[("db", "inactive")])
        .then(Act("db", "activate/2"), &[("db", "active")])
        .then(WipeStatus("db"), &[("db", "active")])
        .then(Patch(&LINKS, "db", bare), &[("db", "active")])
        .then(Act("db", "activate/2"), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn namespace() -> Script {
    Script::new("the namespace goes")
        .then(link("db", "db", "pg", ""), &[("db", "active")])
        .then(
            link(
                "cache",
                "cache",
                "pg-2",
                "{addressing: VirtualIP, ports: [{name: pg, port: 5432}]}",
            ),
            &[("cache", "active")],
        )
        .then(Delete(&NAMESPACES, "", "shop"), &[("db", "gone"), ("cache", "gone")])
}
