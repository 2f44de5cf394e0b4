//! A Service of type `ExternalName` as a target: whether its name may be looked up, and what is wrong with the answer
//! (contract#external-names).

use crate::external_name::{ExternalName, PER_NAMESPACE, is_name};
use crate::snapshot::{Service, Snapshot};
use crate::text;

/// The longest part of a name in a message that is no name.
const SHOWN: usize = 80;

/// True for a name that the operator may look up. A name of the cluster would lead past the consent of its namespace.
pub(super) fn is_allowed(s: &Snapshot, name: &str) -> bool {
    !is_of_cluster(s, name) && s.external_names.allowed.allows(name)
}

fn is_of_cluster(s: &Snapshot, name: &str) -> bool {
    let domain = s.cluster_domain.to_ascii_lowercase();
    name.strip_suffix(&domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Why a link cannot lead to the name of this Service, and what to do; none for other Services.
pub(super) fn refusal(s: &Snapshot, service: &Service) -> Option<String> {
    let name = service.external_name.as_deref()?;
    let place = format!("Service {}/{}", service.namespace, service.name);
    if !is_name(name) {
        let name = text::shown(name, SHOWN);
        return Some(format!(
            "{place} is of type ExternalName, and its externalName {name:?} is no name of the DNS; correct the Service, or set \
             targetInstanceRef to another target"
        ));
    }
    if is_of_cluster(s, name) {
        return Some(format!(
            "{place} is of type ExternalName, and {name} is a name of this cluster, for which the consent of its namespace would not \
             be asked; set targetInstanceRef to the Service of that name"
        ));
    }
    if !s.external_names.allowed.allows(name) {
        return Some(not_allowed(&place, name));
    }
    (s.external_names.known.get(name) == Some(&ExternalName::TooMany)).then(|| {
        format!(
            "the links to {place} and others lead to more external names than the operator looks up for one namespace, \
             {PER_NAMESPACE}, so it does not look up {name}; remove such links, or set targetInstanceRef to another target"
        )
    })
}

/// Says how a name can be allowed. The operator accepts what is named here: names and suffixes with a dot.
fn not_allowed(place: &str, name: &str) -> String {
    let Some((_, domain)) = name.split_once('.') else {
        return format!(
            "{place} is of type ExternalName, and its externalName {name} has no dot, so no administrator can allow it; correct the \
             Service, or set targetInstanceRef to another target"
        );
    };
    let suffix = if domain.contains('.') {
        format!(", or with a suffix such as '*.{domain}' if you trust all names below it")
    } else {
        String::new()
    };
    format!(
        "{place} is of type ExternalName, and the operator may not look up {name}; a cluster administrator can start the operator \
         with --allow-external-names={name}{suffix}. Or set targetInstanceRef to a Service with a cluster IP, a selector or \
         EndpointSlices"
    )
}

/// What is wrong with the answer of the DNS for the name of this Service, and what to do; none if it has addresses.
pub fn problem(s: &Snapshot, service: &Service) -> Option<String> {
    let name = service.external_name.as_deref()?;
    let ExternalName::Known { addresses, failing } = s.external_names.known.get(name)? else {
        return None;
    };
    let place = format!("Service {}/{}", service.namespace, service.name);
    match failing {
        Some(failing) if addresses.is_empty() => Some(format!(
            "the DNS {} when the operator asked for {name}, the externalName of {place}, since {}, and no earlier answer counts, so \
             the alias resolves to no address; check the DNS that the operator's pods use",
            failing.why, failing.since
        )),
        Some(failing) => Some(format!(
            "the DNS {} when the operator asked for {name}, the externalName of {place}, since {}; the last addresses are kept for \
             ten minutes; check the DNS that the operator's pods use",
            failing.why, failing.since
        )),
        None if addresses.is_empty() => Some(format!(
            "the DNS has no address for {name}, the externalName of {place}, so the alias resolves to no address; correct the \
             Service, or create the name"
        )),
        None => None,
    }
}
