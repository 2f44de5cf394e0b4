//! `step` under any sequence of operations: after whole passes it agrees with the reference model, and between single
//! steps it keeps the invariants and comes to rest.

use instancelink_api::spec::DesiredState;
use instancelink_api::{State, Verb};

use super::bytes::Bytes;
use crate::agreement;
use crate::drive::Driven;
use crate::model::Model;
use crate::operation::{AddressingMode, Change, Destination, Edit, Operation, Rival, Value};

/// Most operations of one input.
const LONGEST: usize = 200;

/// The first byte decides whether each operation is followed by whole passes; the rest are the operations.
pub fn step(data: &[u8]) {
    let mut bytes = Bytes::of(data);
    if bytes.flag() {
        in_whole_passes(&mut bytes);
    } else {
        in_single_steps(&mut bytes);
    }
}

fn in_whole_passes(bytes: &mut Bytes<'_>) {
    let (mut model, mut driven) = (Model::default(), Driven::default());
    model.rest();
    driven.world.settle();
    for _ in 0..LONGEST {
        if bytes.is_empty() || model.gone {
            break;
        }
        let operation = operation(bytes);
        model.apply(&operation);
        model.rest();
        driven.operate(&operation);
        if let Err(difference) = agreement::check(&mut model, &mut driven.world) {
            panic!("{operation:?}: {difference}");
        }
    }
}

fn in_single_steps(bytes: &mut Bytes<'_>) {
    let mut driven = Driven::default();
    for _ in 0..LONGEST {
        if bytes.is_empty() || driven.world.gone {
            break;
        }
        let steps = bytes.byte();
        if steps < 128 {
            driven.apply(&operation(bytes));
        }
        for _ in 0..steps % 4 {
            if driven.world.gone || driven.world.step().is_err() {
                break;
            }
        }
    }
    for _ in 0..4 {
        driven.operate(&Operation::Time(7200));
    }
    driven.world.writes.clear();
    driven.world.settle();
    assert!(driven.world.writes.is_empty(), "lifecycle#no-idle-writes");
    let deleted = driven.world.s.link.object.metadata.deletion_timestamp.is_some();
    assert!(driven.world.gone || !deleted, "lifecycle#deletes-complete");
}

fn operation(bytes: &mut Bytes<'_>) -> Operation {
    match bytes.byte() % 16 {
        0..=4 => Operation::Annotate(value(bytes)),
        5..=8 => Operation::Edit(edit(bytes)),
        9..=11 => Operation::Around(change(bytes)),
        12 => Operation::Time(bytes.one_of(&[1, 7, 20, 100, 4000])),
        13 => Operation::WipeStatus,
        14 => Operation::StripAnnotations,
        _ => rare(bytes),
    }
}

fn rare(bytes: &mut Bytes<'_>) -> Operation {
    match bytes.byte() % 4 {
        0 => Operation::LoseSlices,
        1 => Operation::StripFinalizer,
        2 => Operation::Unannotate,
        _ => Operation::Delete,
    }
}

fn value(bytes: &mut Bytes<'_>) -> Value {
    match bytes.byte() % 12 {
        0 => Value::Bogus(bytes.byte() % 3),
        1 => Value::Empty,
        2..=6 => Value::Action(bytes.one_of(&Verb::ALL), Some(bytes.byte() % 20)),
        _ => Value::Action(bytes.one_of(&Verb::ALL), None),
    }
}

fn edit(bytes: &mut Bytes<'_>) -> Edit {
    match bytes.byte() % 9 {
        0 => Edit::Desire(bytes.one_of(&[None, Some(DesiredState::Active), Some(DesiredState::Inactive)])),
        1 => Edit::Publish(bytes.flag()),
        2 => Edit::Describe(bytes.byte() % 3),
        3 => Edit::Target(bytes.one_of(&[
            Destination::SameNamespace,
            Destination::OtherNamespace,
            Destination::NoTarget,
        ])),
        4 => Edit::Addressing(bytes.one_of(&[
            AddressingMode::Auto,
            AddressingMode::ServiceIP,
            AddressingMode::VirtualIP,
        ])),
        5 => Edit::Drain(bytes.one_of(&[0, 10, 50])),
        6 => Edit::Wait(bytes.one_of(&[0, 15, 100])),
        7 => Edit::TtlRemoved(bytes.one_of(&[None, Some(0), Some(30), Some(1000)])),
        _ => Edit::TtlPurged(bytes.one_of(&[0, 10, 3600])),
    }
}

fn change(bytes: &mut Bytes<'_>) -> Change {
    match bytes.byte() % 8 {
        0 => Change::SourceGone,
        1 => Change::SourceTerminating,
        2 => Change::Source(bytes.flag()),
        3 => Change::TargetGone,
        4 => Change::Target(bytes.flag()),
        5 => Change::Grant(bytes.flag()),
        6 => Change::NoRival,
        _ => Change::Rival(rival(bytes)),
    }
}

fn rival(bytes: &mut Bytes<'_>) -> Rival {
    let state = bytes.one_of(&State::ALL);
    let with_children = [
        State::Activating,
        State::Active,
        State::UpdatingActive,
        State::Deactivating,
    ];
    Rival {
        state,
        has_children: bytes.flag() && with_children.contains(&state),
        older_by: bytes.one_of(&[-100, -5, 0, 5, 100]),
        same_kind: !bytes.flag(),
    }
}
