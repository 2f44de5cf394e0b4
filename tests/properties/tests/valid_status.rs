//! Every status that the operator computes is valid by the schema of the CRD (lifecycle#valid-status): for any intent that
//! a new object brings, any surroundings, names of any length and refusals with any messages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value is a failed test"
)]

use instancelink_api::{InstanceLinkStatus, keys};
use instancelink_core::bounded_link::bound;
use instancelink_core::child::Kind;
use instancelink_core::effect::{Effect, Step};
use instancelink_core::fixture::{self, World};
use instancelink_core::lifecycle::step;
use instancelink_core::refusal::Refusal;
use instancelink_core::snapshot::Snapshot;
use instancelink_testkit::api::custom;
use instancelink_testkit::api::resource::LINKS;
use proptest::prelude::*;
use serde_json::{Value, json};

/// More groups of writes than any pass needs.
const STEPS: usize = 40;
/// The API server refuses an object of some 1.5 MB. Spec and metadata may need half of that.
const LARGEST: usize = 600 * 1024;

/// Panics if the API server would refuse this status.
fn accepts(world: &World, status: &InstanceLinkStatus) {
    let mut link = serde_json::to_value(&world.s.link.object).unwrap();
    link["status"] = serde_json::to_value(status).unwrap();
    custom::shape(&LINKS, &mut link);
    let errors = custom::errors(&LINKS, &link, None, true);
    let of_status: Vec<_> = errors.iter().filter(|error| !error.field.starts_with("spec")).collect();
    assert!(of_status.is_empty(), "{of_status:?}\n{:#}", link["status"]);
    let size = link["status"].to_string().len();
    assert!(size <= LARGEST, "{size} bytes");
    // A status that the caches cut would be written again in each pass.
    let mut kept = world.s.link.object.clone();
    kept.status = Some(status.clone());
    bound(&mut kept);
    assert_eq!(kept.status.as_ref(), Some(status));
}

/// Steps until nothing is due, and checks each status.
fn run(world: &mut World) {
    for _ in 0..STEPS {
        if world.gone {
            return;
        }
        let Step::Act(effects) = step(&world.s) else { return };
        for effect in &effects {
            if let Effect::WriteStatus { status } = effect {
                accepts(world, status);
            }
        }
        if world.step().is_err() {
            return;
        }
    }
}

/// A time of any year that a parser of RFC 3339 with extended years accepts, and texts that are no time.
fn time() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => (-9999_i32..=9999, 1_u8..=12, 1_u8..=28, 0_u32..1_000_000_000).prop_map(|(year, month, day, nanos)| {
            let year = if year < 0 { format!("-{:06}", -year) } else { format!("{year:04}") };
            json!(format!("{year}-{month:02}-{day:02}T12:00:00.{nanos:09}Z"))
        }),
        2 => Just(json!("2026-01-01T00:00:00Z")),
        1 => Just(Value::Null),
        1 => Just(json!("9999-12-30T21:59:59.999999999Z")),
        1 => Just(json!("9999-12-31T23:59:59Z")),
    ]
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => "[a-zA-Z0-9/#. -]{0,80}".prop_map(Value::from),
        2 => ".{0,40}".prop_map(Value::from),
        1 => (".", 1_usize..50_000).prop_map(|(c, n)| Value::from(c.repeat(n))),
    ]
}

fn handled() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        4 => ("activate|deactivate|remove|restore|purge", 0_u32..60).prop_map(|(verb, id)| json!(format!("{verb}/{id}"))),
        1 => "#[0-9a-f]{8}".prop_map(Value::from),
        1 => text(),
    ];
    prop::collection::vec(value, 0..60).prop_map(Value::from)
}

fn intent() -> impl Strategy<Value = Value> {
    let seq = prop_oneof![0_u64..100, Just(1 << 53), Just((1 << 53) + 1), any::<u64>()];
    let action = prop_oneof!["activate|deactivate|remove|restore|purge".prop_map(Value::from), text()];
    let desired = prop::sample::select(vec!["Active", "Inactive", "Removed", "Purged"]);
    let desired = prop::option::weighted(0.9, desired).prop_map(|d| json!(d));
    let words = (action, text(), text(), text());
    let times = (time(), time(), time());
    let verdict = prop::sample::select(vec!["Accepted", "Rejected"]);
    (seq, words, times, verdict, desired, handled()).prop_map(
        |(seq, (action, id, reason, manager), (at, desired_at, since), verdict, desired, handled)| {
            json!({
                "seq": seq, "action": action, "id": id, "verdict": verdict, "reason": reason, "desired": desired,
                "desiredAt": desired_at, "at": at, "since": since, "manager": manager, "link": "shop/web-db",
                "handled": handled,
            })
        },
    )
}

/// A link in some surroundings, and for how long it stays there.
fn surroundings() -> impl Strategy<Value = Snapshot> {
    let make: Vec<fn() -> Snapshot> = vec![
        fixture::snapshot,
        || fixture::snapshot().without_source(),
        || fixture::snapshot().without_target(),
        || fixture::snapshot().with_target_in("data"),
        || {
            fixture::snapshot()
                .with_target_in("data")
                .granted("data", "{kind: Deployment}")
        },
        || fixture::snapshot().with_sibling(fixture::sibling(instancelink_api::State::Active, true)),
        || fixture::snapshot().edited(|spec| spec.ttl_seconds_after_removed = Some(0)),
        || {
            fixture::snapshot().edited(|spec| {
                spec.name = Some("n".repeat(255));
                spec.description = Some("ü".repeat(1024));
                spec.instance_ref.name = "w".repeat(253);
            })
        },
        || {
            let long = "p".repeat(253);
            fixture::snapshot()
                .with_target_in(&"d".repeat(63))
                .edited(|spec| spec.target_instance_ref.as_mut().unwrap().name = long)
        },
    ];
    prop::sample::select(make).prop_map(|make| make())
}

/// Refusals of children, with messages as long as the operator keeps them, and longer.
fn refusals(s: &mut Snapshot, count: usize, length: usize) {
    for n in 0..count {
        let key = fixture::key(
            Kind::Slice,
            &if n == 0 {
                "web-db-v4".to_owned()
            } else {
                format!("web-db-v4-{n}")
            },
        );
        let refusal = Refusal::failed("create", &key, &"é".repeat(length));
        s.refusals.insert(key, refusal);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// lifecycle#valid-status
    #[test]
    fn each_status_is_valid_by_the_schema_whatever_the_link_brings(
        s in surroundings(),
        intent in prop::option::weighted(0.9, intent()),
        action in prop::option::of(prop_oneof!["activate|deactivate|remove|restore|purge|purge/1", ".{0,200}"]),
        (count, length) in prop_oneof![3 => Just((0, 0)), 1 => (1_usize..5, 1_usize..100_000)],
        stay in prop::sample::select(vec![0_i64, 16, 4000]),
    ) {
        let mut world = World::new(s);
        if let Some(intent) = intent {
            world.annotations().insert(keys::INTENT.to_owned(), intent.to_string());
        }
        refusals(&mut world.s, count, length);
        run(&mut world);
        if let Some(action) = action {
            world.annotate(&action);
            run(&mut world);
        }
        world.pass_time(stay);
        run(&mut world);
        world.wipe_status();
        run(&mut world);
        world.delete();
        world.s.refusals.clear();
        run(&mut world);
        world.pass_time(4000);
        run(&mut world);
        prop_assert!(world.gone, "lifecycle#deletes-complete: {:?}", world.state());
    }
}
