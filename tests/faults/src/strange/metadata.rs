//! Metadata that the API server keeps: field managers with extreme times and deep fields, large annotations, many owners.
//! Some objects have the largest size that the API server takes.

use instancelink_testkit::dice::Dice;
use serde_json::{Value, json};

use super::extremes::{self, TIMES};
use super::kinds::Kind;

/// One of this number of objects has the largest size: of kinds whose own fields can be large, and of others, where only
/// metadata can be and the API server takes long.
const LARGE: u32 = 6;
const LARGE_METADATA: u32 = 30;
/// Bytes of such an object. The API server takes requests of 3 MiB, and etcd those of 1.5 MiB.
const LARGEST: usize = 1_300_000;
/// The API server's limit for all annotations of an object.
const ANNOTATIONS: usize = 256 * 1024;
/// The operator's marks.
const MARKS: [&str; 4] = [
    "instancelink.dev/link",
    "instancelink.dev/entries",
    "instancelink.dev/drain-from",
    "instancelink.dev/action",
];

pub(super) fn add(object: &mut Value, kind: &Kind, dice: &mut Dice, number: u32) {
    let is_large = match kind.kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "NetworkPolicy" | "ConfigMap" | "Secret" => LARGE,
        _ => LARGE_METADATA,
    };
    if number % is_large == is_large - 1 {
        large(object, kind, dice);
    }
    let metadata = &mut object["metadata"];
    if dice.roll(2) == 0 {
        let fields = json!({"f:metadata": {"f:annotations": {"f:x": extremes::deep(dice.choose(&[1, 60, 130, 200]))}}});
        managed(metadata, dice, kind.api_version, &fields);
    }
    if dice.roll(3) == 0 {
        metadata["annotations"]["example.com/text"] = extremes::text(dice).into();
    }
    if dice.roll(4) == 0 {
        let mark = dice.choose(&MARKS);
        metadata["annotations"][mark] = extremes::text(dice).into();
    }
    if dice.roll(6) == 0 {
        let owner = |n: u32| {
            let uid = format!("00000000-0000-4000-8000-{n:012x}");
            json!({"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "x", "uid": uid})
        };
        // The garbage collector deletes an object without a living owner, unless something holds it.
        metadata["ownerReferences"] = (0..dice.choose(&[1, 3, 500])).map(owner).collect();
        metadata["finalizers"] = json!(["example.com/hold"]);
    } else if dice.roll(8) == 0 && kind.kind != "Namespace" {
        metadata["finalizers"] = (0..dice.choose(&[1, 200]))
            .map(|n| json!(format!("example.com/hold-{n}")))
            .collect();
    }
    if dice.roll(6) == 0 {
        for n in 0..dice.choose(&[1, 300]) {
            metadata["labels"][format!("example.com/l{n}")] = extremes::name(dice).into();
        }
    }
    if dice.roll(6) == 0 {
        metadata["creationTimestamp"] = dice.choose(&TIMES).into();
    }
}

fn managed(metadata: &mut Value, dice: &mut Dice, api_version: &str, fields: &Value) {
    metadata["managedFields"] = json!([{
        "manager": "strange", "operation": "Update", "apiVersion": api_version, "time": dice.choose(&TIMES),
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
}

/// Fills the part of the object that may be largest.
fn large(object: &mut Value, kind: &Kind, dice: &mut Dice) {
    let values = |count: usize| (0..count).map(|n| json!(format!("v{n}"))).collect::<Value>();
    let expression =
        |count: usize| json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": values(count)}]});
    match (kind.kind, dice.roll(3)) {
        ("NetworkPolicy", _) => object["spec"]["podSelector"] = expression(LARGEST / 10),
        ("Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet", 0 | 1) => {
            let labels = object["spec"]["selector"]["matchLabels"].clone();
            object["spec"]["selector"] = expression(LARGEST / 10);
            object["spec"]["selector"]["matchLabels"] = labels;
        }
        ("ConfigMap", _) => object["data"]["a"] = "é".repeat(500_000).into(),
        ("Secret", _) => object["data"]["a"] = "AAAA".repeat(330_000).into(),
        (_, 0) => {
            let text = "\u{1f9e8}".repeat((ANNOTATIONS - 1_000) / 4);
            object["metadata"]["annotations"]["example.com/large"] = text.into();
        }
        _ => {
            let fields: Value = (0..LARGEST / 20)
                .map(|n| (format!("f:x{n:010}"), json!({})))
                .collect::<serde_json::Map<_, _>>()
                .into();
            managed(
                &mut object["metadata"],
                dice,
                kind.api_version,
                &json!({"f:metadata": {"f:annotations": fields}}),
            );
        }
    }
}
