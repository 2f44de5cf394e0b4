//! Whatever addresses pods have, the endpoints are the usable addresses of the target's own living pods, and all of them
//! (lifecycle#only-target-pods, and the threat T2 of `docs/security.md`).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;

const ROUNDS: u64 = 2_000;
const PODS: usize = 250;

/// A pseudo-random generator with a fixed seed, so that every run is the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Any address, often near a bound of a usable range.
    fn v4(&mut self) -> Ipv4Addr {
        let [a, b, c, d, ..] = self.next().to_be_bytes();
        let first = [a, 0, 10, 126, 127, 128, 168, 169, 170, 223, 224, 239, 240, 255][index(self.below(14))];
        let second = [b, 0, 168, 253, 254, 255][index(self.below(6))];
        let rest = [(c, d), (0, 0), (255, 255), (0, 1)][index(self.below(4))];
        Ipv4Addr::new(first, second, rest.0, rest.1)
    }

    fn v6(&mut self) -> Ipv6Addr {
        let whole = (u128::from(self.next()) << 64) | u128::from(self.next());
        let mapped = self.v4().to_ipv6_mapped();
        let mut segments = Ipv6Addr::from(whole).segments();
        segments[0] = [
            segments[0],
            0xfd00,
            0xfe7f,
            0xfe80,
            0xfebf,
            0xfec0,
            0xfeff,
            0xff02,
            0x2001,
        ][index(self.below(9))];
        match self.below(10) {
            0 => mapped,
            8 => Ipv6Addr::from((0x64_ff9b_u128 << 96) | u128::from(u32::from(self.v4()))),
            9 => Ipv6Addr::from((0x2002_u128 << 112) | (u128::from(u32::from(self.v4())) << 80) | (whole >> 48)),
            1 => Ipv6Addr::from(u128::from(self.below(3))),
            _ => Ipv6Addr::from(segments),
        }
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// The rule for usable addresses, written with the numbers of the RFCs and not with the standard library.
fn is_usable_by_the_rfcs(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => match v4.octets() {
            [0, 0, 0, 0] | [127, ..] | [169, 254, ..] | [255, 255, 255, 255] => false,
            [first, ..] => !(224..=239).contains(&first),
        },
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let is_mapped = segments[..5].iter().all(|s| *s == 0) && segments[5] == 0xffff;
            let is_multicast = segments[0] >> 8 == 0xff;
            let is_link_local = segments[0] & 0xffc0 == 0xfe80;
            let whole = u128::from(*v6);
            let embedded = if segments[0] == 0x2002 {
                Some(whole >> 80)
            } else {
                [0, 0x64_ff9b << 64].contains(&(whole >> 32)).then_some(whole)
            };
            let embeds_usable = embedded.is_none_or(|v4| {
                let [.., a, b, c, d] = v4.to_be_bytes();
                is_usable_by_the_rfcs(&Ipv4Addr::new(a, b, c, d).into())
            });
            !is_mapped && !is_multicast && !is_link_local && whole > 1 && embeds_usable
        }
    }
}

#[test]
fn of_a_million_addresses_only_usable_ones_of_the_targets_pods_become_endpoints() {
    let mut numbers = Numbers(1);
    let (mut tried, mut shown) = (0, 0);
    for round in 0..ROUNDS {
        let mut expected = BTreeSet::new();
        let mut candidates = Vec::new();
        for number in 0..PODS {
            let mut one = pod(&format!("pg-{number}"), "10.0.0.10");
            one.addresses = vec![IpAddr::V4(numbers.v4()), IpAddr::V6(numbers.v6())];
            tried += one.addresses.len();
            let mut candidate = fixture::candidate(one.clone());
            let defect = numbers.below(8);
            match defect {
                0 => one.labels = [].into(),
                1 => candidate.grand_owner = None,
                2 => candidate.grand_owner.as_mut().unwrap().uid = "of-another".to_owned(),
                3 => one.terminating = true,
                4 => one.finished = true,
                5 => "data".clone_into(&mut one.namespace),
                _ => {
                    let usable = one.addresses.iter().filter(|address| is_usable_by_the_rfcs(address));
                    expected.extend(usable.map(|address| (one.uid.clone(), *address)));
                }
            }
            candidate.pod = Arc::new(one);
            candidates.push(candidate);
        }
        let mut s = fixture::snapshot().with_target_deployment(vec![]);
        s.target.as_mut().unwrap().candidates = candidates;
        let endpoints = endpoint_groups(&s).unwrap();
        let found: BTreeSet<(String, IpAddr)> = endpoints
            .groups
            .iter()
            .flat_map(|group| &group.endpoints)
            .map(|e| (e.target.as_ref().unwrap().uid.clone(), e.address))
            .collect();
        shown += found.len();
        assert_eq!(found, expected, "round {round}");
    }
    assert!(tried >= 1_000_000 && shown > 100_000, "{shown} of {tried}");
}
