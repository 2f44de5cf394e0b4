use super::*;

fn key(name: &str) -> LinkKey {
    LinkKey::new("shop", name)
}

fn activation(second: i64) -> Activation {
    Activation {
        uid: "uid".to_owned(),
        since: Timestamp::from_second(second).ok(),
    }
}

fn resolution() -> Arc<Resolution> {
    Arc::new(Resolution {
        at: Timestamp::UNIX_EPOCH,
        name: "db.web-links.shop.svc.cluster.local".to_owned(),
        programmed: BTreeSet::new(),
        answer: instancelink_core::verify::Answer::NoSuchName,
        api_server: None,
        domain_of_pod: None,
    })
}

/// A schedule with one link, and a clock.
struct World {
    schedule: LookupSchedule,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            schedule: LookupSchedule::default(),
            now: Instant::now(),
        };
        world.program(1);
        world
    }

    fn program(&mut self, fingerprint: Fingerprint) {
        self.schedule
            .note_programmed(&key("a"), &activation(0), fingerprint, self.now);
    }

    fn is_due_after(&mut self, seconds: u64) -> bool {
        self.now += Duration::from_secs(seconds);
        self.schedule.pop(self.now).is_some()
    }

    fn record(&mut self, fingerprint: Fingerprint, agrees: bool) -> bool {
        self.schedule
            .record(&key("a"), &activation(0), fingerprint, agrees, self.now)
    }
}

#[test]
fn an_alias_is_looked_up_some_seconds_after_its_activation_and_then_rarely() {
    let mut world = World::new();
    assert!(!world.is_due_after(5));
    assert!(world.is_due_after(2));
    assert!(world.record(1, true));
    world.program(1);
    assert!(!world.is_due_after(470), "nothing changed");
    assert!(world.is_due_after(130));
}

#[test]
fn changes_without_a_pause_are_looked_up_once_a_minute() {
    let mut world = World::new();
    assert!(world.is_due_after(7) && world.record(1, true));
    let mut lookups = Vec::new();
    for fingerprint in 2..100 {
        world.program(fingerprint);
        if world.is_due_after(1) {
            lookups.push(fingerprint);
        }
    }
    assert_eq!(lookups.len(), 1, "{lookups:?}");
}

#[test]
fn a_disagreement_counts_only_after_several_lookups() {
    let mut world = World::new();
    let mut waits = vec![7];
    waits.extend([5, 10, 20]);
    let accepted: Vec<bool> = waits
        .into_iter()
        .map(|wait| {
            assert!(world.is_due_after(wait));
            world.record(1, false)
        })
        .collect();
    assert_eq!(accepted, [false, false, false, true]);
}

#[test]
fn a_lookup_during_which_the_addresses_changed_does_not_count() {
    let mut world = World::new();
    assert!(world.is_due_after(7));
    world.program(2);
    assert!(!world.record(1, true));
    assert!(world.is_due_after(7));
    assert!(world.record(2, true));
}

#[test]
fn a_result_counts_until_the_next_activation() {
    let mut world = World::new();
    world.schedule.set_accepted(&key("a"), resolution());
    assert!(world.schedule.accepted(&key("a"), &activation(0)).is_some());
    assert!(world.schedule.accepted(&key("a"), &activation(9)).is_none());
    world.schedule.note_programmed(&key("a"), &activation(9), 1, world.now);
    assert!(world.schedule.accepted(&key("a"), &activation(9)).is_none());
    world.schedule.forget(&key("a"));
    assert_eq!(world.schedule.next_timer(), None);
}
