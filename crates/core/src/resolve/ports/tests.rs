use super::*;
use crate::fixture::{container_port, pod, service, service_port};

fn shown(ports: &[Port]) -> Vec<String> {
    ports
        .iter()
        .map(|p| format!("{}={}/{}", p.name, p.port, p.protocol.as_str()))
        .collect()
}

fn containers(ports: &[ContainerPort]) -> Vec<String> {
    shown(&of_containers(ports, "db").unwrap())
}

#[test]
fn a_missing_long_or_repeated_name_is_replaced_by_the_port() {
    let udp = ContainerPort {
        protocol: Protocol::Udp,
        ..container_port("dns", 53)
    };
    let ports = [
        container_port("dns", 53),
        udp,
        container_port("", 80),
        container_port("a-name-of-sixteen", 81),
        container_port("a--b", 82),
        container_port("ok", 83),
    ];
    assert_eq!(
        containers(&ports),
        [
            "dns=53/TCP",
            "p53-udp=53/UDP",
            "p80=80/TCP",
            "p81=81/TCP",
            "p82=82/TCP",
            "ok=83/TCP"
        ]
    );
}

#[test]
fn a_port_declared_twice_counts_once() {
    let ports = [container_port("pg", 5432), container_port("again", 5432)];
    assert_eq!(containers(&ports), ["pg=5432/TCP"]);
}

#[test]
fn a_name_that_equals_another_ports_fallback_name_is_replaced() {
    let ports = [
        container_port("p80", 8080),
        container_port("", 80),
        container_port("p8080", 9090),
    ];
    assert_eq!(containers(&ports), ["p8080=8080/TCP", "p80=80/TCP", "p9090=9090/TCP"]);
}

#[test]
fn a_long_alias_can_have_only_one_port() {
    let alias = "a".repeat(47);
    let two = [container_port("a", 1), container_port("b", 2)];
    assert_eq!(of_containers(&two, &alias).unwrap_err().reason, Reason::InvalidPorts);
    assert!(of_containers(&two[..1], &alias).is_ok());
    assert!(of_containers(&two, &alias[..46]).is_ok());
}

#[test]
fn a_link_can_have_at_most_100_ports() {
    let ports: Vec<_> = (1..=101).map(|n| container_port("", n)).collect();
    assert_eq!(of_containers(&ports, "db").unwrap_err().reason, Reason::InvalidPorts);
    assert_eq!(of_containers(&ports[..100], "db").unwrap().len(), 100);
}

#[test]
fn ports_in_the_spec_keep_their_names() {
    let ports: Vec<LinkPort> =
        serde_yaml_ng::from_str("[{name: pg, port: 5432}, {name: dns, port: 53, protocol: UDP}]").unwrap();
    assert_eq!(shown(&of_spec(&ports, "db").unwrap()), ["pg=5432/TCP", "dns=53/UDP"]);
}

#[test]
fn a_port_in_the_spec_is_from_1_to_65535() {
    let of = |port: i32| {
        of_spec(
            &[serde_yaml_ng::from_str(&format!("{{name: pg, port: {port}}}")).unwrap()],
            "db",
        )
    };
    for good in [1, 2, 65535] {
        assert_eq!(i32::from(of(good).unwrap()[0].port), good);
    }
    for bad in [-1, 0, 65536, 70000] {
        assert_eq!(of(bad).unwrap_err().reason, Reason::InvalidPorts, "{bad}");
    }
}

#[test]
fn a_declared_name_is_kept_if_it_is_a_valid_port_name() {
    for valid in ["a", "7", "pg-2", "a-b-c", "fifteen-letters"] {
        assert_eq!(containers(&[container_port(valid, 80)]), [format!("{valid}=80/TCP")]);
    }
    for invalid in ["", "-", "-a", "a-", "a--b", "A", "a.b", "a_b", "ü", "sixteen-letters-"] {
        assert_eq!(containers(&[container_port(invalid, 80)]), ["p80=80/TCP"], "{invalid}");
    }
}

#[test]
fn a_services_named_target_port_is_the_pods_port_of_that_name() {
    let mut s = service();
    s.ports = vec![
        ServicePort {
            target_port: Some(IntOrString::String("metrics".to_owned())),
            ..service_port("m", 9)
        },
        ServicePort {
            target_port: Some(IntOrString::Int(5433)),
            ..service_port("pg", 5432)
        },
    ];
    let with_metrics = pod("pg-0", "10.0.0.10").ports(vec![container_port("metrics", 9187)]);
    assert_eq!(
        shown(&of_service_pod(&s, Some(&with_metrics), "db").unwrap()),
        ["m=9187/TCP", "pg=5433/TCP"]
    );
    let without = of_service_pod(&s, None, "db").unwrap();
    assert_eq!(shown(&without), ["pg=5433/TCP"]);
    assert!(
        without[0].additional,
        "a port keeps its place if the one before it is missing"
    );
    assert_eq!(shown(&of_cluster_ip(&s, "db").unwrap()), ["m=9/TCP", "pg=5432/TCP"]);
}

/// contract#named-target-ports
#[test]
fn a_named_target_port_is_the_port_of_the_pod_with_that_name_and_protocol() {
    let udp = ContainerPort {
        protocol: Protocol::Udp,
        ..container_port("dns", 5353)
    };
    let pod = pod("pg-0", "10.0.0.10").ports(vec![container_port("pg", 5432), udp, container_port("dns", 53)]);
    let number = |name: &str, protocol| {
        number_of(
            Some(&IntOrString::String(name.to_owned())),
            1,
            protocol,
            &pod.container_ports,
        )
    };
    assert_eq!(number("dns", Protocol::Tcp), Some(53));
    assert_eq!(number("dns", Protocol::Udp), Some(5353));
    assert_eq!(number("pg", Protocol::Udp), None);
    assert_eq!(number("sql", Protocol::Tcp), None);
}

/// A chain: the name that replaces an invalid one is the name of the port before it, so each name is replaced in a round of
/// its own. Without the limit before it, this takes minutes.
#[test]
fn more_ports_than_a_slice_can_have_are_refused_before_they_are_named() {
    let last = container_port("not valid", 40_000);
    let chain = (1..40_000).map(|number| container_port(&format!("p{}", number + 1), number));
    let refused = of_containers(&chain.chain([last]).collect::<Vec<_>>(), "db").unwrap_err();
    assert_eq!(refused.reason, Reason::InvalidPorts);
    assert!(refused.message.contains("declares 40000 ports"), "{}", refused.message);
}

#[test]
fn a_service_with_more_ports_than_a_slice_can_have_is_refused_before_they_are_looked_up() {
    let mut s = service();
    let target = |number: u16| ServicePort {
        target_port: Some(IntOrString::String(format!("t{number}"))),
        ..service_port(&format!("s{number}"), number)
    };
    s.ports = (1..=20_000).map(target).collect();
    let ports = (1..=20_000).map(|number| container_port(&format!("t{}", 20_001 - number), number));
    let pod = pod("pg-0", "10.0.0.10").ports(ports.collect());
    let refused = of_service_pod(&s, Some(&pod), "db").unwrap_err();
    assert_eq!(refused.reason, Reason::InvalidPorts);
}
