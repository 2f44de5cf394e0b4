//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use crate::telemetry::logs::LogFormat;

/// Declare, see, cut and restore the dependencies between workloads in Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "instancelink", version, about)]
pub struct Command {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// What is logged: `error`, `warn`, `info`, `debug`, or a tracing filter.
    #[arg(long, global = true, env = "INSTANCELINK_LOG", default_value = "info")]
    pub log: String,
    /// How log lines look.
    #[arg(
        long,
        global = true,
        env = "INSTANCELINK_LOG_FORMAT",
        value_enum,
        default_value = "auto"
    )]
    pub log_format: LogFormat,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the operator.
    Operator(Operator),
    /// Delete all links while the operator still serves them, then the installation.
    Uninstall(Uninstall),
    /// Print the custom resource definitions.
    Crds(Crds),
}

/// Options of the operator.
#[derive(Clone, Debug, Args)]
pub struct Operator {
    /// Take part in a leader election, so that of several operators one writes.
    #[arg(long, env = "INSTANCELINK_LEADER_ELECT")]
    pub leader_elect: bool,
    /// Namespace of the lease; the operator's own, where it runs in a cluster.
    #[arg(long, env = "INSTANCELINK_LEASE_NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// Name of the lease.
    #[arg(long, env = "INSTANCELINK_LEASE_NAME", default_value = "instancelink")]
    pub lease_name: String,
    /// How long the others wait for a leader that is silent.
    #[arg(long, env = "INSTANCELINK_LEASE_DURATION", default_value = "15s", value_parser = seconds)]
    pub lease_duration: Duration,
    /// How long a leader goes on without a renewal that succeeded; shorter than the duration.
    #[arg(long, env = "INSTANCELINK_LEASE_RENEW_DEADLINE", default_value = "10s", value_parser = seconds)]
    pub lease_renew_deadline: Duration,
    /// Time between attempts to take or renew the lease.
    #[arg(long, env = "INSTANCELINK_LEASE_RETRY", default_value = "2s", value_parser = seconds)]
    pub lease_retry: Duration,
    /// The cluster's DNS domain.
    #[arg(long, env = "INSTANCELINK_CLUSTER_DOMAIN", default_value = "cluster.local")]
    pub cluster_domain: String,
    /// Look active aliases up in the cluster's DNS, as pods do, for the condition `Verified`; left out: where this is a
    /// pod that asks the cluster's DNS.
    #[arg(long, env = "INSTANCELINK_VERIFY_DNS", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub verify_dns: Option<bool>,
    /// The DNS server to ask, such as 10.96.0.10:53, instead of those in /etc/resolv.conf.
    #[arg(long, env = "INSTANCELINK_DNS_SERVER")]
    pub dns_server: Option<SocketAddr>,
    /// How many links are worked on at once. More than the API server serves at once only makes it queue.
    #[arg(long, env = "INSTANCELINK_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Port of /livez, /readyz and /metrics; 0 takes any that is free.
    #[arg(long, env = "INSTANCELINK_ADMIN_PORT", default_value_t = 8080)]
    pub admin_port: u16,
    /// How long work that runs may go on after SIGTERM.
    #[arg(long, env = "INSTANCELINK_SHUTDOWN_GRACE", default_value = "10s", value_parser = seconds)]
    pub shutdown_grace: Duration,
    /// The operator's user name at the API server, for manifests in messages about missing rights; left out: the API
    /// server is asked for it.
    #[arg(long, env = "INSTANCELINK_USER_NAME")]
    pub user_name: Option<String>,
    /// Name of the pod this runs in, for events and the lease.
    #[arg(long, env = "POD_NAME")]
    pub pod_name: Option<String>,
    /// Namespace of the pod this runs in.
    #[arg(long, env = "POD_NAMESPACE")]
    pub pod_namespace: Option<String>,
}

/// Options of the removal.
#[derive(Clone, Debug, Args)]
pub struct Uninstall {
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Namespace the operator runs in.
    #[arg(long, default_value = "instancelink-system")]
    pub operator_namespace: String,
    /// The operator runs outside of the cluster: do not look for its pods.
    #[arg(long)]
    pub operator_elsewhere: bool,
}

/// Options of the printing of definitions.
#[derive(Clone, Debug, Args)]
pub struct Crds {
    /// The format.
    #[arg(long, short, value_enum, default_value = "yaml")]
    pub output: Output,
}

/// A format for definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

/// `15`, `15s` or `500ms`.
fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1000),
        (None, None) => (text, 1000),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| format!("{text:?} is no duration; write e.g. 15s or 500ms"))?;
    Ok(Duration::from_millis(number.saturating_mul(unit)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Command::command().debug_assert();
    }

    #[test]
    fn durations_are_seconds_unless_they_say_otherwise() {
        assert_eq!(seconds("15"), Ok(Duration::from_secs(15)));
        assert_eq!(seconds("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(seconds("500ms"), Ok(Duration::from_millis(500)));
        assert!(seconds("soon").is_err());
    }
}
