//! The kinds that the double serves: those that the operator reads and writes, and those that its tests set up.

/// A kind of object and how the API server serves it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// Plural, as in paths.
    pub plural: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Its objects belong to namespaces.
    pub namespaced: bool,
    /// It has a status subresource: a write of the object does not change the status, and the other way round.
    pub status: bool,
    /// The API server counts generations: changes outside metadata and status.
    pub generation: bool,
}

const fn core(plural: &'static str, kind: &'static str, status: bool) -> Resource {
    Resource {
        group: "",
        version: "v1",
        plural,
        kind,
        namespaced: true,
        status,
        generation: false,
    }
}

const fn app(plural: &'static str, kind: &'static str) -> Resource {
    Resource {
        group: "apps",
        version: "v1",
        plural,
        kind,
        namespaced: true,
        status: true,
        generation: true,
    }
}

const fn of(group: &'static str, version: &'static str, plural: &'static str, kind: &'static str) -> Resource {
    Resource {
        group,
        version,
        plural,
        kind,
        namespaced: true,
        status: false,
        generation: false,
    }
}

/// Namespaces.
pub static NAMESPACES: Resource = Resource {
    namespaced: false,
    ..core("namespaces", "Namespace", true)
};
/// Nodes.
pub static NODES: Resource = Resource {
    namespaced: false,
    ..core("nodes", "Node", true)
};
/// Pods.
pub static PODS: Resource = Resource {
    generation: true,
    ..core("pods", "Pod", true)
};
/// Services.
pub static SERVICES: Resource = core("services", "Service", true);
/// ConfigMaps.
pub static CONFIG_MAPS: Resource = core("configmaps", "ConfigMap", false);
/// Secrets.
pub static SECRETS: Resource = core("secrets", "Secret", false);
/// Endpoint slices.
pub static SLICES: Resource = Resource {
    generation: true,
    ..of("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
};
/// Network policies.
pub static POLICIES: Resource = Resource {
    generation: true,
    ..of("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
};
/// Deployments.
pub static DEPLOYMENTS: Resource = app("deployments", "Deployment");
/// Stateful sets.
pub static STATEFUL_SETS: Resource = app("statefulsets", "StatefulSet");
/// Daemon sets.
pub static DAEMON_SETS: Resource = app("daemonsets", "DaemonSet");
/// Replica sets.
pub static REPLICA_SETS: Resource = app("replicasets", "ReplicaSet");
/// Jobs.
pub static JOBS: Resource = Resource {
    group: "batch",
    ..app("jobs", "Job")
};
/// Cron jobs.
pub static CRON_JOBS: Resource = Resource {
    group: "batch",
    ..app("cronjobs", "CronJob")
};
/// Leases.
pub static LEASES: Resource = of("coordination.k8s.io", "v1", "leases", "Lease");
/// Events.
pub static EVENTS: Resource = of("events.k8s.io", "v1", "events", "Event");
/// Links.
pub static LINKS: Resource = Resource {
    status: true,
    generation: true,
    ..of("instancelink.dev", "v1alpha1", "instancelinks", "InstanceLink")
};
/// Grants.
pub static GRANTS: Resource = Resource {
    status: true,
    generation: true,
    ..of(
        "instancelink.dev",
        "v1alpha1",
        "instancelinkgrants",
        "InstanceLinkGrant",
    )
};

/// All of them.
pub static RESOURCES: [&Resource; 18] = [
    &NAMESPACES,
    &NODES,
    &PODS,
    &SERVICES,
    &CONFIG_MAPS,
    &SECRETS,
    &SLICES,
    &POLICIES,
    &DEPLOYMENTS,
    &STATEFUL_SETS,
    &DAEMON_SETS,
    &REPLICA_SETS,
    &JOBS,
    &CRON_JOBS,
    &LEASES,
    &EVENTS,
    &LINKS,
    &GRANTS,
];

/// `selectableFields` of the CRD.
const LINK_FIELDS: [&str; 5] = [
    "status.state",
    "status.id",
    "spec.linkName",
    "spec.instanceRef.name",
    "spec.targetInstanceRef.name",
];

impl Resource {
    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `plural.group`, or the plural alone in the core group. Some messages use this form.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `Kind.group`, or the kind alone in the core group. Other messages use this form.
    pub fn kind_and_group(&self) -> String {
        if self.group.is_empty() {
            self.kind.to_owned()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// Fields, besides name and namespace, for field selectors.
    pub fn selectable_fields(&self) -> &'static [&'static str] {
        if *self == LINKS {
            &LINK_FIELDS
        } else if *self == PODS {
            &["spec.nodeName", "status.phase"]
        } else if *self == SECRETS {
            &["type"]
        } else if *self == NAMESPACES {
            &["status.phase"]
        } else if *self == EVENTS {
            &[
                "regarding.name",
                "regarding.namespace",
                "regarding.kind",
                "regarding.uid",
                "reason",
            ]
        } else {
            &[]
        }
    }

    /// True if a PUT creates an object that does not exist.
    pub fn is_made_by_updates(&self) -> bool {
        *self == SERVICES || *self == LEASES || *self == EVENTS
    }

    /// True if it is served from a CRD.
    pub fn is_custom(&self) -> bool {
        self.group == "instancelink.dev"
    }
}

/// The resource of a path.
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
    RESOURCES
        .iter()
        .find(|r| r.group == group && r.version == version && r.plural == plural)
        .copied()
}
