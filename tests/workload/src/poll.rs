//! One line of JSON for each request, so that a test knows to the millisecond when a name or a connection is gone.

use std::io::{self, Write as _};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::Serialize;

use crate::http;

/// One request. Times are in milliseconds, `at` since the epoch.
#[derive(Serialize)]
struct Line {
    n: u64,
    at: u128,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    took: u128,
}

/// Keeps the period: a slow request does not delay later ones, and those that it overlaps are skipped.
pub(crate) fn run(url: &str, every: Duration, count: Option<u64>, timeout: Duration) -> Result<()> {
    let mut n = 0;
    let mut next = Instant::now();
    while count.is_none_or(|count| n < count) {
        let started = Instant::now();
        let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let answer = http::get(url, timeout);
        let took = started.elapsed().as_millis();
        let line = match answer {
            Ok(answer) => Line {
                n,
                at,
                ok: answer.code < 400,
                code: Some(answer.code),
                body: Some(answer.body.trim_end().to_owned()),
                peer: Some(answer.peer.to_string()),
                error: None,
                took,
            },
            Err(error) => Line {
                n,
                at,
                ok: false,
                code: None,
                body: None,
                peer: None,
                error: Some(format!("{error:#}")),
                took,
            },
        };
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &line)?;
        writeln!(out)?;
        out.flush()?;
        drop(out);
        n += 1;
        next = (next + every).max(Instant::now());
        if count.is_none_or(|count| n < count) {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
    Ok(())
}
