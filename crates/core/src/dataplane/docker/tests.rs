//! Compares the variables with those that Docker sets.

use std::collections::BTreeSet;

use super::*;
use crate::fixture;
use crate::resolve::ports::of_spec;

fn shown(ports: &str, alias: &str) -> Vec<String> {
    let s = fixture::snapshot().edited(|spec| spec.link_name = alias.to_owned());
    let ports = of_spec(&serde_yaml_ng::from_str::<Vec<_>>(ports).unwrap(), "db").unwrap();
    variables(&Names::of(&s), &ports)
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

#[test]
fn a_port_has_the_variables_of_docker_links() {
    assert_eq!(
        shown("[{name: pg, port: 5432}]", "db"),
        [
            "DB_NAME=/web/db",
            "DB_PORT=tcp://db.web-links.shop.svc:5432",
            "DB_PORT_5432_TCP=tcp://db.web-links.shop.svc:5432",
            "DB_PORT_5432_TCP_ADDR=db.web-links.shop.svc",
            "DB_PORT_5432_TCP_PORT=5432",
            "DB_PORT_5432_TCP_PROTO=tcp",
        ]
    );
}

#[test]
fn the_variable_without_a_number_belongs_to_the_lowest_tcp_port_and_not_to_the_first_declared_one() {
    let ports = "[{name: dns, port: 53, protocol: UDP}, {name: b, port: 8080}, {name: a, port: 80}]";
    let shown = shown(ports, "my-db");
    assert!(shown.contains(&"MY_DB_PORT=tcp://my-db.web-links.shop.svc:80".to_owned()));
    assert!(shown.contains(&"MY_DB_PORT_53_UDP_PROTO=udp".to_owned()));
    assert_eq!(shown.len(), 14);
}

/// One line for each set: the declared ports, the port of `DB_PORT`, and the ranges. Docker gave these answers.
const PORT_SETS: &str = include_str!("port-sets.txt");

/// A port as Docker writes it: `5432/tcp`.
fn docker_port(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap()
}

/// All variables that Docker sets for these ports, by its grammar.
fn by_dockers_grammar(ports: &[&str], first: &str, ranges: &[&str]) -> BTreeSet<String> {
    let host = "db.web-links.shop.svc";
    let url = |(number, protocol): (&str, &str)| format!("{protocol}://{host}:{number}");
    let mut lines = vec!["DB_NAME=/web/db".to_owned()];
    if first != "-" {
        lines.push(format!("DB_PORT={}", url(docker_port(first))));
    }
    for (number, protocol) in ports.iter().map(|port| docker_port(port)) {
        let prefix = format!("DB_PORT_{number}_{}", protocol.to_uppercase());
        lines.push(format!("{prefix}={}", url((number, protocol))));
        lines.push(format!("{prefix}_ADDR={host}"));
        lines.push(format!("{prefix}_PORT={number}"));
        lines.push(format!("{prefix}_PROTO={protocol}"));
    }
    for (numbers, protocol) in ranges.iter().map(|range| docker_port(range)) {
        let (start, end) = numbers.split_once('-').unwrap();
        let prefix = format!("DB_PORT_{start}_{}", protocol.to_uppercase());
        lines.push(format!("{prefix}_START={}", url((start, protocol))));
        lines.push(format!("{prefix}_PORT_START={start}"));
        lines.push(format!("{prefix}_END={}", url((end, protocol))));
        lines.push(format!("{prefix}_PORT_END={end}"));
    }
    lines.into_iter().collect()
}

/// contract#environment-variables
#[test]
fn every_set_of_ports_has_the_variables_that_docker_sets_for_it() {
    let mut sets = 0;
    for line in PORT_SETS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let mut columns = line
            .split('|')
            .map(|column| column.split_whitespace().collect::<Vec<_>>());
        let [ports, first, ranges] = [(); 3].map(|()| columns.next().unwrap());
        let declared: Vec<String> = ports
            .iter()
            .enumerate()
            .map(|(place, port)| {
                let (number, protocol) = docker_port(port);
                format!(
                    "{{name: p{place}, port: {number}, protocol: {}}}",
                    protocol.to_uppercase()
                )
            })
            .collect();
        let shown: BTreeSet<String> = shown(&format!("[{}]", declared.join(", ")), "db").into_iter().collect();
        assert_eq!(shown, by_dockers_grammar(&ports, first[0], &ranges), "{line}");
        sets += 1;
    }
    assert!(sets >= 20, "{sets}");
}

/// The environment of a link would override the kubelet's variables of the API server.
#[test]
fn no_variable_overrides_those_of_the_api_server() {
    let ports = "[{name: a, port: 443}]";
    for alias in [
        "kubernetes-service",
        "kubernetes-service-port",
        "kubernetes-port-443-tcp",
    ] {
        let shown = shown(ports, alias);
        let of_kubelet =
            |line: &String| line.starts_with("KUBERNETES_SERVICE_") || line.starts_with("KUBERNETES_PORT_");
        assert!(!shown.iter().any(of_kubelet), "{shown:?}");
    }
    assert!(
        !shown(ports, "kubernetes-api").is_empty(),
        "other variables with this prefix are allowed"
    );
}

proptest::proptest! {
    /// For any alias, a variable is the alias with one of Docker's suffixes, so it is never a variable that a loader, a
    /// shell or a runtime reads (threat T8 of `docs/security.md`).
    #[test]
    fn every_variable_is_the_alias_with_one_of_dockers_suffixes(
        alias in "(ld|path|home|ifs|bash-env|node-options|[a-z][-a-z0-9]{0,20})(-preload|-library-path|-port)?",
        port in 1..=65534_u16,
    ) {
        let ports = format!("[{{name: a, port: {port}}}, {{name: b, port: {}}}]", port + 1);
        for line in shown(&ports, &alias) {
            let (key, _) = line.split_once('=').unwrap();
            let alias = alias.to_ascii_uppercase().replace('-', "_");
            let ending = key.strip_prefix(&alias).unwrap();
            let of_ports = [port, port + 1].map(|port| format!("_PORT_{port}_TCP"));
            let of_port = of_ports.iter().find_map(|of_port| ending.strip_prefix(of_port.as_str()));
            let endings = ["", "_ADDR", "_PORT", "_PROTO", "_START", "_PORT_START", "_END", "_PORT_END"];
            let is_of_port = of_port.is_some_and(|rest| endings.contains(&rest));
            proptest::prop_assert!(["_NAME", "_PORT"].contains(&ending) || is_of_port, "{}", key);
            proptest::prop_assert!(is_variable_name(key));
        }
    }
}

#[test]
fn an_alias_that_is_not_a_valid_variable_name_has_no_variables() {
    for alias in ["1db", "d.b"] {
        assert_eq!(shown("[{name: pg, port: 5432}]", alias), [""; 0], "{alias}");
    }
}

#[test]
fn a_link_without_ports_has_the_name_variable() {
    assert_eq!(shown("[]", "db"), ["DB_NAME=/web/db"]);
}
