//! The kind of a link's source, small enough to be kept uncompressed with each link.

use instancelink_api::InstanceRef;
use instancelink_api::reference::group_in;
use instancelink_core::snapshot::WorkloadKind;

/// A kind, without its version: two sources compete for a directory if they have one name and two kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// One that every cluster has.
    Workload(WorkloadKind),
    /// Kind and group of another one.
    Other(Box<(String, String)>),
}

impl SourceKind {
    /// The kind that a reference names.
    pub(crate) fn of(source: &InstanceRef) -> Self {
        let group = group_in(source.api_version());
        match workload_kind(&source.kind) {
            Some(kind) if group == group_in(kind.api_version()) => Self::Workload(kind),
            _ => Self::Other(Box::new((source.kind.clone(), group.to_owned()))),
        }
    }
}

/// The workload of this name; none for other kinds.
pub(crate) fn workload_kind(kind: &str) -> Option<WorkloadKind> {
    KINDS.into_iter().find(|k| k.as_str() == kind)
}

/// All workloads.
pub(crate) const KINDS: [WorkloadKind; 6] = [
    WorkloadKind::Deployment,
    WorkloadKind::StatefulSet,
    WorkloadKind::DaemonSet,
    WorkloadKind::ReplicaSet,
    WorkloadKind::Job,
    WorkloadKind::CronJob,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn source(kind: &str, api_version: Option<&str>) -> InstanceRef {
        InstanceRef {
            api_version: api_version.map(str::to_owned),
            kind: kind.to_owned(),
            name: "web".to_owned(),
        }
    }

    #[test]
    fn two_sources_have_one_kind_here_if_and_only_if_the_api_says_so() {
        let sources = [
            source("Deployment", None),
            source("Deployment", Some("apps/v1")),
            source("Deployment", Some("apps/v1beta1")),
            source("Deployment", Some("other.example/v1")),
            source("StatefulSet", None),
            source("Pod", None),
            source("Job", None),
            source("Job", Some("batch/v1")),
            source("Job", Some("batch.example/v1")),
            source("CronJob", None),
            source("Rollout", Some("argoproj.io/v1alpha1")),
            source("Rollout", Some("argoproj.io/v1")),
            source("Rollout", None),
        ];
        for a in &sources {
            for b in &sources {
                assert_eq!(
                    SourceKind::of(a) == SourceKind::of(b),
                    a.is_of_the_kind_of(b),
                    "{a:?} {b:?}"
                );
            }
        }
    }
}
