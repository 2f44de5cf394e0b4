//! Brings an intent into the form in which the status can show it (lifecycle#unreadable-intent).
//!
//! The operator writes only intents that fit. But a new object may bring any intent.

use instancelink_api::Intent;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::request::{MAX_ID, MAX_SHOWN, Request, parse};
use crate::time::micro;

/// How many values a link remembers.
pub(super) const HANDLED: usize = 16;
/// Longest reason that the operator writes, and longest name of a field manager, in characters.
const MAX_WORD: usize = 128;
/// Length of a mark: `#` and 8 hexadecimal digits.
const MARK: usize = 9;

/// The intent, cut to what the status can show; none if a time is outside of the years that the API server can show.
pub(super) fn fit(mut intent: Intent) -> Option<Intent> {
    let times = [Some(&intent.at), intent.desired_at.as_ref(), intent.since.as_ref()];
    if times.into_iter().flatten().any(|time| !is_shown(time)) {
        return None;
    }
    intent.at = micro(intent.at.0);
    intent.desired_at = intent.desired_at.map(|time| micro(time.0));
    intent.since = intent.since.map(|time| micro(time.0));
    intent.action = cut(&intent.action, MAX_SHOWN);
    intent.id = cut(&intent.id, MAX_ID);
    intent.reason = cut(&intent.reason, MAX_WORD);
    intent.manager = cut(&intent.manager, MAX_WORD);
    // No request has another value, so nothing is forgotten.
    intent.handled.retain(|value| is_handled(value));
    let surplus = intent.handled.len().saturating_sub(HANDLED);
    intent.handled.drain(..surplus);
    Some(intent)
}

/// The years 1 to 9999: RFC 3339 has four digits for the year, and clients of the API server refuse the year 0.
fn is_shown(time: &MicroTime) -> bool {
    let year = |datetime: DateTime| (1..=9999).contains(&datetime.year());
    year(Offset::UTC.to_datetime(time.0))
}

fn cut(text: &str, length: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(length).collect()
}

fn is_handled(value: &str) -> bool {
    let is_mark = || {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        value.len() == MARK && value.strip_prefix('#').is_some_and(|digits| digits.bytes().all(hex))
    };
    is_mark() || matches!(parse(value), Some(Request::Action { id, .. }) if !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(more: &str) -> Intent {
        let text = format!(
            r#"{{"seq": 3, "action": "deactivate", "verdict": "Accepted", "link": "shop/web-db", "at": "2026-01-01T00:00:00Z", {more}}}"#
        );
        serde_json::from_str(&text.replacen(r#""at": "2026-01-01T00:00:00Z", "at""#, r#""at""#, 1)).unwrap()
    }

    /// lifecycle#unreadable-intent
    #[test]
    fn of_too_many_handled_values_the_last_sixteen_stay() {
        let many: Vec<String> = (0..40).map(|n| format!("\"deactivate/{n}\"")).collect();
        let fitted = fit(intent(&format!("\"handled\": [{}]", many.join(",")))).unwrap();
        assert_eq!(fitted.handled.len(), 16);
        assert_eq!(fitted.handled.last().unwrap(), "deactivate/39");
    }

    /// lifecycle#unreadable-intent
    #[test]
    fn a_value_that_no_request_has_is_dropped() {
        let fitted = fit(intent(
            r##""handled": ["remove/1", "remove", "x", "#0123abcd", "#0123ABCD", "#12", "", "purge/a b"]"##,
        ));
        assert_eq!(fitted.unwrap().handled, ["remove/1", "#0123abcd"]);
    }

    /// lifecycle#unreadable-intent
    #[test]
    fn a_time_that_the_api_server_cannot_show_makes_the_intent_lost() {
        for time in [
            "-000001-01-01T00:00:00Z",
            "-009999-01-02T01:59:59Z",
            "0000-12-31T23:59:59Z",
        ] {
            for field in ["at", "desiredAt", "since"] {
                let odd = intent(&format!("\"{field}\": \"{time}\""));
                assert_eq!(fit(odd), None, "{field} {time}");
            }
        }
        for time in ["0001-01-01T00:00:00Z", "9999-12-30T21:59:59.999999999Z"] {
            let fitted = fit(intent(&format!("\"since\": \"{time}\"")));
            assert!(fitted.is_some(), "{time}");
        }
    }

    #[test]
    fn long_texts_are_cut_and_what_the_operator_writes_stays() {
        let long = "\\u0007é".repeat(100_000);
        let fitted = fit(intent(&format!(
            "\"id\": \"{long}\", \"reason\": \"{long}\", \"manager\": \"{long}\""
        )));
        let fitted = fitted.unwrap();
        assert!(serde_json::to_string(&fitted).unwrap().len() < 1200, "{fitted:?}");
        let usual = intent(r#""id": "CHG-1", "manager": "kubectl-annotate", "handled": ["deactivate/CHG-1"]"#);
        assert_eq!(fit(usual.clone()), Some(usual));
    }
}
