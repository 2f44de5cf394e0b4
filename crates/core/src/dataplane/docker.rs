//! The variables of Docker links, with hostnames in place of addresses, so that they stay valid when pods move
//! (contract#environment-variables).

use std::collections::BTreeMap;

use super::naming::Names;
use crate::resolve::directory::host;
use crate::resolve::ports::Port;

/// The variables of one link.
pub(super) fn variables(names: &Names<'_>, ports: &[Port]) -> BTreeMap<String, String> {
    let alias = names.alias.to_ascii_uppercase().replace('-', "_");
    let host = host(names.alias, &names.directory, names.namespace);
    let url = |port: &Port| format!("{}://{host}:{}", protocol(port), port.port);

    let mut variables = BTreeMap::from([(format!("{alias}_NAME"), format!("/{}/{}", names.instance, names.alias))]);
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
    // A valid alias starts with a letter. For any other alias, this drops names that are not valid variable names.
    variables.retain(|key, _| is_variable_name(key) && !is_of_the_api_server(key));
    variables
}

/// True for a variable by which a pod finds the API server. An injected variable takes precedence over the kubelet's, so the
/// alias `kubernetes-service` would override `KUBERNETES_SERVICE_PORT`.
fn is_of_the_api_server(key: &str) -> bool {
    ["KUBERNETES_SERVICE_", "KUBERNETES_PORT_"]
        .iter()
        .any(|prefix| key.starts_with(prefix))
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
    fn the_variables_without_a_number_belong_to_the_first_declared_port() {
        let shown = shown("[{name: dns, port: 53, protocol: UDP}, {name: a, port: 1}]", "my-db");
        assert!(shown.contains(&"MY_DB_PORT=udp://my-db.web-links.shop.svc:53".to_owned()));
        assert!(shown.contains(&"MY_DB_PORT_1_TCP_PROTO=tcp".to_owned()));
        assert_eq!(shown.len(), 10);
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
            port in 1..=65535_u16,
        ) {
            for line in shown(&format!("[{{name: a, port: {port}}}]"), &alias) {
                let (key, _) = line.split_once('=').unwrap();
                let alias = alias.to_ascii_uppercase().replace('-', "_");
                let ending = key.strip_prefix(&alias).unwrap();
                let of_port = format!("_PORT_{port}_TCP");
                let endings = ["", "_ADDR", "_PORT", "_PROTO"].map(|e| format!("{of_port}{e}"));
                proptest::prop_assert!(["_NAME", "_PORT"].contains(&ending) || endings.iter().any(|e| e == ending), "{}", key);
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
}
