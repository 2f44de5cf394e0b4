use instancelink_api::spec::NetworkPolicyMode;

use super::*;
use crate::child::DesiredChild;
use crate::fixture::{self, LINK_UID, SIBLING_UID};
use crate::resolve::selector::Selector;
use crate::snapshot::{Isolator, Snapshot};

fn slice() -> ObservedChild {
    ObservedChild::Slice(fixture::snapshot().up().children.slices.remove(0))
}

fn directory() -> ObservedChild {
    ObservedChild::Directory(fixture::snapshot().up().children.directories.remove(0))
}

/// An environment with an entry of the link and one of its sibling.
fn environment() -> ObservedChild {
    let mut first = fixture::snapshot();
    first.link.object = sibling();
    let Snapshot { children, .. } = first.up();
    let mut second = fixture::snapshot();
    second.siblings = vec![fixture::sibling(instancelink_api::State::Active, true)];
    second.children.environments = children.environments;
    ObservedChild::Environment(second.up().children.environments.remove(0))
}

fn link() -> InstanceLink {
    fixture::link(fixture::SPEC)
}

fn sibling() -> InstanceLink {
    (*fixture::sibling(instancelink_api::State::Active, true).object).clone()
}

fn known(links: &[InstanceLink]) -> KnownLinks {
    links.iter().collect()
}

fn facts(links: &[InstanceLink]) -> Vec<LinkFacts> {
    links.iter().map(LinkFacts::from).collect()
}

fn shown(effect: Option<Effect>) -> Vec<String> {
    fixture::shown(&effect.into_iter().collect::<Vec<_>>())
}

/// lifecycle#sweep-orphans
#[test]
fn a_child_of_a_known_link_is_not_checked() {
    let known = known(&[link(), sibling()]);
    for child in [slice(), directory(), environment()] {
        assert_eq!(live_check(&child, &known), None);
    }
}

/// lifecycle#sweep-orphans
#[test]
fn a_slice_of_an_unknown_link_needs_a_read_of_that_link() {
    let asked = LiveCheck::Link {
        namespace: "shop".to_owned(),
        name: "web-db".to_owned(),
    };
    assert_eq!(live_check(&slice(), &known(&[sibling()])), Some(asked));
}

/// lifecycle#sweep-orphans
#[test]
fn a_slice_is_deleted_when_a_live_answer_says_that_its_link_is_gone_or_another_one() {
    assert_eq!(
        shown(verdict(&slice(), LiveAnswer::Link(None))),
        ["delete EndpointSlice shop/web-db-v4"]
    );
    let another = fixture::link_named("web-db", "another", fixture::SPEC);
    assert_eq!(
        shown(verdict(&slice(), LiveAnswer::Link(Some(&LinkFacts::from(&another))))).len(),
        1
    );
    assert_eq!(
        verdict(&slice(), LiveAnswer::Link(Some(&LinkFacts::from(&link())))),
        None
    );
}

/// lifecycle#sweep-orphans
#[test]
fn a_slice_without_its_annotation_is_asked_about_by_its_name() {
    let ObservedChild::Slice(mut found) = slice() else {
        panic!()
    };
    found.object.annotations.clear();
    let child = ObservedChild::Slice(found);
    let asked = LiveCheck::Link {
        namespace: "shop".to_owned(),
        name: "web-db".to_owned(),
    };
    assert_eq!(live_check(&child, &KnownLinks::default()), Some(asked));
    assert_eq!(verdict(&child, LiveAnswer::Link(Some(&LinkFacts::from(&link())))), None);
    assert_eq!(shown(verdict(&child, LiveAnswer::Link(None))).len(), 1);
}

/// The policy of the link, for a target in this namespace.
fn policy(namespace: &str) -> Observed<crate::child::Policy> {
    let s = fixture::snapshot().with_target_in(namespace);
    let grant = "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}";
    let mut s = s.granted_by(namespace, grant).edited(|spec| {
        spec.network_policy = NetworkPolicyMode::Allow;
    });
    let isolator = Isolator {
        namespace: namespace.to_owned(),
        name: "deny".to_owned(),
        pods: Selector::default(),
    };
    s.isolators.push(isolator.into());
    s.up().children.policies.remove(0)
}

fn into_namespace(namespace: &str) -> InstanceLink {
    let mut link = link();
    link.spec.target_instance_ref.as_mut().unwrap().namespace = Some(namespace.to_owned());
    link
}

/// lifecycle#sweep-orphans
#[test]
fn a_policy_that_names_no_link_needs_the_list_of_all_namespaces() {
    let mut found = policy("data");
    found.object.annotations.clear();
    let child = ObservedChild::Policy(found);
    let asked = LiveCheck::Links {
        namespace: String::new(),
    };
    assert_eq!(live_check(&child, &KnownLinks::default()), Some(asked));
    assert_eq!(
        verdict(&child, LiveAnswer::Links(&facts(&[into_namespace("data")]))),
        None
    );
    assert_eq!(shown(verdict(&child, LiveAnswer::Links(&facts(&[sibling()])))).len(), 1);
}

/// lifecycle#no-wait-for-others
#[test]
fn a_policy_in_a_namespace_that_its_link_never_names_is_swept_although_the_link_lives() {
    let ours = ObservedChild::Policy(policy("data"));
    let mut forged = policy("data");
    "elsewhere".clone_into(&mut forged.object.namespace);
    let forged = ObservedChild::Policy(forged);
    let link = into_namespace("data");
    assert_eq!(live_check(&ours, &known(std::slice::from_ref(&link))), None);
    assert!(live_check(&forged, &known(std::slice::from_ref(&link))).is_some());
    assert_eq!(verdict(&ours, LiveAnswer::Link(Some(&LinkFacts::from(&link)))), None);
    assert_eq!(
        shown(verdict(&forged, LiveAnswer::Link(Some(&LinkFacts::from(&link))))).len(),
        1
    );
    let mut moved = into_namespace("other");
    moved.status.get_or_insert_default().target = link.spec.target_instance_ref.clone();
    assert_eq!(
        verdict(&ours, LiveAnswer::Link(Some(&LinkFacts::from(&moved)))),
        None,
        "the status still names the namespace"
    );
}

/// lifecycle#no-wait-for-others
#[test]
fn a_child_in_another_namespace_than_its_link_is_forged_and_swept() {
    let ObservedChild::Slice(mut found) = slice() else {
        panic!()
    };
    "elsewhere".clone_into(&mut found.object.namespace);
    let child = ObservedChild::Slice(found);
    let asked = LiveCheck::Link {
        namespace: "elsewhere".to_owned(),
        name: "web-db".to_owned(),
    };
    assert_eq!(live_check(&child, &known(&[link()])), Some(asked));
    assert_eq!(shown(verdict(&child, LiveAnswer::Link(None))).len(), 1);
}

/// lifecycle#sweep-orphans
#[test]
fn an_environment_loses_the_entries_of_dead_links_only() {
    let child = environment();
    assert!(live_check(&child, &known(&[link()])).is_some());
    assert_eq!(verdict(&child, LiveAnswer::Links(&facts(&[link(), sibling()]))), None);
    let Some(Effect::Replace {
        child: DesiredChild::Environment(rest),
        ..
    }) = verdict(&child, LiveAnswer::Links(&facts(&[link()])))
    else {
        panic!()
    };
    assert!(rest.mentions(LINK_UID) && !rest.mentions(SIBLING_UID));
    assert_eq!(
        rest.annotations[keys::LINK],
        "shop/web-db",
        "it names a link that exists"
    );
    assert!(rest.body.data.keys().all(|key| key.starts_with("DB_")));
    assert_eq!(
        shown(verdict(&child, LiveAnswer::Links(&[]))),
        ["delete ConfigMap shop/web-links"]
    );
}

/// lifecycle#sweep-orphans
#[test]
fn the_link_that_an_environment_names_counts_only_while_it_has_no_entries() {
    let ObservedChild::Environment(mut found) = environment() else {
        panic!()
    };
    let all = known(&[link(), sibling()]);
    let name = |found: &mut Observed<Environment>, link: &str| {
        found.object.annotations.insert(keys::LINK.to_owned(), link.to_owned());
        ObservedChild::Environment(found.clone())
    };
    assert_eq!(live_check(&name(&mut found, "shop/gone"), &all), None);
    found.object.annotations.remove(keys::ENTRIES);
    assert!(live_check(&name(&mut found, "shop/gone"), &all).is_some());
    assert_eq!(live_check(&name(&mut found, "shop/web-db"), &all), None);
}

/// lifecycle#sweep-orphans
#[test]
fn an_environment_with_another_name_stays_while_its_links_exist() {
    let ObservedChild::Environment(mut found) = environment() else {
        panic!()
    };
    "renamed-links".clone_into(&mut found.object.name);
    let child = ObservedChild::Environment(found);
    assert_eq!(verdict(&child, LiveAnswer::Links(&facts(&[link(), sibling()]))), None);
}

/// lifecycle#sweep-orphans
#[test]
fn an_environment_without_entries_is_deleted_when_no_link_has_a_source_of_its_name() {
    let ObservedChild::Environment(mut found) = environment() else {
        panic!()
    };
    found.object.annotations.remove(keys::ENTRIES);
    let child = ObservedChild::Environment(found);
    assert_eq!(verdict(&child, LiveAnswer::Links(&facts(&[link()]))), None);
    assert_eq!(
        shown(verdict(&child, LiveAnswer::Links(&[]))),
        ["delete ConfigMap shop/web-links"]
    );
}

/// lifecycle#sweep-orphans
#[test]
fn a_directory_is_deleted_when_no_link_has_a_source_of_its_name() {
    let child = directory();
    assert!(live_check(&child, &known(&[sibling()])).is_some());
    assert_eq!(
        verdict(&child, LiveAnswer::Links(&facts(&[sibling()]))),
        None,
        "the sibling decides what it needs"
    );
    let mut stranger = sibling();
    stranger.spec.instance_ref.name = "api".to_owned();
    assert_eq!(
        shown(verdict(&child, LiveAnswer::Links(&facts(&[stranger])))),
        ["delete Service shop/web-links"]
    );
}

/// lifecycle#sweep-orphans
#[test]
fn the_shared_children_of_a_gone_source_are_deleted_for_a_source_of_another_kind_with_its_name() {
    let mut namesake = sibling();
    namesake.spec.instance_ref.kind = "StatefulSet".to_owned();
    let ObservedChild::Environment(mut environment) = environment() else {
        panic!()
    };
    environment.object.annotations.remove(keys::ENTRIES);
    let ObservedChild::Directory(mut directory) = directory() else {
        panic!()
    };
    for child in [
        ObservedChild::Directory(directory.clone()),
        ObservedChild::Environment(environment),
    ] {
        assert!(live_check(&child, &known(&[namesake.clone()])).is_some());
        assert_eq!(
            shown(verdict(&child, LiveAnswer::Links(&facts(&[namesake.clone()])))).len(),
            1
        );
    }
    directory.object.annotations.remove(keys::SOURCE);
    let child = ObservedChild::Directory(directory);
    assert_eq!(
        verdict(&child, LiveAnswer::Links(&facts(&[namesake]))),
        None,
        "it can belong to any source"
    );
}

/// lifecycle#foreign-untouched
#[test]
fn an_object_without_the_marks_of_the_operator_is_never_swept() {
    let (
        ObservedChild::Slice(mut slice),
        ObservedChild::Directory(mut directory),
        ObservedChild::Environment(mut environment),
    ) = (slice(), directory(), environment())
    else {
        panic!()
    };
    // The ownerReference of the slice is what is left: a user may have written it.
    for labels in [
        &mut slice.object.labels,
        &mut directory.object.labels,
        &mut environment.object.labels,
    ] {
        labels.clear();
    }
    for annotations in [
        &mut slice.object.annotations,
        &mut directory.object.annotations,
        &mut environment.object.annotations,
    ] {
        annotations.clear();
    }
    let mut copied = fixture::snapshot().up().children.slices.remove(0);
    "copied".clone_into(&mut copied.object.name);
    for child in [
        ObservedChild::Slice(slice),
        ObservedChild::Slice(copied),
        ObservedChild::Directory(directory),
        ObservedChild::Environment(environment),
    ] {
        assert_eq!(live_check(&child, &KnownLinks::default()), None);
        assert_eq!(verdict(&child, LiveAnswer::Links(&[])), None);
        assert_eq!(verdict(&child, LiveAnswer::Link(None)), None);
    }
}
