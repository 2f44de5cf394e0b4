//! An hour of the life of one operator: links come, are acted on, retargeted and go, pods come and go, and one request of
//! a hundred fails. Days and nights: in the evening everything is mended and must be as the specs say; at night only
//! one link stays. The heap of the whole process is measured when both have rested, and must not grow.

mod churn;
mod judge;
mod rest;
mod settle;
mod told;
mod town;
mod weather;

use std::sync::Arc;
use std::time::Duration;

use instancelink_testkit::api::object::Meta as _;
use instancelink_testkit::api::resource::LINKS;
use instancelink_testkit::api::store::Store;
use instancelink_testkit::api::{Api, collector};
use instancelink_testkit::faults::hooks::Hooks;
use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

use crate::operator::{NAME, Running};
use crate::run::paused;
use crate::script::key;
use crate::stir::stir;
use churn::Churn;
use judge::Base;
use rest::Expected;
use town::{Town, space};
use weather::Weather;

/// How much happens.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub namespaces: u32,
    /// Links of each namespace, by day.
    pub links_each: u32,
    pub days: u32,
    /// How long users are at work.
    pub day: Duration,
    /// Deeds a second.
    pub pace: u32,
}

impl Size {
    /// The slot of a link in the first namespace that nobody acts on, and that always stands.
    fn still(&self) -> u32 {
        self.links_each
    }
}

/// Live bytes of the process.
pub type Heap = fn() -> u64;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The heap at rest, each night.
    pub nights: Vec<u64>,
    pub deeds: u64,
    pub actions: u64,
    pub requests: u64,
    pub faults: u64,
    pub virtual_time: Duration,
    pub violations: Vec<String>,
}

/// Runs it in a runtime of its own.
pub fn run(size: Size, seed: u64, heap: Heap) -> Report {
    paused().block_on(play(size, seed, heap))
}

async fn play(size: Size, seed: u64, heap: Heap) -> Report {
    let started = Instant::now();
    let api = Arc::new(Api::default());
    let weather = Arc::new(Weather::new(seed));
    let town = Town::plant(&api, size);
    let collector = tokio::spawn(collector::run(Arc::clone(&api), Duration::from_secs(2)));
    let port = told::free_port();
    let option = format!("--admin-port={port}");
    let name = format!("{NAME}-1");
    let hooks: Arc<dyn Hooks> = weather.clone();
    let operator = Running::start_with(&api, &hooks, &name, SignedDuration::ZERO, &[&option]);
    let mut soak = Soak {
        base: Base::default(),
        churn: Churn::new(seed),
        report: Report::default(),
        town,
        weather: Arc::clone(&weather),
        port,
        heap,
    };
    soak.town.link_up(&space(0), size.still(), 0);
    soak.settle("at first").await;
    for day in 1..=size.days {
        soak.town.today = day;
        soak.day().await;
        soak.evening(day).await;
        soak.night(day).await;
    }
    if operator.has_ended() {
        soak.report.violations.push("the operator has ended".to_owned());
    }
    operator.kill();
    collector.abort();
    let tally = weather.tally();
    let mut report = soak.report;
    report.violations.extend(tally.unguarded);
    (report.deeds, report.requests, report.faults) = (soak.churn.deeds, tally.requests, tally.struck);
    report.virtual_time = started.elapsed();
    report
}

struct Soak {
    town: Town,
    weather: Arc<Weather>,
    churn: Churn,
    /// What stood when everything rested last.
    base: Base,
    port: u16,
    heap: Heap,
    report: Report,
}

impl Soak {
    /// All slots are filled, in a tenth of the day; then the churn.
    async fn day(&mut self) {
        let size = self.town.size;
        for slot in 0..size.links_each {
            for n in 0..size.namespaces {
                self.town.link_up(&space(n), slot, slot % town::TARGETS);
            }
            sleep(size.day / 10 / size.links_each).await;
        }
        for _ in 0..size.day.as_secs() {
            for _ in 0..size.pace {
                self.churn.deed(&mut self.town);
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Every slot has a link, somebody asks the last thing of each, and all rest as they should.
    async fn evening(&mut self, day: u32) {
        self.town.mend();
        let size = self.town.size;
        let mut expected = Expected::new();
        let all = || (0..size.namespaces).flat_map(|n| (0..size.links_each).map(move |slot| (space(n), slot)));
        let when = format!("evening {day}");
        let rest = |store: &_| rest::wrong(store, &present(store));
        self.until(&when, rest).await;
        for (namespace, slot) in all() {
            let link = self.town.get(&LINKS, &namespace, &self.town.name_of(slot));
            let then = if let Some(link) = link {
                self.churn.last(&self.town, &namespace, slot, &link)
            } else {
                self.town.link_up(&namespace, slot, 0);
                "active".to_owned()
            };
            expected.insert((namespace, self.town.name_of(slot)), Some(then));
        }
        expected.insert((space(0), self.town.name_of(size.still())), Some("active".to_owned()));
        self.until(&when, |store| rest::wrong(store, &expected)).await;
        self.settle(&when).await;
    }

    /// Only the link is left that nobody acts on.
    async fn night(&mut self, day: u32) {
        let size = self.town.size;
        let when = format!("night {day}");
        for n in 0..size.namespaces {
            for slot in 0..size.links_each {
                self.town.delete(&LINKS, &space(n), &self.town.name_of(slot));
            }
        }
        let still = (space(0), self.town.name_of(size.still()));
        let expected = Expected::from([(still, Some("active".to_owned()))]);
        self.until(&when, |store| rest::wrong(store, &expected)).await;
        // What the weather still holds back is told by the time everything is quiet.
        self.weather.calm(true);
        self.settle(&when).await;
        let still = key(&LINKS, &space(0), &self.town.name_of(size.still()));
        stir(&self.town.api, &still).await;
        self.settle(&when).await;
        self.weather.calm(false);
        let heap = (self.heap)();
        self.report.nights.push(heap);
        // The long one takes its time: who waits for it sees how far it is.
        println!(
            "night {}: {} deeds, {heap} bytes of heap at rest",
            self.report.nights.len(),
            self.churn.deeds
        );
    }
}

/// All links that stand, wherever they come to rest.
fn present(store: &Store) -> Expected {
    let names = store
        .of(&LINKS)
        .map(|link| (link.meta("namespace").to_owned(), link.meta("name").to_owned()));
    names.map(|id| (id, None)).collect()
}
