//! Failures of requests, by what can be done about them.

use std::time::Duration;

use http::StatusCode;
use instancelink_core::refusal::Denial;
use instancelink_core::text;
use kube::core::Status;

const MAX_MESSAGE: usize = 512;
/// The longest pause that an answer may ask for. A proxy may ask for years.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Why a request had no success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// 404 for an object, or for a group that discovery does not know.
    #[error("not found: {0}")]
    NotFound(String),
    /// 409: another write came in between, or a precondition does not hold.
    #[error("conflict: {0}")]
    Conflict(String),
    /// 409: an object of this name exists.
    #[error("already exists: {0}")]
    AlreadyExists(String),
    /// 403.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// 403: the namespace is being deleted.
    #[error("the namespace is terminating: {0}")]
    Terminating(String),
    /// 400, 413, 422 and other refusals for which a retry does not help, such as an object that is too large for the store; any
    /// code with which an admission policy or a webhook denied the request.
    #[error("refused with {code}: {message}")]
    Refused {
        /// HTTP status.
        code: u16,
        /// What the API server says.
        message: String,
    },
    /// 429, or a 5xx with `Retry-After`.
    #[error("overloaded: {message}")]
    Overloaded {
        /// HTTP status.
        code: u16,
        /// How long to stay away, where the API server said so.
        retry_after: Option<Duration>,
        /// What the API server says.
        message: String,
    },
    /// 5xx, and what else will pass: 401, and a 404 that is about no object.
    #[error("the API server failed with {code}: {message}")]
    Server {
        /// HTTP status.
        code: u16,
        /// What the API server says.
        message: String,
    },
    /// No answer, or one that cannot be read: whether the write happened is unknown.
    #[error("no answer: {0}")]
    Transport(String),
}

impl CallError {
    /// True if the write may have been done. A 5xx with `Retry-After` may come from a store that lost its leader half way; a
    /// 429 is answered before anything is done.
    pub const fn leaves_doubt(&self) -> bool {
        match self {
            Self::Server { code, .. } | Self::Overloaded { code, .. } => *code >= 500,
            Self::Transport(_) => true,
            Self::NotFound(_)
            | Self::Conflict(_)
            | Self::AlreadyExists(_)
            | Self::Forbidden(_)
            | Self::Terminating(_)
            | Self::Refused { .. } => false,
        }
    }

    /// The failure as a metric label.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Conflict(_) | Self::AlreadyExists(_) => "conflict",
            Self::Forbidden(_) => "forbidden",
            Self::Terminating(_) => "terminating",
            Self::Refused { .. } => "refused",
            Self::Overloaded { .. } => "overloaded",
            Self::Server { .. } => "server",
            Self::Transport(_) => "transport",
        }
    }
}

/// Of a request that got no answer.
pub(super) fn unsent(error: &kube::Error) -> CallError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    CallError::Transport(bounded(&text))
}

/// Of an answer that is not what was asked for.
pub(super) fn unreadable(error: &serde_json::Error) -> CallError {
    CallError::Transport(bounded(&format!("the answer cannot be read: {error}")))
}

/// Sorts an answer that is no success.
pub(super) fn failure_of(code: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> CallError {
    let status: Option<Status> = serde_json::from_slice(body).ok();
    let message = status
        .as_ref()
        .map_or_else(|| bounded(&String::from_utf8_lossy(body)), |s| bounded(&s.message));
    let reason = status.as_ref().map_or("", |s| s.reason.as_str());
    let details = status.as_ref().and_then(|s| s.details.as_ref());
    let terminating = details.is_some_and(|d| d.causes.iter().any(|c| c.reason == "NamespaceTerminating"));
    let asked = details.map_or(0, |d| d.retry_after_seconds);
    let retry_after = retry_after.or((asked > 0).then(|| Duration::from_secs(u64::from(asked))));
    let retry_after = retry_after.map(|pause| pause.min(LONGEST_PAUSE));
    let code = code.as_u16();
    match code {
        // They choose the code. A denial with 401, 404 or 409 would look like a failure that ends by itself.
        _ if Denial::of(&message).is_decided_by_admission() => CallError::Refused { code, message },
        // An object that does not exist is named. All other answers (a proxy's page, a CRD that is not served yet) say
        // nothing of objects, and what was taken for gone would be left behind.
        404 if details.is_some_and(|d| !d.name.is_empty()) => CallError::NotFound(message),
        404 => CallError::Server { code: 404, message },
        409 if reason == "AlreadyExists" => CallError::AlreadyExists(message),
        409 => CallError::Conflict(message),
        403 if terminating => CallError::Terminating(message),
        403 => CallError::Forbidden(message),
        // A token that has run out is renewed soon: not a right that is missing.
        401 => CallError::Server { code: 401, message },
        _ if code == 429 || retry_after.is_some() => CallError::Overloaded {
            code,
            retry_after,
            message,
        },
        500 if is_too_large(&message) => CallError::Refused { code, message },
        500.. => CallError::Server { code, message },
        _ => CallError::Refused { code, message },
    }
}

/// True for the answer of a store to an object that is larger than it takes. The API server passes it on as a failure of its
/// own, but the object stays too large.
fn is_too_large(message: &str) -> bool {
    ["request is too large", "message larger than max"]
        .into_iter()
        .any(|words| message.contains(words))
}

/// What the API server says: on one line, because a message may become the comment in front of a manifest.
fn bounded(text: &str) -> String {
    text::shown(text, MAX_MESSAGE)
}

#[cfg(test)]
mod tests;
