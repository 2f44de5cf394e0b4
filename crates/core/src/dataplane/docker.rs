//! The variables of Docker links, with hostnames in place of addresses, so that they stay valid when pods move
//! (contract#environment-variables). Names, order and ranges are those of Docker (`daemon/links`, since version 28.0).

use std::collections::BTreeMap;

use instancelink_api::spec::Protocol;

use super::naming::Names;
use crate::resolve::directory::host;
use crate::resolve::ports::Port;

/// The variables of one link.
pub(super) fn variables(names: &Names<'_>, ports: &[Port]) -> BTreeMap<String, String> {
    let alias = names.alias.to_ascii_uppercase().replace('-', "_");
    let host = host(names.alias, &names.directory, names.namespace);
    let url = |port: &Port| format!("{}://{host}:{}", protocol(port), port.port);

    let mut variables = BTreeMap::from([(format!("{alias}_NAME"), format!("/{}/{}", names.instance, names.alias))]);
    let ports = in_order(ports);
    if let Some(first) = ports.first() {
        variables.insert(format!("{alias}_PORT"), url(first));
    }
    let prefix = |port: &Port| format!("{alias}_PORT_{}_{}", port.port, port.protocol.as_str());
    for range in ports.chunk_by(|a, b| is_next(a, b)) {
        let [start, .., end] = range else { continue };
        let prefix = prefix(start);
        variables.insert(format!("{prefix}_START"), url(start));
        variables.insert(format!("{prefix}_PORT_START"), start.port.to_string());
        variables.insert(format!("{prefix}_END"), url(end));
        variables.insert(format!("{prefix}_PORT_END"), end.port.to_string());
    }
    for port in ports {
        let prefix = prefix(port);
        variables.insert(format!("{prefix}_ADDR"), host.clone());
        variables.insert(format!("{prefix}_PORT"), port.port.to_string());
        variables.insert(format!("{prefix}_PROTO"), protocol(port));
        variables.insert(prefix, url(port));
    }
    // A valid alias starts with a letter. For any other alias, this drops names that are not valid variable names.
    variables.retain(|key, _| is_variable_name(key) && !is_of_the_api_server(key));
    variables
}

/// The ports in Docker's order: TCP before other protocols, and of one protocol the lowest number first. Docker has SCTP
/// before UDP.
fn in_order(ports: &[Port]) -> Vec<&Port> {
    let mut ports: Vec<&Port> = ports.iter().collect();
    ports.sort_by_key(|port| (port.protocol != Protocol::Tcp, port.protocol.as_str(), port.port));
    ports
}

/// True if `b` follows `a` in a range of ports.
fn is_next(a: &Port, b: &Port) -> bool {
    a.protocol == b.protocol && a.port.checked_add(1) == Some(b.port)
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
mod tests;
