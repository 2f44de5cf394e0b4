//! Runs every scenario against the double and a real API server. The answers must be equal, field by field. The module
//! [`references`] asks only the real one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

mod references;

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _};
use instancelink_conformance::compare::differences;
use instancelink_conformance::normal::normal;
use instancelink_conformance::scenario::Scenario;
use instancelink_conformance::sides;
use instancelink_testkit::campaign;
use kube::client::Client;

/// Concurrent scenarios.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn the_double_answers_as_a_real_api_server_does() {
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let mut scenarios = Scenario::all();
    scenarios.retain(|s| s.name.contains(&only) || s.file.contains(&only));
    let campaign = campaign::start("the double against a real API server");
    let real = sides::real().await;
    let count = AtomicUsize::new(0);
    let run = std::process::id();
    let compared = stream::iter(&scenarios).map(|scenario| {
        let namespace = format!("cf-{run}-{}", count.fetch_add(1, Ordering::Relaxed));
        compare(scenario, real.clone(), namespace)
    });
    let violations: Vec<String> = compared.buffered(AT_ONCE).collect::<Vec<_>>().await.concat();
    campaign.finish(scenarios.len() as u64, 0, &violations);
}

/// A line for a scenario with differences.
async fn compare(scenario: &Scenario, real: Client, namespace: String) -> Vec<String> {
    let double = sides::double();
    let played = tokio::join!(
        sides::play(&double, scenario, &namespace),
        sides::play(&real, scenario, &namespace)
    );
    let found = match played {
        (Ok(double), Ok(real)) => {
            if std::env::var_os("SHOW").is_some() {
                println!("{:#}\n{:#}", normal(&double), normal(&real));
            }
            differences(&normal(&double), &normal(&real))
        }
        (double, real) => [("the double", double.err()), ("the real one", real.err())]
            .into_iter()
            .filter_map(|(side, error)| Some(format!("{side}: {}", error?)))
            .collect(),
    };
    if found.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{}: {}\n  {}",
        scenario.file,
        scenario.name,
        found.join("\n  ")
    )]
}
