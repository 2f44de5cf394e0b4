mod egress;
mod evaluator;
mod generated;
mod reach;

use std::collections::BTreeSet;

use instancelink_api::condition::Reason;
use instancelink_api::spec::NetworkPolicyMode;

use crate::child::{Kind, Policy};
use crate::dataplane::{Teardown, bring_up, build, problems, prune, take_down};
use crate::fixture::{self, service_port, shown};
use crate::refusal::Refusal;
use crate::resolve::selector::Selector;
use crate::snapshot::{Isolator, Service, Snapshot, TargetObject};

/// A link with a policy, in front of pods that a default-deny policy of this namespace isolates.
fn isolated(s: Snapshot, namespace: &str) -> Snapshot {
    isolated_by(allowing(s), namespace, "{}")
}

fn allowing(s: Snapshot) -> Snapshot {
    s.edited(|spec| spec.network_policy = NetworkPolicyMode::Allow)
}

fn isolated_by(mut s: Snapshot, namespace: &str, pods: &str) -> Snapshot {
    let isolator = Isolator {
        namespace: namespace.to_owned(),
        name: "deny".to_owned(),
        pods: serde_yaml_ng::from_str(pods).unwrap(),
    };
    s.isolators.push(isolator.into());
    s
}

fn policies(s: &Snapshot) -> Vec<String> {
    let policy = build(s, &BTreeSet::new()).unwrap().policy;
    policy.iter().map(|p| format!("{}/{}", p.namespace, p.name)).collect()
}

fn refused(s: &Snapshot) -> Reason {
    build(s, &BTreeSet::new()).unwrap_err().reason
}

/// The ports that the policy opens.
fn opened(s: &Snapshot) -> Vec<String> {
    let policy = build(s, &BTreeSet::new()).unwrap().policy.unwrap();
    let ports = policy.body.spec().ingress.unwrap().remove(0).ports.unwrap();
    ports.iter().map(|p| serde_json::to_string(&p.port).unwrap()).collect()
}

#[test]
fn a_policy_allows_the_sources_pods_on_the_links_ports_and_nothing_else() {
    let s = isolated(fixture::snapshot().with_target_in("data"), "data").granted_by(
        "data",
        "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}",
    );
    let policy = build(&s, &BTreeSet::new()).unwrap().policy.unwrap();
    let yaml = serde_yaml_ng::to_string(&policy.to_api()).unwrap();
    assert_eq!(yaml.trim(), include_str!("web-db.yaml").trim());
}

#[test]
fn no_policy_is_written_if_no_other_policy_isolates_the_target_because_it_would_exclude_other_clients() {
    let s = allowing(fixture::snapshot());
    assert_eq!(policies(&s), Vec::<String>::new());
    assert_eq!(policies(&isolated(s.clone(), "shop")).len(), 1);
    assert_eq!(
        policies(&isolated_by(s.clone(), "shop", "{matchLabels: {app: pg}}")).len(),
        1
    );
    assert_eq!(
        policies(&isolated_by(s.clone(), "shop", "{matchLabels: {app: other}}")),
        Vec::<String>::new()
    );
    assert_eq!(policies(&isolated(s, "another-namespace")), Vec::<String>::new());
}

#[test]
fn no_policy_is_written_if_some_of_the_targets_pods_are_open_to_all() {
    let mut labelled = fixture::pod("pg-0", "10.0.0.10");
    labelled.labels.insert("tier".to_owned(), "inner".to_owned());
    let s = allowing(fixture::snapshot()).with_target_deployment(vec![labelled, fixture::pod("pg-1", "10.0.0.11")]);
    assert_eq!(
        policies(&isolated_by(s, "shop", "{matchLabels: {tier: inner}}")),
        Vec::<String>::new()
    );
}

#[test]
fn a_target_without_pods_is_judged_by_the_labels_of_its_selector() {
    let s = isolated_by(allowing(fixture::snapshot()), "shop", "{matchLabels: {app: pg}}");
    assert_eq!(policies(&s.with_target_deployment(vec![])).len(), 1);
}

#[test]
fn the_ports_are_those_of_the_pods_behind_a_service() {
    let mut named = service_port("pg", 80);
    named.target_port = Some(serde_yaml_ng::from_str("sql").unwrap());
    let mut numbered = service_port("metrics", 81);
    numbered.target_port = Some(serde_yaml_ng::from_str("9187").unwrap());
    let service = Service {
        ports: vec![named, numbered, service_port("plain", 82)],
        ..fixture::service()
    };
    let pods = vec![fixture::pod("pg-0", "10.0.0.10").ports(vec![fixture::container_port("sql", 5432)])];
    let s = isolated(fixture::snapshot().with_target_service(service, pods), "shop");
    assert_eq!(opened(&s), ["82", "9187", "\"sql\""]);
    let one = s.edited(|spec| spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80}]").unwrap());
    assert_eq!(opened(&one), ["\"sql\""]);
    let by_pods = one.edited(|spec| spec.addressing = instancelink_api::Addressing::PodIP);
    assert_eq!(opened(&by_pods), ["80"]);
}

#[test]
fn the_ports_are_those_that_a_virtual_ip_leads_to() {
    let s = isolated(fixture::snapshot(), "shop").edited(|spec| {
        spec.addressing = instancelink_api::Addressing::VirtualIP;
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 80, targetPort: 5432}, {name: b, port: 81}]").unwrap();
    });
    assert_eq!(opened(&s), ["81", "5432"]);
}

#[test]
fn a_policy_that_cannot_be_expressed_is_refused_with_a_reason() {
    let s = isolated(fixture::snapshot(), "shop");
    let mut no_labels = s.clone();
    no_labels.source.as_mut().unwrap().pods = selector("{}");
    assert_eq!(refused(&no_labels), Reason::AddressingNotPossible);

    let bare = crate::snapshot::Pod {
        labels: [].into(),
        ..fixture::pod("pg", "10.0.0.10")
    };
    let pod = s
        .clone()
        .with_target(TargetObject::Pod(bare.clone().into()), vec![bare]);
    let pod = pod.edited(|spec| spec.target_instance_ref.as_mut().unwrap().kind = "Pod".to_owned());
    assert_eq!(refused(&pod), Reason::AddressingNotPossible);

    let portless = s.with_target_deployment(vec![]).edited(|spec| spec.ports = None);
    let Some(target) = &portless.target else { panic!() };
    let TargetObject::Workload(workload) = &target.object else {
        panic!()
    };
    let workload = crate::snapshot::Workload {
        container_ports: vec![],
        ..(**workload).clone()
    };
    let portless = portless
        .clone()
        .with_target(TargetObject::Workload(workload.into()), vec![]);
    assert_eq!(refused(&portless), Reason::InvalidPorts);
}

#[test]
fn consent_to_endpoints_alone_does_not_allow_a_policy() {
    let s = isolated(fixture::snapshot().with_target_in("data"), "data").granted("data", "{kind: Deployment}");
    let plan = build(&s, &BTreeSet::new()).unwrap();
    assert_eq!(plan.policy, None);
    let message = &problems(&s, &plan).remove(0).message;
    assert!(message.contains("allow: [Endpoints, NetworkPolicy]"), "{message}");
}

/// A link with a policy in another namespace, whose consent is gone.
fn revoked() -> Snapshot {
    let mut s = isolated(fixture::snapshot().with_target_in("data"), "data")
        .granted_by(
            "data",
            "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}",
        )
        .up();
    s.grants.clear();
    s
}

#[test]
fn without_consent_a_policy_is_deleted_first() {
    let mut s = revoked().granted("data", "{kind: Deployment}");
    s.children.slices[0].object.annotations.clear();
    let due = shown(&bring_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
    assert!(
        due.len() == 1 && due[0].starts_with("delete NetworkPolicy data/web-db-"),
        "{due:?}"
    );

    let s = revoked();
    let Teardown::Act(effects) = take_down(&s, None) else {
        panic!()
    };
    assert!(
        shown(&effects)[0].starts_with("delete NetworkPolicy data/web-db-"),
        "{:?}",
        shown(&effects)
    );
    assert_eq!(effects.len(), 1);
}

#[test]
fn consent_of_the_new_target_does_not_cover_the_policy_of_the_old_one() {
    let s = isolated(revoked().with_target_in("other"), "other").granted_by(
        "other",
        "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}",
    );
    let due = shown(&bring_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
    assert!(
        due.iter().any(|e| e.starts_with("delete NetworkPolicy data/web-db-")),
        "in the first group: {due:?}"
    );
}

#[test]
fn without_consent_and_without_a_plan_a_policy_is_deleted_once() {
    let s = revoked().edited(|spec| spec.addressing = instancelink_api::Addressing::ServiceIP);
    let deletions = |s: &Snapshot| {
        let mut all = shown(&prune(s));
        all.retain(|e| e.starts_with("delete NetworkPolicy data/web-db-"));
        all.len()
    };
    assert_eq!(deletions(&s), 1);
    let mut refused = s.clone();
    let policy = &s.children.policies[0].object;
    let refusal = Refusal {
        reason: Reason::Forbidden,
        message: "forbidden".to_owned(),
    };
    refused.refusals.insert(policy.key(Kind::Policy), refusal);
    assert_eq!(deletions(&refused), 0, "it was refused in this pass");
    let mut terminating = s;
    terminating.children.policies[0].terminating = true;
    assert_eq!(deletions(&terminating), 0, "it is being deleted already");
}

#[test]
fn a_changed_policy_is_repaired() {
    let mut s = isolated(fixture::snapshot(), "shop").up();
    let body = &mut s.children.policies[0].object.body;
    let mut spec = body.spec();
    spec.ingress = None;
    *body = Policy::from(&spec);
    let due = shown(&bring_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
    assert!(
        due.len() == 1 && due[0].starts_with("replace NetworkPolicy shop/web-db-"),
        "{due:?}"
    );
}

#[test]
fn a_deactivated_link_keeps_its_policy_until_the_drain_ends() {
    let mut s = isolated(fixture::snapshot(), "shop").up();
    let Teardown::Act(effects) = take_down(&s, Some(30)) else {
        panic!()
    };
    s.execute(&effects);
    assert!(matches!(take_down(&s, Some(30)), Teardown::Draining { .. }));
    let mut all = Vec::new();
    let mut s = s.later(30);
    while let Teardown::Act(effects) = take_down(&s, Some(30)) {
        all.extend(
            shown(&effects)
                .into_iter()
                .map(|e| e.split('/').next().unwrap().to_owned()),
        );
        s.execute(&effects);
    }
    assert_eq!(
        all,
        [
            "delete EndpointSlice shop",
            "delete NetworkPolicy shop",
            "delete ConfigMap shop",
            "delete Service shop"
        ]
    );
}

#[test]
fn a_policy_of_an_earlier_target_is_deleted_after_the_slices_have_left_it() {
    let s = isolated(fixture::snapshot().with_target_in("data"), "data")
        .granted_by(
            "data",
            "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}",
        )
        .up();
    let programmed = s.link.object.spec.target_instance_ref.clone();
    let mut s = isolated(s.with_target_in("shop"), "shop");
    s.link.object.status.get_or_insert_default().target = programmed;
    let mut groups = Vec::new();
    loop {
        let effects = bring_up(&s, &build(&s, &BTreeSet::new()).unwrap());
        if effects.is_empty() {
            break;
        }
        groups.push(shown(&effects).join(", "));
        s.execute(&effects);
    }
    assert!(groups[0].starts_with("create NetworkPolicy shop/"), "{groups:?}");
    assert!(
        groups.last().unwrap().starts_with("delete NetworkPolicy data/"),
        "{groups:?}"
    );
}

fn selector(yaml: &str) -> Selector {
    serde_yaml_ng::from_str(yaml).unwrap()
}
