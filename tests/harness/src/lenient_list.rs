//! Lists of objects, some of which no type can hold.

use serde_json::Value;

use crate::Namespace;

/// All objects of a kind. Other tests write times that no type can hold into managed fields: no time is kept.
pub(crate) async fn all_of(namespace: &Namespace, path: &str) -> Vec<Value> {
    let request = http::Request::get(path).body(Vec::new()).expect("a request");
    let mut objects: Vec<Value> = match namespace.client.request::<Value>(request).await {
        Ok(mut list) => serde_json::from_value(list["items"].take()).expect("items"),
        // The operator is uninstalled: there are no links, and none of their objects may be left.
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(e) => panic!("cannot list {path}: {e}"),
    };
    let managed = objects
        .iter_mut()
        .map(|object| &mut object["metadata"]["managedFields"]);
    for entry in managed.filter_map(Value::as_array_mut).flatten() {
        entry["time"] = Value::Null;
    }
    objects
}
