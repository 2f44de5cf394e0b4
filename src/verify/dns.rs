//! The pod's own DNS server, asked without a cache: `/etc/resolv.conf` as the kubelet writes it for every pod.

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

use super::Resolver;
use crate::args::Operator;

/// Time for one server to answer, which is milliseconds away.
const TIMEOUT: Duration = Duration::from_secs(2);

struct Dns {
    resolver: TokioResolver,
    domain_of_pod: Option<String>,
}

/// The DNS that the options ask for; none where they want none, or where this is no pod that asks the cluster's DNS: any
/// other server knows no alias, and would be taken for wrong.
///
/// # Errors
/// Where it is asked for and cannot be had.
pub(crate) fn of_pod(options: &Operator) -> anyhow::Result<Option<Arc<dyn Resolver>>> {
    if options.verify_dns == Some(false) {
        return Ok(None);
    }
    let wanted = options.verify_dns == Some(true) || options.dns_server.is_some();
    let dns = Dns::new(options.dns_server).context("aliases cannot be looked up; --verify-dns=false does without");
    match dns {
        Ok(dns) if wanted || dns.domain_of_pod.is_some() => Ok(Some(Arc::new(dns))),
        Err(error) if wanted => Err(error),
        Ok(_) | Err(_) => {
            tracing::info!(
                "/etc/resolv.conf is not that of a pod that asks the cluster's DNS, so aliases are not looked up; \
                 --dns-server names a server that knows them"
            );
            Ok(None)
        }
    }
}

impl Dns {
    fn new(server: Option<SocketAddr>) -> anyhow::Result<Self> {
        let system = read_system_conf().context("/etc/resolv.conf cannot be read");
        let search = system.as_ref().map(|(config, _)| config.search().to_vec());
        let domain_of_pod = search.unwrap_or_default().iter().find_map(domain_behind);
        let servers = match server {
            Some(server) => vec![at(server)],
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

    async fn of_type(&self, name: Name, kind: RecordType) -> Answer {
        match self.resolver.lookup(name, kind).await {
            Ok(lookup) => {
                let addresses = lookup.answers().iter().filter_map(|record| match record.data {
                    RData::A(a) => Some(a.0.into()),
                    RData::AAAA(aaaa) => Some(aaaa.0.into()),
                    _ => None,
                });
                Answer::Addresses(addresses.collect())
            }
            Err(error) => answer_of(&error),
        }
    }
}

impl Resolver for Dns {
    fn ask<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Answer> {
        async move {
            // With the dot at its end, for which no search list is gone through.
            let Ok(name) = Name::from_ascii(format!("{name}.")) else {
                return Answer::NoAnswer("could not be asked");
            };
            let (four, six) = tokio::join!(
                self.of_type(name.clone(), RecordType::A),
                self.of_type(name, RecordType::AAAA)
            );
            both(four, six)
        }
        .boxed()
    }

    fn domain_of_pod(&self) -> Option<&str> {
        self.domain_of_pod.as_deref()
    }
}

/// One answer of two: half of an answer is none.
fn both(four: Answer, six: Answer) -> Answer {
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

fn at(server: SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    config
}

/// `cluster.local` of `svc.cluster.local`.
fn domain_behind(search: &Name) -> Option<String> {
    let name = search.to_ascii();
    let domain = name.trim_end_matches('.').strip_prefix("svc.")?;
    Some(domain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_of_a_pod_stands_behind_svc_in_its_search_list() {
        let domain = |search: &str| domain_behind(&Name::from_ascii(search).unwrap());
        assert_eq!(domain("svc.cluster.local"), Some("cluster.local".to_owned()));
        assert_eq!(domain("svc.corp.example."), Some("corp.example".to_owned()));
        assert_eq!(domain("shop.svc.cluster.local"), None);
        assert_eq!(domain("example.com"), None);
    }

    #[test]
    fn half_of_an_answer_is_none_and_a_name_of_one_family_exists() {
        let four = || Answer::Addresses(["10.0.0.1".parse().unwrap()].into());
        assert_eq!(both(four(), Answer::NoAnswer("failed")), Answer::NoAnswer("failed"));
        assert_eq!(both(four(), Answer::Addresses(BTreeSet::new())), four());
        assert_eq!(both(Answer::NoSuchName, Answer::NoSuchName), Answer::NoSuchName);
    }
}
