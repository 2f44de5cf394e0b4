//! Shadows: what else a pod may reach under a name of the alias (contract#alias-shadowed). Only a warning.
//!
//! A pod of namespace `shop` has the search list `shop.svc.cluster.local svc.cluster.local cluster.local`, then its
//! node's domains, then what its `dnsConfig` adds (`web-links.shop.svc.cluster.local`), and `ndots:5`: a name of fewer
//! dots is tried with each domain in this order before it is tried alone. So for the alias `db` of `web`:
//!
//! | tried for plain `db` | what may answer |
//! |---|---|
//! | `db.shop.svc.cluster.local` | a Service `db` in the namespace of the source: before the alias, whether the link is active or not |
//! | `db.svc.cluster.local` | nothing has this name. But where a namespace `db` exists, `CoreDNS` answers "no data" and not "no such name". glibc and Go then try the next domain; musl ends its search without an address |
//! | `db.cluster.local`, the node's domains | nothing in the cluster; a host outside the cluster is not seen |
//! | `db.web-links.shop.svc.cluster.local` | the alias |
//!
//! | tried for `db.web-links` | what may answer |
//! |---|---|
//! | `db.web-links.shop.svc.cluster.local` | the alias |
//! | `db.web-links.svc.cluster.local` | a Service `db` in a namespace `web-links`, when the alias has no address: while the link is inactive |
//!
//! Names that end in `.shop.svc` are safe from both: no other Service has such a name. A namespace `db` shadows only `db`:
//! the names in it are such as `x.db`, and no name of the alias ends so.
//!
//! An `Endpoints` object with the name of the directory is another case: Kubernetes mirrors it into a slice of the directory,
//! and the DNS returns its addresses with the hostname `db` for each name of the alias.

use instancelink_api::InstanceLinkStatus;
use instancelink_api::condition::{Reason, types};

use super::facts::Facts;
use crate::resolve::directory::host;
use crate::snapshot::Namesake;

/// Between two shadows in one message.
const AND: &str = "; ";

/// The most serious reason, and all messages. `None` if nothing shadows the alias.
pub(super) fn condition(f: &Facts<'_>) -> Option<(Reason, String)> {
    let shadows = shadows(f);
    let (most_serious, _) = shadows.first()?;
    let said: Vec<&str> = shadows.iter().map(|(_, message)| message.as_str()).collect();
    Some((*most_serious, said.join(AND)))
}

/// The shadows in the new status that the old status does not have.
pub(super) fn new(f: &Facts<'_>, new: &InstanceLinkStatus) -> Vec<(String, String)> {
    let has = |status: &InstanceLinkStatus, message: &str| {
        let told = status.conditions.iter().find(|c| c.type_ == types::ALIAS_SHADOWED);
        told.is_some_and(|c| c.message.split(AND).any(|told| told == message))
    };
    shadows(f)
        .into_iter()
        .filter(|(_, message)| has(new, message) && !has(&f.status, message))
        .map(|(reason, message)| (reason.as_str().to_owned(), message))
        .collect()
}

/// The most serious first.
fn shadows(f: &Facts<'_>) -> Vec<(Reason, String)> {
    let Some(directory) = f.directory().filter(|_| !f.s.namesakes.is_empty()) else {
        return Vec::new();
    };
    let alias = &f.link.spec.link_name;
    let namespace = f.link.metadata.namespace.as_deref().unwrap_or_default();
    let safe = host(alias, &directory, namespace);
    let told = |namesake: &Namesake| match namesake {
        Namesake::MirroredEndpoints => (
            Reason::EndpointsMirrored,
            format!(
                "Kubernetes mirrors the Endpoints object {namespace}/{directory} into the directory of this alias, so the DNS \
                 also returns its addresses with the hostname {alias}. Delete it: kubectl -n {namespace} delete endpoints \
                 {directory}"
            ),
        ),
        Namesake::ServiceBeside => (
            Reason::ServiceComesFirst,
            format!(
                "Service {namespace}/{alias} has the name of the alias, so the short name {alias} resolves to that Service, \
                 whether the link is active or not. Use {safe}, or rename that Service"
            ),
        ),
        Namesake::ServiceElsewhere => (
            Reason::ServiceStepsIn,
            format!(
                "the name {alias}.{directory} resolves to Service {directory}/{alias} when this alias has no address, for \
                 example while the link is inactive. Use {safe}, or rename that Service"
            ),
        ),
        Namesake::Namespace => (
            Reason::NamespaceEndsSearch,
            format!(
                "namespace {alias} has the name of the alias, so programs with the resolver of musl (Alpine) find no address \
                 for the short name {alias}. Use {safe}"
            ),
        ),
    };
    f.s.namesakes.iter().map(told).collect()
}
