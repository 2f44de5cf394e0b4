//! What is next for a link.

use instancelink_api::State;

use super::wait::Wait;
use crate::effect::Effect;

/// What to do next in the present state.
#[derive(Debug)]
pub(crate) enum NextStep {
    /// Enter this state.
    Enter(State),
    /// Make these writes: of children, or those that let the object go.
    Work(Vec<Effect>),
    /// Nothing; the reason is what the status shows.
    Rest(Wait),
}
