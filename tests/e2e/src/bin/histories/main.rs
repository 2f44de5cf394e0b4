//! Watches every link of the cluster while the end-to-end tests run, and checks the history of each: its actions must
//! have an order that the contract allows.
//!
//! `cargo xtask e2e` starts it. It reports that it watches, runs until its standard input ends, and prints what it
//! found as one line of JSON.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // who started it shows why it ended

mod links;
mod writer;

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use instancelink_api::InstanceLink;
use kube::Api;
use tokio::sync::oneshot;

use links::Links;

#[tokio::main]
async fn main() {
    let api: Api<InstanceLink> = Api::all(harness::connect().await);
    let links = Arc::new(Mutex::new(Links::default()));
    let (begun, begins) = oneshot::channel();
    let watch = tokio::spawn(links::watch(api, Arc::clone(&links), begun));
    begins.await.expect("the links of the cluster can be listed");
    say("watching");
    // The caller reads the result, whether the input ended or failed.
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = end.await;
    watch.abort();
    let found = links.lock().expect("no panic while held").end();
    say(&found.to_string());
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let said = writeln!(out, "{line}").and_then(|()| out.flush());
    said.expect("somebody listens");
}
