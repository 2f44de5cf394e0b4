//! Whether the cluster's DNS returns for an alias what the operator programmed. This is advice: only the condition `Verified`
//! depends on it, because a pod may use another resolver than the operator.
//!
//! ```text
//! operator looks a name up ──► Resolution ──► finding ──► condition `Verified`
//!                                        └──► lookup_schedule: when to look again, and whether to believe it
//! ```

mod lookup_schedule;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use instancelink_api::condition::Reason;
use instancelink_api::keys;
use jiff::Timestamp;

use crate::child::{Observed, Slice};

pub use lookup_schedule::{NextLookup, next_lookup};

/// What is known of the DNS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lookup {
    /// The operator asks no DNS.
    #[default]
    Off,
    /// This operator has not asked yet.
    Pending,
    /// Asked.
    Seen(Arc<Resolution>),
}

/// One lookup of an alias in the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When it was looked up.
    pub at: Timestamp,
    /// The complete name that was looked up.
    pub name: String,
    /// The ready addresses in the alias's slices at that time.
    pub programmed: BTreeSet<IpAddr>,
    /// What the DNS answered.
    pub answer: Answer,
    /// What it answered for the API server's name in the same domain; looked up only where the alias was not found.
    pub api_server: Option<Answer>,
    /// The cluster's domain by the search list of the operator's pod.
    pub domain_of_pod: Option<String>,
}

/// What the DNS answered for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The name has these addresses, or none.
    Addresses(BTreeSet<IpAddr>),
    /// The name does not exist.
    NoSuchName,
    /// No useful answer, for this reason.
    NoAnswer(&'static str),
}

impl Answer {
    /// The addresses, if there are any.
    fn found(&self) -> Option<&BTreeSet<IpAddr>> {
        match self {
            Self::Addresses(found) if !found.is_empty() => Some(found),
            Self::Addresses(_) | Self::NoSuchName | Self::NoAnswer(_) => None,
        }
    }
}

/// What a [`Resolution`] means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// The condition's reason.
    pub reason: Reason,
    /// What was seen, why it can happen, and what to do. The text does not change while the problem is the same.
    pub message: String,
}

/// The ready addresses that the slices of a link give to its alias. Only slices of the directory count, not those of
/// the virtual IP.
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

/// The DNS name of the API server, which each cluster has.
pub fn api_server_in(domain: &str) -> String {
    format!("kubernetes.default.svc.{domain}")
}

/// What a lookup means; `domain` is the cluster's domain that the operator was started with.
pub fn finding(r: &Resolution, domain: &str) -> Finding {
    let no = |reason, message| Finding {
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
            return wrong_domain(r, domain).unwrap_or_else(|| Finding {
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
        return Finding {
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

/// The finding that the domain is wrong, so that no name in it exists.
fn wrong_domain(r: &Resolution, domain: &str) -> Option<Finding> {
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
    Some(Finding {
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

/// The first few addresses; none without any.
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
