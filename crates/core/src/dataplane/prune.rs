//! Keeps slices from leading astray while no plan can be made: what cannot be served builds and removes nothing, but a
//! pod that is gone must not go on answering. Its address may be another's tomorrow.

use instancelink_api::grant::Permission;

use super::diff::retreat;
use super::naming::Names;
use super::ownership::{Claim, claim_of, own_slices};
use super::policy;
use super::writes::{delete, key_of, replace};
use crate::child::{Endpoint, EndpointTarget};
use crate::effect::Effect;
use crate::resolve::consent::is_permitted;
use crate::resolve::endpoints::service_answers;
use crate::resolve::pods::is_alive;
use crate::snapshot::{Snapshot, TargetObject};

/// Takes out of the standing slices what does not answer any more: an endpoint whose pod (by UID) is gone, terminating,
/// finished, or not ready where that counts, or whose Service is gone or answers no more, and one of another namespace
/// that does not consent any more. Adds and changes nothing else.
///
/// What an endpoint stands for need not be the target that the spec names now: the edit that cannot be served may have
/// named another.
pub fn prune(s: &Snapshot) -> Vec<Effect> {
    let names = Names::of(s);
    match claim_of(s, &s.children.directories, names.namespace, &names.directory) {
        Claim::AnotherSources | Claim::Strangers => {
            return retreat(s).filter(|effect| !is_refused(s, effect)).collect();
        }
        Claim::Free | Claim::Ours(_) => {}
    }
    let closed = policy::unconsented(s).filter(|found| !found.terminating).map(delete);
    let closed = closed.filter(|effect| !is_refused(s, effect));
    let shrunk = own_slices(s)
        .filter(|found| !found.terminating && !s.refusals.contains_key(&key_of(&found.object)))
        .filter_map(|found| {
            let mut object = found.object.clone();
            object.body.endpoints.retain(|endpoint| still_answers(s, endpoint));
            (object.body.endpoints.len() < found.object.body.endpoints.len()).then(|| replace(found, object))
        });
    closed.chain(shrunk).collect()
}

fn is_refused(s: &Snapshot, effect: &Effect) -> bool {
    super::writes::child_of(effect).is_some_and(|key| s.refusals.contains_key(&key))
}

fn still_answers(s: &Snapshot, endpoint: &Endpoint) -> bool {
    let Some(stands_for) = endpoint.target.as_ref() else {
        return false;
    };
    if !is_consented(s, stands_for) {
        return false;
    }
    match stands_for.kind.as_str() {
        "Pod" => pod_answers(s, stands_for, endpoint),
        "Service" => service_answers_still(s, stands_for, endpoint),
        _ => false,
    }
}

/// What is in another namespace stands in a slice only by consent to the target it was programmed for; to that of the
/// spec where the status does not say.
fn is_consented(s: &Snapshot, stands_for: &EndpointTarget) -> bool {
    let link = &s.link.object;
    let namespace = Some(&stands_for.namespace);
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    let target = programmed.or(link.spec.target_instance_ref.as_ref());
    namespace == link.metadata.namespace.as_ref()
        || target.is_some_and(|t| t.namespace.as_ref() == namespace && is_permitted(s, t, Permission::Endpoints))
}

fn pod_answers(s: &Snapshot, stands_for: &EndpointTarget, endpoint: &Endpoint) -> bool {
    let target = s.target.as_ref().map(|target| &target.object);
    let publish = s.link.object.spec.publish_not_ready_addresses
        || matches!(target, Some(TargetObject::Service(service)) if service.publish_not_ready_addresses);
    s.answering.pods.iter().any(|pod| {
        pod.uid == stands_for.uid
            && is_alive(pod)
            && (pod.ready || publish)
            && pod.addresses.contains(&endpoint.address)
    })
}

/// Whether pods stand behind a Service is known of the target only; of another it is enough that it exists.
fn service_answers_still(s: &Snapshot, stands_for: &EndpointTarget, endpoint: &Endpoint) -> bool {
    let publish = s.link.object.spec.publish_not_ready_addresses;
    let exists = s
        .answering
        .services
        .iter()
        .any(|service| service.uid == stands_for.uid && service.cluster_ips.contains(&endpoint.address));
    let silent = s.target.as_ref().is_some_and(|target| match &target.object {
        TargetObject::Service(service) if service.uid == stands_for.uid => !service_answers(target, service, publish),
        TargetObject::Service(_) | TargetObject::Workload(_) | TargetObject::Pod(_) => false,
    });
    exists && !silent
}

#[cfg(test)]
mod tests {
    use instancelink_api::Addressing;
    use instancelink_api::condition::Reason;

    use super::*;
    use crate::child::{DesiredChild, Kind};
    use crate::fixture::{self, pod};
    use crate::refusal::Refusal;

    /// The link is up, then turns unservable while its pods become these.
    fn unservable_with(pods: Vec<crate::snapshot::Pod>) -> Snapshot {
        let s = fixture::snapshot().up();
        s.with_target_deployment(pods)
            .edited(|spec| spec.addressing = Addressing::ServiceIP)
    }

    fn forbidden() -> Refusal {
        Refusal {
            reason: Reason::Forbidden,
            message: "forbidden".to_owned(),
        }
    }

    fn left(effects: &[Effect]) -> Vec<String> {
        let [
            Effect::Replace {
                child: DesiredChild::Slice(slice),
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
        assert_eq!(prune(&s), []);
    }

    #[test]
    fn a_pod_that_is_gone_terminating_or_not_ready_is_taken_out() {
        let gone = vec![pod("pg-1", "10.0.0.11")];
        let terminating = vec![pod("pg-0", "10.0.0.10").terminating(), pod("pg-1", "10.0.0.11")];
        let not_ready = vec![pod("pg-0", "10.0.0.10").not_ready(), pod("pg-1", "10.0.0.11")];
        for pods in [gone, terminating, not_ready] {
            let mut s = unservable_with(pods);
            let effects = prune(&s);
            assert_eq!(left(&effects), ["10.0.0.11"]);
            s.execute(&effects);
            assert_eq!(prune(&s), []);
        }
    }

    #[test]
    fn a_pod_that_is_not_ready_stays_where_the_link_publishes_those() {
        let pods = vec![pod("pg-0", "10.0.0.10").not_ready(), pod("pg-1", "10.0.0.11")];
        let s = unservable_with(pods).edited(|spec| spec.publish_not_ready_addresses = true);
        assert_eq!(prune(&s), []);
    }

    #[test]
    fn another_pod_of_the_same_name_or_address_is_another_pod() {
        let mut successor = pod("pg-0", "10.0.0.10");
        successor.uid = "another".to_owned();
        let s = unservable_with(vec![successor, pod("pg-1", "10.0.0.11")]);
        assert_eq!(left(&prune(&s)), ["10.0.0.11"]);
    }

    #[test]
    fn a_new_pod_does_not_join() {
        let pods = vec![
            pod("pg-0", "10.0.0.10"),
            pod("pg-1", "10.0.0.11"),
            pod("pg-2", "10.0.0.12"),
        ];
        assert_eq!(prune(&unservable_with(pods)), []);
    }

    #[test]
    fn what_the_alias_led_to_in_another_namespace_ends_with_the_consent_there() {
        let mut s = fixture::snapshot()
            .with_target_in("data")
            .granted("data", "{kind: Deployment}")
            .up();
        let programmed = s.link.object.spec.target_instance_ref.clone();
        s.link.object.status.get_or_insert_default().target = programmed;
        s = s.edited(|spec| spec.target_instance_ref.as_mut().unwrap().kind = "Service".to_owned());
        assert_eq!(prune(&s), [], "the consent lasts");
        s.grants.clear();
        s = s.granted("data", "{kind: Service}");
        assert_eq!(left(&prune(&s)), Vec::<String>::new());
    }

    #[test]
    fn slices_leave_a_directory_that_is_a_strangers_now_and_a_refused_deletion_waits() {
        let mut s = unservable_with(vec![pod("pg-0", "10.0.0.10")]);
        s.children.directories[0].object.labels.clear();
        assert_eq!(fixture::shown(&prune(&s)), ["delete EndpointSlice shop/web-db-v4"]);
        s.refusals.insert(fixture::key(Kind::Slice, "web-db-v4"), forbidden());
        assert_eq!(prune(&s), []);
    }

    #[test]
    fn a_slice_that_is_going_or_was_refused_is_not_written() {
        let mut going = unservable_with(vec![]);
        going.children.slices[0].terminating = true;
        assert_eq!(prune(&going), []);
        let mut refused = unservable_with(vec![]);
        refused
            .refusals
            .insert(fixture::key(Kind::Slice, "web-db-v4"), forbidden());
        assert_eq!(prune(&refused), []);
    }

    #[test]
    fn a_service_that_got_another_address_does_not_answer_under_the_old_one_nor_one_that_got_that() {
        let mut s = fixture::snapshot()
            .with_target_service(fixture::service(), vec![pod("pg-0", "10.0.0.10")])
            .up();
        s.target = None;
        let mut moved = fixture::service();
        moved.cluster_ips = vec!["10.96.0.6".parse().unwrap()];
        let mut successor = fixture::service();
        "another".clone_into(&mut successor.uid);
        for service in [moved, successor] {
            s.answering.services = vec![service.into()];
            assert_eq!(left(&prune(&s)), Vec::<String>::new());
        }
    }

    #[test]
    fn a_service_answers_as_long_as_a_pod_stands_behind_it_and_a_former_one_as_long_as_it_exists() {
        let ready = || vec![pod("pg-0", "10.0.0.10")];
        let mut s = fixture::snapshot()
            .with_target_service(fixture::service(), ready())
            .up();
        assert_eq!(prune(&s), []);
        let silent = s.clone().with_target_service(fixture::service(), vec![]);
        assert_eq!(left(&prune(&silent)), Vec::<String>::new());
        let mut other = fixture::service();
        "another".clone_into(&mut other.uid);
        let former = std::mem::take(&mut s.answering.services);
        let mut turned = s.with_target_service(other, vec![]);
        turned.answering.services.extend(former);
        assert_eq!(
            prune(&turned),
            [],
            "what is behind the new target says nothing of the former"
        );
    }

    #[test]
    fn what_the_alias_led_to_before_an_edit_that_cannot_be_served_goes_on_answering() {
        let mut s = unservable_with(vec![pod("pg-0", "10.0.0.10"), pod("pg-1", "10.0.0.11")]);
        s.target = None;
        assert_eq!(prune(&s), [], "pods of the former target");

        let mut s = fixture::snapshot()
            .with_target_service(fixture::service(), vec![pod("pg-0", "10.0.0.10")])
            .up();
        s.target = None;
        assert_eq!(prune(&s), [], "the former target, a Service");
        s.answering.services.clear();
        assert_eq!(left(&prune(&s)), Vec::<String>::new(), "and it ends with the Service");
    }
}
