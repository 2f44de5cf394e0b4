//! Requests to several URLs at the same moments, so that a test can compare what their clients lose. Each moment is one line of
//! JSON.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::Serialize;

use crate::http;

/// The answers of one moment. `at` is in milliseconds since the epoch.
#[derive(Serialize)]
struct Moment {
    n: u64,
    at: u128,
    /// In the order of the URLs.
    answers: Vec<Answer>,
}

/// The body, or why there is none.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Body(String),
    Error(String),
}

/// Sends until the process ends. A request that gets no answer delays no later one.
pub(crate) fn run(urls: &[String], every: Duration, timeout: Duration) -> Result<()> {
    let urls: Arc<[String]> = urls.into();
    let mut next = Instant::now();
    for n in 0.. {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let urls = Arc::clone(&urls);
        let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        thread::Builder::new().spawn(move || {
            let answers = ask_all(&urls, timeout);
            // A closed standard output must not turn into a panic.
            let _ = print(&Moment { n, at, answers });
        })?;
        // After a pause of the whole process, the missed moments are not sent at once.
        next = (next + every).max(Instant::now());
    }
    Ok(())
}

fn ask_all(urls: &[String], timeout: Duration) -> Vec<Answer> {
    thread::scope(|scope| {
        let asked: Vec<_> = urls.iter().map(|url| scope.spawn(move || ask(url, timeout))).collect();
        let answered = asked.into_iter().map(thread::ScopedJoinHandle::join);
        answered
            .map(|answer| answer.unwrap_or_else(|_| Answer::Error("the client panicked".to_owned())))
            .collect()
    })
}

fn ask(url: &str, timeout: Duration) -> Answer {
    match http::get(url, timeout) {
        Ok(answer) if answer.code < 400 => Answer::Body(answer.body.trim_end().to_owned()),
        Ok(answer) => Answer::Error(format!("code {}", answer.code)),
        Err(error) => Answer::Error(format!("{error:#}")),
    }
}

fn print(moment: &Moment) -> Result<()> {
    let mut line = serde_json::to_vec(moment)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()?;
    Ok(())
}
