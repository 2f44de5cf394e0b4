//! Counts the requests of all service accounts in the operator's namespace, from the audit log of the API server.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use control_plane::ControlPlane;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    verb: String,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
    request_received_timestamp: String,
}

#[derive(Default, Deserialize)]
struct ObjectRef {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    subresource: String,
}

#[derive(Default, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

/// The number of requests by kind, such as `patch instancelinks/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The writes.
    pub writes: BTreeMap<String, u64>,
    /// `get` and `list`.
    pub reads: BTreeMap<String, u64>,
    /// Ended watches.
    pub watches: u64,
    /// Writes that were refused with 409, because another client wrote in between.
    pub conflicts: u64,
    /// Requests that were refused with 429.
    pub too_many: u64,
}

impl Counts {
    /// All writes.
    pub fn written(&self) -> u64 {
        self.writes.values().sum()
    }

    /// All reads.
    pub fn read(&self) -> u64 {
        self.reads.values().sum()
    }

    /// Adds the counts of `more`.
    fn join(&mut self, more: Self) {
        for (all, more) in [(&mut self.writes, more.writes), (&mut self.reads, more.reads)] {
            for (what, count) in more {
                *all.entry(what).or_default() += count;
            }
        }
        self.watches += more.watches;
        self.conflicts += more.conflicts;
        self.too_many += more.too_many;
    }

    fn add(&mut self, line: &Line) {
        // Only requests for objects count, and leases have nothing to do with links.
        if matches!(line.object_ref.resource.as_str(), "" | "leases") {
            return;
        }
        let mut what = format!("{} {}", line.verb, line.object_ref.resource);
        if !line.object_ref.subresource.is_empty() {
            what = format!("{what}/{}", line.object_ref.subresource);
        }
        match line.verb.as_str() {
            "watch" => self.watches += 1,
            "get" | "list" => *self.reads.entry(what).or_default() += 1,
            _ => *self.writes.entry(what).or_default() += 1,
        }
        self.conflicts += u64::from(line.response_status.code == 409);
        self.too_many += u64::from(line.response_status.code == 429);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self
            .writes
            .iter()
            .chain(&self.reads)
            .map(|(what, n)| format!("{n} {what}"))
            .collect();
        write!(f, "{}", parts.join(", "))
    }
}

/// A position in the audit log.
pub struct Audit {
    file: PathBuf,
    place: u64,
}

impl Audit {
    /// The current end of the log.
    pub fn start(plane: &ControlPlane) -> Self {
        let file = plane.audit_log();
        let written = std::fs::metadata(&file).map_or(0, |m| m.len());
        Self { file, place: written }
    }

    /// The requests since the last call.
    pub fn take(&mut self) -> Counts {
        self.take_with_first_watch(Timestamp::MAX).0
    }

    /// The requests since the last call, and the earliest start of a watch at or after `since`. The log has only
    /// watches that have ended.
    pub fn take_with_first_watch(&mut self, since: Timestamp) -> (Counts, Option<Timestamp>) {
        let mut counts = Counts::default();
        let mut first: Option<Timestamp> = None;
        let Ok(mut file) = File::open(&self.file) else {
            return (counts, first);
        };
        file.seek(SeekFrom::Start(self.place)).expect("a file");
        let mut lines = BufReader::new(file);
        let mut text = String::new();
        while lines.read_line(&mut text).expect("text") > 0 && text.ends_with('\n') {
            self.place += text.len() as u64;
            let line: Line = serde_json::from_str(&text).expect("a line of an audit log");
            counts.add(&line);
            let at: Timestamp = line.request_received_timestamp.parse().expect("a time");
            if line.verb == "watch" && at >= since {
                first = Some(first.map_or(at, |first| first.min(at)));
            }
            text.clear();
        }
        (counts, first)
    }

    /// Waits until no request arrives for `quiet`, and returns the requests since the last call.
    pub async fn until_quiet(&mut self, quiet: Duration) -> Counts {
        let (mut counts, mut since) = (Counts::default(), Instant::now());
        while since.elapsed() < quiet {
            sleep(Duration::from_millis(100)).await;
            let more = self.take();
            if more != Counts::default() {
                since = Instant::now();
                counts.join(more);
            }
        }
        counts
    }
}
