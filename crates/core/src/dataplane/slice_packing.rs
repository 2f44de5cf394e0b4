//! Spreads endpoints over slices so that a change of few pods rewrites few slices: an endpoint stays in the slice it
//! stands in, a new one goes where there is room, and only what is left over makes a new slice.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::child::{Endpoint, Slice, SlicePort};

/// A slice that has so many endpoints gets no more, as Kubernetes' own slices do by default: with every change of one
/// endpoint the whole slice is written, and sent to everybody who watches.
const FULL: usize = 100;
/// Most endpoints of an EndpointSlice. One that holds more than we would put in stays as it is, so that nobody who runs
/// another version sees its endpoints move.
const MOST_ENDPOINTS: usize = 1000;

/// The content of one slice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SliceContent {
    /// The slice's place in its family: 1, 2, ….
    pub(super) number: usize,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) ports: Vec<SlicePort>,
}

/// The lots of one family. `groups` are endpoints by their ports, which differ; `standing` is what its slices hold now.
pub(super) fn distribute(
    groups: Vec<(Vec<SlicePort>, Vec<Endpoint>)>,
    standing: &BTreeMap<usize, &Slice>,
) -> Vec<SliceContent> {
    let mut lots: BTreeMap<usize, SliceContent> = BTreeMap::new();
    let mut homeless = Vec::new();
    for (ports, endpoints) in groups {
        let homes = homes(&ports, standing);
        let mut rest = Vec::new();
        for endpoint in endpoints {
            match homes.get(&endpoint.address) {
                Some(number) => add(&mut lots, *number, &ports, endpoint),
                None => rest.push(endpoint),
            }
        }
        homeless.push((ports, rest));
    }
    for (ports, rest) in homeless {
        let mut rest = rest.into_iter().peekable();
        for lot in lots.values_mut().filter(|lot| lot.ports == ports) {
            let room = FULL.saturating_sub(lot.endpoints.len());
            lot.endpoints.extend(rest.by_ref().take(room));
        }
        while rest.peek().is_some() {
            let free = (1..=lots.len()).find(|number| !lots.contains_key(number));
            let number = free.unwrap_or(lots.len() + 1);
            let endpoints = rest.by_ref().take(FULL).collect();
            let ports = ports.clone();
            lots.insert(
                number,
                SliceContent {
                    number,
                    endpoints,
                    ports,
                },
            );
        }
    }
    let mut lots: Vec<SliceContent> = lots.into_values().collect();
    for lot in &mut lots {
        lot.endpoints.sort();
    }
    lots
}

/// The slice that each address stands in, with these ports.
fn homes(ports: &[SlicePort], standing: &BTreeMap<usize, &Slice>) -> BTreeMap<IpAddr, usize> {
    let mut homes = BTreeMap::new();
    for (number, slice) in standing.iter().filter(|(_, slice)| slice.ports == ports) {
        for endpoint in slice.endpoints.iter().take(MOST_ENDPOINTS) {
            homes.entry(endpoint.address).or_insert(*number);
        }
    }
    homes
}

fn add(lots: &mut BTreeMap<usize, SliceContent>, number: usize, ports: &[SlicePort], endpoint: Endpoint) {
    let lot = lots.entry(number).or_insert_with(|| SliceContent {
        number,
        endpoints: Vec::new(),
        ports: ports.to_vec(),
    });
    lot.endpoints.push(endpoint);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::dataplane::{bring_up, build};
    use crate::fixture::{self, shown};
    use crate::snapshot::{Pod, Snapshot};

    fn pods(numbers: impl Iterator<Item = usize>) -> Vec<Pod> {
        numbers
            .map(|n| {
                fixture::pod(
                    &format!("pg-{n}"),
                    &format!("10.{}.{}.{}", n / 60_000, n / 250 % 240, n % 250 + 1),
                )
            })
            .collect()
    }

    fn due(s: &Snapshot) -> Vec<String> {
        shown(&bring_up(s, &build(s, &BTreeSet::new()).unwrap()))
    }

    fn sizes(s: &Snapshot) -> Vec<(String, usize)> {
        let slices = s.children.slices.iter();
        let mut sizes: Vec<_> = slices
            .map(|f| (f.object.name.clone(), f.object.body.endpoints.len()))
            .collect();
        sizes.sort();
        sizes
    }

    fn three_hundred() -> Snapshot {
        fixture::snapshot()
            .with_target_deployment(pods((0..600).step_by(2)))
            .up()
    }

    #[test]
    fn a_slice_gets_no_more_than_a_hundred() {
        let s = fixture::snapshot().with_target_deployment(pods(0..201)).up();
        let named = |name: &str, size| (name.to_owned(), size);
        assert_eq!(
            sizes(&s),
            [
                named("web-db-v4", 100),
                named("web-db-v4-2", 100),
                named("web-db-v4-3", 1)
            ]
        );
    }

    #[test]
    fn a_pod_that_goes_rewrites_its_own_slice_alone() {
        let s = three_hundred();
        let one_less = s.with_target_deployment(pods((0..600).step_by(2).filter(|n| *n != 0)));
        assert_eq!(due(&one_less).len(), 1);
    }

    #[test]
    fn a_pod_that_comes_goes_where_there_is_room_or_into_a_new_slice() {
        let s = three_hundred();
        let one_more = s.clone().with_target_deployment(pods((0..600).step_by(2).chain([1])));
        assert_eq!(due(&one_more), ["create EndpointSlice shop/web-db-v4-4"]);
        let replaced = s.with_target_deployment(pods((0..600).step_by(2).filter(|n| *n != 400).chain([1])));
        assert_eq!(due(&replaced).len(), 1, "the room that the one left");
    }

    #[test]
    fn a_slice_that_loses_all_goes_and_the_others_stay_as_they_are() {
        let s = three_hundred();
        let first: BTreeSet<_> = s.children.slices[0]
            .object
            .body
            .endpoints
            .iter()
            .map(|e| e.address)
            .collect();
        let others = pods((0..600).step_by(2))
            .into_iter()
            .filter(|p| !first.contains(&p.addresses[0]));
        let s = s.with_target_deployment(others.collect());
        assert_eq!(due(&s).len(), 1);
        assert!(due(&s)[0].starts_with("delete EndpointSlice"), "{:?}", due(&s));
    }

    #[test]
    fn a_retarget_fills_the_slices_anew() {
        let s = three_hundred().with_target_deployment(pods((1..301).step_by(2)));
        assert_eq!(
            due(&s),
            [
                "replace EndpointSlice shop/web-db-v4",
                "replace EndpointSlice shop/web-db-v4-2"
            ]
        );
        let mut s = s;
        s.execute(&bring_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
        assert_eq!(due(&s), ["delete EndpointSlice shop/web-db-v4-3"]);
    }

    #[test]
    fn a_slice_that_holds_more_stays_as_it_is_and_gets_no_more() {
        let mut s = three_hundred();
        let slices = std::mem::take(&mut s.children.slices);
        let mut slices = slices.into_iter();
        let mut first = slices.next().unwrap();
        let others = slices.flat_map(|found| found.object.body.endpoints);
        first.object.body.endpoints.extend(others);
        first.object.body.endpoints.sort();
        s.children.slices.push(first);
        assert_eq!(due(&s), [""; 0]);
        let one_more = s.with_target_deployment(pods((0..600).step_by(2).chain([1])));
        assert_eq!(due(&one_more), ["create EndpointSlice shop/web-db-v4-2"]);
    }
}
