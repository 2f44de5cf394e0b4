//! The Lease object: what is written into it, and what is read from it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use tokio::time::Instant;

use super::config::LeaseConfig;
use super::decide::ObservedLease;

/// The resourceVersion of a lease.
pub(super) fn version_of(lease: &Lease) -> Option<String> {
    lease.metadata.resource_version.clone()
}

/// The lease that a contender sends to take or renew it; `from` is the one that it replaces.
pub(super) fn held_lease(config: &LeaseConfig, from: Option<&Lease>, now: Timestamp) -> Lease {
    let before = from.and_then(|lease| lease.spec.clone()).unwrap_or_default();
    let renews = before.holder_identity.as_deref() == Some(config.identity.as_str());
    let transitions = before.lease_transitions.unwrap_or_default();
    let spec = LeaseSpec {
        holder_identity: Some(config.identity.clone()),
        lease_duration_seconds: i32::try_from(seconds_of(config.duration)).ok(),
        renew_time: Some(MicroTime(now)),
        acquire_time: if renews {
            before.acquire_time
        } else {
            Some(MicroTime(now))
        },
        lease_transitions: Some(if renews || from.is_none() {
            transitions
        } else {
            transitions.saturating_add(1)
        }),
        ..before
    };
    let metadata = from.map_or_else(
        || ObjectMeta {
            namespace: Some(config.lease.namespace.to_string()),
            name: Some(config.lease.name.to_string()),
            ..ObjectMeta::default()
        },
        |lease| lease.metadata.clone(),
    );
    Lease {
        metadata,
        spec: Some(spec),
    }
}

/// The same lease without a holder: another contender may take it at once.
pub(super) fn released_lease(held: &Lease, now: Timestamp) -> Lease {
    let mut spec = held.spec.clone().unwrap_or_default();
    spec.holder_identity = None;
    spec.lease_duration_seconds = Some(1);
    spec.renew_time = Some(MicroTime(now));
    Lease {
        metadata: held.metadata.clone(),
        spec: Some(spec),
    }
}

/// What a lease says that was first seen in this version at `since`.
pub(super) fn observed_lease(lease: &Lease, since: Instant, config: &LeaseConfig) -> ObservedLease {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|s| u64::try_from(s).ok());
    ObservedLease {
        holder: spec.holder_identity.unwrap_or_default(),
        duration: seconds.map_or(config.duration, Duration::from_secs),
        unchanged: since.elapsed(),
    }
}

/// In whole seconds, as a lease counts. Rounded up: with fewer, others would begin to write while this process still does.
fn seconds_of(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use instancelink_cluster::ObjectName;

    fn published(duration: Duration) -> Duration {
        let config = LeaseConfig {
            lease: ObjectName::new("system", "lease"),
            identity: "me".to_owned(),
            duration,
            renew_deadline: duration / 2,
            retry: duration / 10,
        };
        let seconds = held_lease(&config, None, Timestamp::UNIX_EPOCH).spec.unwrap();
        Duration::from_secs(u64::try_from(seconds.lease_duration_seconds.unwrap()).unwrap())
    }

    /// Other contenders go by the lease, which counts in seconds; this process goes by the option.
    #[test]
    fn other_contenders_never_wait_for_less_than_the_configured_duration() {
        for millis in [500, 2_000, 2_900, 15_000, 15_500] {
            let duration = Duration::from_millis(millis);
            assert!(
                published(duration) >= duration,
                "{duration:?}: {:?}",
                published(duration)
            );
        }
        assert_eq!(published(Duration::from_secs(15)), Duration::from_secs(15));
    }
}
