use instancelink_api::keys;
use k8s_openapi::api::networking::v1::NetworkPolicySpec;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;
use crate::child::tests::{merged, patched};
use crate::child::{DesiredChild, Environment, Policy, with_desired};
use crate::fixture;

/// What others add to an object.
fn additions() -> Value {
    json!({"metadata": {
        "labels": {"team": "shop", "instancelink.dev/team": "shop"},
        "annotations": {"example.com/note": "x"},
        "finalizers": ["example.com/keep"],
    }})
}

/// True if all of one value is in the other one.
fn is_in(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| is_in(part, whole))),
        _ => part == whole,
    }
}

/// Checks that additions to a child stay when the operator writes another content.
fn keeps<T: ChildKind>(sent: &ChildSpec<T>, additions: &Value)
where
    T::Api: Serialize + DeserializeOwned,
{
    let before = merged(&serde_json::to_value(T::to_api(sent)).unwrap(), additions);
    let found = T::from_api(serde_json::from_value(before.clone()).unwrap()).object;
    let mut desired = sent.clone();
    desired.labels.insert(keys::MANAGED_BY.to_owned(), "new".to_owned());
    desired.annotations.remove(keys::LINK);
    let after = patched(&before, &found, &desired);
    assert!(is_in(additions, &after), "{} {after}", T::KIND.as_str());
    assert_eq!(after["metadata"]["annotations"].get(keys::LINK), None, "{after}");
    assert_eq!(after["metadata"]["labels"][keys::MANAGED_BY], "new", "{after}");
}

fn children() -> Vec<DesiredChild> {
    let s = fixture::snapshot().edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}]").unwrap();
        spec.outputs = serde_yaml_ng::from_str("{binding: {type: postgresql}}").unwrap();
    });
    s.up()
        .children
        .all()
        .map(crate::child::ObservedChild::into_desired)
        .collect()
}

fn environment() -> ChildSpec<Environment> {
    fixture::snapshot().up().children.environments.remove(0).object
}

/// The `ConfigMap` with more members, and the child that is observed in it.
fn environment_with(more: &Value) -> (Value, ChildSpec<Environment>) {
    let object = merged(&serde_json::to_value(environment().to_api()).unwrap(), more);
    let found = Environment::from_api(serde_json::from_value(object.clone()).unwrap());
    (object, found.object)
}

/// contract#additions
#[test]
fn labels_annotations_and_finalizers_of_others_stay_in_each_kind_of_child() {
    let all = children();
    assert!(all.len() >= 6, "{}", all.len());
    for child in all {
        with_desired!(&child, K(spec) => keeps::<K>(spec, &additions()));
    }
}

/// lifecycle#preconditions
#[test]
fn a_patch_has_the_uid_and_the_version_of_the_object() {
    let child = environment();
    let patch = to_patch(&child, &Delta::default(), ("uid-1", "7")).unwrap();
    assert_eq!(patch["metadata"]["uid"], "uid-1");
    assert_eq!(patch["metadata"]["resourceVersion"], "7");
}

/// contract#additions
#[test]
fn keys_of_others_stay_in_the_data_and_those_that_the_operator_gave_up_go() {
    let more = json!({"data": {"OLD": "x"}, "binaryData": {"theirs": "eA=="}});
    let (object, found) = environment_with(&more);
    let after = patched(&object, &found, &environment());
    assert_eq!(after["data"].get("OLD"), None);
    assert_eq!(after["binaryData"], more["binaryData"]);
    assert_eq!(after["data"]["DB_NAME"], object["data"]["DB_NAME"]);
}

/// contract#additions
#[test]
fn binary_data_of_others_with_a_key_that_the_operator_needs_goes() {
    let (mut object, _) = environment_with(&json!({"binaryData": {"DB_NAME": "eA==", "theirs": "eA=="}}));
    object["data"].as_object_mut().unwrap().remove("DB_NAME");
    let found = Environment::from_api(serde_json::from_value(object.clone()).unwrap()).object;
    let after = patched(&object, &found, &environment());
    assert_eq!(after["binaryData"], json!({"theirs": "eA=="}));
    assert!(after["data"]["DB_NAME"].is_string());
}

/// contract#additions
#[test]
fn owners_of_others_keep_their_flags_unless_the_operators_own_is_lost() {
    let slice = || fixture::snapshot().up().children.slices.remove(0).object;
    let theirs = json!({"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "x", "controller": true});
    let mut object = serde_json::to_value(slice().to_api()).unwrap();
    object["metadata"]["ownerReferences"]
        .as_array_mut()
        .unwrap()
        .push(theirs.clone());
    let observed =
        |object: &Value| crate::child::Slice::from_api(serde_json::from_value(object.clone()).unwrap()).object;
    let after = patched(&object, &observed(&object), &slice());
    assert_eq!(
        after["metadata"]["ownerReferences"],
        object["metadata"]["ownerReferences"]
    );
    // The operator's own, damaged: only the UID is as it was.
    let mut damaged = object["metadata"]["ownerReferences"][0].clone();
    damaged["kind"] = "InstanceLinkx".into();
    object["metadata"]["ownerReferences"] = json!([theirs, damaged]);
    let after = patched(&object, &observed(&object), &slice());
    let owners: Vec<_> = after["metadata"]["ownerReferences"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(
        owners.iter().map(|owner| &owner["kind"]).collect::<Vec<_>>(),
        ["InstanceLink", "Pod"]
    );
}

/// contract#repair
#[test]
fn no_label_of_an_earlier_selector_of_a_policy_stays() {
    let policy = |labels: Value| ChildSpec {
        body: Policy::from(
            &serde_json::from_value::<NetworkPolicySpec>(
                json!({"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"]}),
            )
            .unwrap(),
        ),
        namespace: "shop".to_owned(),
        name: "web-db-0123456789".to_owned(),
        labels: [(keys::MANAGED_BY.to_owned(), keys::MANAGER.to_owned())].into(),
        annotations: [].into(),
        owners: Vec::new(),
    };
    let (found, desired) = (policy(json!({"app": "a", "old": "x"})), policy(json!({"app": "b"})));
    let object = merged(
        &serde_json::to_value(found.to_api()).unwrap(),
        &json!({"spec": {"ingress": [{}], "podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}}),
    );
    let after = patched(&object, &found, &desired);
    assert_eq!(
        after["spec"],
        json!({"podSelector": {"matchLabels": {"app": "b"}}, "policyTypes": ["Ingress"]})
    );
}

#[test]
fn a_change_shows_no_value_of_a_secret() {
    let bound = fixture::snapshot()
        .edited(|spec| spec.outputs = serde_yaml_ng::from_str("{binding: {type: postgresql}}").unwrap());
    let mut found = bound.up().children.bindings.remove(0).object;
    let desired = found.clone();
    found.body.data.insert("old".to_owned(), "hunter2".into());
    let shown = format!("{:?}", Delta::between(&found, &desired));
    assert!(shown.contains("old") && !shown.contains("hunter2"), "{shown}");
}
