//! The target's reference: what it names, whether it may, and whether a link can lead there.
//!
//! The order of the answers is the order in which a stranger may learn them: consent comes before existence.

use instancelink_api::TargetRef;
use instancelink_api::grant::Permission;

use super::{consent, kinds};
use crate::snapshot::{Snapshot, Target, TargetObject};

/// What became of `spec.targetInstanceRef`.
#[derive(Clone, Debug)]
pub enum TargetVerdict<'a> {
    /// The spec names none: the alias resolves to nothing, legally.
    NoTarget,
    /// The target's namespace has not consented (`RefNotPermitted`, a hold).
    NotPermitted {
        /// The manifest that would permit it.
        message: String,
    },
    /// A link cannot lead to such a thing (`KindNotSupported`).
    NotSupported {
        /// What, why, and what to do next.
        message: String,
    },
    /// Nothing of that name exists now (`TargetNotFound`).
    Missing {
        /// What is waited for.
        message: String,
    },
    /// There it is.
    Observed(&'a Target),
}

impl<'a> TargetVerdict<'a> {
    /// UID of a target that was found.
    pub fn uid(&self) -> Option<&'a str> {
        match self {
            Self::Observed(target) => Some(target.object.uid()),
            Self::NoTarget | Self::NotPermitted { .. } | Self::NotSupported { .. } | Self::Missing { .. } => None,
        }
    }
}

/// Resolves the target's reference. The snapshot's target counts only where it is what the reference names, so that one
/// observed for an earlier spec never stands in for the new one.
pub fn target_of(s: &Snapshot) -> TargetVerdict<'_> {
    let Some(reference) = s.link.object.spec.target_instance_ref.as_ref() else {
        return TargetVerdict::NoTarget;
    };
    let own = s.link.object.metadata.namespace.as_deref().unwrap_or_default();
    let namespace = reference.namespace.as_deref().unwrap_or(own);
    if !consent::is_permitted(s, reference, Permission::Endpoints) {
        let message = consent::manifest(reference, namespace, own, s.link.object.spec.network_policy);
        return TargetVerdict::NotPermitted { message };
    }
    if let Some(message) = kinds::refusal(s, "targetInstanceRef", reference.api_version(), &reference.kind) {
        return TargetVerdict::NotSupported { message };
    }
    let TargetRef { kind, name, .. } = reference;
    match s.target.as_ref().filter(|t| t.object.is(reference, namespace)) {
        None => TargetVerdict::Missing {
            message: format!(
                "{kind} {namespace}/{name} does not exist, so the alias resolves to no address; create it, or set \
                 targetInstanceRef to another target"
            ),
        },
        Some(Target {
            object: TargetObject::Service(service),
            ..
        }) if service.external_name => TargetVerdict::NotSupported {
            message: format!(
                "Service {namespace}/{name} is of type ExternalName, so it has no addresses; set targetInstanceRef to \
                     a Service with a cluster IP or a selector, or to a workload"
            ),
        },
        Some(target) => TargetVerdict::Observed(target),
    }
}

impl TargetObject {
    /// Its UID.
    pub fn uid(&self) -> &str {
        match self {
            Self::Workload(workload) => &workload.uid,
            Self::Pod(pod) => &pod.uid,
            Self::Service(service) => &service.uid,
        }
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Workload(workload) => &workload.namespace,
            Self::Pod(pod) => &pod.namespace,
            Self::Service(service) => &service.namespace,
        }
    }

    /// The API's name of its kind.
    pub fn kind(&self) -> &str {
        match self {
            Self::Workload(workload) => &workload.kind.kind,
            Self::Pod(_) => "Pod",
            Self::Service(_) => "Service",
        }
    }

    /// The API version of its kind.
    pub fn api_version(&self) -> &str {
        match self {
            Self::Workload(workload) => &workload.kind.api_version,
            Self::Pod(_) | Self::Service(_) => "v1",
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Workload(workload) => &workload.name,
            Self::Pod(pod) => &pod.name,
            Self::Service(service) => &service.name,
        }
    }

    fn is(&self, reference: &TargetRef, namespace: &str) -> bool {
        self.kind() == reference.kind
            && self.api_version() == reference.api_version()
            && self.namespace() == namespace
            && self.name() == reference.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_link_without_target_has_none() {
        let s = fixture::snapshot().edited(|spec| spec.target_instance_ref = None);
        assert!(matches!(target_of(&s), TargetVerdict::NoTarget));
    }

    #[test]
    fn a_target_that_exists_is_found() {
        let s = fixture::snapshot();
        assert_eq!(target_of(&s).uid(), Some(fixture::TARGET_UID));
        let spelled_out = s.edited(|spec| {
            let reference = spec.target_instance_ref.as_mut().unwrap();
            reference.namespace = Some("shop".to_owned());
            reference.api_version = Some("apps/v1".to_owned());
        });
        assert_eq!(target_of(&spelled_out).uid(), Some(fixture::TARGET_UID));
    }

    #[test]
    fn a_target_that_is_not_there_is_missing_and_the_message_names_it() {
        let s = fixture::snapshot().without_target();
        let TargetVerdict::Missing { message } = target_of(&s) else {
            panic!()
        };
        assert!(message.contains("Deployment shop/pg"), "{message}");
    }

    #[test]
    fn a_target_observed_for_an_earlier_spec_does_not_count() {
        let s = fixture::snapshot().edited(|spec| spec.target_instance_ref.as_mut().unwrap().name = "pg2".to_owned());
        assert!(matches!(target_of(&s), TargetVerdict::Missing { .. }));
    }

    #[test]
    fn a_target_in_another_namespace_is_found_there_where_that_consents() {
        let s = fixture::snapshot()
            .with_target_in("data")
            .granted("data", "{kind: Deployment}");
        assert_eq!(target_of(&s).uid(), Some(fixture::TARGET_UID));
        let TargetVerdict::Missing { message } = target_of(&s.without_target()).clone() else {
            panic!()
        };
        assert!(message.contains("Deployment data/pg"), "{message}");
    }

    #[test]
    fn an_object_of_the_links_own_namespace_never_stands_in_for_one_of_another() {
        let mut s = fixture::snapshot()
            .with_target_in("data")
            .granted("data", "{kind: Deployment}");
        s.target = fixture::snapshot().target;
        assert!(matches!(target_of(&s), TargetVerdict::Missing { .. }));
    }

    #[test]
    fn another_namespace_does_not_permit_and_does_not_tell_whether_the_target_exists() {
        let elsewhere = |s: Snapshot| {
            s.edited(|spec| spec.target_instance_ref.as_mut().unwrap().namespace = Some("data".to_owned()))
        };
        let messages = [fixture::snapshot(), fixture::snapshot().without_target()].map(|s| {
            let TargetVerdict::NotPermitted { message } = target_of(&elsewhere(s)).clone() else {
                panic!()
            };
            message
        });
        assert_eq!(messages[0], messages[1]);
        assert!(messages[0].contains("data/pg"), "{}", messages[0]);
    }

    #[test]
    fn a_kind_that_no_link_leads_to_is_not_supported() {
        let s = fixture::snapshot().edited(|spec| spec.target_instance_ref.as_mut().unwrap().kind = "Job".to_owned());
        assert!(matches!(target_of(&s), TargetVerdict::NotSupported { .. }));
    }

    #[test]
    fn an_external_name_is_not_supported() {
        let service = crate::snapshot::Service {
            external_name: true,
            ..fixture::service()
        };
        let s = fixture::snapshot().with_target_service(service, vec![]);
        assert!(matches!(target_of(&s), TargetVerdict::NotSupported { .. }));
    }
}
