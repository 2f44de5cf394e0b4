//! Enforces NetworkPolicies: runs `tools/policies`, the policy controller of kube-router, as one more process of the cluster.
//! It writes iptables rules in the cluster's network namespace, and they end with it. Packets between pods of one bridge
//! pass these rules, because a new namespace has `bridge-nf-call-iptables` set.

use std::process::Command;

use anyhow::Result;

use super::layout::{Layout, NODE};
use super::{TIMEOUT, daemon, network};
use crate::artifacts::policy_engine;
use crate::command;

const NAME: &str = "policies";

/// Starts it if it does not run. Returns when the existing policies are enforced.
pub(crate) fn ensure(layout: &Layout) -> Result<()> {
    let Some(netns) = layout.netns.as_deref() else {
        return Ok(());
    };
    if daemon::check(layout, NAME).is_ok() {
        return Ok(());
    }
    let inside = |arguments: &[&str]| {
        let mut command = Command::new("nsenter");
        command.arg(network::entrance(netns)).args(arguments);
        command
    };
    // A refused connection fails at once. The kernel's default is one refusal a second for each address, and all other
    // connections wait for their timeout.
    let limits = ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"];
    command::capture(inside(&["sysctl", "-q", "-w"]).args(limits))?;
    daemon::start(
        layout,
        NAME,
        &policy_engine::path()?,
        [
            format!("--kubeconfig={}", layout.kubeconfig().display()),
            format!("--node={NODE}"),
            format!("--services={}", layout.services()),
        ],
    )?;
    command::wait_for("NetworkPolicies are enforced", TIMEOUT, || {
        daemon::check(layout, NAME)?;
        // This comment is in the last rule of the first round.
        let rules = command::capture(&mut inside(&["iptables", "--list-rules", "KUBE-ROUTER-FORWARD"]));
        let are_complete = rules.is_ok_and(|rules| rules.contains("explicitly ACCEPT"));
        Ok(are_complete.then_some(()))
    })
}
