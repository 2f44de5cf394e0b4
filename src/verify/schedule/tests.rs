use super::*;

fn key(name: &str) -> LinkKey {
    LinkKey::new("shop", name)
}

fn life(second: i64) -> Life {
    Life {
        uid: "uid".to_owned(),
        since: Timestamp::from_second(second).ok(),
    }
}

fn seen() -> Arc<Resolution> {
    Arc::new(Resolution {
        at: Timestamp::UNIX_EPOCH,
        name: "db.web-links.shop.svc.cluster.local".to_owned(),
        programmed: BTreeSet::new(),
        answer: instancelink_core::verify::Answer::NoSuchName,
        api_server: None,
        domain_of_pod: None,
    })
}

/// A schedule with one link, and the time to play with.
struct World {
    schedule: Schedule,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            schedule: Schedule::default(),
            now: Instant::now(),
        };
        world.note(1);
        world
    }

    fn note(&mut self, print: Print) {
        self.schedule.note(&key("a"), &life(0), print, self.now);
    }

    fn is_due_after(&mut self, seconds: u64) -> bool {
        self.now += Duration::from_secs(seconds);
        self.schedule.pop(self.now).is_some()
    }

    fn looked(&mut self, print: Print, agrees: bool) -> bool {
        self.schedule.looked(&key("a"), &life(0), print, agrees, self.now)
    }
}

#[test]
fn what_became_active_is_looked_up_when_the_dns_has_had_time_and_then_rarely() {
    let mut world = World::new();
    assert!(!world.is_due_after(5));
    assert!(world.is_due_after(2));
    assert!(world.looked(1, true));
    world.note(1);
    assert!(!world.is_due_after(470), "nothing changed");
    assert!(world.is_due_after(130));
}

#[test]
fn changes_in_a_row_are_looked_up_once_and_at_last_in_any_case() {
    let mut world = World::new();
    assert!(world.is_due_after(7) && world.looked(1, true));
    let mut looks = Vec::new();
    for print in 2..100 {
        world.note(print);
        if world.is_due_after(1) {
            looks.push(print);
        }
    }
    assert_eq!(looks.len(), 1, "{looks:?}");
}

#[test]
fn what_disagrees_is_not_believed_at_first() {
    let mut world = World::new();
    let mut waits = vec![7];
    waits.extend([5, 10, 20]);
    let believed: Vec<bool> = waits
        .into_iter()
        .map(|wait| {
            assert!(world.is_due_after(wait));
            world.looked(1, false)
        })
        .collect();
    assert_eq!(believed, [false, false, false, true]);
}

#[test]
fn a_look_at_what_changed_in_the_meantime_counts_for_nothing() {
    let mut world = World::new();
    assert!(world.is_due_after(7));
    world.note(2);
    assert!(!world.looked(1, true));
    assert!(world.is_due_after(7));
    assert!(world.looked(2, true));
}

#[test]
fn what_was_seen_counts_until_the_link_becomes_active_anew() {
    let mut world = World::new();
    world.schedule.believe(&key("a"), seen());
    assert!(world.schedule.believed(&key("a"), &life(0)).is_some());
    assert!(world.schedule.believed(&key("a"), &life(9)).is_none());
    world.schedule.note(&key("a"), &life(9), 1, world.now);
    assert!(world.schedule.believed(&key("a"), &life(9)).is_none());
    world.schedule.forget(&key("a"));
    assert_eq!(world.schedule.next_timer(), None);
}
