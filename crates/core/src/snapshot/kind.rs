//! Kinds of the API: built-in workloads, and other kinds with a scale subresource.

use std::borrow::Cow;

/// A kind, with the API that serves it. The names of built-in kinds are not allocated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKind {
    /// `group/version`, or `version` for the core group.
    pub api_version: Cow<'static, str>,
    /// The kind.
    pub kind: Cow<'static, str>,
}

impl ApiKind {
    /// The kind with this name in this API.
    pub fn new(api_version: &str, kind: &str) -> Self {
        Self {
            api_version: Cow::Owned(api_version.to_owned()),
            kind: Cow::Owned(kind.to_owned()),
        }
    }

    /// Group and version; the group is empty for the core group.
    pub fn group_version(&self) -> (&str, &str) {
        self.api_version.split_once('/').unwrap_or(("", &self.api_version))
    }
}

impl std::fmt::Display for ApiKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.kind, self.api_version)
    }
}

impl From<WorkloadKind> for ApiKind {
    fn from(kind: WorkloadKind) -> Self {
        Self {
            api_version: Cow::Borrowed(kind.api_version()),
            kind: Cow::Borrowed(kind.as_str()),
        }
    }
}

/// Why the objects of a kind are unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// The first list is not complete yet.
    Pending,
    /// The API server does not serve the kind.
    NotServed,
    /// The kind has no scale subresource, so its pods cannot be found.
    NotScalable,
    /// Links name more kinds than the operator watches.
    TooMany,
    /// The operator may not read them.
    Forbidden {
        /// The kind's name in RBAC rules.
        plural: String,
    },
}

/// The built-in kinds of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// Deployment.
    Deployment,
    /// StatefulSet.
    StatefulSet,
    /// DaemonSet.
    DaemonSet,
    /// ReplicaSet.
    ReplicaSet,
    /// Job.
    Job,
    /// CronJob.
    CronJob,
}

impl WorkloadKind {
    /// The API's name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }

    /// The API that serves the kind.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps/v1",
            Self::Job | Self::CronJob => "batch/v1",
        }
    }
}
