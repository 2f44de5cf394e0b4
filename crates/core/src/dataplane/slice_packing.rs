//! Distributes endpoints over slices so that a change of few pods rewrites few slices: an endpoint stays in its slice, a new
//! one fills a slice with room, and only the rest goes into a new slice.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::child::{Endpoint, Slice, SlicePort};

/// Endpoints up to which a slice is filled, as in Kubernetes' own controller: a change of one endpoint sends the whole slice
/// to every watcher.
const FULL: usize = 100;
/// Most endpoints of an EndpointSlice in the API. A slice with more than [`FULL`] is not changed, so that versions of the
/// operator with another limit do not move endpoints.
const MOST_ENDPOINTS: usize = 1000;

/// The content of one slice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SliceContent {
    /// The number of the slice in its family: 1, 2, ….
    pub(super) number: usize,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) ports: Vec<SlicePort>,
}

/// The slices of one family. `groups` are endpoints by their ports; `observed` are the existing slices by number.
pub(super) fn distribute(
    groups: Vec<(Vec<SlicePort>, Vec<Endpoint>)>,
    observed: &BTreeMap<usize, &Slice>,
) -> Vec<SliceContent> {
    let mut slices: BTreeMap<usize, SliceContent> = BTreeMap::new();
    let mut unplaced = Vec::new();
    for (ports, endpoints) in groups {
        let current = current_slices(&ports, observed);
        let mut rest = Vec::new();
        for endpoint in endpoints {
            match current.get(&endpoint.address) {
                Some(number) => add(&mut slices, *number, &ports, endpoint),
                None => rest.push(endpoint),
            }
        }
        unplaced.push((ports, rest));
    }
    for (ports, rest) in unplaced {
        let mut rest = rest.into_iter().peekable();
        for slice in slices.values_mut().filter(|slice| slice.ports == ports) {
            let room = FULL.saturating_sub(slice.endpoints.len());
            slice.endpoints.extend(rest.by_ref().take(room));
        }
        while rest.peek().is_some() {
            let free = (1..=slices.len()).find(|number| !slices.contains_key(number));
            let number = free.unwrap_or(slices.len() + 1);
            let endpoints = rest.by_ref().take(FULL).collect();
            let ports = ports.clone();
            slices.insert(
                number,
                SliceContent {
                    number,
                    endpoints,
                    ports,
                },
            );
        }
    }
    let mut slices: Vec<SliceContent> = slices.into_values().collect();
    for slice in &mut slices {
        slice.endpoints.sort();
    }
    slices
}

/// The number of the slice that has each address, among the slices with these ports.
fn current_slices(ports: &[SlicePort], observed: &BTreeMap<usize, &Slice>) -> BTreeMap<IpAddr, usize> {
    let mut current = BTreeMap::new();
    for (number, slice) in observed.iter().filter(|(_, slice)| slice.ports == ports) {
        for endpoint in slice.endpoints.iter().take(MOST_ENDPOINTS) {
            current.entry(endpoint.address).or_insert(*number);
        }
    }
    current
}

fn add(slices: &mut BTreeMap<usize, SliceContent>, number: usize, ports: &[SlicePort], endpoint: Endpoint) {
    let slice = slices.entry(number).or_insert_with(|| SliceContent {
        number,
        endpoints: Vec::new(),
        ports: ports.to_vec(),
    });
    slice.endpoints.push(endpoint);
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

    fn with_300_pods() -> Snapshot {
        fixture::snapshot()
            .with_target_deployment(pods((0..600).step_by(2)))
            .up()
    }

    #[test]
    fn a_slice_is_filled_up_to_a_hundred_endpoints() {
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
    fn a_pod_that_is_deleted_rewrites_only_its_own_slice() {
        let s = with_300_pods();
        let one_less = s.with_target_deployment(pods((0..600).step_by(2).filter(|n| *n != 0)));
        assert_eq!(due(&one_less).len(), 1);
    }

    #[test]
    fn a_new_pod_fills_a_slice_with_room_or_starts_a_new_slice() {
        let s = with_300_pods();
        let one_more = s.clone().with_target_deployment(pods((0..600).step_by(2).chain([1])));
        assert_eq!(due(&one_more), ["create EndpointSlice shop/web-db-v4-4"]);
        let replaced = s.with_target_deployment(pods((0..600).step_by(2).filter(|n| *n != 400).chain([1])));
        assert_eq!(due(&replaced).len(), 1, "it takes the place of the deleted pod");
    }

    #[test]
    fn a_slice_that_loses_all_endpoints_is_deleted_and_the_others_do_not_change() {
        let s = with_300_pods();
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
    fn after_a_change_of_the_target_the_slices_are_filled_again() {
        let s = with_300_pods().with_target_deployment(pods((1..301).step_by(2)));
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
    fn a_slice_with_more_endpoints_does_not_change_and_gets_no_more() {
        let mut s = with_300_pods();
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
