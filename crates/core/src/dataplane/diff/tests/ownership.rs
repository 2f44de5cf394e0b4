//! Objects of users that name the link as their owner.

use super::*;
use crate::child::{Binding, Policy, VirtualIp};

/// The same object with this content.
fn with<T>(found: Observed<()>, body: T) -> Observed<T> {
    let Observed {
        uid,
        resource_version,
        terminating,
        held_since,
        object,
    } = found;
    let ChildSpec {
        namespace,
        name,
        labels,
        annotations,
        owners,
        body: (),
    } = object;
    let object = ChildSpec {
        namespace,
        name,
        labels,
        annotations,
        owners,
        body,
    };
    Observed {
        uid,
        resource_version,
        terminating,
        held_since,
        object,
    }
}

/// contract#ownership
#[test]
fn objects_of_users_that_name_the_link_as_their_owner_are_neither_changed_nor_deleted() {
    let owned = |name: &str| Observed {
        uid: name.to_owned(),
        resource_version: "7".to_owned(),
        terminating: false,
        held_since: None,
        object: ChildSpec {
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            labels: [].into(),
            annotations: [].into(),
            owners: vec![fixture::owner(
                keys::API_VERSION,
                keys::KIND,
                "web-db",
                fixture::LINK_UID,
            )],
            body: (),
        },
    };
    let mut s = fixture::snapshot().up();
    let slice = s.children.slices[0].object.body.clone();
    for name in ["mine", "web-db-v4-2"] {
        s.children.slices.push(with(owned(name), slice.clone()));
    }
    let policy = crate::child::names::policy("web-db", fixture::LINK_UID);
    for name in ["mine", policy.as_str()] {
        s.children.policies.push(with(owned(name), Policy::default()));
    }
    for name in ["mine", "web-db-vip"] {
        s.children.virtual_ips.push(with(owned(name), VirtualIp::default()));
    }
    for name in ["mine", "web-db-binding"] {
        s.children.bindings.push(with(owned(name), Binding::default()));
    }
    assert_eq!(due(&s), Vec::<String>::new());
    let mut down = s;
    while let Teardown::Act(effects) = take_down(&down, None) {
        let foreign = shown(&effects)
            .into_iter()
            .find(|e| !e.contains("web-links") && !e.ends_with("web-db-v4"));
        assert_eq!(foreign, None);
        down.execute(&effects);
    }
    assert_eq!(
        take_down(&down, None),
        Teardown::Done,
        "the link waits for none of them"
    );
    assert!(!has_children(&down));
}
