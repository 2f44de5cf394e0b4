//! How a pass ends after a failure.

use instancelink_cluster::CallError;

use crate::queue::Ending;

/// How a pass ended, and its name in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) ending: Ending,
    pub(super) label: &'static str,
}

impl Outcome {
    /// An outcome.
    pub(super) const fn new(ending: Ending, label: &'static str) -> Self {
        Self { ending, label }
    }

    /// The outcome after a failed request.
    pub(super) fn after(error: &CallError) -> Self {
        let ending = match error {
            CallError::NotFound(_) | CallError::Conflict(_) | CallError::AlreadyExists(_) => Ending::Conflict,
            CallError::Overloaded { retry_after, .. } => Ending::Failed(*retry_after),
            // A missing permission, or a link that the API server rejects: a person has to correct that.
            CallError::Forbidden(_) | CallError::Refused { .. } => Ending::Refused(None),
            CallError::Terminating(_) | CallError::Server { .. } | CallError::Transport(_) => Ending::Failed(None),
        };
        Self::new(ending, error.reason())
    }

    /// The same after a refusal whose end no event tells.
    pub(super) const fn unseen(self) -> Self {
        let ending = match self.ending {
            Ending::Refused(wake) => Ending::RefusedUnseen(wake),
            Ending::Failed(None) => Ending::RefusedUnseen(None),
            other => other,
        };
        Self::new(ending, self.label)
    }
}

/// Of the failures in a group of writes, the one that decides when to retry.
pub(super) fn worst(errors: impl IntoIterator<Item = CallError>) -> Option<CallError> {
    let weight = |error: &CallError| match error {
        CallError::Overloaded { .. } => 3,
        CallError::Server { .. } | CallError::Transport(_) | CallError::Terminating(_) => 2,
        CallError::Forbidden(_) | CallError::Refused { .. } => 1,
        CallError::NotFound(_) | CallError::Conflict(_) | CallError::AlreadyExists(_) => 0,
    };
    // Of two with the same weight the first one counts.
    let heavier = |a: CallError, b: CallError| if weight(&b) > weight(&a) { b } else { a };
    errors.into_iter().reduce(heavier)
}
