//! Builds the binding: a Secret with the connection data of the link, in the form of servicebinding.io.

use instancelink_api::condition::Reason;
use instancelink_api::spec::Binding as Spec;
use instancelink_api::{keys, status::BindingStatus};

use super::connection::{self, Alias};
use super::naming::{Names, labels};
use super::ownership::is_own;
use crate::child::{Binding, ChildSpec, Confidential, Entries, Key, Kind, Observed, added};
use crate::refusal::Refusal;
use crate::resolve::directory::host;
use crate::resolve::ports::Port;
use crate::rights::{self, Account};
use crate::snapshot::{Referenced, Secrets, Snapshot};

/// The desired Secret of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesiredBinding {
    /// No Secret.
    Absent,
    /// It cannot be built or written now: an existing Secret is not changed.
    Pending(Refusal),
    /// This Secret.
    Present(ChildSpec<Binding>),
}

/// The names of entries of the referenced Secret that lead past the alias (contract#entries-past-the-alias).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PastTheAlias {
    /// Copied as they are.
    pub(super) copied: Vec<String>,
    /// Its `uri` cannot have the alias as its host, so the binding has none.
    pub(super) uri: bool,
}

/// Builds the desired Secret, and names what leads past the alias.
pub(super) fn desired(s: &Snapshot, names: &Names<'_>, ports: &[Port]) -> (DesiredBinding, PastTheAlias) {
    let mut past = PastTheAlias::default();
    let Some(spec) = binding_spec(s) else {
        return (
            unconfirmed(s).map_or(DesiredBinding::Absent, DesiredBinding::Pending),
            past,
        );
    };
    let entries = match referenced(s, names, spec) {
        Ok(entries) => entries,
        Err(refusal) => return (DesiredBinding::Pending(refusal), past),
    };
    let own = entries_of(spec, names, ports, entries, &mut past);
    let keys: Vec<&str> = own.keys().map(String::as_str).collect();
    let listed = serde_json::json!({ names.link_uid: keys }).to_string();
    let secret = ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.binding(),
        labels: names.own_labels(),
        annotations: labels([(keys::LINK, &names.link_path()), (keys::ENTRIES, &listed)]),
        owners: names.link_owner(),
        body: Binding {
            type_: format!("servicebinding.io/{}", spec.type_),
            data: beside_added(s, names, own),
            immutable: false,
        },
    };
    (DesiredBinding::Present(secret), past)
}

/// The entries of the Secret that the spec refers to.
fn referenced(s: &Snapshot, names: &Names<'_>, spec: &Spec) -> Result<Entries, Refusal> {
    let known = match &s.secrets {
        Secrets::Unknown => return Err(unknown(names)),
        Secrets::Forbidden => {
            let why = format!(
                "spec.outputs.binding needs {}, but the operator may not use Secrets in that namespace. Apply this manifest, \
                 and the link goes on by itself within a minute, or remove spec.outputs.binding:",
                key_of(names)
            );
            return Err(forbidden(&why, names, &s.account));
        }
        Secrets::Known { referenced } => referenced,
    };
    match (&spec.secret_ref, known) {
        (None, _) => Ok(Entries::new()),
        (Some(_), Some(Referenced::Entries(entries))) => Ok(entries.clone()),
        (Some(reference), Some(Referenced::Binding)) => {
            let (namespace, link) = (names.namespace, names.link);
            let message = format!(
                "Secret {namespace}/{}, the one in spec.outputs.binding.secretRef, is the binding of a link. A binding takes no \
                 entries from another one, because two that take them from each other would keep an old password. Name the \
                 Secret that the entries come from: kubectl -n {namespace} edit il {link}",
                reference.name
            );
            Err(refusal(Reason::InvalidSecretRef, message))
        }
        (Some(reference), Some(Referenced::Unusable(why))) => {
            let message = format!(
                "Secret {}/{}, the one in spec.outputs.binding.secretRef, cannot be used: {why}; {}, or name another Secret",
                names.namespace,
                reference.name,
                why.next_step()
            );
            Err(refusal(Reason::InvalidSecretRef, message))
        }
        (Some(reference), None) => {
            let message = format!(
                "Secret {}/{}, the one in spec.outputs.binding.secretRef, does not exist, or has a type that the operator does \
                 not read (service account token, Helm release); create it, and the link goes on by itself",
                names.namespace, reference.name
            );
            Err(refusal(Reason::Pending, message))
        }
    }
}

/// The link's own entries, and those that others added to its Secret (contract#additions).
fn beside_added(s: &Snapshot, names: &Names<'_>, mut own: Entries) -> Entries {
    let key = key_of(names);
    if let Some(found) = self::own(s).find(|found| found.object.is(&key)) {
        let data = &found.object.body.data;
        let added = found.object.listed().map(|listed| added(data, &listed));
        for key in added.unwrap_or_default() {
            if let (false, Some(value)) = (own.contains_key(key), data.get(key)) {
                own.insert(key.to_owned(), value.clone());
            }
        }
    }
    own
}

/// The entries of the referenced Secret, with host, port and type replaced by those of the link, so that clients connect
/// through the alias. Other entries in a known form get the alias too.
fn entries_of(
    spec: &Spec,
    names: &Names<'_>,
    ports: &[Port],
    mut entries: Entries,
    past: &mut PastTheAlias,
) -> Entries {
    let host = host(names.alias, &names.directory, names.namespace);
    let port = ports.first().map(|port| port.port);
    past.copied = connection::redirect(&mut entries, Alias { host: &host, port });
    let uri = match entries.remove("uri") {
        Some(theirs) => {
            let theirs = std::str::from_utf8(theirs.reveal()).ok();
            let redirected = theirs.and_then(|theirs| connection::redirected_uri(theirs.trim_end(), &host, port));
            past.uri = redirected.is_none();
            redirected
        }
        // Next to credentials, a URI without them would suggest that none are needed.
        None if entries.contains_key("username") || entries.contains_key("password") => None,
        None => port.and_then(|port| connection::uri_of(&spec.type_, &host, port)),
    };
    let own = [
        ("type", Some(spec.type_.clone())),
        ("provider", spec.provider.clone()),
        ("host", Some(host)),
        ("port", port.map(|port| port.to_string())),
        ("uri", uri),
    ];
    for (key, value) in own {
        if let Some(value) = value {
            entries.insert(key.to_owned(), Confidential::from(value.as_str()));
        }
    }
    entries
}

/// The Secrets of this link.
pub(super) fn own(s: &Snapshot) -> impl Iterator<Item = &Observed<Binding>> {
    s.children.bindings.iter().filter(|found| is_own(s, found))
}

/// The Secret for the status: its name once it exists; while the Secrets are unknown, the last status.
pub fn in_status(s: &Snapshot) -> Option<BindingStatus> {
    if !matches!(s.secrets, Secrets::Known { .. }) {
        return status_before(s).cloned();
    }
    let names = Names::of(s);
    let exists = own(s).any(|f| f.object.key(Kind::Binding) == key_of(&names) && !f.terminating);
    exists.then(|| BindingStatus { name: names.binding() })
}

/// Why it is unknown whether the Secret in the status still exists; none if it is known.
pub(crate) fn unconfirmed(s: &Snapshot) -> Option<Refusal> {
    status_before(s)?;
    let names = Names::of(s);
    match &s.secrets {
        Secrets::Known { .. } => None,
        Secrets::Unknown => Some(unknown(&names)),
        // The namespace controller deletes everything in it, including the operator's right to see it.
        Secrets::Forbidden if s.namespace.terminating => None,
        Secrets::Forbidden => {
            let why = format!(
                "{} may still exist, but the operator may no longer use Secrets in that namespace, so it cannot delete the \
                 Secret. Apply this manifest, and the link goes on by itself within a minute:",
                key_of(&names)
            );
            Some(forbidden(&why, &names, &s.account))
        }
    }
}

/// True if the link has or needs a Secret and the Secrets have not been read yet, for example after the operator's start.
/// Then the status does not change.
pub fn is_unseen(s: &Snapshot) -> bool {
    matches!(s.secrets, Secrets::Unknown) && (binding_spec(s).is_some() || status_before(s).is_some())
}

pub(super) fn key_of(names: &Names<'_>) -> Key {
    Key {
        kind: Kind::Binding,
        namespace: names.namespace.to_owned(),
        name: names.binding(),
    }
}

fn binding_spec(s: &Snapshot) -> Option<&Spec> {
    s.link.object.spec.outputs.as_ref()?.binding.as_ref()
}

fn status_before(s: &Snapshot) -> Option<&BindingStatus> {
    s.link.object.status.as_ref()?.binding.as_ref()
}

fn unknown(names: &Names<'_>) -> Refusal {
    let message = format!(
        "the operator is still reading the Secrets of the namespace; {} waits for that",
        key_of(names)
    );
    refusal(Reason::Pending, message)
}

fn forbidden(why: &str, names: &Names<'_>, account: &Account) -> Refusal {
    let message = rights::to_children(why, Kind::Binding, names.namespace, account);
    refusal(Reason::Forbidden, message)
}

const fn refusal(reason: Reason, message: String) -> Refusal {
    Refusal { reason, message }
}

#[cfg(test)]
mod specification;
#[cfg(test)]
mod tests;
