use instancelink_core::effect::{Effect, Step};
use instancelink_core::lifecycle::step;
use instancelink_core::resolve::{TargetVerdict, target_of};
use instancelink_core::snapshot::Snapshot;

use super::strange::valid;
use super::*;
use crate::observe;

const TOO_LATE: &str = "9999-12-31T23:59:59Z";

fn key(name: &str) -> ObjectName {
    ObjectName::new("shop", name)
}

fn snapshot(world: &World, name: &str) -> Snapshot {
    let now = jiff::Timestamp::UNIX_EPOCH;
    world
        .cache
        .read(|index| observe(index, &key(name), now, "cluster.local", &[]))
        .unwrap()
}

/// A link in another namespace, and a grant for it.
fn granted() -> World {
    let world = World::new();
    let target = json!({"kind": "Deployment", "name": "pg", "namespace": "data"});
    world.apply::<Links>(link("a", "a", &target, 1));
    world.apply::<Grants>(grant(2));
    world
}

fn grant(version: u64) -> Value {
    json!({
        "metadata": {"namespace": "data", "name": "g", "uid": "g-uid", "resourceVersion": version.to_string()},
        "spec": {"from": [{"namespace": "shop"}], "to": [{"kind": "Deployment"}]},
    })
}

fn consents(world: &World) -> bool {
    !matches!(target_of(&snapshot(world, "a")), TargetVerdict::NotPermitted { .. })
}

/// contract#unusable-objects
#[test]
fn a_time_in_managed_fields_that_no_type_can_hold_changes_nothing() {
    let managed = json!([{"manager": "x", "operation": "Update", "time": TOO_LATE, "fieldsV1": {"f:spec": {}}}]);
    let world = granted();
    world.apply::<Grants>(with(grant(3), "/metadata/managedFields", managed.clone()));
    assert!(consents(&world));
    world.delete::<Grants>(with(grant(4), "/metadata/managedFields", managed.clone()));
    assert!(!consents(&world), "the deletion is seen");
    let edited = link("a", "a", &to("Deployment", "other"), 5);
    world.apply::<Links>(with(edited, "/metadata/managedFields", managed));
    assert_eq!(
        snapshot(&world, "a").link.object.spec.target_instance_ref.unwrap().name,
        "other"
    );
    assert_eq!(world.unusable(), []);
}

/// contract#unusable-objects
#[test]
fn a_grant_that_cannot_be_read_consents_to_nothing_and_wakes_the_links_that_need_it() {
    let world = granted();
    assert!(consents(&world));
    world.heard();
    world.apply::<Grants>(with(grant(3), "/spec/to", json!(7)));
    assert!(!consents(&world));
    assert_eq!(world.heard(), names(["a"]));
    let told = world.unusable();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].kind, told[0].name.to_string().as_str()),
        ("InstanceLinkGrant", "data/g")
    );
    assert_eq!(
        told[0].why.to_string(),
        "the field spec.to cannot be read (expected a sequence)"
    );
    world.apply::<Grants>(with(grant(4), "/spec/to", json!(8)));
    assert_eq!(world.unusable(), [], "it is told once");
    assert_eq!(
        world.cache.count_unusable(),
        [(("InstanceLinkGrant", "unreadable"), 1)].into()
    );
    world.apply::<Grants>(grant(5));
    assert!(consents(&world));
    assert!(world.cache.count_unusable().is_empty());
}

/// contract#unusable-objects
#[test]
fn a_link_that_cannot_be_read_is_held_and_its_deletion_goes_on() {
    let world = World::new();
    let broken = |version| {
        let mut object = valid("InstanceLink", "web", version);
        object["spec"]["ports"] = json!("all of them");
        object["metadata"]["annotations"] = json!({});
        object
    };
    world.apply::<Links>(broken(3));
    let s = snapshot(&world, "web");
    let Step::Act(effects) = step(&s) else {
        panic!("it is cut")
    };
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::WriteStatus { .. } | Effect::AcceptAction { .. })),
        "{effects:?}"
    );
    assert_eq!(s.link.object.spec.link_name, "web", "what can be read counts");
    world.apply::<Links>(with(broken(4), "/metadata/deletionTimestamp", json!(TOO_LATE)));
    let mut s = snapshot(&world, "web");
    let states = std::iter::from_fn(|| match step(&s) {
        Step::Act(effects) => {
            for effect in &effects {
                if let Effect::WriteStatus { status } = effect {
                    s.link.object.status = Some((**status).clone());
                }
            }
            Some(effects)
        }
        Step::Settled { .. } => None,
    });
    let last = states.take(20).flatten().any(|effect| effect == Effect::DropFinalizer);
    assert!(last, "the finalizer goes");
}

/// contract#unusable-objects
#[test]
fn a_status_that_cannot_be_read_holds_nothing_and_is_written_again() {
    let world = World::new();
    let object = with(valid("InstanceLink", "web", 3), "/status/removed", json!(TOO_LATE));
    world.apply::<Links>(object);
    let s = snapshot(&world, "web");
    assert_eq!(
        s.link.unusable.as_ref().and_then(|why| why.status_field()),
        Some("removed")
    );
    assert_eq!(
        s.link.object.state(),
        instancelink_api::State::Active,
        "the rest of the status counts"
    );
}

/// contract#unusable-objects
#[test]
fn a_target_that_cannot_be_read_counts_as_missing_and_the_link_says_why() {
    let world = World::new();
    world.apply::<Deployments>(valid("Deployment", "pg", 1));
    world.apply::<Links>(link("a", "a", &to("Deployment", "pg"), 2));
    assert!(matches!(target_of(&snapshot(&world, "a")), TargetVerdict::Observed(_)));
    world.heard();
    world.apply::<Deployments>(with(valid("Deployment", "pg", 3), "/spec/selector", json!([])));
    assert_eq!(world.heard(), names(["a"]));
    let s = snapshot(&world, "a");
    let TargetVerdict::Unusable { message } = target_of(&s) else {
        panic!()
    };
    assert!(
        message.contains("Deployment shop/pg exists, but the field spec.selector cannot be read"),
        "{message}"
    );
}

/// contract#unusable-objects
#[test]
fn a_child_that_cannot_be_read_is_known_by_its_identity_so_that_it_is_repaired_or_deleted() {
    let world = World::new();
    world.apply::<Links>(valid("InstanceLink", "web", 1));
    let slice = with(valid("EndpointSlice", "web", 2), "/metadata/name", json!("web-v4"));
    world.apply::<Slices>(with(slice, "/endpoints", json!(3)));
    let s = snapshot(&world, "web");
    let [slice] = s.children.slices.as_slice() else {
        panic!("{:?}", s.children)
    };
    assert_eq!(slice.uid, "EndpointSlice-web-uid");
    assert!(slice.object.body.damaged, "DNS may return what it has");
}

/// contract#unusable-objects
#[test]
fn a_policy_that_cannot_be_read_isolates_nothing() {
    let world = World::new();
    let foreign = |version| {
        let mut object = valid("NetworkPolicy", "deny", version);
        object["metadata"]["labels"] = json!({});
        object
    };
    let isolating = |world: &World| world.cache.read(|index| index.policies.isolators_in("shop").count());
    world.apply::<Policies>(foreign(1));
    assert_eq!(isolating(&world), 1);
    world.apply::<Policies>(with(foreign(2), "/spec/policyTypes", json!("Ingress")));
    assert_eq!(isolating(&world), 0);
}

/// contract#unusable-objects
#[test]
fn no_grant_selects_a_namespace_whose_labels_cannot_be_read() {
    let world = granted();
    let absent = json!([{"namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}}]);
    world.apply::<Grants>(with(grant(3), "/spec/from", absent));
    world.apply::<Namespaces>(json!({"metadata": {"name": "shop", "uid": "n", "resourceVersion": "4"}}));
    assert!(consents(&world));
    world.apply::<Namespaces>(json!({"metadata": {"name": "shop", "uid": "n", "resourceVersion": "5", "labels": 7}}));
    assert!(!consents(&world));
}
