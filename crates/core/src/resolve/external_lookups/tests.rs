use instancelink_api::Addressing;
use instancelink_api::condition::Reason;

use super::*;
use crate::dataplane;
use crate::effect::Step;
use crate::external_name::{AllowedNames, Failing};
use crate::fixture::{self, NOW, World};
use crate::lifecycle::step;
use crate::resolve::endpoints::endpoint_groups;
use crate::resolve::external_names::problem;

const NAME: &str = "pg.rds.example.com";

fn service() -> Service {
    Service {
        external_name: Some(NAME.to_owned()),
        cluster_ips: vec![],
        selector: [].into(),
        ..fixture::service()
    }
}

/// The target is a Service of type `ExternalName`.
fn external() -> Snapshot {
    let mut s = fixture::snapshot().with_target_service(service(), vec![]);
    s.target.as_mut().unwrap().slices = None;
    s
}

fn names(known: Option<ExternalName>) -> ExternalNames {
    ExternalNames {
        allowed: Arc::new(AllowedNames::parse(["*.rds.example.com"]).unwrap()),
        known: known.map(|known| (NAME.to_owned(), known)).into_iter().collect(),
    }
}

fn answered(addresses: &[&str], failing: bool) -> ExternalName {
    ExternalName::Known {
        addresses: Arc::new(addresses.iter().map(|a| a.parse().unwrap()).collect()),
        failing: failing.then(|| Failing {
            since: NOW.parse().unwrap(),
            why: "did not answer in time",
        }),
    }
}

fn with(mut s: Snapshot, known: Option<ExternalName>) -> Snapshot {
    take(&mut s, names(known));
    s
}

fn addresses(s: &Snapshot) -> Vec<String> {
    let found = endpoint_groups(s).unwrap();
    let all = found.groups.iter().flat_map(|group| &group.endpoints);
    all.map(|e| e.address.to_string()).collect()
}

/// contract#external-names
#[test]
fn a_name_that_is_not_allowed_is_not_looked_up_and_the_message_names_the_flag() {
    let s = external();
    assert!(wanted(&s).is_empty());
    let TargetVerdict::NotSupported { message } = target_of(&s) else {
        panic!()
    };
    assert!(
        message.contains("--allow-external-names=pg.rds.example.com"),
        "{message}"
    );
    assert!(message.contains("'*.rds.example.com'"), "{message}");
    assert!(!awaits_answer(&s));
}

/// contract#external-names
#[test]
fn what_the_message_tells_the_administrator_to_allow_can_be_allowed() {
    let message_for = |name: &str| {
        let named = Service {
            external_name: Some(name.to_owned()),
            ..service()
        };
        let s = fixture::snapshot().with_target_service(named, vec![]);
        let TargetVerdict::NotSupported { message } = target_of(&s) else {
            panic!("{name}")
        };
        message
    };
    for name in [
        "pg.rds.example.com",
        "example.com",
        "_pg._tcp.example.com",
        "a.b.c",
        "10.0.0.1",
    ] {
        let message = message_for(name);
        let (_, flag) = message.split_once("--allow-external-names=").unwrap();
        assert!(flag.starts_with(name), "{message}");
        assert!(AllowedNames::parse([name]).unwrap().allows(name));
        if let Some((_, suffix)) = message.split_once("suffix such as '") {
            let suffix = suffix.split('\'').next().unwrap();
            assert!(AllowedNames::parse([suffix]).unwrap().allows(name), "{message}");
        }
    }
    assert!(
        !message_for("example.com").contains("suffix"),
        "a suffix needs a dot, too"
    );
    let single = message_for("db");
    assert!(!single.contains("--allow-external-names"), "{single}");
    assert!(
        single.contains("has no dot") && single.contains("correct the Service"),
        "{single}"
    );
    AllowedNames::parse(["db"]).unwrap_err();
}

/// contract#external-names
#[test]
fn the_addresses_of_a_name_are_endpoints_and_special_ones_are_not() {
    let s = with(
        external(),
        Some(answered(
            &["192.0.2.1", "169.254.169.254", "127.0.0.1", "2001:db8::1"],
            false,
        )),
    );
    assert_eq!(wanted(&s).into_keys().collect::<Vec<_>>(), [NAME]);
    assert_eq!(addresses(&s), ["192.0.2.1", "2001:db8::1"]);
    let found = endpoint_groups(&s).unwrap();
    assert_eq!(found.ports[0].port, 5432);
    assert_eq!(found.groups[0].endpoints[0].target.as_ref().unwrap().kind, "Service");
    let by_service_ip = s.edited(|spec| spec.addressing = Addressing::ServiceIP);
    let refused = endpoint_groups(&by_service_ip).unwrap_err();
    assert_eq!(refused.reason, Reason::AddressingNotPossible);
    assert!(refused.message.contains("ExternalName"), "{}", refused.message);
}

/// contract#external-names
#[test]
fn nothing_is_written_before_the_first_answer_so_that_a_retarget_loses_no_request() {
    for known in [None, Some(ExternalName::Pending)] {
        let mut s = with(external(), known);
        assert!(awaits_answer(&s));
        assert!(matches!(step(&s), Step::Settled { .. }));
        s.link.object.metadata.deletion_timestamp = s.link.object.metadata.creation_timestamp.clone();
        assert!(!awaits_answer(&s));
    }
    assert!(!awaits_answer(&with(external(), Some(answered(&[], true)))));
    assert!(!awaits_answer(&fixture::snapshot()));
}

/// contract#external-names
#[test]
fn a_name_of_the_cluster_is_never_looked_up_because_it_would_lead_past_the_consent_of_its_namespace() {
    for name in ["pg.data.svc.cluster.local", "cluster.local"] {
        let of_cluster = Service {
            external_name: Some(name.to_owned()),
            ..service()
        };
        let mut s = fixture::snapshot().with_target_service(of_cluster, vec![]);
        s.external_names.allowed = Arc::new(AllowedNames::parse(["*.cluster.local", "cluster.local"]).unwrap());
        assert!(wanted(&s).is_empty(), "{name}");
        let TargetVerdict::NotSupported { message } = target_of(&s) else {
            panic!()
        };
        assert!(message.contains("is a name of this cluster"), "{message}");
    }
}

/// contract#consent
#[test]
fn a_name_in_a_namespace_without_consent_is_not_looked_up() {
    let elsewhere = external().with_target_in("data");
    assert!(wanted(&with(elsewhere.clone(), None)).is_empty());
    let granted = with(elsewhere.granted("data", "{kind: Service}"), None);
    assert_eq!(wanted(&granted).len(), 1);
}

/// contract#external-names
#[test]
fn a_dns_that_fails_and_a_name_without_an_address_are_shown() {
    let said = |known| problem(&with(external(), Some(known)), &service());
    assert_eq!(said(answered(&["192.0.2.1"], false)), None);
    let kept = said(answered(&["192.0.2.1"], true)).unwrap();
    assert!(
        kept.contains("the last addresses are kept") && kept.contains("2026-01-01T00:00:00Z"),
        "{kept}"
    );
    assert!(said(answered(&[], true)).unwrap().contains("no earlier answer counts"));
    assert!(said(answered(&[], false)).unwrap().contains("has no address"));
    let mut world = World::new(with(external(), Some(answered(&["192.0.2.1"], true))));
    world.settle();
    assert_eq!(world.condition("ResolvedRefs"), ("False", "NameNotResolved"));
    assert_eq!(world.condition("Available"), ("True", "EndpointsReady"));
    assert_eq!(world.condition("Ready"), ("True", "Ready"));
}

/// contract#external-names
#[test]
fn the_addresses_that_a_link_has_are_the_first_answer_of_a_new_operator() {
    let s = with(external(), Some(answered(&["192.0.2.1"], false))).up();
    let programmed: BTreeSet<IpAddr> = ["192.0.2.1".parse().unwrap()].into();
    assert_eq!(wanted(&s), [(NAME.to_owned(), programmed)].into());
}

/// lifecycle#unservable-spec-waits
#[test]
fn the_addresses_of_a_name_stay_after_an_edit_that_cannot_be_served_while_the_dns_has_them() {
    let up = with(external(), Some(answered(&["192.0.2.1"], false))).up();
    let unservable = |known| {
        let mut s = up
            .clone()
            .edited(|spec| spec.target_instance_ref.as_mut().unwrap().name = "other".to_owned());
        s.answering.slices.clear();
        take(&mut s, names(Some(known)));
        s
    };
    assert_eq!(dataplane::prune(&unservable(answered(&["192.0.2.1"], false))), []);
    assert_eq!(dataplane::prune(&unservable(answered(&["192.0.2.2"], false))).len(), 1);
}
