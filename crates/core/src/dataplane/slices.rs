//! Builds the slices: the addresses behind the alias, by family, in lots that an EndpointSlice can hold.

use instancelink_api::keys;

use super::lots::{Lot, spread};
use super::ownership::own_slices;
use super::place::{Place, labels};
use crate::child::{Family, Object, Slice, SlicePort};
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
pub(super) fn under_directory(s: &Snapshot, place: &Place<'_>, groups: &[Group], ports: &[Port]) -> Vec<Object<Slice>> {
    wanted(s, place, Under::Directory, groups, ports)
}

/// The slices under the link's virtual IP: the same pods without a name.
pub(super) fn under_virtual_ip(s: &Snapshot, place: &Place<'_>, reach: &Reach) -> Vec<Object<Slice>> {
    let mut groups = reach.groups.clone();
    for endpoint in groups.iter_mut().flat_map(|group| &mut group.endpoints) {
        endpoint.hostname.clear();
    }
    wanted(s, place, Under::VirtualIp, &groups, &reach.ports)
}

/// True for a slice that carries traffic to a virtual IP and gives no name an answer.
pub(super) fn is_under_virtual_ip(slice: &Object<Slice>) -> bool {
    !slice.labels.contains_key(keys::HEADLESS)
}

fn wanted(s: &Snapshot, place: &Place<'_>, under: Under, groups: &[Group], ports: &[Port]) -> Vec<Object<Slice>> {
    let mut slices = Vec::new();
    for family in [Family::V4, Family::V6] {
        let base = base_name(place, under, family);
        let of_family = groups.iter().map(|group| {
            let endpoints = group.endpoints.iter().filter(|e| Family::of(e.address) == family);
            (slice_ports(place, &group.ports), endpoints.cloned().collect())
        });
        let standing =
            own_slices(s).filter_map(|found| Some((number_in(&found.object.name, &base)?, &found.object.body)));
        let lots = spread(of_family.collect(), &standing.collect());
        slices.extend(lots.into_iter().map(|lot| slice(place, under, family, lot)));
    }
    if slices.is_empty() {
        let empty = Lot {
            number: 1,
            endpoints: Vec::new(),
            ports: slice_ports(place, ports),
        };
        slices.push(slice(place, under, Family::V4, empty));
    }
    slices
}

fn slice(place: &Place<'_>, under: Under, family: Family, lot: Lot) -> Object<Slice> {
    let mut all_labels = place.own_labels();
    all_labels.extend(labels([(keys::SLICE_MANAGED_BY, keys::SLICE_MANAGER)]));
    all_labels.extend(match under {
        Under::Directory => labels([(keys::SERVICE_NAME, &place.directory), (keys::HEADLESS, "")]),
        Under::VirtualIp => labels([(keys::SERVICE_NAME, &place.virtual_ip())]),
    });
    let base = base_name(place, under, family);
    Object {
        namespace: place.namespace.to_owned(),
        name: if lot.number == 1 {
            base
        } else {
            format!("{base}-{}", lot.number)
        },
        labels: all_labels,
        annotations: labels([(keys::LINK, &place.link_path())]),
        owners: place.link_owner(),
        body: Slice {
            family,
            endpoints: lot.endpoints,
            ports: lot.ports,
            damaged: false,
        },
    }
}

/// The name of the first slice; the others bear their number after it.
fn base_name(place: &Place<'_>, under: Under, family: Family) -> String {
    match under {
        Under::Directory => format!("{}-{}", place.link, family.suffix()),
        // Not `-vip-v4`: that is the slice of a link called `…-vip`.
        Under::VirtualIp => format!("{}-{}", place.link, family.suffix().replace('v', "vip")),
    }
}

fn number_in(name: &str, base: &str) -> Option<usize> {
    match name.strip_prefix(base)? {
        "" => Some(1),
        rest => rest.strip_prefix('-')?.parse().ok(),
    }
}

fn slice_ports(place: &Place<'_>, ports: &[Port]) -> Vec<SlicePort> {
    ports.iter().map(|port| slice_port(place.alias, port)).collect()
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

    fn built(s: &crate::snapshot::Snapshot) -> Vec<Object<Slice>> {
        let reach = reach_of(s).unwrap();
        under_directory(s, &Place::of(s), &reach.groups, &reach.ports)
    }

    fn names(slices: &[Object<Slice>]) -> Vec<(&str, usize)> {
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
            names(&under_directory(&s, &Place::of(&s), &two, &reach.ports)),
            [("web-db-v4", 2), ("web-db-v4-2", 2)]
        );
    }
}
