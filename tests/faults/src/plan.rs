//! A plan: a fault, and when it happens. It is one line of text that is printed with a violation and replays it.

use std::fmt;
use std::str::FromStr;

use crate::{Fault, WatchFault};

/// `500-after@17`: at the 17th request about the link's namespace. `watch:endpointslices:410@2`: at the second event of
/// that kind there. `none`: no fault, which is the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// No fault.
    None,
    /// At one request.
    Request(Fault, u32),
    /// At one event of the watch of a plural.
    Event(String, WatchFault, u32),
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Request(fault, n) => write!(f, "{fault}@{n}"),
            Self::Event(plural, fault, n) => write!(f, "watch:{plural}:{fault}@{n}"),
        }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let (what, n) = text
            .split_once('@')
            .ok_or_else(|| format!("{text:?} does not say when: fault@n"))?;
        let n = n.parse().map_err(|e| format!("{text:?}: {e}"))?;
        match what.strip_prefix("watch:").and_then(|rest| rest.split_once(':')) {
            Some((plural, fault)) => Ok(Self::Event(plural.to_owned(), fault.parse()?, n)),
            None => Ok(Self::Request(what.parse()?, n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_one_line_that_reads_back() {
        for line in [
            "none",
            "500-after@17",
            "cut@1",
            "silence-after@3",
            "watch:endpointslices:410@2",
        ] {
            assert_eq!(line.parse::<Plan>().unwrap().to_string(), line);
        }
        assert!("500-after".parse::<Plan>().is_err());
        assert!("watch:services:500@1".parse::<Plan>().is_err());
    }
}
