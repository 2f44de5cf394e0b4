//! Each pair of a state and an operation: alone, with the target lost, with a later request on top, and on a link that
//! is being deleted.

use instancelink_api::{Phase, State, Verdict};

use super::World;
use crate::fixture;

/// An operation in a state, with the states that follow and the verdict on an action (`-` is rejected). The test lets a drain
/// and a waiting time end.
const TABLE: &str = "
requested         create      activating active
requested         activate    activating active
requested         deactivate  inactive
requested         update      activating active
requested         remove      removing removed
requested         purge       - activating active
requested         restore     - activating active
registering       create
registering       activate
registering       deactivate
registering       update
registering       remove      removing removed
registering       purge       -
registering       restore     -
activating        create      active
activating        activate    active
activating        deactivate  deactivating inactive
activating        update      active
activating        remove      deactivating inactive removing removed
activating        purge       - active
activating        restore     - active
active            create
active            activate
active            deactivate  deactivating inactive
active            update      updating-active active
active            remove      deactivating inactive removing removed
active            purge       -
active            restore     -
updating-active   create      active
updating-active   activate    active
updating-active   deactivate  deactivating inactive
updating-active   update      active
updating-active   remove      deactivating inactive removing removed
updating-active   purge       - active
updating-active   restore     - active
deactivating      create      inactive
deactivating      activate    inactive activating active
deactivating      deactivate  inactive
deactivating      update      inactive
deactivating      remove      inactive removing removed
deactivating      purge       - inactive
deactivating      restore     - inactive
inactive          create
inactive          activate    activating active
inactive          deactivate
inactive          update      updating-inactive inactive
inactive          remove      removing removed
inactive          purge       -
inactive          restore     -
updating-inactive create      inactive
updating-inactive activate    inactive activating active
updating-inactive deactivate  inactive
updating-inactive update      inactive
updating-inactive remove      removing removed
updating-inactive purge       - inactive
updating-inactive restore     - inactive
removing          create      removed
removing          activate    - removed
removing          deactivate  - removed
removing          update      removed
removing          remove      removed
removing          purge       removed purging purged
removing          restore     removed restoring inactive
removed           create
removed           activate    -
removed           deactivate  -
removed           update
removed           remove
removed           purge       purging purged
removed           restore     restoring inactive
restoring         create      inactive
restoring         activate    inactive activating active
restoring         deactivate  inactive
restoring         update      inactive
restoring         remove      inactive removing removed
restoring         purge       - inactive
restoring         restore     inactive
purging           create      purged
purging           activate    - purged
purging           deactivate  - purged
purging           update      purged
purging           remove      - purged
purging           purge       purged
purging           restore     - purged
purged            create
purged            activate    -
purged            deactivate  -
purged            update
purged            remove      -
purged            purge
purged            restore     -
";

struct Row {
    state: State,
    operation: &'static str,
    rejected: bool,
    path: Vec<State>,
}

fn rows() -> Vec<Row> {
    let state = |name: &str| State::ALL.into_iter().find(|s| s.as_str() == name).unwrap();
    let rows: Vec<_> = TABLE
        .trim()
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let (from, operation) = (words.next().unwrap(), words.next().unwrap());
            let rest: Vec<_> = words.collect();
            Row {
                state: state(from),
                operation,
                rejected: rest.first() == Some(&"-"),
                path: rest.into_iter().filter(|word| *word != "-").map(state).collect(),
            }
        })
        .collect();
    assert_eq!(rows.len(), 91, "13 states × 7 operations");
    rows
}

/// A world whose link is in a state and stays there until the next step or for the time that the state takes.
fn world_in(state: State) -> World {
    match state {
        State::Requested => World::new(fixture::snapshot()),
        State::Registering => {
            let mut world = World::new(fixture::snapshot().without_source());
            world.settle();
            world
        }
        State::Activating => {
            let pods = vec![fixture::pod("pg-0", "10.0.0.10").not_ready()];
            let mut world = World::new(fixture::snapshot().with_target_deployment(pods));
            world.settle();
            world
        }
        State::Active => World::active(),
        State::UpdatingActive => {
            let mut world = World::active();
            retarget(&mut world);
            stop_in(&mut world, state)
        }
        State::Deactivating => {
            let mut world = World::active();
            world.s = world
                .s
                .edited(|spec| spec.deactivation = Some(serde_json::from_str(r#"{"drainSeconds":60}"#).unwrap()));
            world.settle();
            world.act("deactivate");
            world
        }
        State::Inactive => World::inactive(),
        State::UpdatingInactive => {
            let mut world = World::inactive();
            retarget(&mut world);
            stop_in(&mut world, state)
        }
        State::Removing => {
            let mut world = World::inactive();
            world.annotate("remove");
            stop_in(&mut world, state)
        }
        State::Removed => World::removed(),
        State::Restoring => {
            let mut world = World::removed();
            world.annotate("restore");
            stop_in(&mut world, state)
        }
        State::Purging => {
            let mut world = World::removed();
            world.annotate("purge");
            stop_in(&mut world, state)
        }
        State::Purged => {
            let mut world = World::removed();
            world.act("purge");
            world
        }
    }
}

fn stop_in(world: &mut World, state: State) -> World {
    while world.state() != state {
        world.step().unwrap();
    }
    std::mem::replace(world, World::new(fixture::snapshot()))
}

fn retarget(world: &mut World) {
    world.s = world.s.clone().edited(|spec| {
        spec.target_instance_ref.as_mut().unwrap().name = "pg2".to_owned();
    });
}

fn operate(world: &mut World, operation: &str) {
    match operation {
        // An apply of the same manifest changes nothing.
        "create" => {}
        "update" => {
            world.s = world
                .s
                .clone()
                .edited(|spec| spec.publish_not_ready_addresses = !spec.publish_not_ready_addresses);
        }
        verb => world.annotate(verb),
    }
}

fn settle_long(world: &mut World) {
    world.settle();
    for seconds in [20, 60, 20] {
        world.pass_time(seconds);
        world.settle();
    }
}

fn start(state: State) -> World {
    let mut world = world_in(state);
    assert_eq!(world.state(), state);
    world.watched();
    world
}

/// contract#processes
#[test]
fn every_operation_in_every_state_takes_the_edges_of_the_contract() {
    for row in rows() {
        let mut world = start(row.state);
        operate(&mut world, row.operation);
        settle_long(&mut world);
        assert_eq!(world.watched(), row.path, "{} in {}", row.operation, row.state);
        if !matches!(row.operation, "create" | "update") {
            let action = world.last_action();
            assert_eq!(
                action.intent.action, row.operation,
                "{} in {}",
                row.operation, row.state
            );
            assert_eq!(
                action.intent.verdict == Verdict::Rejected,
                row.rejected,
                "{} in {}",
                row.operation,
                row.state
            );
            let expected = if row.rejected {
                Phase::Rejected
            } else if row.state == State::Registering && row.operation != "remove" {
                Phase::Accepted // it decides what follows registering
            } else {
                Phase::Completed
            };
            assert_eq!(action.phase, expected, "{} in {}", row.operation, row.state);
        }
    }
}

/// contract#lost-target-is-no-hold
#[test]
fn a_lost_target_changes_no_edge() {
    for row in rows() {
        let mut world = start(row.state);
        world.s.target = None;
        operate(&mut world, row.operation);
        settle_long(&mut world);
        assert_eq!(world.watched(), row.path, "{} in {}", row.operation, row.state);
    }
}

/// lifecycle#request
#[test]
fn a_value_that_is_overwritten_before_it_is_taken_is_no_request() {
    for row in rows()
        .into_iter()
        .filter(|row| !matches!(row.operation, "create" | "update"))
    {
        let mut world = start(row.state);
        world.annotate(if row.operation == "remove" { "purge" } else { "remove" });
        operate(&mut world, row.operation);
        settle_long(&mut world);
        assert_eq!(world.watched(), row.path, "{} in {}", row.operation, row.state);
    }
}

/// contract#action-table
#[test]
fn a_link_that_is_being_deleted_rejects_each_action_and_the_delete_continues() {
    for row in rows() {
        let mut world = start(row.state);
        if row.state == State::Requested {
            world.step().unwrap(); // the finalizer: without one the object would be gone at once
        }
        world.delete();
        operate(&mut world, row.operation);
        settle_long(&mut world);
        assert!(world.gone, "{} in {}", row.operation, row.state);
        let path = world.watched();
        let expected: &[State] = match row.state {
            State::Activating | State::Active | State::UpdatingActive => &[State::Deactivating, State::Purging],
            State::Purging | State::Purged => &[],
            _ => &[State::Purging],
        };
        assert_eq!(path, expected, "{} in {}", row.operation, row.state);
        if !matches!(row.operation, "create" | "update") && !matches!(row.state, State::Purging | State::Purged) {
            assert_eq!(
                world.last_action().intent.reason,
                "Deleting",
                "{} in {}",
                row.operation,
                row.state
            );
        }
    }
}

/// contract#no-op-is-accepted
#[test]
fn a_rejected_action_is_answered_and_changes_nothing_else() {
    let mut rejected = 0;
    for row in rows().into_iter().filter(|row| row.rejected && row.path.is_empty()) {
        let mut world = start(row.state);
        let (children, desired) = (format!("{:?}", world.s.children), desired(&world));
        world.writes.clear();
        world.events.clear();
        operate(&mut world, row.operation);
        world.settle();
        let pair = format!("{} in {}", row.operation, row.state);
        assert_eq!(world.writes, ["accept", "status"], "{pair}");
        assert_eq!(format!("{:?}", world.s.children), children, "{pair}");
        assert_eq!(world.state(), row.state, "{pair}");
        assert_eq!(self::desired(&world), desired, "{pair}");
        let action = world.last_action();
        assert!(!action.intent.reason.is_empty() && !action.message.is_empty(), "{pair}");
        let told: Vec<_> = world.events.iter().map(|event| event.reason.as_str()).collect();
        assert_eq!(told, [action.intent.reason.as_str()], "{pair}");
        rejected += 1;
    }
    assert_eq!(rejected, 12, "2 in each state at rest, and in purged 4");
}

fn desired(world: &World) -> Option<instancelink_api::Desired> {
    world
        .status()
        .last_action
        .as_ref()
        .and_then(|action| action.intent.desired)
}
