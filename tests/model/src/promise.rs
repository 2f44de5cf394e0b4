//! The promises that every state keeps.

/// A promise of the specification that a state or a step can show to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// lifecycle#only-known-edges: every state change is an edge.
    Edges,
    /// lifecycle#actions-once: no accepted action is lost or applied twice, and each verdict follows the specification.
    Actions,
    /// lifecycle#no-children-at-rest: a link that rests below active has no child.
    NoChildren,
    /// lifecycle#active-is-complete, lifecycle#only-target-pods: at rest the children are as desired, and every
    /// endpoint is a pod of the target.
    Content,
    /// lifecycle#no-child-after-purge: no child of a link is written after its purge began.
    Purged,
    /// lifecycle#preconditions: every update and delete names the version that it is based on.
    Preconditions,
    /// lifecycle#only-with-consent: nothing leads into a namespace that does not consent.
    Consent,
    /// lifecycle#no-idle-writes: a converged link costs no write.
    Quiet,
    /// lifecycle#never-evicted: two links of one alias never have children at the same time.
    Alias,
    /// lifecycle#delete-through-purging: the finalizer is removed when no child is left.
    Finalizer,
    /// lifecycle#nothing-created-after-deletion: nothing is created for a link after its deletion was seen.
    Deletion,
    /// lifecycle#converges, lifecycle#deletes-complete: every link comes to rest where it should.
    Rest,
    /// lifecycle#shared-children-go-last: at rest there is no child that no link needs.
    Leaks,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Edges,
        Self::Actions,
        Self::NoChildren,
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

    /// The promise as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edges => "lifecycle#only-known-edges: every state change is an edge",
            Self::Actions => "lifecycle#actions-once: no accepted action is lost or applied twice",
            Self::NoChildren => "lifecycle#no-children-at-rest: a link that rests below active has no child",
            Self::Content => "lifecycle#active-is-complete: at rest the children are as desired",
            Self::Purged => "lifecycle#no-child-after-purge: no child is written after the purge began",
            Self::Preconditions => "lifecycle#preconditions: every update and delete has its preconditions",
            Self::Consent => "lifecycle#only-with-consent: nothing leads into a namespace without consent",
            Self::Quiet => "lifecycle#no-idle-writes: a converged link costs no write",
            Self::Alias => "lifecycle#never-evicted: two links of an alias never have children at the same time",
            Self::Finalizer => "lifecycle#delete-through-purging: the finalizer is removed when no child is left",
            Self::Deletion => "lifecycle#nothing-created-after-deletion: nothing is created after deletion was seen",
            Self::Rest => "lifecycle#converges: every link comes to rest where it should",
            Self::Leaks => "lifecycle#shared-children-go-last: at rest there is no child that no link needs",
        }
    }
}

/// A set of broken promises, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Broken(u16);

impl Broken {
    /// None.
    pub(crate) const fn none() -> Self {
        Self(0)
    }

    /// None, or this promise.
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
