//! Whether a pass only repaired children, which makes the next pass of the link wait longer.

use instancelink_core::effect::Effect;

/// What the effects of a pass were so far.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    created: bool,
    changed_the_link: bool,
}

impl Repairs {
    /// Records a group of effects.
    pub(super) fn record(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Create { .. } => self.created = true,
                Effect::Replace { .. } | Effect::Delete { .. } | Effect::Publish(_) => {}
                Effect::AcceptAction { .. }
                | Effect::WriteIntent { .. }
                | Effect::AddFinalizer
                | Effect::DropFinalizer
                | Effect::WriteStatus { .. }
                | Effect::DeleteLink => self.changed_the_link = true,
            }
        }
    }

    /// True if the pass created children that were missing, and did not write the link.
    pub(super) fn only_repaired(&self) -> bool {
        self.created && !self.changed_the_link
    }
}
