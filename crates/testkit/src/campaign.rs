//! A campaign: a test that runs thousands of plans (or states, or sequences) and reports one row.
//!
//! Campaigns are integration tests behind their crate's feature `campaigns`, so that `cargo test --workspace` takes
//! seconds. `cargo xtask campaigns [NAME…] [--long]` runs them with optimisation and prints the table.
//!
//! ```no_run
//! use instancelink_testkit::campaign;
//!
//! let campaign = campaign::start("two links of one alias");
//! println!("replays with {}={}", campaign::SEED, campaign::seed());
//! let violations: Vec<String> = Vec::new(); // a line each: what was violated, and the plan that shows it
//! campaign.finish(10_000, 12_345, &violations);
//! ```

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// The environment variable that gives the seed.
pub const SEED: &str = "INSTANCELINK_SEED";
/// The environment variable that asks for the long campaigns.
pub const LONG: &str = "INSTANCELINK_LONG";
/// The environment variable with the path of the file to append rows to. All violations go into a second file beside it, a
/// line each.
pub const RECORD: &str = "INSTANCELINK_CAMPAIGNS";

/// The seed of ordinary runs. It is fixed, so that a failed build fails again.
const ORDINARY_SEED: u64 = 1;
/// The difference in per cent that [`differs`] accepts.
const ACCEPTED: u64 = 5;
/// Violations that are printed in full.
const SHOWN: usize = 10;

/// The result of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its subject, in a few words.
    pub campaign: String,
    /// Plans, states or sequences that were run.
    pub plans: u64,
    /// Faults that were injected.
    pub faults: u64,
    /// Plans that broke a promise.
    pub violations: u64,
    /// How long it took.
    pub seconds: f64,
    /// The seed that gives the same plans again.
    pub seed: u64,
}

/// A running campaign.
#[derive(Debug)]
pub struct Campaign {
    name: String,
    started: Instant,
}

/// Starts a campaign.
pub fn start(name: &str) -> Campaign {
    Campaign {
        name: name.to_owned(),
        started: Instant::now(),
    }
}

/// The seed for the random plans.
///
/// # Panics
///
/// If `INSTANCELINK_SEED` is not a number.
pub fn seed() -> u64 {
    match std::env::var(SEED) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{SEED}={text:?} is not a number")),
        Err(_) => ORDINARY_SEED,
    }
}

/// True if the long campaigns are to run.
pub fn long() -> bool {
    std::env::var_os(LONG).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Compares a figure with the recorded one. Returns a message if they differ by more than 5 % in either direction.
pub fn differs(figure: u64, known: u64, unit: &str) -> Option<String> {
    let accepted = known * ACCEPTED / 100;
    let advice = if figure > known + accepted {
        "find the cause, or record the new figure with the reason"
    } else if figure + accepted < known {
        "an improvement; record the new figure"
    } else {
        return None;
    };
    Some(format!("{figure} {unit}, {known} recorded: {advice}"))
}

impl Campaign {
    /// Reports the row, and fails the test if there are violations.
    ///
    /// # Panics
    ///
    /// If there are violations, or if the row cannot be recorded.
    pub fn finish(self, plans: u64, faults: u64, violations: &[String]) {
        let row = Row {
            campaign: self.name,
            plans,
            faults,
            violations: violations.len() as u64,
            seconds: self.started.elapsed().as_secs_f64(),
            seed: seed(),
        };
        let line = serde_json::to_string(&row).unwrap();
        println!("campaign: {line}");
        if let Some(file) = std::env::var_os(RECORD) {
            let opened = OpenOptions::new().create(true).append(true).open(&file);
            let written = opened.and_then(|mut file| writeln!(file, "{line}"));
            written.unwrap_or_else(|error| panic!("cannot append to {}: {error}", file.display()));
            let all = PathBuf::from(&file).with_extension("violations");
            let opened = OpenOptions::new().create(true).append(true).open(all);
            let _ = opened.and_then(|mut all| violations.iter().try_for_each(|line| writeln!(all, "{line}")));
        }
        assert!(
            row.plans > 0,
            "{}: a campaign without plans proves nothing",
            row.campaign
        );
        if !violations.is_empty() {
            let shown: Vec<&str> = violations.iter().take(SHOWN).map(String::as_str).collect();
            panic!(
                "{}: {} violations; replay them with {SEED}={}; the first are:\n{}",
                row.campaign,
                row.violations,
                row.seed,
                shown.join("\n")
            );
        }
    }
}
