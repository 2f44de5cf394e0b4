//! What is around the links: source, target, consent, the namespace, time.

/// The Deployment (or whatever) that uses the aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Absent,
    /// There, with this UID; being deleted or not.
    There {
        life: u8,
        terminating: bool,
    },
}

/// What the aliases lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Absent,
    NotReady,
    Ready,
}

/// Everything around the links that can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Surroundings {
    pub(crate) source: Source,
    pub(crate) target: Target,
    /// The other namespace consents.
    pub(crate) granted: bool,
    /// The links' namespace is being deleted.
    pub(crate) closing: bool,
    /// Hours since the beginning, two at a time.
    pub(crate) clock: u8,
}

impl Surroundings {
    /// All there, and consent.
    pub(crate) const BEGINNING: Self = Self {
        source: Source::There {
            life: 0,
            terminating: false,
        },
        target: Target::Ready,
        granted: true,
        closing: false,
        clock: 0,
    };

    /// True where the source is there and not on its way out, and the namespace takes objects.
    pub(crate) const fn usable(self) -> bool {
        matches!(self.source, Source::There { terminating: false, .. }) && !self.closing
    }
}

/// Something that happens around the links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The source is deleted, and gone at once.
    SourceGoes,
    /// The source is being deleted.
    SourceTerminates,
    /// A source of that name is made, with another UID than the one before.
    SourceComes,
    /// The target goes.
    TargetGoes,
    /// The target is there and its pod is ready.
    TargetReady,
    /// The target's pod is not ready.
    TargetNotReady,
    /// The other namespace consents.
    Granted,
    /// It takes that back.
    Revoked,
    /// The namespace of the links is being deleted.
    NamespaceCloses,
    /// Two hours pass.
    TimePasses,
}

impl Change {
    /// The surroundings afterwards; none where it cannot happen, or changes nothing.
    pub(crate) fn apply(self, before: Surroundings) -> Option<Surroundings> {
        let mut after = before;
        match (self, before.source) {
            (Self::SourceGoes, _) => after.source = Source::Absent,
            (Self::SourceTerminates, Source::There { life, .. }) => {
                after.source = Source::There {
                    life,
                    terminating: true,
                };
            }
            (Self::SourceComes, Source::Absent) => {
                after.source = Source::There {
                    life: 1,
                    terminating: false,
                };
            }
            (Self::SourceTerminates, Source::Absent) | (Self::SourceComes, Source::There { .. }) => return None,
            (Self::TargetGoes, _) => after.target = Target::Absent,
            (Self::TargetReady, _) => after.target = Target::Ready,
            (Self::TargetNotReady, _) => after.target = Target::NotReady,
            (Self::Granted, _) => after.granted = true,
            (Self::Revoked, _) => after.granted = false,
            (Self::NamespaceCloses, _) => after.closing = true,
            (Self::TimePasses, _) => after.clock += 1,
        }
        (after != before).then_some(after)
    }
}
