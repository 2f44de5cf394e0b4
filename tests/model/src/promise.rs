//! What is promised in every state.

/// A promise of `lifecycle.md` §8 (and §5, §7), as far as a state or a step shows whether it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// I1: every change of state is an edge.
    Edges,
    /// I2: no accepted action is lost or applied twice, and each verdict is the sequential specification's.
    Actions,
    /// I3: a link that rests has no child.
    Bare,
    /// I4, I8: what stands at rest is what the world asks for; no endpoint but a pod of the target.
    Content,
    /// I6: no child of a link is written after its purge began.
    Purged,
    /// I7: every update and delete names the version it was decided on.
    Preconditions,
    /// I9: nothing leads into a namespace that does not consent.
    Consent,
    /// I12: a converged link costs no write.
    Quiet,
    /// A3: two links of one alias never have children at the same time.
    Alias,
    /// D1: the finalizer goes when nothing is left.
    Finalizer,
    /// D3: nothing is created for a link once its deletion was seen.
    Deletion,
    /// L1, L5: left alone, everything comes to the rest that was asked for.
    Rest,
    /// Nothing is left of what nobody needs.
    Leaks,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Edges,
        Self::Actions,
        Self::Bare,
        Self::Content,
        Self::Purged,
        Self::Preconditions,
        Self::Consent,
        Self::Quiet,
        Self::Alias,
        Self::Finalizer,
        Self::Deletion,
        Self::Rest,
        Self::Leaks,
    ];

    /// The promise in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edges => "I1: every change of state is an edge",
            Self::Actions => "I2: no accepted action is lost or applied twice",
            Self::Bare => "I3: a link that rests has no child",
            Self::Content => "I4, I8: what stands at rest is what the world asks for",
            Self::Purged => "I6: no child is written after the purge began",
            Self::Preconditions => "I7: every update and delete has its preconditions",
            Self::Consent => "I9: nothing leads where nobody consents",
            Self::Quiet => "I12: a converged link costs no write",
            Self::Alias => "A3: two links of an alias never have children together",
            Self::Finalizer => "D1: the finalizer goes when nothing is left",
            Self::Deletion => "D3: nothing is created once deletion was seen",
            Self::Rest => "L1, L5: left alone, everything comes to rest where it should",
            Self::Leaks => "at rest nothing stands that nobody needs",
        }
    }
}

/// Promises that were broken: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Broken(u16);

impl Broken {
    /// Nothing.
    pub(crate) const fn none() -> Self {
        Self(0)
    }

    /// Nothing, or this.
    pub(crate) fn unless(kept: bool, promise: Promise) -> Self {
        if kept {
            Self::default()
        } else {
            Self(1 << promise as u16)
        }
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn contains(self, promise: Promise) -> bool {
        self.0 & (1 << promise as u16) != 0
    }
}
