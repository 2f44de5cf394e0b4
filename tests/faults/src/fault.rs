//! The faults of a request, and of an event of a watch.

use std::fmt;
use std::str::FromStr;

/// A fault of one request. `After`: the API server executes the request, and only the answer is wrong or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 409: another client wrote in between.
    Conflict,
    /// 429 with `Retry-After: 1`.
    TooMany,
    /// 500, and the request is not executed.
    Failure,
    /// 500, although the request was executed.
    FailureAfter,
    /// 504, and the request is not executed.
    Timeout,
    /// 504, although the request was executed.
    TimeoutAfter,
    /// The connection ends before the request is executed.
    Cut,
    /// The connection ends after the request was executed.
    CutAfter,
    /// 403.
    Forbidden,
    /// 401: the token was not accepted.
    Unauthorized,
    /// 422.
    Invalid,
    /// Executed, and answered with half of the JSON.
    HalfAfter,
    /// Executed, and never answered: the operator's timeout ends it.
    SilenceAfter,
}

impl Fault {
    /// All faults that take no longer than a retry.
    pub const QUICK: [Self; 12] = [
        Self::Conflict,
        Self::TooMany,
        Self::Failure,
        Self::FailureAfter,
        Self::Timeout,
        Self::TimeoutAfter,
        Self::Cut,
        Self::CutAfter,
        Self::Forbidden,
        Self::Unauthorized,
        Self::Invalid,
        Self::HalfAfter,
    ];

    /// Whether the API server executes the request.
    pub fn is_after(self) -> bool {
        matches!(
            self,
            Self::FailureAfter | Self::TimeoutAfter | Self::CutAfter | Self::HalfAfter | Self::SilenceAfter
        )
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Conflict => "409",
            Self::TooMany => "429",
            Self::Failure => "500",
            Self::FailureAfter => "500-after",
            Self::Timeout => "504",
            Self::TimeoutAfter => "504-after",
            Self::Cut => "cut",
            Self::CutAfter => "cut-after",
            Self::Forbidden => "403",
            Self::Unauthorized => "401",
            Self::Invalid => "422",
            Self::HalfAfter => "half-after",
            Self::SilenceAfter => "silence-after",
        }
    }
}

/// A fault of a watch at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFault {
    /// The watch ends before the event.
    Cut,
    /// The watch ends in the middle of the event.
    Half,
    /// An error replaces the event: the requested version is gone. The operator then lists again.
    Gone,
    /// This event and all later ones are delayed.
    Late,
    /// The event comes twice.
    Twice,
}

impl WatchFault {
    /// All.
    pub const ALL: [Self; 5] = [Self::Cut, Self::Half, Self::Gone, Self::Late, Self::Twice];

    const fn word(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Half => "half",
            Self::Gone => "410",
            Self::Late => "late",
            Self::Twice => "twice",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for WatchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::QUICK.into_iter().chain([Self::SilenceAfter]);
        all.find(|f| f.word() == text)
            .ok_or_else(|| format!("{text:?} is no fault of a request"))
    }
}

impl FromStr for WatchFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|f| f.word() == text)
            .ok_or_else(|| format!("{text:?} is no fault of a watch"))
    }
}
