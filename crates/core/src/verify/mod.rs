//! Whether the cluster's DNS says of an alias what the operator programmed. Advice to people: no state and no write but
//! that of the condition `Verified` depends on it, for a pod may use another resolver than the operator's.
//!
//! ```text
//! operator looks a name up ──► Resolution ──► verdict ──► condition `Verified`
//!                                        └──► patience: when to look again, and whether to believe it
//! ```

mod patience;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::condition::Reason;
use instancelink_api::keys;
use jiff::Timestamp;

use crate::child::{Observed, Slice};

pub use patience::{Look, look_again};

/// What is known of the DNS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lookup {
    /// The operator asks no DNS.
    #[default]
    Off,
    /// Not asked yet by this operator.
    Pending,
    /// Asked.
    Seen(Arc<Resolution>),
}

/// One look at an alias through the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// The complete name that was asked for.
    pub name: String,
    /// The ready addresses that stood in the alias's slices then.
    pub programmed: BTreeSet<IpAddr>,
    /// What the DNS said.
    pub answer: Answer,
    /// What it said of the API server's own name in the same domain; asked for where the alias was not found.
    pub api_server: Option<Answer>,
    /// The cluster's domain as the search list of the operator's pod has it.
    pub domain_of_pod: Option<String>,
}

/// What the DNS said of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has these addresses, or none.
    Addresses(BTreeSet<IpAddr>),
    /// It does not exist.
    NoSuchName,
    /// Nothing that tells: why.
    NoAnswer(&'static str),
}

impl Answer {
    /// The addresses, as far as it has any.
    fn found(&self) -> Option<&BTreeSet<IpAddr>> {
        match self {
            Self::Addresses(found) if !found.is_empty() => Some(found),
            Self::Addresses(_) | Self::NoSuchName | Self::NoAnswer(_) => None,
        }
    }
}

/// What a [`Resolution`] comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// The condition's reason.
    pub reason: Reason,
    /// What was seen, why that may be, and what to do. The same as long as the same is wrong.
    pub message: String,
}

/// The ready addresses that a link's slices give to its alias: those in the directory, not those of a Service of its own.
pub fn programmed<'a>(
    slices: impl Iterator<Item = &'a Observed<Slice>>,
    directory: &str,
) -> impl Iterator<Item = IpAddr> {
    slices
        .filter(move |slice| slice.label(keys::SERVICE_NAME) == Some(directory))
        .flat_map(|slice| &slice.object.body.endpoints)
        .filter(|endpoint| endpoint.ready)
        .map(|endpoint| endpoint.address)
}

/// The name of the API server, which every cluster's DNS knows.
pub fn api_server_in(domain: &str) -> String {
    format!("kubernetes.default.svc.{domain}")
}

/// What a look comes to; `domain` is the cluster's domain as the operator was told.
pub fn verdict(r: &Resolution, domain: &str) -> Verdict {
    let no = |reason, message| Verdict {
        status: "False",
        reason,
        message,
    };
    let name = &r.name;
    let nothing = BTreeSet::new();
    let found = match &r.answer {
        Answer::Addresses(found) => found,
        Answer::NoSuchName => &nothing,
        Answer::NoAnswer(why) => {
            return wrong_domain(r, domain).unwrap_or_else(|| Verdict {
                status: "Unknown",
                reason: Reason::NoAnswer,
                message: format!(
                    "the cluster's DNS {why} when the operator asked for {name}, so it is not known whether pods can resolve \
                     that name; check the DNS, and that no NetworkPolicy keeps the operator's pods from port 53"
                ),
            });
        }
    };
    if *found == r.programmed {
        return Verdict {
            status: "True",
            reason: Reason::Resolves,
            message: "the cluster's DNS returns exactly the ready endpoints of the alias".to_owned(),
        };
    }
    if found.is_empty() {
        return wrong_domain(r, domain).unwrap_or_else(|| {
            no(
                Reason::NameNotFound,
                format!(
                    "the cluster's DNS returns no address for {name}, although endpoints are ready: it does not read \
                     EndpointSlices (kube-dns does not, CoreDNS does), or its data is old; check the logs of the DNS pods"
                ),
            )
        });
    }
    if let Some(foreign) = shown(found.difference(&r.programmed)) {
        let message = format!(
            "the cluster's DNS returns {foreign} for {name}, which this link did not program; look for EndpointSlices of \
             others: kubectl get endpointslices -A -l {}={}",
            keys::SERVICE_NAME,
            directory_in(name)
        );
        return no(Reason::OtherAddresses, message);
    }
    let missing = shown(r.programmed.difference(found)).unwrap_or_default();
    no(
        Reason::AddressesMissing,
        format!(
            "the cluster's DNS does not return {missing} for {name}, although these endpoints are ready: its data is old; \
             check the logs of the DNS pods"
        ),
    )
}

/// The name is not found because the whole domain is not there.
fn wrong_domain(r: &Resolution, domain: &str) -> Option<Verdict> {
    let api_server = r.api_server.as_ref()?;
    if r.programmed.is_empty() || api_server.found().is_some() {
        return None;
    }
    let (what_is, flag) = match &r.domain_of_pod {
        Some(real) if real != domain => (
            format!("the operator's own pod has {real}"),
            format!("--cluster-domain={real}"),
        ),
        None if *api_server == Answer::NoSuchName => (
            "the search list in /etc/resolv.conf of a pod has the right one after svc.".to_owned(),
            "--cluster-domain".to_owned(),
        ),
        Some(_) | None => return None,
    };
    Some(Verdict {
        status: "False",
        reason: Reason::WrongClusterDomain,
        message: format!(
            "the cluster's DNS knows neither {} nor {}, so {domain} is not the domain of this cluster ({what_is}); start the \
             operator with {flag}",
            r.name,
            api_server_in(domain)
        ),
    })
}

/// The directory in the complete name of an alias.
fn directory_in(name: &str) -> &str {
    name.split('.').nth(1).unwrap_or_default()
}

/// The first few addresses; none of none.
fn shown<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Option<String> {
    const FEW: usize = 3;
    let mut shown: Vec<String> = addresses.take(FEW + 1).map(IpAddr::to_string).collect();
    if shown.len() > FEW {
        shown.truncate(FEW);
        shown.push("others".to_owned());
    }
    (!shown.is_empty()).then(|| shown.join(", "))
}

#[cfg(test)]
mod tests;
