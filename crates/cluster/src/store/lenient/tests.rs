use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use kube::core::{ObjectList, WatchEvent};
use serde_json::{Value, json};

use super::*;
use crate::store::strip_managed_fields::Stripped;

type Services = Lenient<Stripped<Service>>;

fn service(ports: &Value) -> Value {
    json!({"metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "3"}, "spec": {"ports": ports}})
}

fn read(object: &Value) -> Services {
    serde_json::from_str(&object.to_string()).unwrap()
}

fn why(found: &Services) -> String {
    found.why.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn an_object_that_can_be_read_is_whole() {
    let found = read(&service(&json!([{"port": 80}])));
    assert_eq!(found.why, None);
    assert_eq!(found.object.object.spec.unwrap().ports.unwrap()[0].port, 80);
}

/// contract#unusable-objects
#[test]
fn of_an_object_that_cannot_be_read_the_identity_is_known_and_the_field() {
    let found = read(&service(&json!([{"port": "http"}])));
    assert_eq!(found.meta().name.as_deref(), Some("web"));
    assert_eq!(found.meta().uid.as_deref(), Some("u"));
    assert_eq!(found.object.object.spec, None);
    assert_eq!(
        why(&found),
        "the field spec.ports[0].port cannot be read (expected i32)"
    );
}

#[test]
fn in_a_list_and_in_a_watch_an_object_that_cannot_be_read_is_one_of_the_others() {
    let items = [
        service(&json!([])),
        service(&json!(7)),
        json!(3),
        json!(null),
        service(&json!([])),
    ];
    let list = json!({"kind": "ServiceList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": items});
    let list: ObjectList<Services> = serde_json::from_str(&list.to_string()).unwrap();
    let readable: Vec<bool> = list.items.iter().map(|item| item.why.is_none()).collect();
    assert_eq!(readable, [true, false, false, false, true]);
    let line = format!("{{\"type\":\"DELETED\",\"object\":{}}}", service(&json!(7)));
    let Ok(WatchEvent::Deleted(found)) = serde_json::from_str::<WatchEvent<Services>>(&line) else {
        panic!("a deletion counts whatever the object looks like");
    };
    assert_eq!(found.meta().name.as_deref(), Some("web"));
}

#[test]
fn depth_is_no_error_where_nobody_looks_and_the_objects_own_matter_elsewhere() {
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let with = |field: &str| format!("{{\"metadata\": {{\"name\": \"web\", \"x\": {deep}}}, \"{field}\": {deep}}}");
    assert_eq!(Services::of(&with("extra")).why, None);
    let found = Services::of(&with("spec"));
    assert_eq!(found.why, None, "all of it is in an unknown field of the spec");
    let text = format!("{{\"metadata\": {{\"name\": \"web\"}}, \"spec\": {{\"selector\": {deep}}}}}");
    let found = Services::of(&text);
    assert_eq!(found.meta().name.as_deref(), Some("web"));
    assert!(why(&found).contains("spec.selector"), "{}", why(&found));
}

#[test]
fn a_reason_has_no_value_of_the_object() {
    for value in [
        json!("hunter2"),
        json!({"hunter2": 1}),
        json!(["hunter2"]),
        json!("x, expected hunter2"),
    ] {
        let text = json!({"metadata": {"name": "s"}, "data": {"password": value}}).to_string();
        let found = Lenient::<Stripped<Secret>>::of(&text);
        let why = found.why.unwrap().to_string();
        assert!(why.starts_with("the field data") && !why.contains("hunter2"), "{why}");
    }
    let text = json!({"metadata": {"name": "c"}, "data": {"a": 3}}).to_string();
    let why = Lenient::<Stripped<ConfigMap>>::of(&text).why.unwrap().to_string();
    assert_eq!(why, "the field data.a cannot be read (expected a string)");
}

#[test]
fn an_object_without_a_version_does_not_end_the_watch() {
    assert_eq!(
        Services::of("{\"metadata\": {}}").meta().resource_version.as_deref(),
        Some("0")
    );
    assert_eq!(Services::of("3").meta().resource_version.as_deref(), Some("0"));
}
