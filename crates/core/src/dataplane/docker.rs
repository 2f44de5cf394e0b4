//! The variables of Docker links, with hostnames in place of addresses: they stay right when pods move.

use std::collections::BTreeMap;

use super::place::Place;
use crate::resolve::directory::host;
use crate::resolve::ports::Port;

/// The variables of one link.
pub(super) fn variables(place: &Place<'_>, ports: &[Port]) -> BTreeMap<String, String> {
    let alias = place.alias.to_ascii_uppercase().replace('-', "_");
    let host = host(place.alias, &place.directory, place.namespace);
    let url = |port: &Port| format!("{}://{host}:{}", protocol(port), port.port);

    let mut variables = BTreeMap::from([(format!("{alias}_NAME"), format!("/{}/{}", place.instance, place.alias))]);
    if let Some(first) = ports.first() {
        variables.insert(format!("{alias}_PORT"), url(first));
    }
    for port in ports {
        let prefix = format!("{alias}_PORT_{}_{}", port.port, port.protocol.as_str());
        variables.insert(format!("{prefix}_ADDR"), host.clone());
        variables.insert(format!("{prefix}_PORT"), port.port.to_string());
        variables.insert(format!("{prefix}_PROTO"), protocol(port));
        variables.insert(prefix, url(port));
    }
    // An alias the API server took starts with a letter; this keeps one it did not from making a name no shell takes.
    variables.retain(|key, _| is_variable_name(key));
    variables
}

fn protocol(port: &Port) -> String {
    port.protocol.as_str().to_ascii_lowercase()
}

/// `^[A-Z][A-Z0-9_]*$`
fn is_variable_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_uppercase())
        && key
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::resolve::ports::of_spec;

    fn shown(ports: &str, alias: &str) -> Vec<String> {
        let s = fixture::snapshot().edited(|spec| spec.link_name = alias.to_owned());
        let ports = of_spec(&serde_yaml_ng::from_str::<Vec<_>>(ports).unwrap(), "db").unwrap();
        variables(&Place::of(&s), &ports)
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    }

    #[test]
    fn a_port_gives_the_variables_that_docker_gave() {
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
    fn the_first_port_is_the_one_declared_first() {
        let shown = shown("[{name: dns, port: 53, protocol: UDP}, {name: a, port: 1}]", "my-db");
        assert!(shown.contains(&"MY_DB_PORT=udp://my-db.web-links.shop.svc:53".to_owned()));
        assert!(shown.contains(&"MY_DB_PORT_1_TCP_PROTO=tcp".to_owned()));
        assert_eq!(shown.len(), 10);
    }

    #[test]
    fn without_ports_there_is_a_name() {
        assert_eq!(shown("[]", "db"), ["DB_NAME=/web/db"]);
    }
}
