use super::*;
use crate::child::Endpoint;
use crate::fixture::World;

const NAME: &str = "db.web-links.shop.svc.cluster.local";

fn addresses<const N: usize>(addresses: [&str; N]) -> BTreeSet<IpAddr> {
    addresses.map(|a| a.parse().unwrap()).into()
}

fn looked<const N: usize>(programmed: [&str; N], answer: Answer) -> Resolution {
    Resolution {
        at: crate::fixture::NOW.parse().unwrap(),
        name: NAME.to_owned(),
        programmed: addresses(programmed),
        answer,
        api_server: None,
        domain_of_pod: Some("cluster.local".to_owned()),
    }
}

fn found<const N: usize>(found: [&str; N]) -> Answer {
    Answer::Addresses(addresses(found))
}

fn of(r: &Resolution) -> (&'static str, Reason) {
    let Finding {
        status,
        reason,
        message,
    } = finding(r, "cluster.local");
    assert!(!message.is_empty());
    (status, reason)
}

#[test]
fn only_ready_addresses_in_the_directory_count_as_programmed() {
    let up = World::active().s;
    let mut slices = up.children.slices.clone();
    let directory = slices[0].label(keys::SERVICE_NAME).unwrap().to_owned();
    let unready = slices[0].object.body.endpoints[0].clone();
    slices[0].object.body.endpoints.push(Endpoint {
        address: "10.0.0.99".parse().unwrap(),
        ready: false,
        ..unready
    });
    // The slices of a virtual IP belong to another Service, and the alias resolves to the address of that Service.
    let mut behind = slices[0].clone();
    let labels = &mut behind.object.labels;
    labels.insert(keys::SERVICE_NAME.to_owned(), "web-db".to_owned());
    behind.object.body.endpoints[0].address = "10.0.0.98".parse().unwrap();
    slices.push(behind);
    let programmed: BTreeSet<IpAddr> = programmed(slices.iter(), &directory).collect();
    assert_eq!(programmed, addresses(["10.0.0.10", "10.0.0.11"]));
}

#[test]
fn a_name_that_resolves_to_what_was_programmed_is_verified_with_a_message_without_addresses() {
    let one = finding(&looked(["10.0.0.1"], found(["10.0.0.1"])), "cluster.local");
    assert_eq!((one.status, one.reason), ("True", Reason::Resolves));
    for r in [
        looked(["10.0.0.2", "fd00::2"], found(["10.0.0.2", "fd00::2"])),
        looked([], found([])),
        looked([], Answer::NoSuchName),
    ] {
        assert_eq!(
            finding(&r, "cluster.local"),
            one,
            "other endpoints do not change the finding: {r:?}"
        );
    }
}

#[test]
fn a_name_without_addresses_though_endpoints_are_ready_is_not_found() {
    for answer in [Answer::NoSuchName, found([])] {
        let mut r = looked(["10.0.0.1"], answer);
        assert_eq!(of(&r), ("False", Reason::NameNotFound));
        r.api_server = Some(found(["10.96.0.1"]));
        assert_eq!(of(&r), ("False", Reason::NameNotFound), "the domain is right");
    }
}

#[test]
fn a_domain_without_a_name_of_the_api_server_is_wrong() {
    for answer in [Answer::NoSuchName, Answer::NoAnswer("refused")] {
        let mut r = looked(["10.0.0.1"], answer.clone());
        r.api_server = Some(answer);
        r.domain_of_pod = Some("corp.example".to_owned());
        let finding = finding(&r, "cluster.local");
        assert_eq!((finding.status, finding.reason), ("False", Reason::WrongClusterDomain));
        assert!(
            finding.message.contains("--cluster-domain=corp.example"),
            "{}",
            finding.message
        );
        assert!(
            finding.message.contains("kubernetes.default.svc.cluster.local"),
            "the name of the API server was asked for, too: {}",
            finding.message
        );
    }
}

#[test]
fn a_domain_with_an_address_of_the_api_server_is_right_even_if_the_pod_has_another() {
    let mut r = looked(["10.0.0.1"], Answer::NoSuchName);
    r.domain_of_pod = Some("corp.example".to_owned());
    r.api_server = Some(found(["10.96.0.1"]));
    assert_eq!(of(&r), ("False", Reason::NameNotFound));
    r.api_server = Some(found([]));
    assert_eq!(
        of(&r),
        ("False", Reason::WrongClusterDomain),
        "a name without an address does not count"
    );
}

#[test]
fn a_domain_in_the_search_list_of_the_pod_is_not_called_wrong() {
    let mut r = looked(["10.0.0.1"], Answer::NoSuchName);
    r.api_server = Some(Answer::NoSuchName);
    assert_eq!(of(&r), ("False", Reason::NameNotFound));
    r.domain_of_pod = None;
    assert_eq!(
        of(&r),
        ("False", Reason::WrongClusterDomain),
        "no search list contradicts"
    );
}

#[test]
fn foreign_addresses_are_named_before_missing_ones() {
    let r = looked(["10.0.0.1"], found(["10.0.0.7", "10.0.0.8", "10.0.0.9", "10.0.0.10"]));
    assert_eq!(of(&r), ("False", Reason::OtherAddresses));
    let message = finding(&r, "cluster.local").message;
    assert!(message.contains("10.0.0.7, 10.0.0.8, 10.0.0.9, others"), "{message}");
    assert_eq!(of(&looked([], found(["10.0.0.7"]))), ("False", Reason::OtherAddresses));
}

#[test]
fn a_message_names_three_addresses_and_says_others_only_if_there_are_more() {
    let three = looked(["10.0.0.1"], found(["10.0.0.7", "10.0.0.8", "10.0.0.9"]));
    let message = finding(&three, "cluster.local").message;
    assert!(
        message.contains("returns 10.0.0.7, 10.0.0.8, 10.0.0.9 for"),
        "{message}"
    );
    let five = looked([], found(["10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9"]));
    let message = finding(&five, "cluster.local").message;
    assert!(
        message.contains("returns 10.0.0.5, 10.0.0.6, 10.0.0.7, others for"),
        "{message}"
    );
}

#[test]
fn missing_addresses_are_named() {
    let r = looked(["10.0.0.1", "10.0.0.2"], found(["10.0.0.1"]));
    assert_eq!(of(&r), ("False", Reason::AddressesMissing));
    assert!(finding(&r, "cluster.local").message.contains("10.0.0.2"));
}

#[test]
fn a_dns_that_does_not_answer_leaves_verified_unknown() {
    let mut r = looked(["10.0.0.1"], Answer::NoAnswer("timed out"));
    assert_eq!(of(&r), ("Unknown", Reason::NoAnswer));
    r.api_server = Some(Answer::NoAnswer("timed out"));
    assert_eq!(of(&r), ("Unknown", Reason::NoAnswer));
    assert_eq!(
        of(&looked([], Answer::NoAnswer("timed out"))),
        ("Unknown", Reason::NoAnswer)
    );
    // Nor is the domain judged, where the name of the API server got no answer either.
    r.domain_of_pod = None;
    assert_eq!(of(&r), ("Unknown", Reason::NoAnswer));
    let mut missing = looked(["10.0.0.1"], Answer::NoSuchName);
    missing.domain_of_pod = None;
    missing.api_server = Some(Answer::NoAnswer("timed out"));
    assert_eq!(of(&missing), ("False", Reason::NameNotFound));
}
