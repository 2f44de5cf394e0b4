//! Random histories: each step keeps the invariants, and each stable input converges (lifecycle#converges).

use instancelink_api::State;
use instancelink_api::spec::{Addressing, DesiredState};
use proptest::prelude::*;

use super::World;
use crate::fixture;

#[derive(Clone, Debug)]
enum Happening {
    Annotate(&'static str),
    Step,
    Settle,
    Time(i64),
    WipeStatus,
    StripAnnotations,
    StripFinalizer,
    Delete,
    SourceGoes,
    SourceTerminates,
    SourceComes(bool),
    TargetGoes,
    TargetComes,
    Retarget,
    Elsewhere,
    Desire(Option<DesiredState>),
    Unservable,
    VirtualIp,
    Drain,
    LoseSlices,
    RivalComes(State, bool),
    RivalGoes,
    NamespaceGoes,
    LinkRefuses(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    let values = [
        "activate",
        "deactivate",
        "remove",
        "restore",
        "purge",
        "deactivate/1",
        "remove/2",
        "bogus",
        "",
    ];
    prop_oneof![
        8 => prop::sample::select(values.to_vec()).prop_map(H::Annotate),
        8 => Just(H::Step),
        6 => Just(H::Settle),
        3 => prop::sample::select([1_i64, 20, 100].as_slice()).prop_map(H::Time),
        1 => Just(H::WipeStatus),
        1 => Just(H::StripAnnotations),
        1 => Just(H::StripFinalizer),
        1 => Just(H::Delete),
        1 => Just(H::SourceGoes),
        1 => Just(H::SourceTerminates),
        2 => any::<bool>().prop_map(H::SourceComes),
        1 => Just(H::TargetGoes),
        2 => Just(H::TargetComes),
        1 => Just(H::Retarget),
        1 => Just(H::Elsewhere),
        2 => prop::sample::select([None, Some(DesiredState::Active), Some(DesiredState::Inactive)].as_slice()).prop_map(H::Desire),
        1 => Just(H::Unservable),
        2 => Just(H::VirtualIp),
        1 => Just(H::Drain),
        1 => Just(H::LoseSlices),
        2 => (prop::sample::select([State::Requested, State::Active, State::Inactive, State::Removed].as_slice()), any::<bool>())
            .prop_map(|(state, up)| H::RivalComes(state, up && state == State::Active)),
        2 => Just(H::RivalGoes),
        1 => Just(H::NamespaceGoes),
        2 => any::<bool>().prop_map(H::LinkRefuses),
    ]
}

fn happen(world: &mut World, happening: &Happening) {
    let snapshot = world.s.clone();
    match happening {
        Happening::Annotate(value) => world.annotate(value),
        Happening::Step => {
            if !world.gone {
                let _ = world.step();
            }
        }
        Happening::Settle => {
            world.settle();
        }
        Happening::Time(seconds) => world.pass_time(*seconds),
        Happening::WipeStatus => world.wipe_status(),
        Happening::StripAnnotations => world.strip_annotations(),
        Happening::StripFinalizer => {
            world.s.link.object.metadata.finalizers = None;
            // The object is gone; the sweep deletes its children.
            world.gone |= world.s.link.object.metadata.deletion_timestamp.is_some();
        }
        Happening::Delete => world.delete(),
        Happening::SourceGoes => world.s = snapshot.without_source(),
        Happening::SourceTerminates => {
            if let Some(source) = world.s.source.as_mut() {
                source.terminating = true;
            }
        }
        Happening::SourceComes(same) => {
            world.s = if *same {
                snapshot.with_source()
            } else {
                snapshot.with_source_uid("uid-of-another-web")
            };
        }
        Happening::TargetGoes => world.s = snapshot.without_target(),
        Happening::TargetComes => world.s.target = fixture::snapshot().target,
        Happening::Retarget => {
            world.s = snapshot.edited(|spec| spec.publish_not_ready_addresses = !spec.publish_not_ready_addresses);
        }
        Happening::Elsewhere => {
            world.s = snapshot.edited(|spec| {
                if let Some(target) = spec.target_instance_ref.as_mut() {
                    target.namespace = if target.namespace.is_some() {
                        None
                    } else {
                        Some("elsewhere".to_owned())
                    };
                }
            });
        }
        Happening::Desire(state) => world.s = snapshot.edited(|spec| spec.desired_state = *state),
        Happening::Unservable => {
            world.s = snapshot.edited(|spec| {
                spec.addressing = if spec.addressing == Addressing::Auto {
                    Addressing::ServiceIP
                } else {
                    Addressing::Auto
                };
            });
        }
        Happening::VirtualIp => {
            world.s = snapshot.edited(|spec| {
                spec.addressing = Addressing::VirtualIP;
                spec.ports = Some(serde_json::from_str(r#"[{"name":"pg","port":5432}]"#).unwrap());
            });
        }
        Happening::Drain => {
            world.s = snapshot.edited(|spec| {
                spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":50}"#).unwrap());
            });
        }
        Happening::LoseSlices => world.s.children.slices.clear(),
        Happening::RivalComes(state, up) => world.s.siblings = vec![super::alias::rival("Deployment", *state, *up, 5)],
        Happening::RivalGoes => world.s.siblings.clear(),
        Happening::NamespaceGoes => world.s.namespace.terminating = true,
        Happening::LinkRefuses(refuses) => {
            world.refuses_link = *refuses;
            world.forget_refusals();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_invariants_and_comes_to_rest(happenings in prop::collection::vec(happening(), 1..40)) {
        let mut world = World::new(fixture::snapshot());
        for happening in &happenings {
            happen(&mut world, happening);
        }
        // From here on only the time changes.
        world.refuses_link = false;
        for _ in 0..4 {
            world.settle();
            world.pass_time(7200);
        }
        world.settle();
        world.writes.clear();
        world.settle();
        prop_assert!(world.writes.is_empty(), "lifecycle#no-idle-writes: a converged link costs no write");
        if world.s.link.object.metadata.deletion_timestamp.is_some() {
            prop_assert!(world.gone, "lifecycle#deletes-complete: a delete completes");
        }
    }
}
