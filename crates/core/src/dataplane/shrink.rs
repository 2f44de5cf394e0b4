//! Keeps slices from leading astray while no plan can be made: what cannot be served builds and removes nothing, but a
//! pod that is gone must not go on answering. Its address may be another's tomorrow.

use super::gaps::retreat;
use super::ownership::{Claim, claim_of, own_slices};
use super::place::Place;
use super::writes::{key_of, replace};
use crate::child::{Endpoint, EndpointTarget};
use crate::effect::Effect;
use crate::resolve::endpoints::service_answers;
use crate::resolve::pods::is_alive;
use crate::snapshot::{Snapshot, Target, TargetObject};

/// Takes out of the standing slices what does not answer any more: an endpoint whose pod (by UID) is gone, terminating,
/// finished, or not ready where that counts, or whose Service is gone or answers no more. Adds and changes nothing else.
///
/// A pod counts as gone where it is not among the target's candidates. Whoever observes puts those there that the
/// standing slices mention, so that a changed target does not make the former one's pods disappear.
pub fn shrink(s: &Snapshot) -> Vec<Effect> {
    let place = Place::of(s);
    match claim_of(s, &s.children.directories, place.namespace, &place.directory) {
        Claim::AnotherSources | Claim::Strangers => {
            return retreat(s).filter(|effect| !is_refused(s, effect)).collect();
        }
        Claim::Free | Claim::Ours(_) => {}
    }
    own_slices(s)
        .filter(|found| !found.terminating && !s.refusals.contains_key(&key_of(&found.object)))
        .filter_map(|found| {
            let mut object = found.object.clone();
            object.body.endpoints.retain(|endpoint| still_answers(s, endpoint));
            (object.body.endpoints.len() < found.object.body.endpoints.len()).then(|| replace(found, object))
        })
        .collect()
}

fn is_refused(s: &Snapshot, effect: &Effect) -> bool {
    super::writes::child_of(effect).is_some_and(|key| s.refusals.contains_key(&key))
}

fn still_answers(s: &Snapshot, endpoint: &Endpoint) -> bool {
    let (Some(target), Some(stands_for)) = (s.target.as_ref(), endpoint.target.as_ref()) else {
        return false;
    };
    let publish = s.link.object.spec.publish_not_ready_addresses;
    match stands_for.kind.as_str() {
        "Pod" => pod_answers(target, stands_for, endpoint, publish),
        "Service" => matches!(
            &target.object,
            TargetObject::Service(service) if service.uid == stands_for.uid
                && service.cluster_ips.contains(&endpoint.address)
                && service_answers(target, service, publish)
        ),
        _ => false,
    }
}

fn pod_answers(target: &Target, stands_for: &EndpointTarget, endpoint: &Endpoint, publish: bool) -> bool {
    let publish =
        publish || matches!(&target.object, TargetObject::Service(service) if service.publish_not_ready_addresses);
    target.candidates.iter().map(|candidate| &candidate.pod).any(|pod| {
        pod.uid == stands_for.uid
            && is_alive(pod)
            && (pod.ready || publish)
            && pod.addresses.contains(&endpoint.address)
    })
}

#[cfg(test)]
mod tests {
    use instancelink_api::Addressing;

    use super::*;
    use crate::child::Draft;
    use crate::dataplane::{bring_up, build};
    use crate::fixture::{self, pod};

    /// The link is up, then turns unservable while its pods become these.
    fn unservable_with(pods: Vec<crate::snapshot::Pod>) -> Snapshot {
        let mut s = fixture::snapshot();
        let plan = build(&s, &[].into()).unwrap();
        while let effects @ [_, ..] = bring_up(&s, &plan).as_slice() {
            s.execute(effects);
        }
        s.with_target_deployment(pods)
            .edited(|spec| spec.addressing = Addressing::VirtualIP)
    }

    fn left(effects: &[Effect]) -> Vec<String> {
        let [
            Effect::Replace {
                child: Draft::Slice(slice),
                ..
            },
        ] = effects
        else {
            panic!("{effects:?}")
        };
        slice.body.endpoints.iter().map(|e| e.address.to_string()).collect()
    }

    #[test]
    fn nothing_changes_while_the_pods_are_the_same() {
        let s = unservable_with(vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11")]);
        assert_eq!(shrink(&s), []);
    }

    #[test]
    fn a_pod_that_is_gone_terminating_or_not_ready_is_taken_out() {
        let gone = vec![pod("pg-1", "10.0.0.11")];
        let terminating = vec![pod("pg-0", "10.0.0.10").terminating(), pod("pg-1", "10.0.0.11")];
        let not_ready = vec![pod("pg-0", "10.0.0.10").not_ready(), pod("pg-1", "10.0.0.11")];
        for pods in [gone, terminating, not_ready] {
            let mut s = unservable_with(pods);
            let effects = shrink(&s);
            assert_eq!(left(&effects), ["10.0.0.11"]);
            s.execute(&effects);
            assert_eq!(shrink(&s), []);
        }
    }

    #[test]
    fn a_pod_that_is_not_ready_stays_where_the_link_publishes_those() {
        let pods = vec![pod("pg-0", "10.0.0.10").not_ready(), pod("pg-1", "10.0.0.11")];
        let s = unservable_with(pods).edited(|spec| spec.publish_not_ready_addresses = true);
        assert_eq!(shrink(&s), []);
    }

    #[test]
    fn another_pod_of_the_same_name_or_address_is_another_pod() {
        let mut successor = pod("pg-0", "10.0.0.10");
        successor.uid = "another".to_owned();
        let s = unservable_with(vec![successor, pod("pg-1", "10.0.0.11")]);
        assert_eq!(left(&shrink(&s)), ["10.0.0.11"]);
    }

    #[test]
    fn a_new_pod_does_not_join() {
        let pods = vec![
            pod("pg-0", "10.0.0.10"),
            pod("pg-1", "10.0.0.11"),
            pod("pg-2", "10.0.0.12"),
        ];
        assert_eq!(shrink(&unservable_with(pods)), []);
    }
}
