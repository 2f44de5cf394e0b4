//! A mutating policy changes what the operator writes: every kind of child, at every write, before the link exists and later.
//! What it adds costs no write. What it alters is said, and costs at most one write a minute; the link can be deleted; and
//! when the policy is gone, everything is right again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::time::Duration;

use instancelink_simulation::altered::Town;
use instancelink_simulation::altered::alterations::{Alteration, additions, alterations};
use instancelink_simulation::campaign::side_by_side;
use instancelink_simulation::run::paused;
use instancelink_testkit::api::policies::Policies;
use instancelink_testkit::campaign;
use tokio::time::sleep;

/// Longer than any wait of a link.
const SETTLED: Duration = Duration::from_secs(40);
/// After so long a policy that is gone has no effect any more.
const HEALED: Duration = Duration::from_mins(4);
/// The most writes of an activation and of the repairs in the minute after it.
const FEW: usize = 40;

/// When a policy comes.
#[derive(Clone, Copy, Debug)]
enum When {
    BeforeTheLink,
    UnderAnActiveLink,
}

struct Case {
    alteration: Alteration,
    when: When,
    is_told: bool,
    with_sibling: bool,
}

impl Case {
    async fn play(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let town = Town::new();
        if self.with_sibling {
            town.create_sibling();
        }
        match self.when {
            When::BeforeTheLink => {
                town.put(self.alteration.policy());
                town.create_link();
            }
            When::UnderAnActiveLink => {
                town.create_link();
                sleep(SETTLED).await;
                if town.state("db").as_deref() != Some("active") {
                    wrong.push(format!(
                        "{:?} without a policy: {:?}",
                        town.state("db"),
                        town.condition("db", "Programmed")
                    ));
                }
                town.put(self.alteration.policy());
                town.touch("once");
            }
        }
        let before = town.version();
        sleep(Duration::from_mins(1)).await;
        let first = town.writes_since(before);
        if first.len() > FEW {
            wrong.push(format!("{} writes in the first minute", first.len()));
        }
        // The pauses of a child of which the policy changes only a part may begin later.
        sleep(Duration::from_secs(30)).await;
        let most = town.most_writes_in(6).await;
        let allowed = usize::from(self.is_told) * (1 + usize::from(self.with_sibling));
        if most.len() > allowed {
            wrong.push(format!("{} writes in a minute: {}", most.len(), most.join(", ")));
        }
        let (reason, message) = town.condition("db", "Programmed");
        if self.is_told != (reason == "AlteredByOthers") && !self.may_be_silent() {
            wrong.push(format!("Programmed is {reason}: {message}"));
        }
        self.end(&town, &mut wrong).await;
        wrong
    }

    /// What changes only an update that nothing asks for, what is as the operator wrote it, and what belongs to the sibling.
    fn may_be_silent(&self) -> bool {
        let (kind, what) = (self.alteration.kind.plural, self.alteration.what);
        let is_silent = ["the metadata of an update", "readiness"].contains(&what);
        let is_unset = kind == "configmaps" && what == "the owners";
        let is_of_sibling = kind == "configmaps" && what == "a value" && self.with_sibling;
        self.is_told && (is_silent || is_unset || is_of_sibling)
    }

    async fn end(&self, town: &Town, wrong: &mut Vec<String>) {
        if matches!(self.when, When::BeforeTheLink) {
            town.delete("db");
            sleep(Duration::from_mins(3)).await;
            if let Some(state) = town.state("db") {
                wrong.push(format!(
                    "the deletion hangs in {state}: {:?}",
                    town.condition("db", "Stalled")
                ));
            }
            town.put(Policies::default());
        } else {
            town.put(Policies::default());
            sleep(HEALED).await;
            let (reason, message) = town.condition("db", "Programmed");
            if reason != "Programmed" || town.state("db").as_deref() != Some("active") {
                wrong.push(format!("not healed: {:?} {reason}: {message}", town.state("db")));
            }
            town.act("db", "deactivate/1");
            sleep(SETTLED).await;
            if town.state("db").as_deref() != Some("inactive") {
                wrong.push(format!(
                    "{:?} after the cut: {:?}",
                    town.state("db"),
                    town.condition("db", "Stalled")
                ));
            }
            town.delete("db");
        }
        if self.with_sibling {
            sleep(HEALED).await;
            if town.state("cache").as_deref() != Some("active") || town.condition("cache", "Ready").0 != "Ready" {
                wrong.push(format!(
                    "the sibling: {:?} {:?}",
                    town.state("cache"),
                    town.condition("cache", "Ready")
                ));
            }
            town.delete("cache");
        }
        sleep(HEALED).await;
        let left = town.children();
        if !left.is_empty() || town.state("db").is_some() {
            wrong.push(format!("left: {left:?}"));
        }
        wrong.extend(town.violations());
    }
}

#[test]
fn what_a_policy_adds_costs_no_write_and_what_it_alters_is_said_and_costs_one_a_minute() {
    let campaign = campaign::start("every kind of child changed by a mutating policy");
    let only = std::env::var("INSTANCELINK_ALTERED").unwrap_or_default();
    let told = alterations().into_iter().map(|one| (one, true));
    let all = additions().into_iter().map(|one| (one, false)).chain(told);
    let cases: Vec<Case> = all
        .flat_map(|(alteration, is_told)| {
            let times = [When::BeforeTheLink, When::UnderAnActiveLink];
            times.into_iter().flat_map(move |when| {
                [false, true].map(|with_sibling| Case {
                    alteration,
                    when,
                    is_told,
                    with_sibling,
                })
            })
        })
        .filter(|case| format!("{} {}", case.alteration.kind.plural, case.alteration.what).contains(&only))
        .collect();
    let (_, violations) = side_by_side(&cases, |case| {
        let wrong = paused().block_on(case.play());
        let (kind, what) = (case.alteration.kind.plural, case.alteration.what);
        let beside = if case.with_sibling { " with a sibling" } else { "" };
        let line = format!("{kind}: {what}, {:?}{beside}: {}", case.when, wrong.join("; "));
        (1, if wrong.is_empty() { Vec::new() } else { vec![line] })
    });
    let runs = cases.len() as u64;
    campaign.finish(runs, runs, &violations);
}
