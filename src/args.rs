//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use instancelink_core::child::{problem_of_key, problem_of_value};
use instancelink_core::external_name::AllowedNames;

pub use crate::telemetry::logs::LogFormat;

/// Declare, see, cut and restore the dependencies between workloads in Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "instancelink", version, about)]
pub struct Command {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// What to log: `error`, `warn`, `info`, `debug`, or a filter such as `info,instancelink=debug`.
    #[arg(long, global = true, env = "INSTANCELINK_LOG", default_value = "info")]
    pub log: String,
    /// Format of log lines.
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
    Operator(Box<Operator>),
    /// Delete all links while the operator runs, then the installation.
    Uninstall(Uninstall),
    /// Print the custom resource definitions.
    Crds(Crds),
}

/// Options of the operator.
#[derive(Clone, Debug, Args)]
pub struct Operator {
    /// Elect a leader: of several operators only the leader writes. Required with more than one replica.
    #[arg(long, env = "INSTANCELINK_LEADER_ELECT")]
    pub leader_elect: bool,
    /// Namespace of the lease. Default: the operator's own namespace, or that of the kubeconfig's context.
    #[arg(long, env = "INSTANCELINK_LEASE_NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// Name of the lease.
    #[arg(long, env = "INSTANCELINK_LEASE_NAME", default_value = "instancelink")]
    pub lease_name: String,
    /// How long other operators wait for a leader that does not renew the lease.
    #[arg(long, env = "INSTANCELINK_LEASE_DURATION", default_value = "15s", value_parser = seconds)]
    pub lease_duration: Duration,
    /// How long the leader writes without a successful renewal. Must be shorter than --lease-duration.
    #[arg(long, env = "INSTANCELINK_LEASE_RENEW_DEADLINE", default_value = "10s", value_parser = seconds)]
    pub lease_renew_deadline: Duration,
    /// Time between two attempts to take or renew the lease. Must be shorter than --lease-renew-deadline.
    #[arg(long, env = "INSTANCELINK_LEASE_RETRY", default_value = "2s", value_parser = seconds)]
    pub lease_retry: Duration,
    /// The cluster's DNS domain.
    #[arg(long, env = "INSTANCELINK_CLUSTER_DOMAIN", default_value = "cluster.local")]
    pub cluster_domain: String,
    /// How long links stay active for pods that run on after their source was deleted.
    #[arg(long, env = "INSTANCELINK_SOURCE_GRACE", default_value = "60s", value_parser = seconds)]
    pub source_grace: Duration,
    /// Labels for each object that the operator creates, as key=value, with a comma between two. An entry in
    /// spec.infrastructure.labels of a link comes first.
    #[arg(long, env = "INSTANCELINK_CHILD_LABELS", value_delimiter = ',', value_parser = label)]
    pub child_labels: Vec<(String, String)>,
    /// Annotations for each object that the operator creates, as key=value, with a comma between two. An entry in
    /// spec.infrastructure.annotations of a link comes first.
    #[arg(long, env = "INSTANCELINK_CHILD_ANNOTATIONS", value_delimiter = ',', value_parser = annotation)]
    pub child_annotations: Vec<(String, String)>,
    /// Look up active aliases in the cluster's DNS for the condition `Verified`. Default: true in a pod that uses the
    /// cluster's DNS, else false.
    #[arg(long, env = "INSTANCELINK_VERIFY_DNS", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub verify_dns: Option<bool>,
    /// DNS server for these lookups and those of external names, such as 10.96.0.10:53. Default: those in /etc/resolv.conf.
    #[arg(long, env = "INSTANCELINK_DNS_SERVER")]
    pub dns_server: Option<SocketAddr>,
    /// External names that links may lead to: names, or suffixes such as *.c9akexample.eu-central-1.rds.amazonaws.com; several
    /// are separated by commas. The operator looks them up for Services of type `ExternalName`. Default: none.
    #[arg(long, env = "INSTANCELINK_ALLOW_EXTERNAL_NAMES", default_value = "", hide_default_value = true, value_parser = external_names)]
    pub allow_external_names: AllowedNames,
    /// How many links the operator works on at once. More than the API server can serve at once brings no gain.
    #[arg(long, env = "INSTANCELINK_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Port of /livez, /readyz and /metrics. 0 takes any free port.
    #[arg(long, env = "INSTANCELINK_ADMIN_PORT", default_value_t = 8080)]
    pub admin_port: u16,
    /// How long running work may continue after SIGTERM.
    #[arg(long, env = "INSTANCELINK_SHUTDOWN_GRACE", default_value = "10s", value_parser = seconds)]
    pub shutdown_grace: Duration,
    /// Name of the operator's pod, for events and the lease.
    #[arg(long, env = "POD_NAME")]
    pub pod_name: Option<String>,
    /// Namespace of the operator's pod.
    #[arg(long, env = "POD_NAMESPACE")]
    pub pod_namespace: Option<String>,
    /// The operator's user name at the API server, for the manifests in messages about missing permissions. Default: the
    /// name that the API server reports.
    #[arg(long, env = "INSTANCELINK_USER_NAME")]
    pub user_name: Option<String>,
}

/// Options of the uninstallation.
#[derive(Clone, Debug, Args)]
pub struct Uninstall {
    /// Delete without asking for confirmation.
    #[arg(long)]
    pub yes: bool,
    /// Namespace of the operator.
    #[arg(long, default_value = "instancelink-system")]
    pub operator_namespace: String,
    /// The operator runs outside the cluster: do not check that its pods are ready.
    #[arg(long)]
    pub operator_elsewhere: bool,
}

/// Options of the printed definitions.
#[derive(Clone, Debug, Args)]
pub struct Crds {
    /// Output format.
    #[arg(long, short, value_enum, default_value = "yaml")]
    pub output: Output,
}

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

/// Parses names and suffixes of names, separated by commas.
fn external_names(text: &str) -> Result<AllowedNames, String> {
    let names = text.split(',').map(str::trim);
    AllowedNames::parse(names.filter(|name| !name.is_empty()))
}

/// Parses `key=value` for a label.
fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = annotation(text)?;
    problem_of_value(&value).map_or(Ok((key, value)), Err)
}

/// Parses `key=value` for an annotation.
fn annotation(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} is not key=value; write for example team=shop"))?;
    problem_of_key(key).map_or_else(|| Ok((key.to_owned(), value.to_owned())), Err)
}

/// Parses `15`, `15s` or `500ms`.
fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 1000),
        (None, None) => (text, 1000),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| format!("{text:?} is not a duration; use for example 15s or 500ms"))?;
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
    fn external_names_are_separated_by_commas() {
        let names = external_names("*.c9akexample.eu-central-1.rds.amazonaws.com, db.example.com,").unwrap();
        assert!(names.allows("pg.c9akexample.eu-central-1.rds.amazonaws.com") && names.allows("db.example.com"));
        assert!(external_names("").unwrap().is_empty());
        assert!(external_names("*").is_err());
    }

    #[test]
    fn labels_for_children_are_checked_at_the_start() {
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(label("team=shop"), pair("team", "shop"));
        assert_eq!(
            label("app.kubernetes.io/part-of="),
            pair("app.kubernetes.io/part-of", "")
        );
        assert_eq!(annotation("note=a=b c"), pair("note", "a=b c"));
        for wrong in ["team", "=x", "the team=x", "team=a b"] {
            assert!(label(wrong).is_err(), "{wrong}");
        }
        for reserved in [
            "kubernetes.io/service-name=x",
            "app.kubernetes.io/managed-by=me",
            "instancelink.dev/link=a/b",
        ] {
            assert!(label(reserved).unwrap_err().contains("reserved"), "{reserved}");
            assert!(annotation(reserved).unwrap_err().contains("reserved"), "{reserved}");
        }
    }

    #[test]
    fn a_duration_without_a_unit_is_in_seconds() {
        assert_eq!(seconds("15"), Ok(Duration::from_secs(15)));
        assert_eq!(seconds("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(seconds("500ms"), Ok(Duration::from_millis(500)));
        assert!(seconds("soon").is_err());
    }
}
