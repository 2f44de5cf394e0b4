//! The objects around the link, looked up by reference as the operator's caches do.

use std::sync::Arc;

use instancelink_api::InstanceLinkSpec;
use instancelink_core::fixture::{self, World};
use instancelink_core::snapshot::{ApiKind, Pod, Secrets, Snapshot, Target, TargetObject, Unlisted, WorkloadKind};

/// Valid specs in JSON, one for each kind of target and addressing.
pub const GOOD: [&str; 6] = [
    r#"{"linkName":"db","instanceRef":{"kind":"Deployment","name":"web"},"targetInstanceRef":{"kind":"Deployment","name":"pg"}}"#,
    r#"{"linkName":"db","instanceRef":{"kind":"Deployment","name":"web"},"targetInstanceRef":{"kind":"Service","name":"pg"},"ports":[{"name":"pg","port":5432}]}"#,
    r#"{"linkName":"db","instanceRef":{"kind":"Deployment","name":"web"},"targetInstanceRef":{"kind":"Deployment","name":"pg"},"addressing":"VirtualIP","ports":[{"name":"pg","port":5432,"targetPort":"pg"},{"name":"admin","port":80}]}"#,
    r#"{"linkName":"db","instanceRef":{"kind":"Deployment","name":"web"},"targetInstanceRef":{"kind":"Deployment","name":"pg","namespace":"data"},"networkPolicy":"Allow","outputs":{"binding":{"type":"postgresql","provider":"ours"}}}"#,
    r#"{"linkName":"db","instanceRef":{"kind":"Deployment","name":"web"},"targetInstanceRef":{"kind":"Deployment","name":"pg"},"desiredState":"Inactive","deactivation":{"drainSeconds":60},"name":"Orders","description":"of the shop"}"#,
    r#"{"linkName":"db","instanceRef":{"kind":"Deployment","name":"web"},"desiredState":"Active","activation":{"targetWaitSeconds":0},"outputs":{"environment":"None"},"ttlSecondsAfterRemoved":60}"#,
];

/// The namespace that consents. It has its own `pg`.
const ELSEWHERE: &str = "data";

/// A new link with this spec.
pub(super) fn new(spec: InstanceLinkSpec) -> World {
    let mut s = fixture::of(fixture::SPEC).granted_by(
        ELSEWHERE,
        "{from: [{namespace: shop}], to: [{kind: Deployment, name: pg}], allow: [Endpoints, NetworkPolicy]}",
    );
    s.link.object.spec = spec;
    s.secrets = Secrets::Known { referenced: None };
    let mut world = World::new(s);
    observe(&mut world.s);
    world
}

/// Updates the snapshot to what the caches show for its spec.
pub(super) fn observe(s: &mut Snapshot) {
    let spec = s.link.object.spec.clone();
    let source = &spec.instance_ref;
    let is_web = source.kind == "Deployment" && source.api_version() == "apps/v1" && source.name == "web";
    *s = if is_web {
        s.clone().with_source()
    } else {
        s.clone().without_source()
    };
    s.target = spec.target_instance_ref.as_ref().and_then(|target| {
        let namespace = target.namespace.as_deref().unwrap_or(fixture::NAMESPACE);
        find(target.api_version(), &target.kind, &target.name, namespace)
    });
    s.answering.pods = [fixture::NAMESPACE, ELSEWHERE]
        .into_iter()
        .flat_map(pods)
        .map(Arc::new)
        .collect();
    s.answering.services = vec![Arc::new(fixture::service())];
    let rollout = ApiKind::new("argoproj.io/v1alpha1", "Rollout");
    s.unlisted = [(rollout, Unlisted::NotServed)].into();
}

fn find(api_version: &str, kind: &str, name: &str, namespace: &str) -> Option<Target> {
    if namespace != fixture::NAMESPACE && namespace != ELSEWHERE {
        return None;
    }
    let pods = pods(namespace);
    let object = match (api_version, kind, name) {
        ("apps/v1", "Deployment", "pg" | "web") => {
            let mut workload = fixture::deployment();
            name.clone_into(&mut workload.name);
            workload.kind = WorkloadKind::Deployment.into();
            namespace.clone_into(&mut workload.namespace);
            TargetObject::Workload(Arc::new(workload))
        }
        ("v1", "Service", "pg") => {
            let mut service = fixture::service();
            namespace.clone_into(&mut service.namespace);
            TargetObject::Service(Arc::new(service))
        }
        ("v1", "Pod", "pg-0") => TargetObject::Pod(Arc::new(pods[0].clone())),
        _ => return None,
    };
    let candidates = match &object {
        TargetObject::Pod(pod) => vec![fixture::candidate((**pod).clone())],
        _ => pods.into_iter().map(fixture::candidate).collect(),
    };
    Some(Target {
        object,
        candidates,
        slices: None,
    })
}

fn pods(namespace: &str) -> Vec<Pod> {
    let named = |name: &str, address: &str| Pod {
        namespace: namespace.to_owned(),
        uid: format!("uid-of-{name}-in-{namespace}"),
        ..fixture::pod(name, address)
    };
    let third = if namespace == ELSEWHERE { "10.1" } else { "10.0" };
    vec![
        named("pg-0", &format!("{third}.0.10")),
        named("pg-1", &format!("{third}.0.11")),
    ]
}
