//! Builds the slices: the addresses behind the alias, by family, in lots that an EndpointSlice can hold.

use instancelink_api::keys;

use super::naming::{Names, labels};
use super::ownership::own_slices;
use super::slice_packing::{SliceContent, distribute};
use crate::child::{ChildSpec, Family, Slice, SlicePort};
use crate::resolve::endpoints::{Group, Reach};
use crate::resolve::ports::Port;
use crate::snapshot::Snapshot;

/// The Service that slices stand under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Under {
    Directory,
    VirtualIp,
}

/// The slices under the directory: at least one, so that a link that is up is seen to be.
pub(super) fn under_directory(
    s: &Snapshot,
    names: &Names<'_>,
    groups: &[Group],
    ports: &[Port],
) -> Vec<ChildSpec<Slice>> {
    wanted(s, names, Under::Directory, groups, ports)
}

/// The slices under the link's virtual IP: the same pods without a name.
pub(super) fn under_virtual_ip(s: &Snapshot, names: &Names<'_>, reach: &Reach) -> Vec<ChildSpec<Slice>> {
    let mut groups = reach.groups.clone();
    for endpoint in groups.iter_mut().flat_map(|group| &mut group.endpoints) {
        endpoint.hostname.clear();
    }
    wanted(s, names, Under::VirtualIp, &groups, &reach.ports)
}

/// True for a slice that carries traffic to a virtual IP and gives no name an answer.
pub(super) fn is_under_virtual_ip(slice: &ChildSpec<Slice>) -> bool {
    !slice.labels.contains_key(keys::HEADLESS)
}

fn wanted(s: &Snapshot, names: &Names<'_>, under: Under, groups: &[Group], ports: &[Port]) -> Vec<ChildSpec<Slice>> {
    let mut slices = Vec::new();
    for family in [Family::V4, Family::V6] {
        let base = base_name(names, under, family);
        let of_family = groups.iter().map(|group| {
            let endpoints = group.endpoints.iter().filter(|e| Family::of(e.address) == family);
            (slice_ports(names, &group.ports), endpoints.cloned().collect())
        });
        let standing =
            own_slices(s).filter_map(|found| Some((number_in(&found.object.name, &base)?, &found.object.body)));
        let lots = distribute(of_family.collect(), &standing.collect());
        slices.extend(lots.into_iter().map(|lot| slice(names, under, family, lot)));
    }
    if slices.is_empty() {
        let empty = SliceContent {
            number: 1,
            endpoints: Vec::new(),
            ports: slice_ports(names, ports),
        };
        slices.push(slice(names, under, Family::V4, empty));
    }
    slices
}

fn slice(names: &Names<'_>, under: Under, family: Family, lot: SliceContent) -> ChildSpec<Slice> {
    let mut all_labels = names.own_labels();
    all_labels.extend(labels([(keys::SLICE_MANAGED_BY, keys::SLICE_MANAGER)]));
    all_labels.extend(match under {
        Under::Directory => labels([(keys::SERVICE_NAME, &names.directory), (keys::HEADLESS, "")]),
        Under::VirtualIp => labels([(keys::SERVICE_NAME, &names.virtual_ip())]),
    });
    let base = base_name(names, under, family);
    ChildSpec {
        namespace: names.namespace.to_owned(),
        name: if lot.number == 1 {
            base
        } else {
            format!("{base}-{}", lot.number)
        },
        labels: all_labels,
        annotations: labels([(keys::LINK, &names.link_path())]),
        owners: names.link_owner(),
        body: Slice {
            family,
            endpoints: lot.endpoints,
            ports: lot.ports,
            damaged: false,
        },
    }
}

/// The name of the first slice; the others bear their number after it.
fn base_name(names: &Names<'_>, under: Under, family: Family) -> String {
    match under {
        Under::Directory => format!("{}-{}", names.link, family.suffix()),
        // Not `-vip-v4`: that is the slice of a link called `…-vip`.
        Under::VirtualIp => format!("{}-{}", names.link, family.suffix().replace('v', "vip")),
    }
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

/// The first port is named by the alias alone, so that `_db._tcp` finds it.
pub(super) fn port_name(alias: &str, port: &Port) -> String {
    if port.further {
        format!("{alias}--{}", port.name)
    } else {
        alias.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::resolve::endpoints::reach_of;
    use crate::snapshot::Pod;

    fn built(s: &crate::snapshot::Snapshot) -> Vec<ChildSpec<Slice>> {
        let reach = reach_of(s).unwrap();
        under_directory(s, &Names::of(s), &reach.groups, &reach.ports)
    }

    fn names(slices: &[ChildSpec<Slice>]) -> Vec<(&str, usize)> {
        slices
            .iter()
            .map(|s| (s.name.as_str(), s.body.endpoints.len()))
            .collect()
    }

    #[test]
    fn a_slice_stands_under_the_directory_and_goes_with_its_link() {
        let s = fixture::snapshot();
        let slice = built(&s).remove(0);
        let yaml = serde_yaml_ng::to_string(&slice.to_api(None)).unwrap();
        assert_eq!(yaml.trim(), include_str!("slices/web-db-v4.yaml").trim());
    }

    #[test]
    fn a_link_whose_alias_nobody_answers_has_one_empty_slice() {
        assert_eq!(names(&built(&fixture::snapshot().without_target())), [("web-db-v4", 0)]);
    }

    #[test]
    fn each_family_has_its_slice() {
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
    fn the_first_port_is_called_like_the_alias_and_others_after_it() {
        let s = fixture::snapshot().edited(|spec| {
            spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}, {name: metrics, port: 9187}]").unwrap();
        });
        let slice = built(&s).remove(0);
        let names: Vec<_> = slice.body.ports.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["db", "db--metrics"]);
    }

    #[test]
    fn groups_of_one_family_are_numbered_on() {
        let s = fixture::snapshot();
        let reach = reach_of(&s).unwrap();
        let other = Group {
            ports: vec![],
            ..reach.groups[0].clone()
        };
        let two = [reach.groups[0].clone(), other];
        assert_eq!(
            names(&under_directory(&s, &Names::of(&s), &two, &reach.ports)),
            [("web-db-v4", 2), ("web-db-v4-2", 2)]
        );
    }
}
