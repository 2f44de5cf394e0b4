use serde_json::json;

use super::*;

fn found(sent: &Value, live: &Value) -> (String, String) {
    let found = alteration(sent, live).unwrap();
    (found.field, found.manager)
}

fn sent() -> Value {
    json!({
        "metadata": {"name": "web-links", "labels": {"app.kubernetes.io/managed-by": "instancelink"}},
        "data": {"DB_PORT": "tcp://db:5432"},
    })
}

#[test]
fn an_altered_label_is_named_with_the_manager_that_has_it() {
    let mut live = sent();
    live["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "helm", "team": "x"});
    let field = "metadata.labels['app.kubernetes.io/managed-by']".to_owned();
    assert_eq!(
        found(&sent(), &live),
        (field.clone(), String::new()),
        "a policy has no entry"
    );
    let fields = json!({"f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/managed-by": {}}}});
    let entry =
        |manager: &str, time: &str, fields: &Value| json!({"manager": manager, "time": time, "fieldsV1": fields});
    let other = json!({"f:metadata": {"f:labels": {".": {}, "f:team": {}}}});
    live["metadata"]["managedFields"] = json!([
        entry("instancelink", "2026-01-01T00:00:09Z", &fields),
        entry("kubectl-label", "2026-01-01T00:00:02Z", &fields),
        entry("older", "2026-01-01T00:00:01Z", &fields),
        entry("team-labels", "2026-01-01T00:00:08Z", &other),
        json!(7),
    ]);
    assert_eq!(found(&sent(), &live), (field, "kubectl-label".to_owned()));
}

#[test]
fn what_is_missing_is_altered_and_what_was_added_beside_it_is_not() {
    let mut live = sent();
    live["data"] = json!({"ADDED": "1"});
    assert_eq!(found(&sent(), &live).0, "data['DB_PORT']");
    let mut same = sent();
    same["metadata"]["labels"]["team"] = json!("x");
    same["metadata"]["uid"] = json!("7");
    same["binaryData"] = json!({"bytes": "eA=="});
    assert_eq!(alteration(&sent(), &same), None);
}

#[test]
fn a_field_that_was_not_sent_is_named_unless_it_has_its_default() {
    let service = json!({"spec": {"type": "ClusterIP", "clusterIP": "None"}});
    let mut live = service.clone();
    live["spec"] = json!({
        "type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"], "ipFamilies": ["IPv4"],
        "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
    });
    assert_eq!(alteration(&service, &live), None);
    live["spec"]["sessionAffinity"] = json!("ClientIP");
    assert_eq!(found(&service, &live).0, "spec.sessionAffinity");
}

#[test]
fn items_of_lists_are_named_by_their_place_and_lists_of_another_length_as_a_whole() {
    let slice = json!({"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}}]});
    let mut live = slice.clone();
    live["endpoints"][0]["conditions"]["ready"] = json!(false);
    live["metadata"] = json!({"managedFields": [{"manager": "dns-tool", "fieldsV1": {"f:endpoints": {}}}]});
    assert_eq!(
        found(&slice, &live),
        ("endpoints[0].conditions.ready".to_owned(), "dns-tool".to_owned())
    );
    live["endpoints"] = json!([]);
    assert_eq!(found(&slice, &live).0, "endpoints");
    let mut hinted = slice.clone();
    hinted["endpoints"][0]["hints"] = json!({"forZones": [{"name": "a"}]});
    assert_eq!(found(&slice, &hinted).0, "endpoints[0].hints.forZones");
}

fn owner(uid: &str) -> Value {
    json!({"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "web-db", "uid": uid})
}

/// contract#additions
#[test]
fn owners_and_addresses_beside_those_that_were_sent_are_not_what_was_altered() {
    let service = json!({
        "metadata": {"ownerReferences": [owner("7")]},
        "spec": {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "type": "ClusterIP"},
    });
    let mut live = service.clone();
    let mut own = owner("7");
    own["blockOwnerDeletion"] = json!(true);
    live["metadata"]["ownerReferences"] = json!([owner("8"), own]);
    live["spec"]["clusterIPs"] = json!(["10.96.0.9", "fd00::9"]);
    assert_eq!(alteration(&service, &live), None);
    live["spec"]["type"] = json!("NodePort");
    assert_eq!(found(&service, &live).0, "spec.type");
    live["metadata"]["ownerReferences"] = json!([owner("8"), owner("9")]);
    assert_eq!(found(&service, &live).0, "metadata.ownerReferences");
    live["metadata"]["ownerReferences"] = json!([owner("8")]);
    assert_eq!(found(&service, &live).0, "metadata.ownerReferences[0].uid");
}

#[test]
fn what_others_may_not_add_is_named() {
    let named = |pointer: &str, value: Value| {
        let directory = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"type": "ClusterIP"}});
        let mut live = directory.clone();
        *live.pointer_mut(pointer).unwrap() = value;
        alteration(&directory, &live).map(|found| found.field)
    };
    let field = |text: &str| Some(text.to_owned());
    assert_eq!(
        named(
            "/metadata",
            json!({"labels": {"a": "b"}, "ownerReferences": [owner("8")]})
        ),
        field("metadata.ownerReferences")
    );
    let by_label = json!({"a": "b", "team": "x", "service.kubernetes.io/service-proxy-name": "other"});
    assert_eq!(
        named("/metadata/labels", by_label),
        field("metadata.labels['service.kubernetes.io/service-proxy-name']")
    );
    let by_annotation = json!({"labels": {"a": "b"}, "annotations": {"service.kubernetes.io/topology-mode": "Auto"}});
    assert_eq!(
        named("/metadata", by_annotation),
        field("metadata.annotations['service.kubernetes.io/topology-mode']")
    );
    let headless = json!({"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"]});
    assert_eq!(named("/spec", headless), field("spec.clusterIP"));
    assert_eq!(named("/metadata/labels", json!({"a": "b", "team": "x"})), None);
}

#[test]
fn no_value_of_an_object_is_in_what_is_said() {
    let secret = json!({"data": {"password": "aHVudGVyMg=="}});
    let live = json!({"data": {"password": "c2VjcmV0"}});
    let said = format!("{:?}", alteration(&secret, &live));
    assert!(
        said.contains("password") && !said.contains("c2VjcmV0") && !said.contains("aHVudGVyMg"),
        "{said}"
    );
}
