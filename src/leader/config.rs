//! Where the lease is and how long it lasts, checked when the process starts.

use std::time::Duration;

use anyhow::bail;
use instancelink_cluster::ObjectName;
use jiff::Timestamp;

use crate::args::Operator;

/// Where the lease is, who asks for it, and its times.
#[derive(Clone, Debug)]
pub(crate) struct LeaseConfig {
    /// Namespace and name of the lease.
    pub(crate) lease: ObjectName,
    /// The name of this contender; unique to this process.
    pub(crate) identity: String,
    /// How long other contenders wait for a leader that does not renew.
    pub(crate) duration: Duration,
    /// How long the leader writes without a successful renewal; shorter than `duration`.
    pub(crate) renew_deadline: Duration,
    /// Time between attempts; shorter than `renew_deadline`.
    pub(crate) retry: Duration,
}

impl LeaseConfig {
    /// The configuration that the options ask for. `reporter` is the name of the pod or host.
    ///
    /// # Errors
    /// Times with which two operators could write at once, or no operator could keep the lease.
    pub(crate) fn from_options(options: &Operator, reporter: &str, now: Timestamp) -> anyhow::Result<Self> {
        let (duration, deadline, retry) = (
            options.lease_duration,
            options.lease_renew_deadline,
            options.lease_retry,
        );
        if deadline >= duration {
            bail!(
                "--lease-renew-deadline={deadline:?} is not shorter than --lease-duration={duration:?}. Another operator \
                 could take the lease while this one still writes. Set a shorter --lease-renew-deadline or a longer \
                 --lease-duration; the defaults are 10s and 15s."
            );
        }
        if retry >= deadline {
            bail!(
                "--lease-retry={retry:?} is not shorter than --lease-renew-deadline={deadline:?}. The leader would lose \
                 the lease before its first renewal, and the operator would restart in a loop. Set a shorter \
                 --lease-retry or a longer --lease-renew-deadline; the defaults are 2s and 10s."
            );
        }
        if retry.is_zero() {
            bail!(
                "--lease-retry=0s leaves no pause between two requests for the lease. The API server would receive them \
                 without end. Set --lease-retry to at least 100ms; the default is 2s."
            );
        }
        let namespace = options.lease_namespace.as_deref().unwrap_or("default");
        Ok(Self {
            lease: ObjectName::new(namespace, &options.lease_name),
            // The process ID and the time are part of it: a restarted pod keeps its name but is another contender.
            identity: format!("{reporter}_{:x}_{:x}", std::process::id(), now.as_nanosecond()),
            duration,
            renew_deadline: deadline,
            retry,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Command, Verb};

    fn config(options: &[&str]) -> Result<LeaseConfig, String> {
        let args = ["instancelink", "operator"].iter().chain(options).copied();
        let Verb::Operator(options) = Command::parse_from(args).verb else {
            panic!("not the operator's options")
        };
        LeaseConfig::from_options(&options, "pod", Timestamp::UNIX_EPOCH).map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_times_are_accepted() {
        assert!(config(&[]).is_ok());
        assert!(config(&["--lease-retry=9s"]).is_ok());
    }

    #[test]
    fn a_renew_deadline_as_long_as_the_duration_is_refused_with_the_reason() {
        let error = config(&["--lease-renew-deadline=15s"]).unwrap_err();
        assert!(error.contains("still writes"), "{error}");
    }

    #[test]
    fn a_retry_as_long_as_the_renew_deadline_is_refused_with_the_reason() {
        for retry in ["--lease-retry=10s", "--lease-retry=12s"] {
            let error = config(&[retry]).unwrap_err();
            assert!(error.contains("restart in a loop"), "{error}");
        }
    }

    #[test]
    fn a_retry_of_zero_is_refused() {
        assert!(config(&["--lease-retry=0"]).unwrap_err().contains("--lease-retry"));
    }
}
