//! Workloads beyond the built-in kinds: every kind with a scale subresource that the operator may read
//! (contract#scaled-kinds).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use instancelink_api::InstanceRef;
use instancelink_api::grant::Permission;
use instancelink_api::reference::{default_api_version, group_in};

use super::consent::is_permitted;
use super::imports::is_import;
use crate::rights::quoted;
use crate::snapshot::{ApiKind, Snapshot, Unlisted};

/// How many kinds that the links of one namespace name are watched.
pub const PER_NAMESPACE: usize = 16;
/// How many kinds are watched.
pub const IN_TOTAL: usize = 128;

/// The kinds to watch, of those that links of these namespaces name. No namespace has more than its share. If there are too
/// many, the first kind of each namespace comes before the second one of any. Kinds that are watched already come before
/// others.
pub fn within_limits(
    named: &BTreeMap<ApiKind, BTreeSet<Arc<str>>>,
    is_watched: impl Fn(&ApiKind) -> bool,
) -> BTreeSet<&ApiKind> {
    let mut by_preference: Vec<(bool, &ApiKind)> = named.keys().map(|kind| (!is_watched(kind), kind)).collect();
    by_preference.sort_unstable();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ranked = Vec::new();
    for (is_new, kind) in by_preference {
        let ranks = named.get(kind).into_iter().flatten().map(|namespace| {
            let count = counts.entry(namespace).or_default();
            *count += 1;
            *count
        });
        // Each namespace counts the kind, whether the other ones have room for it or not.
        if let Some(rank) = ranks.min().filter(|rank| *rank <= PER_NAMESPACE) {
            ranked.push((rank, is_new, kind));
        }
    }
    ranked.sort_unstable();
    ranked.into_iter().take(IN_TOTAL).map(|(.., kind)| kind).collect()
}

/// The label that aggregates a `ClusterRole` into the operator's role.
pub const AGGREGATE: &str = "instancelink.dev/aggregate-to-operator";

/// The kind, if it is not a built-in kind of the operator and may have a scale subresource.
pub fn scalable(api_version: &str, kind: &str) -> Option<ApiKind> {
    let known = default_api_version(kind) == Some(api_version);
    let group = group_in(api_version);
    (!known && !matches!(group, "" | "apps" | "batch")).then(|| ApiKind::new(api_version, kind))
}

/// True while it is unknown whether source and target exist (lifecycle#unknown-kinds-wait). A link that is being deleted does
/// not need them, and one without consent to its target does not ask for it.
pub(crate) fn awaits_list(s: &Snapshot) -> bool {
    let link = &s.link.object;
    let source = &link.spec.instance_ref;
    let target = link.spec.target_instance_ref.as_ref();
    let target = target.filter(|target| is_permitted(s, target, Permission::Endpoints));
    let kinds = [
        scalable(source.api_version(), &source.kind),
        target.and_then(|target| scalable(target.api_version(), &target.kind)),
    ];
    let is_pending = |kind: ApiKind| s.unlisted.get(&kind) == Some(&Unlisted::Pending);
    link.metadata.deletion_timestamp.is_none() && kinds.into_iter().flatten().any(is_pending)
}

/// True if the operator may not or does not read objects of the source's kind.
pub(crate) fn is_unreadable(s: &Snapshot, source: &InstanceRef) -> bool {
    scalable(source.api_version(), &source.kind)
        .and_then(|kind| s.unlisted.get(&kind))
        .is_some_and(|why| matches!(why, Unlisted::Forbidden { .. } | Unlisted::TooMany))
}

/// Why a link cannot have a source or target of this kind, and what to do; none if it can.
pub(crate) fn refusal(s: &Snapshot, field: &str, api_version: &str, kind: &str) -> Option<String> {
    if default_api_version(kind) == Some(api_version) {
        let ends = field == "targetInstanceRef" && group_in(api_version) == "batch";
        return ends.then(|| {
            format!(
                "{field} cannot be a {kind}: its pods end, and the alias would resolve to no address; {}",
                instead(
                    field,
                    "a Service that selects its pods, or to a workload whose pods keep running"
                )
            )
        });
    }
    let Some(scalable) = scalable(api_version, kind) else {
        let api = if api_version.is_empty() {
            "an unknown API"
        } else {
            api_version
        };
        let others = if field == "instanceRef" {
            "a workload of apps/v1, a Job or CronJob of batch/v1, a Pod of v1, or another kind with a scale subresource and its \
             apiVersion"
        } else {
            "a workload of apps/v1, a Pod or Service of v1, or another kind with a scale subresource and its apiVersion"
        };
        return Some(format!(
            "{field} cannot be a {kind} of {api}; {}",
            instead(field, others)
        ));
    };
    if field == "instanceRef" && is_import(&scalable) {
        return Some(format!(
            "{field} cannot be a {kind}, because it has no pods in this cluster; {}",
            instead(field, "the workload that runs the pods")
        ));
    }
    match s.unlisted.get(&scalable)? {
        Unlisted::Pending => None,
        Unlisted::NotServed => Some(format!(
            "the API server does not serve the kind {scalable}; install its CustomResourceDefinition (the operator looks \
             again every ten seconds at first, and every five minutes later), or {}",
            instead(field, "another kind")
        )),
        Unlisted::NotScalable => Some(format!(
            "the kind {scalable} is not namespaced or has no scale subresource, so the operator cannot find its pods; {}",
            instead(field, "the workload that runs the pods")
        )),
        Unlisted::TooMany => Some(format!(
            "links name more kinds than the operator watches, {PER_NAMESPACE} for each namespace and {IN_TOTAL} in total, and so it \
             does not watch the kind {scalable}; remove links of other kinds, or {}",
            instead(field, "the workload that runs the pods")
        )),
        Unlisted::Forbidden { plural } => Some(role(&scalable, plural)),
    }
}

/// How to change a reference: the source is immutable.
fn instead(field: &str, instance: &str) -> String {
    if field == "instanceRef" {
        format!("create a new link with {instance} as its {field}")
    } else {
        format!("set {field} to {instance}")
    }
}

/// The missing role, as a message. Its first line is a comment, so that the whole text can be applied.
fn role(kind: &ApiKind, plural: &str) -> String {
    let (group, _) = kind.group_version();
    let group = quoted(group);
    let scale = if is_import(kind) {
        String::new()
    } else {
        format!("- apiGroups: [{group}]\n  resources: [{plural}/scale]\n  verbs: [get]\n")
    };
    format!(
        "# The operator may not read the kind {kind}. A cluster administrator can apply this manifest; the operator uses the \
         right within half a minute:\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: ClusterRole\n\
         metadata:\n  name: {}\n  labels:\n    {AGGREGATE}: \"true\"\n\
         rules:\n\
         - apiGroups: [{group}]\n  resources: [{plural}]\n  verbs: [list, watch]\n{scale}",
        quoted(&format!("instancelink-scalable-{plural}.{}", kind.group_version().0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::{Effect, Step};
    use crate::fixture;
    use crate::lifecycle::step;
    use crate::resolve::{TargetVerdict, target_of};
    use crate::snapshot::TargetObject;

    fn rollout() -> ApiKind {
        ApiKind::new("argoproj.io/v1alpha1", "Rollout")
    }

    /// The target is the Rollout `pg`.
    fn to_rollout() -> Snapshot {
        let workload = crate::snapshot::Workload {
            kind: rollout(),
            ..fixture::deployment()
        };
        let pods = vec![fixture::pod("pg-0", "10.0.0.10")];
        fixture::snapshot()
            .edited(|spec| {
                let reference = spec.target_instance_ref.as_mut().unwrap();
                reference.api_version = Some("argoproj.io/v1alpha1".to_owned());
                reference.kind = "Rollout".to_owned();
            })
            .with_target(TargetObject::Workload(Arc::new(workload)), pods)
    }

    fn unlisted(why: Unlisted) -> Snapshot {
        let mut s = to_rollout().without_target();
        s.unlisted.insert(rollout(), why);
        s
    }

    fn refused(why: Unlisted) -> String {
        let s = unlisted(why);
        match target_of(&s) {
            TargetVerdict::NotSupported { message } => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_target_with_a_scale_subresource_is_found_by_api_version_and_kind() {
        assert_eq!(target_of(&to_rollout()).uid(), Some(fixture::TARGET_UID));
        let of_another_group = to_rollout().edited(|spec| {
            spec.target_instance_ref.as_mut().unwrap().api_version = Some("example.com/v1".to_owned());
        });
        assert!(matches!(target_of(&of_another_group), TargetVerdict::Missing { .. }));
    }

    /// lifecycle#unknown-kinds-wait
    #[test]
    fn a_list_that_is_missing_does_not_delay_the_cut_of_a_link_without_consent() {
        let elsewhere = || unlisted(Unlisted::Pending).with_target_in("data");
        assert!(awaits_list(&unlisted(Unlisted::Pending)));
        assert!(awaits_list(
            &elsewhere().granted("data", "{group: argoproj.io, kind: Rollout}")
        ));
        assert!(!awaits_list(&elsewhere()));
    }

    /// contract#spec-target-instance-ref
    #[test]
    fn a_job_is_a_source_and_no_target() {
        for kind in ["Job", "CronJob"] {
            let s = fixture::snapshot();
            assert_eq!(refusal(&s, "instanceRef", "batch/v1", kind), None);
            let message = refusal(&s, "targetInstanceRef", "batch/v1", kind).unwrap();
            assert!(message.contains("a Service that selects its pods"), "{message}");
            assert_eq!(scalable("batch/v1", kind), None);
            assert!(refusal(&s, "instanceRef", "batch/v1beta1", kind).is_some());
        }
        assert!(scalable("batch.volcano.sh/v1alpha1", "Job").is_some());
    }

    #[test]
    fn a_kind_with_the_name_of_a_built_in_kind_is_another_kind() {
        assert_eq!(scalable("apps/v1", "Deployment"), None);
        assert_eq!(
            scalable("example.com/v1", "Deployment"),
            Some(ApiKind::new("example.com/v1", "Deployment"))
        );
        assert_eq!(scalable("", "Rollout"), None);
        assert_eq!(scalable("v1", "ReplicationController"), None);
    }

    #[test]
    fn without_the_right_the_message_is_the_role_that_gives_it() {
        let plural = "rollouts".to_owned();
        let message = refused(Unlisted::Forbidden { plural });
        let role: serde_json::Value = serde_yaml_ng::from_str(&message).unwrap();
        assert_eq!(role["metadata"]["labels"][AGGREGATE], "true");
        assert_eq!(role["metadata"]["name"], "instancelink-scalable-rollouts.argoproj.io");
        let rules: serde_json::Value = serde_json::json!([
            {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["list", "watch"]},
            {"apiGroups": ["argoproj.io"], "resources": ["rollouts/scale"], "verbs": ["get"]},
        ]);
        assert_eq!(role["rules"], rules);
    }

    #[test]
    fn a_kind_that_is_not_served_or_has_no_scale_subresource_is_reported_with_what_to_do() {
        let not_served = refused(Unlisted::NotServed);
        assert!(
            not_served
                .starts_with("the API server does not serve the kind Rollout of argoproj.io/v1alpha1; install its"),
            "{not_served}"
        );
        assert!(refused(Unlisted::NotScalable).contains("set targetInstanceRef to the workload"));
    }

    fn named<'a>(kinds: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<ApiKind, BTreeSet<Arc<str>>> {
        let mut named: BTreeMap<ApiKind, BTreeSet<Arc<str>>> = BTreeMap::new();
        for (namespace, kind) in kinds {
            named
                .entry(ApiKind::new("example.com/v1", kind))
                .or_default()
                .insert(namespace.into());
        }
        named
    }

    /// contract#scaled-kinds
    #[test]
    fn no_namespace_has_more_kinds_watched_than_its_share_and_each_has_its_first() {
        let kinds: Vec<String> = (0..300).map(|n| format!("Kind{n:03}")).collect();
        let one = named(kinds.iter().map(|kind| ("greedy", kind.as_str())));
        assert_eq!(within_limits(&one, |_| false).len(), PER_NAMESPACE);

        let namespaces: Vec<String> = (0..20).map(|n| format!("greedy-{n}")).collect();
        let greedy = kinds
            .iter()
            .enumerate()
            .map(|(n, kind)| (namespaces[n % 20].as_str(), kind.as_str()));
        let all = named(greedy.chain([("modest", "Zebra")]));
        let watched = within_limits(&all, |_| false);
        assert_eq!(watched.len(), IN_TOTAL);
        assert!(watched.contains(&ApiKind::new("example.com/v1", "Zebra")));
    }

    #[test]
    fn a_kind_that_is_watched_stays_so_when_its_namespace_names_more() {
        let kinds: Vec<String> = (0..20).map(|n| format!("Kind{n:03}")).collect();
        let one = named(kinds.iter().map(|kind| ("shop", kind.as_str())));
        let last = ApiKind::new("example.com/v1", "Kind019");
        assert!(!within_limits(&one, |_| false).contains(&last));
        assert!(within_limits(&one, |kind| *kind == last).contains(&last));
        let refused = refused(Unlisted::TooMany);
        assert!(refused.contains("16 for each namespace"), "{refused}");
    }

    #[test]
    fn a_link_waits_until_its_kind_is_listed_unless_it_is_deleted() {
        let nothing = Step::Settled {
            wake: None,
            retry: false,
        };
        let mut s = unlisted(Unlisted::Pending);
        assert_eq!(step(&s), nothing);
        s.link.object.metadata.deletion_timestamp = s.link.object.metadata.creation_timestamp.clone();
        s.link.object.metadata.finalizers = Some(vec![instancelink_api::keys::FINALIZER.to_owned()]);
        assert!(s.link.object.metadata.deletion_timestamp.is_some());
        assert_ne!(step(&s), nothing);
        assert_ne!(step(&unlisted(Unlisted::NotServed)), nothing);
    }

    #[test]
    fn a_source_of_a_kind_that_cannot_be_read_holds_the_link_and_reports_why() {
        let mut s = fixture::snapshot().without_source().edited(|spec| {
            spec.instance_ref.api_version = Some("argoproj.io/v1alpha1".to_owned());
            spec.instance_ref.kind = "Rollout".to_owned();
        });
        s.unlisted.insert(
            rollout(),
            Unlisted::Forbidden {
                plural: "rollouts".to_owned(),
            },
        );
        s.link.object.metadata.finalizers = Some(vec![instancelink_api::keys::FINALIZER.to_owned()]);
        let Step::Act(effects) = step(&s) else { panic!() };
        let Some(Effect::WriteStatus { status }) = effects.first() else {
            panic!("{effects:?}")
        };
        let refs = status.conditions.iter().find(|c| c.type_ == "ResolvedRefs").unwrap();
        assert_eq!(refs.reason, "KindNotSupported");
        assert!(refs.message.contains("kind: ClusterRole"), "{}", refs.message);
    }
}
