//! Links whose children the editor of another namespace forges and holds.

use serde_json::{Value, json};

use crate::script::Deed::{Act, Create, Delete, Forge, Wait};
use crate::script::kinds::{GRANTS, LINKS, POLICIES};
use crate::script::{Script, edit, link};

/// A policy of others that isolates the target in `data`.
pub fn closed() -> Value {
    json!({
        "metadata": {"name": "closed", "namespace": "data"},
        "spec": {"podSelector": {"matchLabels": {"app": "pg"}}, "policyTypes": ["Ingress"], "ingress": []},
    })
}

/// The consent of `data` to links of `shop`, with their policies.
pub fn consent() -> Value {
    json!({
        "metadata": {"name": "shop", "namespace": "data"},
        "spec": {
            "from": [{"namespace": "shop"}], "to": [{"kind": "Deployment", "name": "pg"}],
            "allow": ["Endpoints", "NetworkPolicy"],
        },
    })
}

fn active(name: &'static str) -> Script {
    let spec = "{targetInstanceRef: {kind: Deployment, name: pg, namespace: data}, networkPolicy: Allow, \
                addressing: VirtualIP, ports: [{name: pg, port: 5432}]}";
    Script::new(name)
        .then(Create(&POLICIES, closed()), &[])
        .then(Create(&GRANTS, consent()), &[])
        .then(link("db", "db", "", spec), &[("db", "active")])
}

/// Each way to cut a link while the editor of another namespace forges children of it.
pub fn forged() -> Vec<Script> {
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
