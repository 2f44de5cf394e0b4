//! What a mutating policy does to the objects of one kind.

use std::sync::atomic::{AtomicU64, Ordering};

use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::policies::Policies;
use instancelink_testkit::api::resource::{CONFIG_MAPS, POLICIES, Resource, SECRETS, SERVICES, SLICES};
use serde_json::{Value, json};

use super::KINDS;

/// A change by a mutating policy.
#[derive(Clone, Copy)]
pub struct Alteration {
    /// The kind that it changes.
    pub kind: &'static Resource,
    /// What it is, for messages.
    pub what: &'static str,
    /// The change. The second argument is the object before, the third a number that differs each time.
    change: fn(&mut Value, Option<&Value>, u64),
}

impl Alteration {
    /// The policy.
    pub fn policy(self) -> Policies {
        let times = AtomicU64::new(0);
        Policies::mutating(move |resource, old, object| {
            let is_child = object.meta("namespace") == "shop" && object.meta("name") != "closed";
            if *resource == *self.kind && is_child {
                (self.change)(object, old, times.fetch_add(1, Ordering::Relaxed));
            }
        })
    }
}

type Change = fn(&mut Value, Option<&Value>, u64);

fn all_of(changes: &[(&'static [&'static Resource], &'static str, Change)]) -> Vec<Alteration> {
    let each = changes.iter().flat_map(|(kinds, what, change)| {
        kinds.iter().map(|kind| Alteration {
            kind,
            what,
            change: *change,
        })
    });
    each.collect()
}

static SERVICE: [&Resource; 1] = [&SERVICES];
static SLICE: [&Resource; 1] = [&SLICES];
static MAP: [&Resource; 1] = [&CONFIG_MAPS];
static SECRET: [&Resource; 1] = [&SECRETS];
static POLICY: [&Resource; 1] = [&POLICIES];
static WITH_DATA: [&Resource; 2] = [&CONFIG_MAPS, &SECRETS];

/// What a policy adds beside what the operator wrote.
pub fn additions() -> Vec<Alteration> {
    all_of(&[
        (&KINDS, "a label", |object, _, _| {
            object["metadata"]["labels"]["team"] = json!("x");
        }),
        (&KINDS, "a label that differs each time", |object, _, n| {
            object["metadata"]["labels"]["stamp"] = json!(n.to_string());
        }),
        (&KINDS, "a label with the operator's prefix", |object, _, _| {
            object["metadata"]["labels"]["instancelink.dev/team"] = json!("x");
        }),
        (&KINDS, "an annotation", |object, _, n| {
            object["metadata"]["annotations"]["example.com/stamp"] = json!(n.to_string());
        }),
        (&WITH_DATA, "a key", |object, _, _| {
            object["data"]["ADDED"] = json!("MQ==");
        }),
        (&WITH_DATA, "a key that differs each time", |object, _, n| {
            object["data"]["ADDED"] = json!(format!("{:04}", n % 10_000));
        }),
        (&MAP, "binary data", |object, _, _| {
            object["binaryData"] = json!({"ADDED": "MQ=="});
        }),
    ])
}

/// What a policy alters in what the operator wrote.
pub fn alterations() -> Vec<Alteration> {
    all_of(&[
        (&KINDS, "managed-by", |object, _, _| {
            object["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("helm");
        }),
        (&KINDS, "managed-by, differently each time", |object, _, n| {
            object["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!(format!("helm-{n}"));
        }),
        (&KINDS, "the annotation that names the link", |object, _, _| {
            object["metadata"]["annotations"]["instancelink.dev/link"] = json!("shop/other");
        }),
        (&KINDS, "all labels", |object, _, _| {
            object.metadata().remove("labels");
        }),
        (&KINDS, "all annotations", |object, _, _| {
            object.metadata().remove("annotations");
        }),
        (&KINDS, "the owners", |object, _, _| {
            object.metadata().remove("ownerReferences");
        }),
        (&KINDS, "the metadata of an update", |object, old, _| {
            if let Some(old) = old {
                object["metadata"]["annotations"] = old["metadata"]["annotations"].clone();
                object["metadata"]["labels"] = old["metadata"]["labels"].clone();
            }
        }),
        (&WITH_DATA, "a value", |object, _, n| {
            if let Some(first) = object["data"].as_object_mut().and_then(|data| data.values_mut().next()) {
                *first = json!(format!("{:04}", n % 10_000));
            }
        }),
        (&WITH_DATA, "all keys", |object, _, _| {
            if let Some(members) = object.as_object_mut() {
                members.remove("data");
            }
        }),
        (&MAP, "the list of entries", |object, _, _| {
            object["metadata"]["annotations"]["instancelink.dev/entries"] = json!("{}");
        }),
        (&SERVICE, "the session affinity", |object, _, _| {
            object["spec"]["sessionAffinity"] = json!("ClientIP");
        }),
        (&SERVICE, "the selector", |object, _, _| {
            object["spec"]["selector"] = json!({"app": "web"});
        }),
        (&SLICE, "readiness", |object, _, _| {
            for endpoint in object["endpoints"].as_array_mut().into_iter().flatten() {
                endpoint["conditions"] = json!({"ready": true, "serving": true, "terminating": false});
            }
        }),
        (&SLICE, "the name of a port", |object, _, n| {
            if let Some(port) = object["ports"].as_array_mut().and_then(|ports| ports.first_mut()) {
                port["name"] = json!(format!("p{n}"));
            }
        }),
        (&SLICE, "the endpoints", |object, _, _| object["endpoints"] = json!([])),
        (&POLICY, "the rules", |object, _, _| {
            object["spec"]["ingress"] = json!([{}]);
        }),
        (&SECRET, "immutability", |object, _, _| {
            object["immutable"] = json!(true);
        }),
        (&MAP, "immutability", |object, _, _| object["immutable"] = json!(true)),
    ])
}
