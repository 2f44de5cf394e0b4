//! Condition types and their reasons: a fixed set (contract#conditions).

/// Condition types.
pub mod types {
    /// The spec can be served.
    pub const ACCEPTED: &str = "Accepted";
    /// Source, target and consent are found.
    pub const RESOLVED_REFS: &str = "ResolvedRefs";
    /// The API server has all objects that this state needs.
    pub const PROGRAMMED: &str = "Programmed";
    /// The alias has at least one ready endpoint.
    pub const AVAILABLE: &str = "Available";
    /// The actual state is the desired one, and its objects are confirmed.
    pub const READY: &str = "Ready";
    /// Whether the source can no longer connect to the target when the link is not active.
    pub const ENFORCED: &str = "Enforced";
    /// Present while the operator works, or waits for something that can come by itself.
    pub const RECONCILING: &str = "Reconciling";
    /// Present while a person has to do something.
    pub const STALLED: &str = "Stalled";
    /// Present while the source is gone and the link stays active for the pods that it left.
    pub const HOLD_DELAYED: &str = "HoldDelayed";
    /// Present while a name of the alias can resolve to something else, or to more than the link programmed.
    pub const ALIAS_SHADOWED: &str = "AliasShadowed";
    /// The cluster's DNS returns what was programmed. Present while active, once the DNS was asked. Advice only.
    pub const VERIFIED: &str = "Verified";
}

/// Declares each reason once: its name in Rust is its name in conditions and events.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $reason:ident,)*) => {
        /// Reasons, shared by conditions, events and metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $doc])* $reason,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$reason,)*];

            /// The reason of this name; none for a text that is no reason.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
            }

            /// The reason as conditions and events show it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => stringify!($reason),)*
                }
            }
        }
    };
}

reasons! {
    /// `Enforced`: other policies isolate the target's pods, so without the link's policy the source cannot connect.
    TargetIsolated,
    /// `Enforced`: not all pods of the target are isolated, so a link that is not active only has no addresses in DNS.
    TargetNotIsolated,
    /// `Enforced`: other policies isolate the source's pods for egress, so without the link's policy the source cannot connect.
    SourceIsolated,
    /// `Enforced`: only some of the source's pods are isolated for egress, so the link does not open it.
    SourceNotIsolated,
    /// `Enforced`: the link has no policy; when it is not active, it only has no addresses in DNS.
    DNSOnly,
    /// The labels of the target also select pods that are not the target's, so the link has no policy.
    SelectsOtherPods,
    /// A binding refers to the binding of a link.
    InvalidSecretRef,
    /// A finalizer of another client keeps an object that the link waits for.
    FinalizersRemain,
    /// Another link claims the alias.
    AliasConflict,
    /// A link of another source of the same name has the directory.
    DirectoryConflict,
    /// The ports cannot be served.
    InvalidPorts,
    /// The addressing asked for is not possible for this target.
    AddressingNotPossible,
    /// The source does not exist.
    SourceNotFound,
    /// The target does not exist.
    TargetNotFound,
    /// `ResolvedRefs`: the DNS does not give addresses for the external name of the target.
    NameNotResolved,
    /// The link names no target; a legal state.
    NoTarget,
    /// The target's namespace has not consented.
    RefNotPermitted,
    /// A link cannot have an end of this kind.
    KindNotSupported,
    /// Objects that others write are so many or so large that the operator does not compare them.
    TooCostly,
    /// An object is larger than the API server stores or the operator keeps.
    TooLarge,
    /// The link, its source or its target exists and cannot be read.
    Unusable,
    /// Not written yet.
    Pending,
    /// A foreign object has the name of a child.
    NameTaken,
    /// The operator lacks a right.
    Forbidden,
    /// A quota refuses a child.
    QuotaExceeded,
    /// An admission policy or a webhook denies a child.
    AdmissionDenied,
    /// The API server cannot admit a child now: a webhook does not answer, or the usage of a quota is not known.
    AdmissionFailed,
    /// The API server refused a child for another reason.
    WriteFailed,
    /// Others change a child after each write of the operator.
    AlteredByOthers,
    /// No endpoint of the target is ready.
    NoReadyEndpoints,
    /// The link is not active.
    NotActive,
    /// On its way to the desired state.
    Transitioning,
    /// Inactive for an outside reason; the other conditions have it.
    Held,
    /// Cannot go on without a person.
    Stalled,
    /// Accepted: the spec can be served; all entries of a grant can consent.
    Accepted,
    /// `Accepted` of a grant: an entry is not valid, so it consents to nothing.
    InvalidEntries,
    /// `ResolvedRefs`: everything named was found.
    Resolved,
    /// Programmed: the API server confirmed every write.
    Programmed,
    /// `Programmed`, and the target declares no ports, so there are no variables of ports.
    NoPorts,
    /// `Programmed`, and entries of the binding lead to another host than the alias.
    EntriesBypassAlias,
    /// `Programmed`: shared objects have labels or annotations of an older link, with other values.
    OlderLinkDecides,
    /// Available: the alias has ready endpoints.
    EndpointsReady,
    /// Ready: in the desired state.
    Ready,
    /// `HoldDelayed`: the source is gone, and its pods still run.
    PodsRemain,
    /// `AliasShadowed`: Kubernetes mirrors an `Endpoints` object into the alias's directory.
    EndpointsMirrored,
    /// `AliasShadowed`: a Service of the link's namespace has the name of the alias and comes first.
    ServiceComesFirst,
    /// `AliasShadowed`: a Service in a namespace with the name of the directory answers when the alias does not.
    ServiceStepsIn,
    /// `AliasShadowed`: a namespace with the name of the alias ends the search of some resolvers.
    NamespaceEndsSearch,
    /// `Verified`: the DNS returns exactly the ready endpoints.
    Resolves,
    /// `Verified`: the DNS has no address, though endpoints are ready.
    NameNotFound,
    /// `Verified`: the DNS does not know the cluster domain that the operator was started with.
    WrongClusterDomain,
    /// `Verified`: the DNS returns addresses that were not programmed.
    OtherAddresses,
    /// `Verified`: the DNS does not return all ready endpoints.
    AddressesMissing,
    /// `Verified`: the DNS could not be asked.
    NoAnswer,
}

impl Reason {
    /// True for what waits for a person: the reasons of `Stalled`.
    pub const fn waits_for_a_person(self) -> bool {
        matches!(
            self,
            Self::AliasConflict
                | Self::DirectoryConflict
                | Self::InvalidPorts
                | Self::AddressingNotPossible
                | Self::KindNotSupported
                | Self::TooCostly
                | Self::TooLarge
                | Self::RefNotPermitted
                | Self::Unusable
                | Self::NameTaken
                | Self::Forbidden
                | Self::QuotaExceeded
                | Self::AdmissionDenied
                | Self::AlteredByOthers
                | Self::SelectsOtherPods
                | Self::InvalidSecretRef
                | Self::FinalizersRemain
        )
    }
}
