//! What a user of a link may miss although all of its children are written: a target without ports, entries of a Secret that lead
//! past the alias, and labels of older links on shared objects (contract#notes). The condition `Programmed` has it.

use instancelink_api::condition::Reason;
use instancelink_api::spec::EnvironmentMode;

use super::binding::PastTheAlias;
use super::infrastructure::{self, MOST_LINKS, MOST_SHARED};
use super::naming::Names;
use crate::resolve::endpoints::EndpointGroups;
use crate::resolve::{TargetVerdict, target_of};
use crate::snapshot::{Snapshot, TargetObject};

/// Most entries that a message names.
const MOST_ENTRIES: usize = 4;

/// Something that a user may miss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `NoPorts`, `EntriesBypassAlias` or `OlderLinkDecides`.
    pub reason: Reason,
    /// What is missing, why, and what to write.
    pub message: String,
}

/// The notes of a link, the most important one first.
pub(super) fn of(s: &Snapshot, names: &Names<'_>, endpoints: &EndpointGroups, past: &PastTheAlias) -> Vec<Note> {
    no_ports(s, names, endpoints)
        .into_iter()
        .chain(bypassed(s, names, past))
        .chain(outvoted(s, names))
        .collect()
}

/// The target declares no ports, and the link lists none.
fn no_ports(s: &Snapshot, names: &Names<'_>, endpoints: &EndpointGroups) -> Option<Note> {
    let spec = &s.link.object.spec;
    if !endpoints.ports.is_empty() {
        return None;
    }
    let TargetVerdict::Observed(target) = target_of(s) else {
        return None;
    };
    let declares_none = match &target.object {
        TargetObject::Workload(workload) => workload.container_ports.is_empty(),
        TargetObject::Pod(pod) => pod.container_ports.is_empty(),
        TargetObject::Service(service) => service.ports.is_empty(),
    };
    let why = if declares_none {
        "declares no ports"
    } else if endpoints.groups.is_empty() {
        // Without a pod, the numbers of a Service's named ports are not known yet.
        return None;
    } else {
        "has ports with names that its pods do not declare"
    };
    let variable = names.alias.to_ascii_uppercase().replace('-', "_");
    let binding = spec.outputs.as_ref().and_then(|outputs| outputs.binding.as_ref());
    let what = match (spec.environment(), binding) {
        (EnvironmentMode::Docker, None) => format!("the environment has only {variable}_NAME"),
        (EnvironmentMode::Docker, Some(_)) => {
            format!("the environment has only {variable}_NAME, and the binding has no port of the link")
        }
        (EnvironmentMode::None, Some(_)) => "the binding has no port of the link".to_owned(),
        (EnvironmentMode::None, None) => return None,
    };
    let message = format!(
        "{} {}/{} {why}, so {what}. List the ports that its program listens on in spec.ports, for example ports: [{{name: {}, \
         port: 5432}}]: kubectl -n {} edit il {}",
        target.object.kind(),
        target.object.namespace(),
        target.object.name(),
        port_name(names.alias),
        names.namespace,
        names.link,
    );
    Some(Note {
        reason: Reason::NoPorts,
        message,
    })
}

/// A name of a port has at most 15 characters.
fn port_name(alias: &str) -> &str {
    if alias.len() <= 15 { alias } else { "main" }
}

/// Entries of the referenced Secret lead to another host than the alias.
fn bypassed(s: &Snapshot, names: &Names<'_>, past: &PastTheAlias) -> Option<Note> {
    if past.copied.is_empty() && !past.uri {
        return None;
    }
    let outputs = s.link.object.spec.outputs.as_ref()?;
    let secret = &outputs.binding.as_ref()?.secret_ref.as_ref()?.name;
    let namespace = names.namespace;
    let mut parts = Vec::new();
    if !past.copied.is_empty() {
        let mut shown: Vec<&str> = past.copied.iter().take(MOST_ENTRIES).map(String::as_str).collect();
        let more = format!("{} more", past.copied.len() - shown.len());
        if past.copied.len() > shown.len() {
            shown.push(&more);
        }
        parts.push(format!(
            "Secret {namespace}/{secret} leads past the alias in the entries {}, which the binding has as they are: a client that \
             uses them connects although the link is cut",
            shown.join(", ")
        ));
    }
    if past.uri {
        parts.push(format!(
            "the entry uri of Secret {namespace}/{secret} has not exactly one host that the alias can replace, so the binding has \
             no uri"
        ));
    }
    let message = format!(
        "{}. Let clients use the entries host and port, or write these entries with one host and port: kubectl -n {namespace} edit \
         secret {secret}",
        parts.join("; ")
    );
    Some(Note {
        reason: Reason::EntriesBypassAlias,
        message,
    })
}

/// Objects that the link shares with others do not have its labels and annotations.
fn outvoted(s: &Snapshot, names: &Names<'_>) -> Option<Note> {
    let outvoted = infrastructure::outvoted(s);
    (!outvoted.is_empty()).then(|| Note {
        reason: Reason::OlderLinkDecides,
        message: format!(
            "The objects that the links of {} share do not have the values of this link for: {}. Write the value of the older link into \
             spec.infrastructure of this link (kubectl -n {} edit il {}), or change the older link; of more than {MOST_LINKS} links, or \
             {MOST_SHARED} keys, the rest does not count",
            names.instance,
            outvoted.join(", "),
            names.namespace,
            names.link
        ),
    })
}

#[cfg(test)]
mod tests;
