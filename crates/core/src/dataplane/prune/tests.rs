use std::sync::Arc;

use instancelink_api::Addressing;
use instancelink_api::condition::Reason;

use super::*;
use crate::child::{DesiredChild, Kind};
use crate::fixture::{self, pod};
use crate::refusal::Refusal;
use crate::resolve::budget::MOST_LOOKUPS;

/// A link that was up, then got a spec that cannot be served, while its target has these pods.
fn unservable_with(pods: Vec<crate::snapshot::Pod>) -> Snapshot {
    let s = fixture::snapshot().up();
    s.with_target_deployment(pods)
        .edited(|spec| spec.addressing = Addressing::ServiceIP)
}

fn forbidden() -> Refusal {
    Refusal {
        reason: Reason::Forbidden,
        message: "forbidden".to_owned(),
    }
}

fn endpoints_left(effects: &[Effect]) -> Vec<String> {
    let [
        Effect::Replace {
            child: DesiredChild::Slice(slice),
            ..
        },
    ] = effects
    else {
        panic!("{effects:?}")
    };
    let left = slice.body.endpoints.iter().filter(|endpoint| endpoint.answers());
    left.map(|e| e.address.to_string()).collect()
}

#[test]
fn nothing_is_pruned_while_the_pods_are_the_same() {
    let s = unservable_with(vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11")]);
    assert_eq!(prune(&s), []);
}

#[test]
fn a_pod_that_is_gone_terminating_or_not_ready_is_removed() {
    let gone = vec![pod("pg-1", "10.0.0.11")];
    let terminating = vec![pod("pg-0", "10.0.0.10").terminating(), pod("pg-1", "10.0.0.11")];
    let not_ready = vec![pod("pg-0", "10.0.0.10").not_ready(), pod("pg-1", "10.0.0.11")];
    for pods in [gone, terminating, not_ready] {
        let mut s = unservable_with(pods);
        let effects = prune(&s);
        assert_eq!(endpoints_left(&effects), ["10.0.0.11"]);
        s.execute(&effects);
        assert_eq!(prune(&s), []);
    }
}

/// lifecycle#unservable-spec-waits
#[test]
fn a_pod_that_left_the_target_is_removed_while_it_is_known_that_the_slices_are_of_this_target() {
    let all = || vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11")];
    let left = || {
        let mut s = unservable_with(all());
        let leaver = &mut s.target.as_mut().unwrap().candidates[0];
        Arc::make_mut(&mut leaver.pod).labels.clear();
        s
    };
    let programmed = |mut s: Snapshot| {
        let asked = s.link.object.spec.target_instance_ref.clone();
        s.link.object.status.get_or_insert_default().target = asked;
        s
    };
    assert_eq!(prune(&programmed(unservable_with(all()))), []);
    assert_eq!(endpoints_left(&prune(&programmed(left()))), ["10.0.0.11"]);
    assert_eq!(prune(&left()), [], "the target of the slices is not known");
    let turned = programmed(left()).edited(|spec| spec.target_instance_ref.as_mut().unwrap().name.push('2'));
    assert_eq!(prune(&turned), [], "the slices are of a former target");
    let gone = programmed(left()).orphaned(|candidate| candidate);
    assert_eq!(prune(&gone), [], "what it selected is not known");
    let mut costly = programmed(left());
    let target = costly.target.as_mut().unwrap();
    let more = std::iter::repeat_n(target.candidates[1].clone(), MOST_LOOKUPS);
    target.candidates.extend(more);
    assert_eq!(prune(&costly), [], "its pods are too costly to tell");
}

/// lifecycle#unservable-spec-waits
#[test]
fn a_service_whose_pods_are_too_costly_to_tell_keeps_its_endpoint() {
    let mut s = fixture::snapshot()
        .with_target_service(fixture::service(), vec![pod("pg-0", "10.0.0.10")])
        .up();
    let candidates = &mut s.target.as_mut().unwrap().candidates;
    let other = Arc::make_mut(&mut candidates[0].pod);
    other.labels = [("app".to_owned(), "other".to_owned())].into();
    let other = candidates[0].clone();
    assert_eq!(endpoints_left(&prune(&s)), Vec::<String>::new());
    let candidates = &mut s.target.as_mut().unwrap().candidates;
    candidates.extend(std::iter::repeat_n(other, MOST_LOOKUPS));
    assert_eq!(prune(&s), []);
}

#[test]
fn a_pod_that_is_not_ready_stays_if_the_link_publishes_such_pods() {
    let pods = vec![pod("pg-0", "10.0.0.10").not_ready(), pod("pg-1", "10.0.0.11")];
    let s = unservable_with(pods).edited(|spec| spec.publish_not_ready_addresses = true);
    assert_eq!(prune(&s), []);
}

#[test]
fn an_endpoint_of_a_pod_that_was_replaced_by_one_with_its_name_and_address_is_removed() {
    let mut successor = pod("pg-0", "10.0.0.10");
    successor.uid = "another".to_owned();
    let s = unservable_with(vec![successor, pod("pg-1", "10.0.0.11")]);
    assert_eq!(endpoints_left(&prune(&s)), ["10.0.0.11"]);
}

/// lifecycle#refused-link-write
#[test]
fn the_virtual_ip_that_the_pass_created_keeps_its_endpoint() {
    let ports = serde_json::from_str(r#"[{"name":"pg","port":5432}]"#).unwrap();
    let s = fixture::snapshot().edited(|spec| {
        spec.addressing = Addressing::VirtualIP;
        spec.ports = Some(ports);
    });
    assert_eq!(prune(&s.up()), []);
}

/// contract#fixed-names
#[test]
fn the_name_of_a_virtual_ip_stays_when_its_last_pod_is_gone() {
    let ports = serde_json::from_str(r#"[{"name":"pg","port":5432}]"#).unwrap();
    let mut s = fixture::snapshot()
        .edited(|spec| {
            spec.addressing = Addressing::VirtualIP;
            spec.ports = Some(ports);
        })
        .up();
    s.answering.pods.clear();
    s.execute(&prune(&s));
    let left = s.children.slices.iter().flat_map(|found| &found.object.body.endpoints);
    let left: Vec<_> = left.map(|e| (e.address.to_string(), e.ready, e.serving)).collect();
    assert_eq!(left, [(fixture::VIRTUAL_IP.to_owned(), true, false)]);
    assert_eq!(prune(&s), []);
}

#[test]
fn a_new_pod_is_not_added() {
    let pods = vec![
        pod("pg-0", "10.0.0.10"),
        pod("pg-1", "10.0.0.11"),
        pod("pg-2", "10.0.0.12"),
    ];
    assert_eq!(prune(&unservable_with(pods)), []);
}

#[test]
fn endpoints_in_another_namespace_are_removed_when_its_consent_ends() {
    let mut s = fixture::snapshot()
        .with_target_in("data")
        .granted("data", "{kind: Deployment}")
        .up();
    let programmed = s.link.object.spec.target_instance_ref.clone();
    s.link.object.status.get_or_insert_default().target = programmed;
    s = s.edited(|spec| spec.target_instance_ref.as_mut().unwrap().kind = "Service".to_owned());
    assert_eq!(prune(&s), [], "the consent lasts");
    s.grants.clear();
    s = s.granted("data", "{kind: Service}");
    assert_eq!(endpoints_left(&prune(&s)), Vec::<String>::new());
}

#[test]
fn slices_in_a_directory_that_became_foreign_are_deleted_and_a_refused_deletion_is_not_repeated() {
    let mut s = unservable_with(vec![pod("pg-0", "10.0.0.10")]);
    s.children.directories[0].object.labels.clear();
    s.children.directories[0].object.annotations.clear();
    assert_eq!(fixture::shown(&prune(&s)), ["delete EndpointSlice shop/web-db-v4"]);
    s.refusals.insert(fixture::key(Kind::Slice, "web-db-v4"), forbidden());
    assert_eq!(prune(&s), []);
}

#[test]
fn a_slice_that_is_being_deleted_or_was_refused_is_not_written() {
    let mut terminating = unservable_with(vec![]);
    terminating.children.slices[0].terminating = true;
    assert_eq!(prune(&terminating), []);
    let mut refused = unservable_with(vec![]);
    refused
        .refusals
        .insert(fixture::key(Kind::Slice, "web-db-v4"), forbidden());
    assert_eq!(prune(&refused), []);
}

#[test]
fn an_address_that_its_service_no_longer_has_is_removed_even_if_another_service_has_it() {
    let mut s = fixture::snapshot()
        .with_target_service(fixture::service(), vec![pod("pg-0", "10.0.0.10")])
        .up();
    s.target = None;
    let mut moved = fixture::service();
    moved.cluster_ips = vec!["10.96.0.6".parse().unwrap()];
    let mut successor = fixture::service();
    "another".clone_into(&mut successor.uid);
    for service in [moved, successor] {
        s.answering.services = vec![service.into()];
        assert_eq!(endpoints_left(&prune(&s)), Vec::<String>::new());
    }
}

#[test]
fn a_service_stays_while_it_has_a_pod_and_a_former_target_while_it_exists() {
    let ready = || vec![pod("pg-0", "10.0.0.10")];
    let mut s = fixture::snapshot()
        .with_target_service(fixture::service(), ready())
        .up();
    assert_eq!(prune(&s), []);
    let silent = s.clone().with_target_service(fixture::service(), vec![]);
    assert_eq!(endpoints_left(&prune(&silent)), Vec::<String>::new());
    let mut other = fixture::service();
    "another".clone_into(&mut other.uid);
    let former = std::mem::take(&mut s.answering.services);
    let mut turned = s.with_target_service(other, vec![]);
    turned.answering.services.extend(former);
    assert_eq!(
        prune(&turned),
        [],
        "the pods of the new target do not matter for the former one"
    );
}

#[test]
fn endpoints_of_the_former_target_stay_after_an_edit_that_cannot_be_served() {
    let mut s = unservable_with(vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11")]);
    s.target = None;
    assert_eq!(prune(&s), [], "pods of the former target");

    let mut s = fixture::snapshot()
        .with_target_service(fixture::service(), vec![pod("pg-0", "10.0.0.10")])
        .up();
    s.target = None;
    assert_eq!(prune(&s), [], "the former target, a Service");
    s.answering.services.clear();
    assert_eq!(
        endpoints_left(&prune(&s)),
        Vec::<String>::new(),
        "it is removed with the Service"
    );
}
