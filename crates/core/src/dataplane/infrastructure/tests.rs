use std::collections::BTreeSet;
use std::sync::Arc;

use instancelink_api::spec::NetworkPolicyMode;
use instancelink_api::{Addressing, keys};

use super::*;
use crate::child::with_observed;
use crate::dataplane::{build, is_up};
use crate::fixture;
use crate::snapshot::{Isolator, Sibling};

fn infrastructure(yaml: &str) -> Infrastructure {
    serde_yaml_ng::from_str(yaml).unwrap()
}

/// A link with every kind of child.
fn with_all_children(yaml: &str) -> Snapshot {
    let mut s = fixture::snapshot().edited(|spec| {
        spec.addressing = Addressing::VirtualIP;
        spec.network_policy = NetworkPolicyMode::Allow;
        spec.outputs = serde_yaml_ng::from_str("{binding: {type: postgresql}}").unwrap();
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}]").unwrap();
        spec.infrastructure = Some(infrastructure(yaml));
    });
    s.isolators.push(Arc::new(Isolator {
        namespace: fixture::NAMESPACE.to_owned(),
        name: "deny".to_owned(),
        pods: serde_yaml_ng::from_str("{}").unwrap(),
    }));
    s
}

/// The value of a label and of an annotation on each child.
fn values(s: &Snapshot, label: &str, annotation: &str) -> BTreeSet<(Option<String>, Option<String>)> {
    let of = |child: crate::child::ObservedChild| {
        with_observed!(&child, K(found) => {
            let labels = found.object.labels.get(label).cloned();
            (labels, found.object.annotations.get(annotation).cloned())
        })
    };
    s.children.all().map(of).collect()
}

fn both(label: &str, annotation: &str) -> BTreeSet<(Option<String>, Option<String>)> {
    [(Some(label.to_owned()), Some(annotation.to_owned()))].into()
}

/// The writes that bring the children to the plan, each as verb and key.
fn repairs(s: &mut Snapshot) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let plan = build(s, &BTreeSet::new()).unwrap();
        let effects = crate::dataplane::bring_up(s, &plan);
        if effects.is_empty() {
            assert!(is_up(s, &plan));
            return all;
        }
        all.extend(fixture::shown(&effects));
        s.execute(&effects);
    }
}

/// contract#infrastructure
#[test]
fn each_child_has_the_labels_and_annotations_of_the_spec_and_a_change_is_one_write_a_child() {
    let mut s = with_all_children("{labels: {team: a, cost: x}, annotations: {note: one}}").up();
    let children = s.children.all().count();
    assert_eq!(
        children, 7,
        "directory, virtual IP, two slices, environment, policy, binding"
    );
    assert_eq!(values(&s, "team", "note"), both("a", "one"));
    assert_eq!(repairs(&mut s), Vec::<String>::new());
    s = s.edited(|spec| spec.infrastructure = Some(infrastructure("{labels: {team: b}, annotations: {note: two}}")));
    let writes = repairs(&mut s);
    assert_eq!(writes.len(), children, "{writes:?}");
    assert!(writes.iter().all(|write| write.starts_with("replace")), "{writes:?}");
    assert_eq!(values(&s, "team", "note"), both("b", "two"));
    assert_eq!(
        values(&s, "cost", "x"),
        [(None, None)].into(),
        "a removed entry is removed"
    );
    s = s.edited(|spec| spec.infrastructure = None);
    assert_eq!(repairs(&mut s).len(), children);
    assert_eq!(values(&s, "team", keys::INFRASTRUCTURE), [(None, None)].into());
}

#[test]
fn the_options_of_the_operator_are_on_each_child_where_the_spec_says_nothing_else() {
    let mut s = with_all_children("{labels: {team: a}}");
    s.child_defaults = Arc::new(infrastructure(
        "{labels: {team: none, part-of: links}, annotations: {note: all}}",
    ));
    let s = s.up();
    assert_eq!(values(&s, "team", "note"), both("a", "all"));
    assert_eq!(values(&s, "part-of", "note"), both("links", "all"));
}

#[test]
fn a_reserved_key_in_a_stored_link_changes_no_mark() {
    let yaml =
        "{labels: {app.kubernetes.io/managed-by: me, kubernetes.io/service-name: x, instancelink.dev/link-uid: x}}";
    let s = with_all_children(yaml).up();
    let plain = with_all_children("{}").up();
    let all = |s: &Snapshot| {
        s.children
            .all()
            .map(crate::child::ObservedChild::into_desired)
            .collect::<Vec<_>>()
    };
    assert_eq!(all(&s), all(&plain));
}

fn sibling(state: State, created: &str, yaml: &str) -> Sibling {
    let mut sibling = fixture::sibling(state, true);
    let object = Arc::make_mut(&mut sibling.object);
    object.spec.infrastructure = Some(infrastructure(yaml));
    let created = created.parse().unwrap();
    object.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(created));
    sibling
}

/// contract#infrastructure
#[test]
fn shared_children_have_the_entries_of_all_links_that_are_up_and_the_oldest_decides() {
    let yaml = "{labels: {team: b, own: x}}";
    for (created, team) in [("2020-01-01T00:00:00Z", "a"), ("2030-01-01T00:00:00Z", "b")] {
        let other = sibling(State::Active, created, "{labels: {team: a, other: y}}");
        let s = with_all_children(yaml).with_sibling(other);
        let shared = shared(&s).labels;
        assert_eq!(shared["team"], team, "{created}");
        assert_eq!((shared["own"].as_str(), shared["other"].as_str()), ("x", "y"));
        let expected: &[&str] = if team == "a" { &["label team"] } else { &[] };
        assert_eq!(outvoted(&s), expected);
        let up = s.up();
        assert_eq!(up.children.directories[0].object.labels["team"], team);
        assert_eq!(up.children.environments[0].object.labels["team"], team);
        assert!(
            up.children
                .slices
                .iter()
                .all(|found| found.object.labels["team"] == "b"),
            "its own child"
        );
    }
}

#[test]
fn a_link_that_is_not_up_and_one_of_another_kind_of_source_count_for_no_shared_child() {
    for state in [State::Inactive, State::Deactivating, State::Removed, State::Requested] {
        let s = with_all_children("{}").with_sibling(sibling(state, "2020-01-01T00:00:00Z", "{labels: {team: a}}"));
        assert!(shared(&s).labels.is_empty(), "{state}");
    }
    let mut other = sibling(State::Active, "2020-01-01T00:00:00Z", "{labels: {team: a}}");
    "StatefulSet".clone_into(&mut Arc::make_mut(&mut other.object).spec.instance_ref.kind);
    assert!(shared(&with_all_children("{}").with_sibling(other)).labels.is_empty());
}

#[test]
fn the_entries_of_a_link_that_was_cut_leave_the_shared_children_with_one_write_each() {
    let other = sibling(State::Active, "2020-01-01T00:00:00Z", "{labels: {team: a}}");
    let mut s = with_all_children("{}").with_sibling(other).up();
    assert_eq!(s.children.directories[0].object.labels["team"], "a");
    s.siblings.clear();
    assert_eq!(
        repairs(&mut s),
        ["replace Service shop/web-links", "replace ConfigMap shop/web-links"]
    );
}

#[test]
fn an_entry_that_is_taken_out_of_an_environment_keeps_its_labels() {
    let mut s = with_all_children("{labels: {team: a}}")
        .with_sibling(fixture::sibling(State::Active, true))
        .up();
    let environment = &mut s.children.environments[0];
    let entries =
        serde_json::json!({ fixture::LINK_UID: ["DB_NAME"], fixture::SIBLING_UID: ["CACHE_NAME"] }).to_string();
    environment.object.annotations.insert(keys::ENTRIES.to_owned(), entries);
    let removed = [fixture::LINK_UID].into();
    let left = crate::dataplane::without(environment, &removed, |_| None).unwrap();
    assert_eq!(left.labels, environment.object.labels);
    assert_eq!(
        left.annotations.get(keys::INFRASTRUCTURE),
        environment.object.annotations.get(keys::INFRASTRUCTURE)
    );
}

#[test]
fn very_many_links_of_a_source_fill_no_shared_child() {
    let mut s = with_all_children("{labels: {last: x}}");
    for number in 0..100 {
        let mut other = sibling(State::Active, "2020-01-01T00:00:00Z", "{}");
        let object = Arc::make_mut(&mut other.object);
        object.metadata.name = Some(format!("a{number:03}"));
        let labels = (0..8).map(|n| (format!("l{number}-{n}"), String::new())).collect();
        object.spec.infrastructure = Some(Infrastructure {
            labels,
            ..Infrastructure::default()
        });
        s.siblings.push(other);
    }
    assert_eq!(shared(&s).labels.len(), MOST_SHARED);
    assert_eq!(outvoted(&s), ["label last"]);
}
