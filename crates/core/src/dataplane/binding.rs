//! Builds the binding: a Secret that a workload finds its service by, after the servicebinding.io specification.

use instancelink_api::condition::Reason;
use instancelink_api::spec::Binding as Spec;
use instancelink_api::{keys, status::BindingStatus};

use super::naming::{Names, labels};
use super::ownership::is_own;
use super::uri;
use crate::child::{Binding, ChildSpec, Confidential, Entries, Key, Kind, Observed};
use crate::refusal::Refusal;
use crate::resolve::directory::host;
use crate::resolve::ports::Port;
use crate::rights::{self, Account};
use crate::snapshot::{Secrets, Snapshot};

/// What shall stand of a link's Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    Nothing,
    /// That cannot be said, or not be done: what stands is left as it is.
    Later(Refusal),
    /// This one.
    Secret(ChildSpec<Binding>),
}

/// The Secret as it shall be.
pub(super) fn wanted(s: &Snapshot, names: &Names<'_>, ports: &[Port]) -> Wanted {
    let Some(spec) = asked(s) else {
        return doubt(s).map_or(Wanted::Nothing, Wanted::Later);
    };
    let known = match &s.secrets {
        Secrets::Unknown => return Wanted::Later(unknown(names)),
        Secrets::Forbidden => {
            let why = format!(
                "spec.outputs.binding needs {}, but the operator may not use Secrets in that namespace. Apply this manifest, \
                 and the link goes on by itself within a minute, or remove spec.outputs.binding:",
                key_of(names)
            );
            return Wanted::Later(forbidden(&why, names, &s.account));
        }
        Secrets::Known { referenced } => referenced,
    };
    let entries = match (&spec.secret_ref, known) {
        (None, _) => Entries::new(),
        (Some(_), Some(entries)) => entries.clone(),
        (Some(named), None) => {
            let message = format!(
                "Secret {}/{}, the one in spec.outputs.binding.secretRef, does not exist, or has a type that the operator does \
                 not read (service account token, Helm release); create it, and the link goes on by itself",
                names.namespace, named.name
            );
            return Wanted::Later(refusal(Reason::Pending, message));
        }
    };
    Wanted::Secret(ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.binding(),
        labels: names.own_labels(),
        annotations: labels([(keys::LINK, &names.link_path())]),
        owners: names.link_owner(),
        body: Binding {
            type_: format!("servicebinding.io/{}", spec.type_),
            data: entries_of(spec, names, ports, entries),
            immutable: false,
        },
    })
}

/// What the link says of itself goes before what the referenced Secret says, in which the rest is left as it is: the
/// way through the alias is the one that is cut and restored.
fn entries_of(spec: &Spec, names: &Names<'_>, ports: &[Port], mut entries: Entries) -> Entries {
    let host = host(names.alias, &names.directory, names.namespace);
    let port = ports.first().map(|port| port.port);
    let uri = match entries.remove("uri") {
        Some(theirs) => std::str::from_utf8(theirs.reveal())
            .ok()
            .and_then(|theirs| uri::redirected(theirs, &host, port)),
        // Beside credentials, a URI without them would say that none are needed.
        None if entries.contains_key("username") || entries.contains_key("password") => None,
        None => port.and_then(|port| uri::of(&spec.type_, &host, port)),
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

/// All Secrets that are this link's.
pub(super) fn own(s: &Snapshot) -> impl Iterator<Item = &Observed<Binding>> {
    s.children.bindings.iter().filter(|found| is_own(s, found))
}

/// The Secret as the status names it: confirmed to stand, or, while that is not known, as it was last.
pub fn in_status(s: &Snapshot) -> Option<BindingStatus> {
    if !matches!(s.secrets, Secrets::Known { .. }) {
        return before(s).cloned();
    }
    let names = Names::of(s);
    let stands = own(s).any(|f| f.object.key(Kind::Binding) == key_of(&names) && !f.terminating);
    stands.then(|| BindingStatus { name: names.binding() })
}

/// Why it is not known whether a Secret that the status names still stands.
pub(crate) fn doubt(s: &Snapshot) -> Option<Refusal> {
    before(s)?;
    let names = Names::of(s);
    match &s.secrets {
        Secrets::Known { .. } => None,
        Secrets::Unknown => Some(unknown(&names)),
        // All there is in it is deleted by others, the right to see it, too.
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

/// True while a Secret counts and has not been seen yet: at the start of an operator, say. What the status says stays.
pub fn is_unseen(s: &Snapshot) -> bool {
    matches!(s.secrets, Secrets::Unknown) && (asked(s).is_some() || before(s).is_some())
}

pub(super) fn key_of(names: &Names<'_>) -> Key {
    Key {
        kind: Kind::Binding,
        namespace: names.namespace.to_owned(),
        name: names.binding(),
    }
}

fn asked(s: &Snapshot) -> Option<&Spec> {
    s.link.object.spec.outputs.as_ref()?.binding.as_ref()
}

fn before(s: &Snapshot) -> Option<&BindingStatus> {
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
