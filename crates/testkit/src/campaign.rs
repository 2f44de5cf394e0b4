//! A campaign: a test that runs thousands of plans (or states, or sequences), and reports one row.
//!
//! Campaigns are integration tests behind their crate's feature `campaigns`, so that `cargo test --workspace` stays a
//! matter of seconds; `cargo xtask campaigns [NAME…] [--long]` runs them, optimised, and prints the table.
//!
//! ```no_run
//! use instancelink_testkit::campaign;
//!
//! let campaign = campaign::start("two links of one alias");
//! println!("replays with {}={}", campaign::SEED, campaign::seed());
//! let violations: Vec<String> = Vec::new(); // each a line that says what was violated, and the plan that shows it
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
/// The environment variable that names the file which rows are appended to; beside it all violations are written, a line
/// each.
pub const RECORD: &str = "INSTANCELINK_CAMPAIGNS";

/// The seed of ordinary runs: always the same, so that a red build is red again.
const ORDINARY_SEED: u64 = 1;
/// Per cent that a change may cost, or save, unnoticed.
const UNNOTICED: u64 = 5;
/// Violations that are printed in full.
const SHOWN: usize = 10;

/// What a campaign did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it is about, in a few words.
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

/// A campaign that runs.
#[derive(Debug)]
pub struct Campaign {
    name: String,
    started: Instant,
}

/// Begins a campaign.
pub fn start(name: &str) -> Campaign {
    Campaign {
        name: name.to_owned(),
        started: Instant::now(),
    }
}

/// The seed to draw plans from.
///
/// # Panics
///
/// When `INSTANCELINK_SEED` is no number.
pub fn seed() -> u64 {
    match std::env::var(SEED) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{SEED}={text:?} is no number")),
        Err(_) => ORDINARY_SEED,
    }
}

/// Whether the long campaigns were asked for.
pub fn long() -> bool {
    std::env::var_os(LONG).is_some_and(|value| !value.is_empty() && value != "0")
}

/// What is wrong with a figure that was known before: more than 5 % lie between the two, either way.
pub fn differs(figure: u64, known: u64, unit: &str) -> Option<String> {
    let unnoticed = known * UNNOTICED / 100;
    let advice = if figure > known + unnoticed {
        "find out what costs them, or say why they have to be"
    } else if figure + unnoticed < known {
        "well done; write the new figure down"
    } else {
        return None;
    };
    Some(format!("{figure} {unit}, {known} before: {advice}"))
}

impl Campaign {
    /// Reports, and fails the test when something was violated.
    ///
    /// # Panics
    ///
    /// When there are violations, or when the row cannot be recorded.
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
            "{}: a campaign without plans shows nothing",
            row.campaign
        );
        if !violations.is_empty() {
            let shown: Vec<&str> = violations.iter().take(SHOWN).map(String::as_str).collect();
            panic!(
                "{}: {} violations, replay with {SEED}={}; the first:\n{}",
                row.campaign,
                row.violations,
                row.seed,
                shown.join("\n")
            );
        }
    }
}
