//! A history: the random writes of A.

use std::fmt;
use std::str::FromStr;

use instancelink_testkit::dice::Dice;
use instancelink_testkit::tenant::{self, Scene, Write};

use super::places::{A, B};

/// In one of this number of histories the operator is killed and started again.
const RESTARTS: u32 = 4;

/// A history as one line: the seed of A's writes, and which of them are made: `4711` or `4711:0.3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub seed: u64,
    /// The numbers of the writes. None: all of them.
    pub kept: Option<Vec<u32>>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept.as_ref().map(|kept| {
            let kept: Vec<String> = kept.iter().map(u32::to_string).collect();
            format!(":{}", kept.join("."))
        });
        write!(f, "{}{}", self.seed, kept.unwrap_or_default())
    }
}

impl FromStr for History {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (seed, kept) = text
            .split_once(':')
            .map_or((text, None), |(seed, kept)| (seed, Some(kept)));
        let number =
            |text: &str| format!("{text:?} is not a number; write a seed, and the numbers of writes: 4711:0.3");
        let kept = kept.map(|kept| {
            let numbers = kept.split('.').filter(|text| !text.is_empty());
            numbers.map(|text| text.parse().map_err(|_| number(text))).collect()
        });
        Ok(Self {
            seed: seed.parse().map_err(|_| number(seed))?,
            kept: kept.transpose()?,
        })
    }
}

impl History {
    /// The history with all writes of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, kept: None }
    }

    pub(super) fn restarts(&self) -> bool {
        Dice(!self.seed).roll(RESTARTS) == 0
    }

    /// The writes of A.
    pub fn writes(&self) -> Vec<Write> {
        let mut writes = tenant::writes(&scene(), self.seed);
        writes.retain(|write| self.kept.as_ref().is_none_or(|kept| kept.contains(&write.number)));
        writes
    }
}

/// The cluster as A sees it.
fn scene() -> Scene {
    let names = |kind: &'static str, names: &[&str]| -> Vec<(&'static str, String)> {
        names.iter().map(|name| (kind, (*name).to_owned())).collect()
    };
    let links = ["db", "api", "none"];
    let mut their_objects = names("InstanceLink", &links);
    their_objects.extend(names("Deployment", &["web", "pg"]));
    their_objects.extend(names("ReplicaSet", &["pg-1", "pg-2-1"]));
    Scene {
        mine: A.to_owned(),
        theirs: B.to_owned(),
        their_links: links.map(str::to_owned).to_vec(),
        their_workloads: names("Deployment", &["pg", "pg-2", "web", "missing"]),
        their_objects,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_one_line_that_reads_back() {
        for line in ["4711", "4711:0.3", "1:"] {
            assert_eq!(line.parse::<History>().unwrap().to_string(), line);
        }
        assert!("x".parse::<History>().is_err());
        assert!("1:x".parse::<History>().is_err());
    }
}
