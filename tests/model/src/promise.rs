//! The promises that the model checks in each state.

/// A promise of the specification that one state or one step can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// lifecycle#only-known-edges
    Edges,
    /// lifecycle#actions-once, and each verdict is that of the sequential specification.
    Actions,
    /// lifecycle#no-children-at-rest
    Bare,
    /// lifecycle#active-is-complete and lifecycle#only-target-pods
    Content,
    /// lifecycle#no-child-after-purge
    Purged,
    /// lifecycle#preconditions: each update and delete has the version that it was decided on.
    Preconditions,
    /// lifecycle#only-with-consent
    Consent,
    /// lifecycle#no-idle-writes
    Quiet,
    /// lifecycle#never-evicted: two links of one alias never have children at the same time.
    Alias,
    /// lifecycle#delete-through-purging: the finalizer goes last.
    Finalizer,
    /// lifecycle#nothing-created-after-deletion
    Deletion,
    /// lifecycle#converges and lifecycle#deletes-complete
    Rest,
    /// At rest no object exists that no link needs.
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
            Self::Edges => "lifecycle#only-known-edges: each change of state is an edge",
            Self::Actions => "lifecycle#actions-once: no accepted action is lost or applied twice",
            Self::Bare => "lifecycle#no-children-at-rest: a resting link has no child",
            Self::Content => "lifecycle#active-is-complete: at rest the children are those that the spec asks for",
            Self::Purged => "lifecycle#no-child-after-purge: no child is written after the purge began",
            Self::Preconditions => "lifecycle#preconditions: each update and delete has its preconditions",
            Self::Consent => "lifecycle#only-with-consent: no link leads into a namespace that does not consent",
            Self::Quiet => "lifecycle#no-idle-writes: a converged link costs no write",
            Self::Alias => "lifecycle#never-evicted: two links of an alias never have children together",
            Self::Finalizer => "lifecycle#delete-through-purging: the finalizer goes when nothing is left",
            Self::Deletion => "lifecycle#nothing-created-after-deletion: nothing is created once the deletion was seen",
            Self::Rest => "lifecycle#converges: without further changes each link comes to rest where it should",
            Self::Leaks => "at rest no object exists that no link needs",
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
