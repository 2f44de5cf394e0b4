//! What can happen to a request on its way, and to an event of a watch.

use std::fmt;
use std::str::FromStr;

/// What happens to one request. `After`: it was carried out, and only the answer is a lie or is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 409: somebody wrote in between.
    Conflict,
    /// 429 with `Retry-After: 1`.
    TooMany,
    /// 500 instead of carrying it out.
    Failure,
    /// 500 although it was carried out.
    FailureAfter,
    /// 504 instead of carrying it out.
    Timeout,
    /// 504 although it was carried out.
    TimeoutAfter,
    /// The connection ends before it was carried out.
    Cut,
    /// The connection ends after it was carried out.
    CutAfter,
    /// 403.
    Forbidden,
    /// 401: the token was not taken.
    Unauthorized,
    /// 422.
    Invalid,
    /// Carried out, and answered with half of the JSON.
    HalfAfter,
    /// Carried out, and never answered: the operator's own patience ends it.
    SilenceAfter,
}

impl Fault {
    /// All that cost no more time than a retry.
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

    /// Whether the API server carries the request out all the same.
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

/// What happens to a watch when it is about to pass on an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFault {
    /// It ends before the event.
    Cut,
    /// It ends in the middle of the event.
    Half,
    /// Instead of the event comes the error that the version asked for is gone, which makes the operator list anew.
    Gone,
    /// This event and all after it come later.
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
