//! A resolver without a cache for the DNS servers of the pod: those that the kubelet writes into `/etc/resolv.conf`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::FutureExt;
use futures::future::BoxFuture;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use instancelink_core::verify::Answer;

use super::resolver::Resolver;
use crate::args::Operator;
use crate::external_names::{Found, NameResolver};

/// Time for one server to answer. It is in the same cluster.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long an answer without a time to live counts.
const UNKNOWN_TTL: Duration = Duration::from_secs(30);

struct Dns {
    resolver: TokioResolver,
    domain_of_pod: Option<String>,
}

/// The resolver that the options ask for. `None` if they disable it, or if this process is not in a pod that uses the
/// cluster's DNS. Another DNS server does not have the aliases, so each alias would look wrong.
///
/// # Errors
/// The options require a resolver, and it cannot be built.
pub(crate) fn resolver_of(options: &Operator) -> anyhow::Result<Option<Arc<dyn Resolver>>> {
    if options.verify_dns == Some(false) {
        return Ok(None);
    }
    let wanted = options.verify_dns == Some(true) || options.dns_server.is_some();
    let dns = Dns::new(options.dns_server)
        .context("aliases cannot be looked up in the DNS (--verify-dns=false disables the lookup)");
    match dns {
        Ok(dns) if wanted || dns.domain_of_pod.is_some() => Ok(Some(Arc::new(dns))),
        Err(error) if wanted => Err(error),
        Ok(_) | Err(_) => {
            tracing::info!(
                "aliases are not looked up: /etc/resolv.conf has no search domain svc.<cluster domain>, so this process \
                 does not use the cluster's DNS. To look them up, set --dns-server to the address of the cluster's DNS"
            );
            Ok(None)
        }
    }
}

/// The resolver for the external names that the options allow. `None` if they allow none.
///
/// # Errors
/// The options allow some, and the resolver cannot be built.
pub(crate) fn name_resolver_of(options: &Operator) -> anyhow::Result<Option<Arc<dyn NameResolver>>> {
    if options.allow_external_names.is_empty() {
        return Ok(None);
    }
    let dns = Dns::new(options.dns_server).context("external names cannot be looked up in the DNS")?;
    Ok(Some(Arc::new(dns)))
}

impl Dns {
    fn new(server: Option<SocketAddr>) -> anyhow::Result<Self> {
        let system = read_system_conf().context("/etc/resolv.conf cannot be read");
        let search = system.as_ref().map(|(config, _)| config.search().to_vec());
        let domain_of_pod = search.unwrap_or_default().iter().find_map(cluster_domain_in);
        let servers = match server {
            Some(server) => vec![name_server(server)],
            None => system?.0.name_servers().to_vec(),
        };
        let config = ResolverConfig::from_name_servers(servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = TIMEOUT;
        options.attempts = 1;
        options.num_concurrent_reqs = 1;
        options.edns0 = true;
        Ok(Self {
            resolver: builder.build().context("the DNS resolver cannot be built")?,
            domain_of_pod,
        })
    }

    async fn of_type(&self, name: Name, kind: RecordType) -> Found {
        match self.resolver.lookup(name, kind).await {
            Ok(lookup) => {
                let ttl = lookup.answers().iter().map(|record| record.ttl).min();
                let addresses = lookup.answers().iter().filter_map(|record| match record.data {
                    RData::A(a) => Some(a.0.into()),
                    RData::AAAA(aaaa) => Some(aaaa.0.into()),
                    _ => None,
                });
                Found {
                    answer: Answer::Addresses(addresses.collect()),
                    ttl: ttl.map_or(UNKNOWN_TTL, |seconds| Duration::from_secs(seconds.into())),
                }
            }
            Err(error) => Found {
                answer: answer_of(&error),
                ttl: UNKNOWN_TTL,
            },
        }
    }

    /// The answer of both families, with the time to live of the one that has addresses.
    async fn both(&self, name: &str) -> Found {
        // With the dot at the end the name is absolute: no search domain is added.
        let Ok(name) = Name::from_ascii(format!("{name}.")) else {
            return Found {
                answer: Answer::NoAnswer("could not be asked"),
                ttl: UNKNOWN_TTL,
            };
        };
        let (four, six) = tokio::join!(
            self.of_type(name.clone(), RecordType::A),
            self.of_type(name, RecordType::AAAA)
        );
        let has_addresses = |found: &&Found| matches!(&found.answer, Answer::Addresses(all) if !all.is_empty());
        let ttl = [&four, &six]
            .into_iter()
            .filter(has_addresses)
            .map(|found| found.ttl)
            .min();
        Found {
            answer: combined(four.answer, six.answer),
            ttl: ttl.unwrap_or(UNKNOWN_TTL),
        }
    }
}

impl Resolver for Dns {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Answer> {
        async move { self.both(name).await.answer }.boxed()
    }

    fn domain_of_pod(&self) -> Option<&str> {
        self.domain_of_pod.as_deref()
    }
}

impl NameResolver for Dns {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Found> {
        self.both(name).boxed()
    }
}

/// The answer from both families. If one of them failed, there is no answer.
fn combined(four: Answer, six: Answer) -> Answer {
    match (four, six) {
        (Answer::NoAnswer(why), _) | (_, Answer::NoAnswer(why)) => Answer::NoAnswer(why),
        (Answer::NoSuchName, Answer::NoSuchName) => Answer::NoSuchName,
        (four, six) => {
            let mut all = BTreeSet::new();
            for answer in [four, six] {
                if let Answer::Addresses(found) = answer {
                    all.extend(found);
                }
            }
            Answer::Addresses(all)
        }
    }
}

fn answer_of(error: &NetError) -> Answer {
    if error.is_nx_domain() {
        return Answer::NoSuchName;
    }
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError => {
            Answer::Addresses(BTreeSet::new())
        }
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => Answer::NoAnswer("refused to answer"),
        NetError::Dns(_) => Answer::NoAnswer("answered with a failure"),
        NetError::Timeout => Answer::NoAnswer("did not answer in time"),
        _ => Answer::NoAnswer("could not be reached"),
    }
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    config
}

/// `cluster.local` from `svc.cluster.local`.
fn cluster_domain_in(search: &Name) -> Option<String> {
    let name = search.to_ascii();
    let domain = name.trim_end_matches('.').strip_prefix("svc.")?;
    Some(domain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_domain_follows_svc_in_the_search_list_of_a_pod() {
        let domain = |search: &str| cluster_domain_in(&Name::from_ascii(search).unwrap());
        assert_eq!(domain("svc.cluster.local"), Some("cluster.local".to_owned()));
        assert_eq!(domain("svc.corp.example."), Some("corp.example".to_owned()));
        assert_eq!(domain("shop.svc.cluster.local"), None);
        assert_eq!(domain("example.com"), None);
    }

    #[test]
    fn an_answer_needs_both_families_but_a_name_may_have_addresses_of_one() {
        let four = || Answer::Addresses(["10.0.0.1".parse().unwrap()].into());
        assert_eq!(combined(four(), Answer::NoAnswer("failed")), Answer::NoAnswer("failed"));
        assert_eq!(combined(four(), Answer::Addresses(BTreeSet::new())), four());
        assert_eq!(combined(Answer::NoSuchName, Answer::NoSuchName), Answer::NoSuchName);
    }
}
