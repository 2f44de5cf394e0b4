//! Names on objects in the cluster: group, kinds, annotations, labels and the finalizer.

/// API group of the custom resources.
pub const GROUP: &str = "instancelink.dev";
/// Served version of the custom resources.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of the custom resources.
pub const API_VERSION: &str = "instancelink.dev/v1alpha1";
/// Kind of the link.
pub const KIND: &str = "InstanceLink";
/// Kind of the consent of a namespace to links from others.
pub const GRANT_KIND: &str = "InstanceLinkGrant";

/// Annotation in which users ask for an action: `verb` or `verb/id`.
pub const ACTION: &str = "instancelink.dev/action";
/// Annotation in which the operator keeps the last request it took, as JSON.
pub const INTENT: &str = "instancelink.dev/intent";
/// Finalizer that holds a link until its children are gone.
pub const FINALIZER: &str = "instancelink.dev/lifecycle";

/// The prefix of a pod's readiness gate; the alias follows.
pub const GATE_PREFIX: &str = "instancelink.dev/";

/// Label on everything the operator creates.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY`], and the operator's field manager.
pub const MANAGER: &str = "instancelink";
/// Label on the children of one link: the link's UID.
pub const LINK_UID: &str = "instancelink.dev/link-uid";
/// Label on the children that the links of one source share: the source's UID.
pub const SOURCE_UID: &str = "instancelink.dev/source-uid";
/// Annotation on each child: `namespace/name` of a link that it was created for, so that the sweep can ask for the link.
pub const LINK: &str = "instancelink.dev/link";
/// Annotation on the children that the links of one source share: `kind/name` of the source.
pub const SOURCE: &str = "instancelink.dev/source";
/// Annotation of the environment ConfigMap and of a binding: JSON object, link UID to the list of its keys.
pub const ENTRIES: &str = "instancelink.dev/entries";
/// Annotation of a slice: the time at which it stopped answering, from which the drain counts.
pub const DRAIN_FROM: &str = "instancelink.dev/drain-from";

/// Annotation of a child: JSON object with the keys of its labels and annotations that come from `spec.infrastructure` or from the
/// operator's options.
pub const INFRASTRUCTURE: &str = "instancelink.dev/infrastructure";

/// Label of an EndpointSlice that names its manager.
pub const SLICE_MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Value of [`SLICE_MANAGED_BY`].
pub const SLICE_MANAGER: &str = "instancelink.dev";
/// Label of an EndpointSlice that names its Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Label that keeps kube-proxy from watching slices of headless Services.
pub const HEADLESS: &str = "service.kubernetes.io/headless";
/// The label by which another program than kube-proxy takes over a Service.
pub const SERVICE_PROXY_NAME: &str = "service.kubernetes.io/service-proxy-name";
/// The annotations that limit the endpoints of a Service to those near a client.
pub const TOPOLOGY: [&str; 2] = [
    "service.kubernetes.io/topology-mode",
    "service.kubernetes.io/topology-aware-hints",
];
/// Value of [`SLICE_MANAGED_BY`] on slices that Kubernetes writes for Services with a selector.
pub const SLICE_CONTROLLER: &str = "endpointslice-controller.k8s.io";
/// Value of [`SLICE_MANAGED_BY`] on slices that Kubernetes mirrors from `Endpoints` objects.
pub const MIRROR_MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
/// Annotation of a definition of ours that may be deleted (contract#definitions-admission).
pub const ALLOW_DELETION: &str = "instancelink.dev/allow-deletion";
