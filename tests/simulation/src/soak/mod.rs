//! One operator runs for many simulated days. Links are created, acted on, retargeted and deleted. Pods are added and
//! removed, and one request of a hundred fails. In the evening of each day the faults stop, and all links must reach
//! the state that their specs ask for. At night all links but one are deleted. The heap of the process is measured in
//! the evening and at night, and must not grow.

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

/// The size of the campaign.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub namespaces: u32,
    /// Links in each namespace during the day.
    pub links_each: u32,
    pub days: u32,
    /// The length of a day.
    pub day: Duration,
    /// Operations a second.
    pub pace: u32,
}

impl Size {
    /// The slot of a link in the first namespace that always exists, and gets no actions.
    fn still(&self) -> u32 {
        self.links_each
    }
}

/// The live bytes of the process.
pub type Heap = fn() -> u64;

/// The result.
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

/// Runs it in its own runtime.
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
    /// The objects at the last rest.
    base: Base,
    port: u16,
    heap: Heap,
    report: Report,
}

impl Soak {
    /// Fills all slots in a tenth of the day, then runs the churn.
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

    /// Every slot has a link with a last request. All must come to rest in the expected state.
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

    /// Only the link without actions is left.
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
        // Events that faults delayed have arrived when everything is at rest.
        self.weather.calm(true);
        self.settle(&when).await;
        let still = key(&LINKS, &space(0), &self.town.name_of(size.still()));
        stir(&self.town.api, &still).await;
        self.settle(&when).await;
        self.weather.calm(false);
        let heap = (self.heap)();
        self.report.nights.push(heap);
        // The long campaign prints its progress.
        println!(
            "night {}: {} deeds, {heap} bytes of heap at rest",
            self.report.nights.len(),
            self.churn.deeds
        );
    }
}

/// All existing links, in any resting state.
fn present(store: &Store) -> Expected {
    let names = store
        .of(&LINKS)
        .map(|link| (link.meta("namespace").to_owned(), link.meta("name").to_owned()));
    names.map(|id| (id, None)).collect()
}
