//! Builds the slices: the addresses of the alias, by family, in portions that fit into an EndpointSlice
//! (contract#endpoint-slices).

use instancelink_api::keys;

use super::naming::{Names, labels};
use super::ownership::own_slices;
use super::slice_packing::{SliceContent, distribute};
use crate::child::{self, ChildSpec, Endpoint, Family, Slice, SlicePort};
use crate::resolve::endpoints::{EndpointGroups, Group};
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

/// The Service that a slice belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parent {
    Directory,
    VirtualIp,
}

/// The slices under the directory. There is at least one, so that every link that is up has a child of its own.
pub(super) fn under_directory(
    s: &Snapshot,
    names: &Names<'_>,
    groups: &[Group],
    ports: &[Port],
) -> Vec<ChildSpec<Slice>> {
    desired(s, names, Parent::Directory, groups, ports)
}

/// The slices under the link's virtual IP: the same pods without hostnames.
pub(super) fn under_virtual_ip(s: &Snapshot, names: &Names<'_>, endpoints: &EndpointGroups) -> Vec<ChildSpec<Slice>> {
    let mut groups = endpoints.groups.clone();
    for endpoint in groups.iter_mut().flat_map(|group| &mut group.endpoints) {
        endpoint.hostname.clear();
    }
    desired(s, names, Parent::VirtualIp, &groups, &endpoints.ports)
}

/// True for a slice under a virtual IP: it carries traffic and has no hostnames.
pub(super) fn is_under_virtual_ip(slice: &ChildSpec<Slice>) -> bool {
    !slice.labels.contains_key(keys::HEADLESS)
}

/// True if the alias resolves to a ready endpoint, by the slices in the cluster.
pub fn answers(s: &Snapshot) -> bool {
    own_slices(s)
        .filter(|found| !is_under_virtual_ip(&found.object))
        .flat_map(|found| &found.object.body.endpoints)
        .any(Endpoint::answers)
}

fn desired(s: &Snapshot, names: &Names<'_>, parent: Parent, groups: &[Group], ports: &[Port]) -> Vec<ChildSpec<Slice>> {
    let mut slices = Vec::new();
    for family in [Family::V4, Family::V6] {
        let base = base_name(names, parent, family);
        let of_family = groups.iter().map(|group| {
            let endpoints = group.endpoints.iter().filter(|e| Family::of(e.address) == family);
            (slice_ports(names, &group.ports), endpoints.cloned().collect())
        });
        let observed =
            own_slices(s).filter_map(|found| Some((number_in(&found.object.name, &base)?, &found.object.body)));
        let contents = distribute(of_family.collect(), &observed.collect());
        slices.extend(
            contents
                .into_iter()
                .map(|content| slice(names, parent, family, content)),
        );
    }
    if slices.is_empty() {
        let empty = SliceContent {
            number: 1,
            endpoints: Vec::new(),
            ports: slice_ports(names, ports),
        };
        slices.push(slice(names, parent, Family::V4, empty));
    }
    slices
}

fn slice(names: &Names<'_>, parent: Parent, family: Family, content: SliceContent) -> ChildSpec<Slice> {
    let mut all_labels = names.own_labels();
    all_labels.extend(labels([(keys::SLICE_MANAGED_BY, keys::SLICE_MANAGER)]));
    all_labels.extend(match parent {
        Parent::Directory => labels([(keys::SERVICE_NAME, &names.directory), (keys::HEADLESS, "")]),
        Parent::VirtualIp => labels([(keys::SERVICE_NAME, &names.virtual_ip())]),
    });
    let base = base_name(names, parent, family);
    ChildSpec {
        namespace: names.namespace.to_owned(),
        name: if content.number == 1 {
            base
        } else {
            format!("{base}-{}", content.number)
        },
        labels: all_labels,
        annotations: labels([(keys::LINK, &names.link_path())]),
        owners: names.link_owner(),
        body: Slice {
            family,
            endpoints: content.endpoints,
            ports: content.ports,
            damaged: false,
        },
    }
}

/// The name of the first slice. The others add their number.
fn base_name(names: &Names<'_>, parent: Parent, family: Family) -> String {
    child::names::slice(names.link, family, parent == Parent::VirtualIp)
}

fn number_in(name: &str, base: &str) -> Option<usize> {
    match name.strip_prefix(base)? {
        "" => Some(1),
        rest => rest.strip_prefix('-')?.parse().ok(),
    }
}

fn slice_ports(names: &Names<'_>, ports: &[Port]) -> Vec<SlicePort> {
    ports.iter().map(|port| slice_port(names.alias, port)).collect()
}

fn slice_port(alias: &str, port: &Port) -> SlicePort {
    SlicePort {
        name: port_name(alias, port),
        port: port.port,
        protocol: port.protocol,
    }
}

/// The name of a port. The first one is the alias alone, so that the SRV record is `_db._tcp`.
pub(super) fn port_name(alias: &str, port: &Port) -> String {
    if port.additional {
        format!("{alias}--{}", port.name)
    } else {
        alias.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::resolve::endpoints::endpoint_groups;
    use crate::snapshot::Pod;

    fn built(s: &crate::snapshot::Snapshot) -> Vec<ChildSpec<Slice>> {
        let endpoints = endpoint_groups(s).unwrap();
        under_directory(s, &Names::of(s), &endpoints.groups, &endpoints.ports)
    }

    fn names(slices: &[ChildSpec<Slice>]) -> Vec<(&str, usize)> {
        slices
            .iter()
            .map(|s| (s.name.as_str(), s.body.endpoints.len()))
            .collect()
    }

    #[test]
    fn a_slice_belongs_to_the_directory_and_is_owned_by_its_link() {
        let s = fixture::snapshot();
        let slice = built(&s).remove(0);
        let yaml = serde_yaml_ng::to_string(&slice.to_api()).unwrap();
        assert_eq!(yaml.trim(), include_str!("slices/web-db-v4.yaml").trim());
    }

    #[test]
    fn a_link_without_endpoints_has_one_empty_slice() {
        assert_eq!(names(&built(&fixture::snapshot().without_target())), [("web-db-v4", 0)]);
    }

    #[test]
    fn each_family_has_its_own_slice() {
        let both = |name: &str, v4: &str, v6: &str| Pod {
            addresses: vec![v4.parse().unwrap(), v6.parse().unwrap()],
            ..fixture::pod(name, v4)
        };
        let s = fixture::snapshot().with_target_deployment(vec![both("pg-0", "10.0.0.10", "fd00::10")]);
        assert_eq!(names(&built(&s)), [("web-db-v4", 1), ("web-db-v6", 1)]);
        let s = fixture::snapshot().with_target_deployment(vec![fixture::pod("pg-0", "fd00::10")]);
        assert_eq!(names(&built(&s)), [("web-db-v6", 1)]);
    }

    #[test]
    fn the_first_port_has_the_name_of_the_alias_and_the_others_add_their_own() {
        let s = fixture::snapshot().edited(|spec| {
            spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}, {name: metrics, port: 9187}]").unwrap();
        });
        let slice = built(&s).remove(0);
        let names: Vec<_> = slice.body.ports.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["db", "db--metrics"]);
    }

    #[test]
    fn the_slices_of_several_groups_are_numbered_together() {
        let s = fixture::snapshot();
        let endpoints = endpoint_groups(&s).unwrap();
        let other = Group {
            ports: vec![],
            ..endpoints.groups[0].clone()
        };
        let two = [endpoints.groups[0].clone(), other];
        assert_eq!(
            names(&under_directory(&s, &Names::of(&s), &two, &endpoints.ports)),
            [("web-db-v4", 2), ("web-db-v4-2", 2)]
        );
    }
}
