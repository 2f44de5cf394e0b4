use super::*;
use crate::child::{Binding, ChildSpec, Directory, Environment, Policy, Slice, VirtualIp};
use crate::fixture::{self, LINK_UID, SOURCE_UID, owner};

const LINK: LinkId<'static> = LinkId {
    namespace: "shop",
    name: "web-db",
    uid: LINK_UID,
};
/// Namespaces: the link's own, and one of a target.
const PLACES: [&str; 2] = ["shop", "data"];

/// The marks of an object of one link, apart from name and place.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts, not a state
struct Marks {
    managed: bool,
    label: bool,
    annotation: bool,
    owner: bool,
}

fn all() -> impl Iterator<Item = Marks> {
    (0..16_u8).map(|bits| Marks {
        managed: bits & 1 != 0,
        label: bits & 2 != 0,
        annotation: bits & 4 != 0,
        owner: bits & 8 != 0,
    })
}

fn object<T>(namespace: &str, name: &str, body: T) -> Observed<T> {
    Observed {
        uid: "some".to_owned(),
        resource_version: "1".to_owned(),
        terminating: false,
        held_since: None,
        object: ChildSpec {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            labels: [].into(),
            annotations: [].into(),
            owners: vec![],
            body,
        },
    }
}

fn marked<T>(mut found: Observed<T>, marks: Marks, label: (&str, &str), owner: Owner) -> Observed<T> {
    let object = &mut found.object;
    if marks.managed {
        object
            .labels
            .insert(keys::MANAGED_BY.to_owned(), keys::MANAGER.to_owned());
    }
    if marks.label {
        object.labels.insert(label.0.to_owned(), label.1.to_owned());
    }
    if marks.annotation {
        object
            .annotations
            .insert(keys::LINK.to_owned(), "shop/web-db".to_owned());
    }
    if marks.owner {
        object.owners.push(owner);
    }
    found
}

fn of_link<T>(namespace: &str, name: &str, body: T, marks: Marks) -> Observed<T> {
    let owner = owner(keys::API_VERSION, keys::KIND, "web-db", LINK_UID);
    marked(object(namespace, name, body), marks, (keys::LINK_UID, LINK_UID), owner)
}

fn slice() -> Slice {
    fixture::snapshot().up().children.slices.remove(0).object.body
}

/// The table of contract#ownership, over all combinations of marks, for one kind.
fn check<T: ChildKind>(name: &str, body: &T) {
    let is_policy = T::KIND == Kind::Policy;
    for place in PLACES {
        for marks in all() {
            let found = of_link(place, name, body.clone(), marks);
            let Marks {
                managed,
                label,
                annotation,
                ..
            } = marks;
            // An owner in another namespace does not count.
            let owner = marks.owner && place == "shop";
            let by_label = label && (managed || annotation || owner);
            let by_annotation = annotation && (owner || (managed && is_policy));
            let is_anywhere = is_policy && !names::is_egress(name);
            let expected = (place == "shop" || is_anywhere) && (by_label || by_annotation);
            let what = format!("{:?} {place}/{name} {marks:?}", T::KIND);
            assert_eq!(is_of_link(&found, LINK), expected, "{what}");
            // What the marks alone say agrees with it, and names this link.
            let claims = claims(&found);
            if expected {
                let [claim] = claims.as_slice() else {
                    panic!("{what}: {claims:?}")
                };
                assert_eq!(claim.name, "web-db", "{what}");
                assert!(
                    claim.namespace.as_deref().is_none_or(|it| it == "shop"),
                    "{what}: {claim:?}"
                );
                assert!(
                    claim.uid.as_deref().is_none_or(|uid| uid == LINK_UID),
                    "{what}: {claim:?}"
                );
            } else if place == "shop" {
                assert!(claims.is_empty(), "{what}: {claims:?}");
            }
            for other in [
                LinkId { uid: "another", ..LINK },
                LinkId { name: "web", ..LINK },
                LinkId { uid: "", ..LINK },
            ] {
                assert!(!is_of_link(&found, other), "{what}: of {other:?}");
            }
        }
    }
}

/// contract#ownership
#[test]
fn what_belongs_to_a_link_is_decided_by_the_same_table_for_all_kinds() {
    check("web-db-v4", &slice());
    check("web-db-vip6-3", &slice());
    check("web-db-vip", &VirtualIp::default());
    check("web-db-binding", &Binding::default());
    check(&names::policy("web-db", LINK_UID), &Policy::default());
    check(&names::egress("web-db", LINK_UID), &Policy::default());
}

/// contract#ownership
#[test]
fn an_object_with_each_mark_of_a_link_but_the_name_of_no_child_is_foreign() {
    let marks = all().last().unwrap();
    for name in ["copied", "web-db", "web-db-v4-02", "web-db-v5", "other-db-v4"] {
        assert!(!is_of_link(&of_link("shop", name, slice(), marks), LINK), "{name}");
    }
    for name in [
        "copied",
        "web-db",
        "web-db-0123456789",
        "web-db-0123456789-egress",
        "web-db-egress",
    ] {
        assert!(
            !is_of_link(&of_link("shop", name, Policy::default(), marks), LINK),
            "{name}"
        );
    }
    assert_eq!(claims(&of_link("shop", "copied", Policy::default(), marks)), []);
    assert!(!is_of_link(
        &of_link("shop", "web-db-vip2", VirtualIp::default(), marks),
        LINK
    ));
    assert!(!is_of_link(
        &of_link("shop", "my-binding", Binding::default(), marks),
        LINK
    ));
}

/// contract#ownership
#[test]
fn no_single_mark_that_is_lost_or_changed_makes_a_child_foreign() {
    let every = all().last().unwrap();
    let lost = [
        Marks {
            managed: false,
            ..every
        },
        Marks { label: false, ..every },
        Marks {
            annotation: false,
            ..every
        },
        Marks { owner: false, ..every },
    ];
    for marks in lost {
        assert!(
            is_of_link(&of_link("shop", "web-db-v4", slice(), marks), LINK),
            "{marks:?}"
        );
        // In another namespace there is no owner from the start.
        let marks = Marks { owner: false, ..marks };
        let policy = of_link("data", &names::policy("web-db", LINK_UID), Policy::default(), marks);
        assert!(is_of_link(&policy, LINK), "{marks:?}");
    }
    let mut relabelled = of_link("shop", "web-db-v4", slice(), every);
    for (key, value) in [(keys::MANAGED_BY, "Helm"), (keys::LINK_UID, "another")] {
        relabelled.object.labels.insert(key.to_owned(), value.to_owned());
        assert!(is_of_link(&relabelled, LINK), "{key}");
    }
}

/// contract#ownership
#[test]
fn what_an_earlier_link_of_the_name_left_is_not_this_links() {
    let every = all().last().unwrap();
    let mut left = of_link("shop", "web-db-v4", slice(), every);
    left.object.labels.insert(keys::LINK_UID.to_owned(), "dead".to_owned());
    "dead".clone_into(&mut left.object.owners[0].uid);
    assert!(!is_of_link(&left, LINK));
    let claims = claims(&left);
    let [claim] = claims.as_slice() else {
        panic!("{claims:?}")
    };
    assert_eq!(claim.uid.as_deref(), Some("dead"));
}

/// contract#ownership
#[test]
fn a_name_in_the_annotation_counts_only_if_it_is_one() {
    let every = all().last().unwrap();
    let marks = Marks {
        label: false,
        owner: false,
        ..every
    };
    let name = names::policy("web-db", LINK_UID);
    for named in [
        "../../../../api/v1/namespaces/kube-system/configmaps/coredns",
        "shop/web-db/status",
        "shop/web-db?x=",
        "shop/",
        "/web-db",
        "shop",
        "Shop/web-db",
        "shop/other",
    ] {
        let mut policy = of_link("data", &name, Policy::default(), marks);
        policy
            .object
            .annotations
            .insert(keys::LINK.to_owned(), named.to_owned());
        assert_eq!(claims(&policy), [], "{named}");
        let mut labelled = of_link("data", &name, Policy::default(), Marks { label: true, ..marks });
        labelled
            .object
            .annotations
            .insert(keys::LINK.to_owned(), named.to_owned());
        let claims = claims(&labelled);
        assert!(
            claims.iter().all(|claim| claim.namespace.is_none()),
            "{named}: {claims:?}"
        );
    }
}

fn shared<T: ChildKind>(name: &str, body: &T) {
    for marks in all() {
        let source = owner("apps/v1", "Deployment", "web", SOURCE_UID);
        let found = marked(
            object("shop", name, body.clone()),
            marks,
            (keys::SOURCE_UID, SOURCE_UID),
            source,
        );
        let Marks {
            managed,
            label,
            annotation,
            owner,
        } = marks;
        let by_label = label && (managed || annotation || owner);
        let by_annotation = annotation && (managed || owner);
        let expected = is_directory(name) && (by_label || by_annotation);
        assert_eq!(is_shared_child(&found), expected, "{:?} {name} {marks:?}", T::KIND);
        assert_eq!(claims(&found), [], "it is no link's alone");
        assert!(!is_of_link(&found, LINK));
    }
}

/// contract#ownership
#[test]
fn what_the_links_of_a_source_share_is_decided_by_the_same_table_for_both_kinds() {
    for name in ["web-links", "web", "copied"] {
        shared(name, &Directory::RIGHT);
        shared(name, &Environment::default());
    }
}

/// contract#ownership
#[test]
fn the_annotation_of_the_source_is_a_mark_if_it_belongs_to_the_name() {
    let source = || owner("apps/v1", "Deployment", "web", SOURCE_UID);
    let named = |named: &str, label: bool, annotation: bool| {
        let marks = Marks {
            managed: false,
            label,
            annotation,
            owner: false,
        };
        let directory = object("shop", "web-links", Directory::RIGHT);
        let mut found = marked(directory, marks, (keys::SOURCE_UID, SOURCE_UID), source());
        found
            .object
            .annotations
            .insert(keys::SOURCE.to_owned(), named.to_owned());
        is_shared_child(&found)
    };
    assert!(named("Deployment/web", true, false) && named("Deployment/web", false, true));
    assert!(!named("Deployment/web", false, false), "alone it proves nothing");
    assert!(!named("Deployment/other", false, true) && !named("web", false, true));
}

/// contract#ownership
#[test]
fn an_annotation_with_a_link_of_another_namespace_is_no_mark_of_a_shared_child() {
    let marks = Marks {
        managed: true,
        label: false,
        annotation: true,
        owner: false,
    };
    let source = owner("apps/v1", "Deployment", "web", SOURCE_UID);
    let elsewhere = object("data", "web-links", Directory::RIGHT);
    let found = marked(elsewhere, marks, (keys::SOURCE_UID, SOURCE_UID), source);
    assert!(!is_shared_child(&found));
}

/// contract#endpoints-of-others
#[test]
fn each_mark_of_the_operator_counts_where_it_need_not_prove_ownership() {
    let has = |yaml: &str| has_mark(&serde_yaml_ng::from_str(yaml).unwrap());
    assert!(has("{labels: {instancelink.dev/link-uid: x}}"));
    assert!(has("{labels: {app.kubernetes.io/managed-by: instancelink}}"));
    assert!(has("{annotations: {instancelink.dev/link: shop/web-db}}"));
    assert!(!has(
        "{labels: {app.kubernetes.io/managed-by: helm}, annotations: {note: x}}"
    ));
    assert!(!has(
        "{ownerReferences: [{apiVersion: instancelink.dev/v1alpha1, kind: InstanceLink, name: a, uid: x}]}"
    ));
    assert!(!has("{}"));
}
