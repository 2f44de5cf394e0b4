//! What the Services of links have in common: the fields that the operator leaves to their defaults.

use k8s_openapi::api::core::v1::ServiceSpec;

/// The cluster IP of a Service that has no address of its own.
pub(super) const HEADLESS: &str = "None";

/// The fields of a Service's spec that get their default where the operator writes no value.
pub(super) const DEFAULTED: [&str; 15] = [
    "allocateLoadBalancerNodePorts",
    "externalIPs",
    "externalName",
    "externalTrafficPolicy",
    "healthCheckNodePort",
    "internalTrafficPolicy",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "ports",
    "publishNotReadyAddresses",
    "selector",
    "sessionAffinity",
    "sessionAffinityConfig",
    "trafficDistribution",
];

/// True if such a field has another value. Each of them changes what clients reach, or opens the Service to the outside. All
/// fields are named, so that a new field of the API does not compile before it is judged.
pub(super) fn is_damaged(spec: &ServiceSpec) -> bool {
    let ServiceSpec {
        // The directory and the virtual IP compare these, each in its own way, or the API server assigns them.
        cluster_ip: _,
        cluster_ips: _,
        ip_families: _,
        ip_family_policy: _,
        ports: _,
        allocate_load_balancer_node_ports,
        external_ips,
        external_name,
        external_traffic_policy,
        health_check_node_port,
        internal_traffic_policy,
        load_balancer_class,
        load_balancer_ip,
        load_balancer_source_ranges,
        publish_not_ready_addresses,
        selector,
        session_affinity,
        session_affinity_config,
        traffic_distribution,
        type_,
    } = spec;
    let differs = |value: &Option<String>, default: &str| {
        let value = value.as_deref().filter(|value| !value.is_empty());
        value.is_some_and(|value| value != default)
    };
    let has_items = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    differs(type_, "ClusterIP")
        || differs(session_affinity, "None")
        || differs(internal_traffic_policy, "Cluster")
        || differs(external_name, "")
        || differs(external_traffic_policy, "")
        || differs(load_balancer_class, "")
        || differs(load_balancer_ip, "")
        || differs(traffic_distribution, "")
        || has_items(external_ips)
        || has_items(load_balancer_source_ranges)
        || selector.as_ref().is_some_and(|selector| !selector.is_empty())
        || session_affinity_config.is_some()
        || publish_not_ready_addresses.unwrap_or_default()
        || allocate_load_balancer_node_ports.is_some()
        || health_check_node_port.unwrap_or_default() != 0
}
