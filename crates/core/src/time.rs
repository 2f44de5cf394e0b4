//! Times as the API stores them: cut to that precision, so that a time equals the one that is read back.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};

/// In microseconds: when an action was taken, when a state was entered.
pub(crate) fn micro(time: Timestamp) -> MicroTime {
    MicroTime(cut(time, Unit::Microsecond))
}

/// In whole seconds: `metav1.Time`.
pub(crate) fn second(time: Timestamp) -> Time {
    Time(cut(time, Unit::Second))
}

fn cut(time: Timestamp, unit: Unit) -> Timestamp {
    let round = TimestampRound::new().smallest(unit).mode(RoundMode::Trunc);
    time.round(round).unwrap_or(time)
}
