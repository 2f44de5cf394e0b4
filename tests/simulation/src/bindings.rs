//! A script of a link with a binding, and everything in a run that could show the content of a Secret.

use instancelink_testkit::api::Api;
use instancelink_testkit::api::resource::SECRETS;
use serde_json::{Value, json};

use crate::script::Deed::{Act, Create, Delete, Patch};
use crate::script::kinds::LINKS;
use crate::script::{Deed, Script, link};

/// The confidential values, in plain text and in base64.
pub const CONFIDENTIAL: [[&str; 2]; 3] = [
    [
        "correct-horse-battery-staple",
        "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==",
    ],
    ["wrong-donkey-charger-clip", "d3JvbmctZG9ua2V5LWNoYXJnZXItY2xpcA=="],
    ["a-strangers-own-password", "YS1zdHJhbmdlcnMtb3duLXBhc3N3b3Jk"],
];

/// Credentials that are created, changed and deleted while the link is cut and restored, and a foreign Secret with its
/// name.
pub fn script() -> Script {
    let [first, second, theirs] = CONFIDENTIAL.map(|[_, written]| written);
    let of = |name: &str| format!("{{outputs: {{binding: {{type: postgresql, secretRef: {{name: {name}}}}}}}}}");
    Script::new("credentials")
        .then(secret("credentials", first), &[])
        .then(link("db", "db", "pg", &of("credentials")), &[("db", "active")])
        .then(
            Patch(&SECRETS, "credentials", json!({"data": {"password": second}})),
            &[("db", "active")],
        )
        .then(Act("db", "deactivate/1"), &[("db", "inactive")])
        .then(Act("db", "activate/2"), &[("db", "active")])
        .then(Delete(&SECRETS, "shop", "credentials"), &[("db", "active")])
        .then(secret("credentials", first), &[("db", "active")])
        .then(secret("cache-binding", theirs), &[])
        .then(
            link("cache", "cache", "pg-2", &of("cache-binding-2")),
            &[("db", "active")],
        )
        .then(secret("cache-binding-2", theirs), &[("db", "active")])
        .then(Delete(&LINKS, "shop", "cache"), &[("cache", "gone")])
        .then(Delete(&LINKS, "shop", "db"), &[("db", "gone")])
}

fn secret(name: &str, password: &str) -> Deed {
    let metadata = json!({"name": name, "namespace": "shop"});
    Create(
        &SECRETS,
        json!({"metadata": metadata, "type": "Opaque", "data": {"password": password}}),
    )
}

/// Everything that was ever written, without the data of Secrets.
pub fn written(api: &Api) -> Vec<String> {
    let store = api.store();
    let changes = store.changes_after(0).iter();
    let shown = changes.map(|change| {
        let mut object = Value::clone(&change.after);
        if let Some(members) = object.as_object_mut().filter(|_| *change.key.resource == SECRETS) {
            members.remove("data");
        }
        object.to_string()
    });
    shown.collect()
}

/// The first line that shows a confidential value, and the value.
pub fn shows<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let values = CONFIDENTIAL.as_flattened();
    let as_bytes = values.iter().map(|value| bytes(value));
    let all: Vec<String> = values.iter().map(|value| (*value).to_owned()).chain(as_bytes).collect();
    lines.into_iter().find_map(|line| {
        let value = all.iter().find(|value| line.contains(value.as_str()))?;
        Some(format!("{value} in {line}"))
    })
}

/// The bytes in the debug format of Rust, without the brackets.
fn bytes(value: &str) -> String {
    let shown = format!("{:?}", value.as_bytes());
    shown.trim_matches(['[', ']']).to_owned()
}
