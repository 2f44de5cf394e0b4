//! Conditions in the states and problems that no other test covers.

use std::sync::Arc;

use instancelink_api::State;
use instancelink_api::spec::{Addressing, DesiredState, NetworkPolicyMode};

use super::World;
use crate::child::Kind;
use crate::fixture;
use crate::refusal::Refusal;
use crate::snapshot::{Isolator, Snapshot};

fn said(world: &World, condition: &str) -> String {
    let conditions = &world.status().conditions;
    let found = conditions.iter().find(|c| c.type_ == condition);
    found.map(|c| c.message.clone()).unwrap_or_default()
}

fn settled(s: Snapshot) -> World {
    let mut world = World::new(s);
    world.settle();
    world
}

fn isolated_by(mut s: Snapshot, name: &str, pods: &str) -> Snapshot {
    s.isolators.push(Arc::new(Isolator {
        namespace: fixture::NAMESPACE.to_owned(),
        name: name.to_owned(),
        pods: serde_yaml_ng::from_str(pods).unwrap(),
    }));
    s
}

fn allowing() -> Snapshot {
    fixture::snapshot().edited(|spec| spec.network_policy = NetworkPolicyMode::Allow)
}

#[test]
fn a_target_of_an_unsupported_kind_shows_in_resolved_refs_and_not_in_accepted() {
    let world = settled(fixture::snapshot().edited(|spec| {
        let target = spec.target_instance_ref.as_mut().unwrap();
        target.kind = "Job".to_owned();
        target.api_version = Some("batch/v1".to_owned());
    }));
    assert_eq!(world.condition("ResolvedRefs").0, "False");
    let refused = settled({
        let mut service = fixture::service();
        service.external_name = Some("db.example.com".to_owned());
        fixture::snapshot().with_target_service(service, Vec::new())
    });
    assert_eq!(refused.condition("ResolvedRefs"), ("False", "KindNotSupported"));
    assert_eq!(refused.condition("Accepted"), ("True", "Accepted"));
}

#[test]
fn an_impossible_addressing_shows_in_accepted_and_not_in_resolved_refs() {
    let world = settled(fixture::snapshot().edited(|spec| spec.addressing = Addressing::ServiceIP));
    assert_eq!(world.condition("Accepted"), ("False", "AddressingNotPossible"));
    assert_eq!(world.condition("ResolvedRefs"), ("True", "Resolved"));
}

#[test]
fn a_spec_that_can_no_longer_be_served_shows_on_an_active_link_and_not_on_an_inactive_one() {
    let serviced = fixture::snapshot().with_target_service(fixture::service(), vec![fixture::pod("pg-0", "10.0.0.10")]);
    let headless = |s: &Snapshot| {
        let mut service = fixture::service();
        service.cluster_ips.clear();
        s.clone().with_target_service(service, Vec::new())
    };
    let mut world = settled(serviced.edited(|spec| spec.addressing = Addressing::ServiceIP));
    assert_eq!(world.state(), State::Active);
    world.s = headless(&world.s);
    world.settle();
    assert_eq!(world.state(), State::Active);
    assert_eq!(world.condition("Programmed"), ("False", "Pending"));
    assert_eq!(world.condition("Ready"), ("False", "Stalled"));
    assert_eq!(world.condition("Stalled"), ("True", "AddressingNotPossible"));
    assert!(said(&world, "Stalled").contains("headless"));
    world.act("deactivate");
    assert_eq!(world.state(), State::Inactive);
    assert_eq!(world.condition("Programmed").0, "True");
    assert_eq!(world.condition("Ready").0, "True");
    assert_eq!(world.condition("Stalled").0, "absent");
}

#[test]
fn ready_says_what_the_link_waits_for() {
    let pods = vec![fixture::pod("pg-0", "10.0.0.10").not_ready()];
    let world = settled(fixture::snapshot().with_target_deployment(pods));
    assert!(said(&world, "Ready").starts_with("waiting up to 15 s"));
    assert_eq!(said(&world, "Ready"), said(&world, "Reconciling"));
    assert_eq!(said(&World::active(), "Ready"), "the link is active");
}

#[test]
fn a_held_link_says_why_as_soon_as_it_is_inactive() {
    let mut world = World::new(fixture::snapshot().edited(|spec| {
        spec.target_instance_ref.as_mut().unwrap().namespace = Some("data".to_owned());
    }));
    while world.state() != State::Inactive {
        world.step().unwrap();
    }
    let told = |world: &World| {
        assert_eq!(world.condition("Ready"), ("False", "Held"));
        assert_eq!(world.condition("Stalled"), ("True", "RefNotPermitted"));
        assert!(said(world, "Stalled").contains("InstanceLinkGrant"));
    };
    told(&world);
    world.settle();
    told(&world);
}

#[test]
fn a_link_that_is_inactive_on_purpose_is_not_held_when_something_is_missing() {
    let world = settled(fixture::snapshot().edited(|spec| {
        spec.desired_state = Some(DesiredState::Inactive);
        spec.target_instance_ref.as_mut().unwrap().namespace = Some("data".to_owned());
    }));
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
    assert_eq!(world.condition("Stalled").0, "absent");
}

#[test]
fn enforced_says_whether_the_source_can_connect_without_the_link() {
    assert_eq!(World::active().condition("Enforced"), ("False", "DNSOnly"));
    assert_eq!(
        settled(allowing()).condition("Enforced"),
        ("False", "TargetNotIsolated")
    );
    let world = settled(isolated_by(allowing(), "deny", "{}"));
    assert_eq!(world.condition("Enforced"), ("True", "TargetIsolated"));
    let isolated = said(&world, "Enforced");
    assert!(isolated.contains("(deny)"));
    // contract#cut-and-packets
    assert!(
        isolated.contains("up to 85 ms later") && isolated.contains("already open lives on"),
        "{isolated}"
    );
    assert_eq!(settled(allowing().without_target()).condition("Enforced").0, "absent");
}

/// Policies of others isolate these pods of the source for egress.
fn cut_off(mut s: Snapshot, pods: &str) -> Snapshot {
    s.egress.isolators.push(Arc::new(Isolator {
        namespace: "shop".to_owned(),
        name: "deny-egress".to_owned(),
        pods: serde_yaml_ng::from_str(pods).unwrap(),
    }));
    s
}

/// contract#condition-enforced
#[test]
fn enforced_says_what_the_egress_of_the_source_means_for_a_cut() {
    let alone = settled(cut_off(allowing(), "{}"));
    assert_eq!(alone.condition("Enforced"), ("True", "SourceIsolated"));
    let told = said(&alone, "Enforced");
    assert!(
        told.contains("(deny-egress)") && told.contains("other pods can connect"),
        "{told}"
    );
    assert_eq!(said(&alone, "Available"), "the alias has ready endpoints");

    let both = settled(cut_off(isolated_by(allowing(), "deny", "{}"), "{}"));
    assert_eq!(both.condition("Enforced"), ("True", "TargetIsolated"));
    let told = said(&both, "Enforced");
    assert!(told.contains("(deny)") && told.contains("(deny-egress)"), "{told}");
}

/// contract#condition-available
#[test]
fn available_and_enforced_say_which_half_of_the_way_is_missing() {
    let web = |name: &str, tier: &str| {
        let labels = [("app", "web"), ("tier", tier)];
        Arc::new(crate::snapshot::Pod {
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ..crate::fixture::pod(name, "10.0.0.20")
        })
    };
    let partly = |mut s: Snapshot| {
        s.egress.selected = vec![web("web-0", "inner"), web("web-1", "outer")];
        settled(cut_off(s, "{matchLabels: {tier: inner}}"))
    };
    let missing = partly(allowing());
    assert_eq!(missing.condition("Available"), ("True", "EndpointsReady"));
    assert!(said(&missing, "Available").contains("for the egress of the source is missing"));
    assert_eq!(missing.condition("Enforced"), ("False", "SourceNotIsolated"));
    assert!(
        said(&missing, "Enforced").contains("not these: web-1"),
        "{}",
        said(&missing, "Enforced")
    );

    let target_only = partly(isolated_by(allowing(), "deny", "{}"));
    assert_eq!(target_only.condition("Enforced"), ("True", "TargetIsolated"));
    assert!(said(&target_only, "Enforced").contains("The half of the source is missing"));
    assert!(said(&target_only, "Available").contains("for the egress of the source is missing"));

    let mut first = crate::fixture::pod("pg-0", "10.0.0.10");
    first.labels.insert("shard".to_owned(), "one".to_owned());
    let pods = vec![first, crate::fixture::pod("pg-1", "10.0.0.11")];
    let half = isolated_by(
        allowing().with_target_deployment(pods),
        "deny",
        "{matchLabels: {shard: one}}",
    );
    let source_only = settled(cut_off(half, "{}"));
    assert_eq!(source_only.condition("Enforced"), ("True", "SourceIsolated"));
    assert!(said(&source_only, "Enforced").contains("The half of the target is missing"));
    assert!(said(&source_only, "Available").contains("for the ingress of the target is missing"));
}

/// contract#condition-enforced
#[test]
fn enforced_is_never_true_of_a_link_without_its_policy() {
    let mut world = settled(isolated_by(allowing(), "deny", "{}"));
    world.act("deactivate");
    assert_eq!(world.condition("Enforced"), ("False", "NotActive"));
    world.act("activate");
    assert_eq!(world.condition("Enforced"), ("True", "TargetIsolated"));

    let policy = world.s.children.policies.remove(0).object.key(Kind::Policy);
    let refusal = Refusal::failed("create", &policy, "exceeded quota");
    world.s.refusals.insert(policy, refusal);
    while world.step().is_ok() {}
    assert_eq!(world.condition("Programmed"), ("False", "WriteFailed"));
    assert_eq!(world.condition("Enforced"), ("False", "Pending"));

    let unconsented = isolated_by(allowing(), "deny", "{}").with_target_in("data");
    let unconsented = settled(unconsented.granted("data", "{kind: Deployment}"));
    assert_eq!(unconsented.condition("Enforced"), ("False", "DNSOnly"));
    assert!(!said(&unconsented, "Enforced").contains("deny"));
}

/// contract#policy-selects-target-pods-only
#[test]
fn a_link_whose_policy_would_reach_other_pods_says_which_and_goes_on_without_them() {
    let mut s = isolated_by(allowing(), "deny", "{}");
    let stranger = crate::snapshot::Pod {
        controller: None,
        ..fixture::pod("exporter", "10.0.0.66")
    };
    let mut world = settled(s.clone());
    s.selected.push(Arc::new(stranger));
    world.s.selected.clone_from(&s.selected);
    world.settle();
    assert_eq!(world.state(), State::Active);
    assert_eq!(world.condition("Programmed"), ("False", "SelectsOtherPods"));
    assert_eq!(world.condition("Stalled"), ("True", "SelectsOtherPods"));
    assert_eq!(world.condition("Enforced"), ("False", "SelectsOtherPods"));
    assert!(
        said(&world, "Enforced").contains("exporter"),
        "{}",
        said(&world, "Enforced")
    );
    assert_eq!(world.s.children.policies, []);
    world.s.selected.clear();
    world.settle();
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
    assert_eq!(world.condition("Enforced"), ("True", "TargetIsolated"));
}

#[test]
fn a_message_names_three_of_many_policies_and_counts_the_others() {
    let by = |names: &[&str]| {
        let s = names.iter().fold(allowing(), |s, name| isolated_by(s, name, "{}"));
        said(&settled(s), "Enforced")
    };
    assert!(by(&["a", "b", "c"]).contains("(a, b, c)"));
    assert!(by(&["a", "b", "c", "d", "e"]).contains("(a, b, c and 2 more)"));
}

/// contract#fixed-names, contract#condition-available
#[test]
fn a_fixed_address_is_available_only_while_a_pod_behind_it_is_ready() {
    let ready = || fixture::pod("pg-0", "10.0.0.10");
    let by_virtual_ip = fixture::snapshot().edited(|spec| {
        spec.addressing = Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}]").unwrap();
    });
    let by_service_ip = fixture::snapshot().with_target_service(fixture::service(), vec![ready()]);
    for s in [by_virtual_ip, by_service_ip] {
        let mut world = settled(s);
        assert_eq!(world.state(), State::Active);
        assert_eq!(world.condition("Available"), ("True", "EndpointsReady"));
        for (pods, available) in [
            (vec![ready().not_ready()], ("False", "NoReadyEndpoints")),
            (vec![ready()], ("True", "EndpointsReady")),
            (vec![], ("False", "NoReadyEndpoints")),
        ] {
            let object = world.s.target.take().unwrap().object;
            world.s = world.s.clone().with_target(object, pods);
            world.settle();
            assert_eq!(world.condition("Available"), available);
            let slices = world
                .s
                .children
                .slices
                .iter()
                .filter(|found| found.object.name == "web-db-v4");
            let mut endpoints = slices.flat_map(|found| &found.object.body.endpoints);
            assert!(endpoints.next().unwrap().ready, "the name stays");
        }
    }
}
