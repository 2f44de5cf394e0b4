//! The surroundings of the links: source, target, consent, namespace, time.

/// The source of both links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Absent,
    /// Its object is gone, and its pods run.
    Departed,
    /// It exists with the UID of this life, and is being deleted or not.
    Exists {
        life: u8,
        terminating: bool,
    },
}

/// The target of both links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Absent,
    /// The object is gone, and its pod is ready.
    Orphaned,
    NotReady,
    Ready,
}

/// The surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Surroundings {
    pub(crate) source: Source,
    pub(crate) target: Target,
    /// The other namespace consents.
    pub(crate) granted: bool,
    /// The links' namespace is being deleted.
    pub(crate) closing: bool,
    /// Ticks of two hours since the start.
    pub(crate) clock: u8,
}

impl Surroundings {
    /// Everything exists, with consent.
    pub(crate) const INITIAL: Self = Self {
        source: Source::Exists {
            life: 0,
            terminating: false,
        },
        target: Target::Ready,
        granted: true,
        closing: false,
        clock: 0,
    };

    /// True if the source exists and is not being deleted, and the namespace accepts objects.
    pub(crate) const fn usable(self) -> bool {
        matches!(self.source, Source::Exists { terminating: false, .. }) && !self.closing
    }
}

/// A change of the surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The source is deleted and is gone, and its pods too.
    SourceGoes,
    /// The object of the source is gone, and its pods run.
    SourceDeparts,
    /// The source is being deleted.
    SourceTerminates,
    /// A source with that name and another UID is created.
    SourceComes,
    /// The target is deleted.
    TargetGoes,
    /// The target is deleted, and its pod stays.
    TargetOrphaned,
    /// The target exists and its pod is ready.
    TargetReady,
    /// The target's pod is not ready.
    TargetNotReady,
    /// The other namespace consents.
    Granted,
    /// The other namespace revokes its consent.
    Revoked,
    /// The namespace of the links is being deleted.
    NamespaceCloses,
    /// Two hours pass.
    TimePasses,
}

impl Change {
    /// The surroundings after the change; none if it is not possible or changes nothing.
    pub(crate) fn apply(self, before: Surroundings) -> Option<Surroundings> {
        let mut after = before;
        match (self, before.source) {
            (Self::SourceGoes, _) => after.source = Source::Absent,
            (Self::SourceDeparts, Source::Exists { .. }) => after.source = Source::Departed,
            (Self::SourceTerminates, Source::Exists { life, .. }) => {
                after.source = Source::Exists {
                    life,
                    terminating: true,
                };
            }
            (Self::SourceComes, Source::Absent | Source::Departed) => {
                after.source = Source::Exists {
                    life: 1,
                    terminating: false,
                };
            }
            (Self::SourceTerminates | Self::SourceDeparts, Source::Absent | Source::Departed)
            | (Self::SourceComes, Source::Exists { .. }) => return None,
            (Self::TargetGoes, _) => after.target = Target::Absent,
            (Self::TargetOrphaned, _) if before.target == Target::Absent => return None,
            (Self::TargetOrphaned, _) => after.target = Target::Orphaned,
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
