//! Condition types and their reasons: the fixed set of contract#conditions.

/// Condition types.
pub mod types {
    /// The spec can be served.
    pub const ACCEPTED: &str = "Accepted";
    /// Source, target and consent are found.
    pub const RESOLVED_REFS: &str = "ResolvedRefs";
    /// What is in the API server is what this state asks for.
    pub const PROGRAMMED: &str = "Programmed";
    /// At least one ready endpoint stands behind the alias.
    pub const AVAILABLE: &str = "Available";
    /// The actual state is the desired one, and programmed.
    pub const READY: &str = "Ready";
    /// Whether the end of the link's policy keeps the source from the target.
    pub const ENFORCED: &str = "Enforced";
    /// Present while the operator is at work or waits for something that may come by itself.
    pub const RECONCILING: &str = "Reconciling";
    /// Present while a person has to do something.
    pub const STALLED: &str = "Stalled";
    /// Present while a name of the alias may lead elsewhere, or more answers under it than the link programmed.
    pub const ALIAS_SHADOWED: &str = "AliasShadowed";
    /// The cluster's DNS says of the alias what was programmed; present while active, once it was looked up. Advice only.
    pub const VERIFIED: &str = "Verified";
}

/// Reasons, shared by conditions, events and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// `Enforced`: others' policies isolate the target's pods, so losing the link's own cuts the source off.
    TargetIsolated,
    /// `Enforced`: nothing isolates them all, so a cut link takes names and addresses away, and no more.
    TargetNotIsolated,
    /// `Enforced`: the link has no policy; being cut, it takes names and addresses away.
    DNSOnly,
    /// Another link claims the alias.
    AliasConflict,
    /// Another source of the same name has the directory.
    DirectoryConflict,
    /// The ports cannot be served.
    InvalidPorts,
    /// The addressing asked for is not possible for this target.
    AddressingNotPossible,
    /// The source does not exist.
    SourceNotFound,
    /// The target does not exist.
    TargetNotFound,
    /// The link names no target; a legal state.
    NoTarget,
    /// The target's namespace has not consented.
    RefNotPermitted,
    /// The kind named is not one a link can lead to.
    KindNotSupported,
    /// Not written yet.
    Pending,
    /// A stranger's object has a child's name.
    NameTaken,
    /// The operator lacks a permission.
    Forbidden,
    /// The API server refused a child.
    WriteFailed,
    /// No endpoint of the target is ready.
    NoReadyEndpoints,
    /// The link is not active.
    NotActive,
    /// On its way to where its owner wants it.
    Transitioning,
    /// Parked by something outside, see the other conditions.
    Held,
    /// Cannot go on without a person.
    Stalled,
    /// Accepted: the spec can be served.
    Accepted,
    /// `ResolvedRefs`: everything named was found.
    Resolved,
    /// Programmed: the API server confirmed every write.
    Programmed,
    /// Available: the alias has ready endpoints.
    EndpointsReady,
    /// Ready: where its owner wants it.
    Ready,
    /// `AliasShadowed`: Kubernetes mirrors an `Endpoints` object into the alias's directory.
    EndpointsMirrored,
    /// `AliasShadowed`: a Service of the link's namespace is called like the alias, and comes first.
    ServiceComesFirst,
    /// `AliasShadowed`: a Service in a namespace called like the directory answers where the alias does not.
    ServiceStepsIn,
    /// `AliasShadowed`: a namespace called like the alias ends some resolvers' search.
    NamespaceEndsSearch,
    /// `Verified`: the DNS gives exactly the ready endpoints.
    Resolves,
    /// `Verified`: the DNS has no address, though endpoints are ready.
    NameNotFound,
    /// `Verified`: the DNS does not know the cluster's domain that the operator was told.
    WrongClusterDomain,
    /// `Verified`: the DNS gives addresses that were not programmed.
    OtherAddresses,
    /// `Verified`: the DNS does not give all ready endpoints.
    AddressesMissing,
    /// `Verified`: the DNS could not be asked.
    NoAnswer,
}

impl Reason {
    /// The reason as it stands in conditions and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TargetIsolated => "TargetIsolated",
            Self::TargetNotIsolated => "TargetNotIsolated",
            Self::DNSOnly => "DNSOnly",
            Self::AliasConflict => "AliasConflict",
            Self::DirectoryConflict => "DirectoryConflict",
            Self::InvalidPorts => "InvalidPorts",
            Self::AddressingNotPossible => "AddressingNotPossible",
            Self::SourceNotFound => "SourceNotFound",
            Self::TargetNotFound => "TargetNotFound",
            Self::NoTarget => "NoTarget",
            Self::RefNotPermitted => "RefNotPermitted",
            Self::KindNotSupported => "KindNotSupported",
            Self::Pending => "Pending",
            Self::NameTaken => "NameTaken",
            Self::Forbidden => "Forbidden",
            Self::WriteFailed => "WriteFailed",
            Self::NoReadyEndpoints => "NoReadyEndpoints",
            Self::NotActive => "NotActive",
            Self::Transitioning => "Transitioning",
            Self::Held => "Held",
            Self::Stalled => "Stalled",
            Self::Accepted => "Accepted",
            Self::Resolved => "Resolved",
            Self::Programmed => "Programmed",
            Self::EndpointsReady => "EndpointsReady",
            Self::Ready => "Ready",
            Self::EndpointsMirrored => "EndpointsMirrored",
            Self::ServiceComesFirst => "ServiceComesFirst",
            Self::ServiceStepsIn => "ServiceStepsIn",
            Self::NamespaceEndsSearch => "NamespaceEndsSearch",
            Self::Resolves => "Resolves",
            Self::NameNotFound => "NameNotFound",
            Self::WrongClusterDomain => "WrongClusterDomain",
            Self::OtherAddresses => "OtherAddresses",
            Self::AddressesMissing => "AddressesMissing",
            Self::NoAnswer => "NoAnswer",
        }
    }

    /// True for what waits for a person: the reasons under which `Stalled` may stand.
    pub const fn waits_for_a_person(self) -> bool {
        matches!(
            self,
            Self::AliasConflict
                | Self::DirectoryConflict
                | Self::InvalidPorts
                | Self::AddressingNotPossible
                | Self::KindNotSupported
                | Self::RefNotPermitted
                | Self::NameTaken
                | Self::Forbidden
        )
    }
}
