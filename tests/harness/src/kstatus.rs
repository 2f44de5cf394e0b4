//! The verdict of kstatus, which Flux and Helm use to decide whether an object is ready: its published
//! rules for kinds it does not know (`pkg/kstatus/status` of sigs.k8s.io/cli-utils, `checkGenericProperties` and
//! `checkReadyCondition`), in its order.

use kube::api::DynamicObject;
use serde_json::Value;

/// What kstatus calls an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Being deleted.
    Terminating,
    /// Not ready yet.
    InProgress,
    /// Stuck.
    Failed,
    /// Ready.
    Current,
}

/// The verdict on an object.
pub fn verdict(object: &DynamicObject) -> Verdict {
    if object.metadata.deletion_timestamp.is_some() {
        return Verdict::Terminating;
    }
    let observed = object
        .data
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    if observed.is_some_and(|o| Some(o) != object.metadata.generation) {
        return Verdict::InProgress;
    }
    let conditions: Vec<(&str, &str)> = object
        .data
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|c| Some((c.get("type")?.as_str()?, c.get("status")?.as_str()?)))
        .collect();
    for condition in &conditions {
        match *condition {
            ("Reconciling", "True") => return Verdict::InProgress,
            ("Stalled", "True") => return Verdict::Failed,
            _ => {}
        }
    }
    if conditions.iter().any(|c| matches!(*c, ("Ready", "False" | "Unknown"))) {
        return Verdict::InProgress;
    }
    Verdict::Current
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict_on(status: &Value) -> Verdict {
        let object = json!({
            "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
            "metadata": { "name": "web-db", "generation": 1 }, "status": status,
        });
        verdict(&serde_json::from_value(object).expect("an object"))
    }

    #[test]
    fn a_state_alone_is_current_which_is_why_the_default_status_says_more() {
        assert_eq!(verdict_on(&json!({ "state": "requested" })), Verdict::Current);
        assert_eq!(
            verdict_on(&instancelink_api::crd::default_status()),
            Verdict::InProgress
        );
    }

    #[test]
    fn stalled_is_failed_even_beside_ready() {
        let conditions = json!([{ "type": "Ready", "status": "True" }, { "type": "Stalled", "status": "True" }]);
        assert_eq!(
            verdict_on(&json!({ "observedGeneration": 1, "conditions": conditions })),
            Verdict::Failed
        );
    }
}
