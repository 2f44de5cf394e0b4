//! Resolves the reference to the target: consent, kind, existence.
//!
//! Consent is checked before existence, so that a user without consent does not learn whether the target exists.

use instancelink_api::TargetRef;
use instancelink_api::grant::Permission;

use super::{consent, external_names, scaled_kinds};
use crate::snapshot::{Snapshot, Target, TargetObject};

/// The result of resolving `spec.targetInstanceRef`.
#[derive(Clone, Debug)]
pub enum TargetVerdict<'a> {
    /// The spec has no target: nothing answers under the alias. This is valid.
    NoTarget,
    /// The target's namespace has not consented (`RefNotPermitted`, a hold).
    NotPermitted {
        /// The manifest that would permit it.
        message: String,
    },
    /// The target's kind is not supported (`KindNotSupported`).
    NotSupported {
        /// What is not supported, why, and what to do.
        message: String,
    },
    /// The target does not exist (`TargetNotFound`).
    Missing {
        /// What is missing, and what to do.
        message: String,
    },
    /// The target exists and cannot be used (`Unusable`).
    Unusable {
        /// Why, and what to do.
        message: String,
    },
    /// The target exists.
    Observed(&'a Target),
}

impl<'a> TargetVerdict<'a> {
    /// UID of the target, if it exists.
    pub fn uid(&self) -> Option<&'a str> {
        match self {
            Self::Observed(target) => Some(target.object.uid()),
            Self::NoTarget
            | Self::NotPermitted { .. }
            | Self::NotSupported { .. }
            | Self::Missing { .. }
            | Self::Unusable { .. } => None,
        }
    }
}

/// Resolves the reference to the target. The snapshot's target counts only if the reference names it, because it may have been
/// observed for an earlier spec.
pub fn target_of(s: &Snapshot) -> TargetVerdict<'_> {
    let Some(reference) = s.link.object.spec.target_instance_ref.as_ref() else {
        return TargetVerdict::NoTarget;
    };
    let own = s.link.object.metadata.namespace.as_deref().unwrap_or_default();
    let namespace = reference.namespace.as_deref().unwrap_or(own);
    if !consent::is_permitted(s, reference, Permission::Endpoints) {
        let message = consent::manifest(&s.link.object.spec, reference, namespace, own);
        return TargetVerdict::NotPermitted { message };
    }
    if let Some(message) = scaled_kinds::refusal(s, "targetInstanceRef", reference.api_version(), &reference.kind) {
        return TargetVerdict::NotSupported { message };
    }
    let TargetRef { kind, name, .. } = reference;
    match s.target.as_ref().filter(|t| t.object.is(reference, namespace)) {
        None if let Some(why) = &s.unusable.target => TargetVerdict::Unusable {
            message: format!(
                "{kind} {namespace}/{name} exists, but {why}, so nothing answers under the alias; {}, or set \
                 targetInstanceRef to another target",
                why.next_step()
            ),
        },
        None => TargetVerdict::Missing {
            message: format!(
                "{kind} {namespace}/{name} does not exist, so the alias gets no new endpoint; create it, or set \
                 targetInstanceRef to another target"
            ),
        },
        Some(Target {
            object: TargetObject::Service(service),
            ..
        }) if let Some(message) = external_names::refusal(s, service) => TargetVerdict::NotSupported { message },
        Some(target) => TargetVerdict::Observed(target),
    }
}

/// The target, if those who read the link may know that it exists: only with consent.
pub fn shown_target(s: &Snapshot) -> Option<&TargetObject> {
    match target_of(s) {
        TargetVerdict::Observed(target) => Some(&target.object),
        TargetVerdict::NoTarget
        | TargetVerdict::NotPermitted { .. }
        | TargetVerdict::NotSupported { .. }
        | TargetVerdict::Missing { .. }
        | TargetVerdict::Unusable { .. } => None,
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
            Self::Service(service) => service.import.as_ref().map_or("Service", |import| &import.kind.kind),
        }
    }

    /// The API version of its kind.
    pub fn api_version(&self) -> &str {
        match self {
            Self::Workload(workload) => &workload.kind.api_version,
            Self::Pod(_) => "v1",
            Self::Service(service) => service.import.as_ref().map_or("v1", |import| &import.kind.api_version),
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
    fn a_spec_without_a_target_resolves_to_no_target() {
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
    fn a_target_that_does_not_exist_is_missing_and_the_message_names_it() {
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
    fn a_target_in_another_namespace_is_found_if_that_namespace_consents() {
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
    fn an_object_of_the_links_own_namespace_is_never_taken_for_one_of_another() {
        let mut s = fixture::snapshot()
            .with_target_in("data")
            .granted("data", "{kind: Deployment}");
        s.target = fixture::snapshot().target;
        assert!(matches!(target_of(&s), TargetVerdict::Missing { .. }));
    }

    #[test]
    fn without_consent_the_message_does_not_show_whether_the_target_exists() {
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
    fn a_job_as_target_is_not_supported() {
        let s = fixture::snapshot().edited(|spec| spec.target_instance_ref.as_mut().unwrap().kind = "Job".to_owned());
        assert!(matches!(target_of(&s), TargetVerdict::NotSupported { .. }));
    }

    #[test]
    fn a_service_of_type_external_name_is_not_supported_unless_its_name_is_allowed() {
        let service = crate::snapshot::Service {
            external_name: Some("db.example.com".to_owned()),
            ..fixture::service()
        };
        let s = fixture::snapshot().with_target_service(service, vec![]);
        assert!(matches!(target_of(&s), TargetVerdict::NotSupported { .. }));
    }
}
