//! A plan: which fault is injected at which point. It prints as one line and parses from it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A list of faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan(pub Vec<Fault>);

/// A fault and its point. Requests and events of all operators are numbered from 1 in the order of arrival. Requests for
/// leases, and the requests that start watches, do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// At a request.
    Request(u32, AtRequest),
    /// At an event of a watch.
    Event(u32, AtEvent),
    /// The operators' clocks are wrong by this number of seconds.
    Skew(i64),
    /// The operator of this number gets the events of children only every 40 seconds.
    Behind(u32),
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtRequest {
    /// It is answered with this code and not executed.
    Refused(Code),
    /// It is executed and answered with this code.
    DoneBut(Code),
    /// The connection breaks before it is executed.
    Reset,
    /// The connection breaks after it was executed.
    DoneButReset,
    /// It is not executed and gets no answer.
    Silence,
    /// It is executed and gets no answer.
    DoneButSilence,
    /// It is executed, and the answer is cut off.
    Truncated,
    /// It is executed late.
    Late,
    /// The operator crashes before it is executed.
    Crash,
    /// The operator crashes after it was executed.
    DoneButCrash,
    /// As `DoneButCrash`. The restarted operator then first sees an old cluster, this number of versions back.
    CrashIntoPast(u32),
    /// The operator is paused for 20 seconds; then this request is executed and the operator continues.
    Pause,
    /// Another client deletes the child that the request writes, before it is executed.
    DeletedFirst,
    /// Another client deletes the child that the request writes, and creates it again with the same content.
    RecreatedFirst,
}

/// A failure that the API server may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 410.
    Gone,
    /// 422.
    Invalid,
    /// 429, with `Retry-After: 1`.
    TooMany,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// 504.
    Timeout,
}

/// What happens to an event of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEvent {
    /// It comes 3 seconds late, and all later events of the watch after it.
    Late,
    /// It comes 40 seconds late.
    VeryLate,
    /// It comes twice.
    Twice,
    /// The watch breaks before it.
    Reset,
    /// The watch ends with 410.
    Gone,
    /// The watch sends nothing for 10 seconds, then ends with 410.
    Hidden,
}

const REQUESTS: [(&str, AtRequest); 12] = [
    ("reset", AtRequest::Reset),
    ("done-but-reset", AtRequest::DoneButReset),
    ("silence", AtRequest::Silence),
    ("done-but-silence", AtRequest::DoneButSilence),
    ("truncated", AtRequest::Truncated),
    ("late", AtRequest::Late),
    ("crash", AtRequest::Crash),
    ("done-but-crash", AtRequest::DoneButCrash),
    ("pause", AtRequest::Pause),
    ("crash-into-past", AtRequest::CrashIntoPast(0)),
    ("deleted-first", AtRequest::DeletedFirst),
    ("recreated-first", AtRequest::RecreatedFirst),
];
const CODES: [(u16, Code); 9] = [
    (403, Code::Forbidden),
    (404, Code::NotFound),
    (409, Code::Conflict),
    (410, Code::Gone),
    (422, Code::Invalid),
    (429, Code::TooMany),
    (500, Code::Internal),
    (503, Code::Unavailable),
    (504, Code::Timeout),
];
const EVENTS: [(&str, AtEvent); 6] = [
    ("late", AtEvent::Late),
    ("very-late", AtEvent::VeryLate),
    ("twice", AtEvent::Twice),
    ("reset", AtEvent::Reset),
    ("gone", AtEvent::Gone),
    ("hidden", AtEvent::Hidden),
];

impl Plan {
    /// The same plan with one more fault.
    #[must_use]
    pub fn and(mut self, fault: Fault) -> Self {
        self.0.push(fault);
        self
    }
}

impl AtRequest {
    /// Every fault of a single request that needs no other fault around it, and that changes nothing of the end.
    pub fn all() -> Vec<Self> {
        let named = REQUESTS.iter().map(|(_, what)| *what);
        let plain = named.filter(|what| !matches!(what, Self::CrashIntoPast(_) | Self::Pause) && !what.is_foreign());
        let refused = CODES.iter().map(|(_, code)| Self::Refused(*code));
        let done = [Code::Internal, Code::Timeout, Code::Unavailable].map(Self::DoneBut);
        plain.chain(refused).chain(done).collect()
    }

    /// True for what another client does to the child that the request writes.
    pub const fn is_foreign(self) -> bool {
        matches!(self, Self::DeletedFirst | Self::RecreatedFirst)
    }
}

impl AtEvent {
    /// Every fault of a single event.
    pub fn all() -> Vec<Self> {
        EVENTS.iter().map(|(_, what)| *what).collect()
    }
}

impl Code {
    /// The HTTP code.
    pub fn number(self) -> u16 {
        let found = CODES.iter().find(|(_, code)| *code == self);
        found.map_or(500, |(number, _)| *number)
    }

    /// The reason in a `Status`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::Conflict => "Conflict",
            Self::Gone => "Expired",
            Self::Invalid => "Invalid",
            Self::TooMany => "TooManyRequests",
            Self::Internal => "InternalError",
            Self::Unavailable => "ServiceUnavailable",
            Self::Timeout => "Timeout",
        }
    }

    fn of(number: &str) -> Result<Self, String> {
        let found = CODES.iter().find(|(n, _)| n.to_string() == number);
        found
            .map(|(_, code)| *code)
            .ok_or_else(|| format!("{number} is not a code that can be injected"))
    }
}

impl AtEvent {
    /// The delay of a late or hidden event.
    pub fn time(self) -> Duration {
        Duration::from_secs(match self {
            Self::Late => 3,
            Self::VeryLate => 40,
            Self::Hidden => 10,
            Self::Twice | Self::Reset | Self::Gone => 0,
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("+")?;
            }
            match fault {
                Fault::Request(n, what) => write!(f, "r{n}:{what}")?,
                Fault::Event(n, what) => {
                    let found = EVENTS.iter().find(|(_, known)| known == what);
                    write!(f, "e{n}:{}", found.map_or("", |(name, _)| name))?;
                }
                Fault::Skew(seconds) => write!(f, "skew:{seconds}")?,
                Fault::Behind(operator) => write!(f, "behind:{operator}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for AtRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "{}", code.number()),
            Self::DoneBut(code) => write!(f, "done-but-{}", code.number()),
            Self::CrashIntoPast(versions) => write!(f, "crash-into-past-{versions}"),
            other => {
                let found = REQUESTS.iter().find(|(_, known)| known == other);
                f.write_str(found.map_or("", |(name, _)| name))
            }
        }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        text.split('+').map(fault).collect::<Result<_, _>>().map(Self)
    }
}

fn fault(text: &str) -> Result<Fault, String> {
    let (point, what) = text
        .split_once(':')
        .ok_or_else(|| format!("{text:?} is not a fault; write e.g. r17:done-but-500, e3:late or skew:-30"))?;
    if point == "skew" {
        return what.parse().map(Fault::Skew).map_err(|e| format!("{text:?}: {e}"));
    }
    let number = |rest: &str| rest.parse().map_err(|e| format!("{text:?}: {e}"));
    if point == "behind" {
        return number(what).map(Fault::Behind);
    }
    if let Some(n) = point.strip_prefix('r') {
        return Ok(Fault::Request(number(n)?, at_request(what)?));
    }
    if let Some(n) = point.strip_prefix('e') {
        let found = EVENTS.iter().find(|(name, _)| *name == what);
        let (_, what) = found.ok_or_else(|| format!("{what:?} does not happen to events"))?;
        return Ok(Fault::Event(number(n)?, *what));
    }
    Err(format!(
        "{point:?} is not a point; write r and the number of a request, or e and the number of an event"
    ))
}

fn at_request(what: &str) -> Result<AtRequest, String> {
    if let Some((_, found)) = REQUESTS.iter().find(|(name, _)| *name == what) {
        return Ok(*found);
    }
    if let Some(versions) = what.strip_prefix("crash-into-past-") {
        return versions
            .parse()
            .map(AtRequest::CrashIntoPast)
            .map_err(|e| format!("{what:?}: {e}"));
    }
    match what.strip_prefix("done-but-") {
        Some(code) => Code::of(code).map(AtRequest::DoneBut),
        None => Code::of(what).map(AtRequest::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_parses_from_the_line_that_it_prints() {
        let mut faults: Vec<Fault> = AtRequest::all()
            .into_iter()
            .map(|what| Fault::Request(7, what))
            .collect();
        faults.extend(AtEvent::all().into_iter().map(|what| Fault::Event(9, what)));
        faults.extend([
            Fault::Request(1, AtRequest::CrashIntoPast(12)),
            Fault::Request(2, AtRequest::Pause),
            Fault::Request(3, AtRequest::DeletedFirst),
            Fault::Request(4, AtRequest::RecreatedFirst),
            Fault::Skew(-30),
            Fault::Behind(2),
        ]);
        let plan = Plan(faults);
        assert_eq!(plan.to_string().parse(), Ok(plan));
        assert_eq!("none".parse(), Ok(Plan::default()));
    }

    #[test]
    fn a_text_that_is_not_a_plan_is_refused_with_an_example() {
        assert!("r17".parse::<Plan>().unwrap_err().contains("write e.g."));
        assert!("x1:late".parse::<Plan>().unwrap_err().contains("not a point"));
        assert!(
            "e1:crash"
                .parse::<Plan>()
                .unwrap_err()
                .contains("does not happen to events")
        );
        assert!("r1:499".parse::<Plan>().unwrap_err().contains("not a code"));
    }
}
