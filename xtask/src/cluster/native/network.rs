//! The network namespace that holds the whole cluster, joined to the host by one pair of interfaces. The host's
//! firewall and routes stay as they are.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::layout::Layout;
use crate::command;

/// The default route goes to a device that leads nowhere: nothing leaves the machine, and a connection that
/// kube-proxy rejects still looks different from one that is dropped. Without any default route both fail alike, and
/// a test of refusal would prove nothing.
pub(crate) fn make(layout: &Layout) -> Result<()> {
    let Some(netns) = layout.netns.as_deref() else {
        return Ok(());
    };
    let link = layout.link();
    if command::succeeds(Command::new("ip").args(["link", "show", &link])) {
        bail!(
            "another cluster uses {}: its name happens to give the same addresses as '{}'; choose another --name",
            link,
            layout.name
        );
    }
    ip(&["netns", "add", netns])?;
    ip(&[
        "link", "add", &link, "type", "veth", "peer", "name", "eth0", "netns", netns,
    ])?;
    ip(&["addr", "add", &format!("{}/24", layout.host_address()), "dev", &link])?;
    ip(&["link", "set", &link, "up"])?;
    let inside = |args: &[&str]| ip(&[&["-n", netns], args].concat());
    inside(&["addr", "add", &format!("{}/24", layout.address()), "dev", "eth0"])?;
    inside(&["link", "set", "eth0", "up"])?;
    inside(&["link", "set", "lo", "up"])?;
    // A bridge without ports where the kernel has no dummy device; ARP off, so that packets are dropped and not
    // answered with "unreachable".
    inside(&["link", "add", "nowhere", "type", "dummy"])
        .or_else(|_| inside(&["link", "add", "nowhere", "type", "bridge"]))?;
    inside(&["link", "set", "nowhere", "arp", "off", "up"])?;
    inside(&["route", "add", "default", "dev", "nowhere"])?;
    command::capture(Command::new("nsenter").arg(entrance(netns)).args([
        "sysctl",
        "-q",
        "-w",
        "net.ipv4.ip_forward=1",
    ]))?;
    Ok(())
}

/// Takes both away; the namespace's own devices, routes and firewall go with it.
pub(crate) fn remove(layout: &Layout) {
    let Some(netns) = layout.netns.as_deref() else { return };
    // The pair explicitly: a forgotten shell in the namespace would keep it, and its address, alive.
    let _ = ip(&["link", "del", &layout.link()]);
    let _ = ip(&["netns", "del", netns]);
}

/// The option of nsenter that enters the namespace. Not `ip netns exec`: that mounts /sys anew, and the kubelet then
/// finds no cgroups.
pub(crate) fn entrance(netns: &str) -> String {
    format!("--net=/run/netns/{netns}")
}

fn ip(args: &[&str]) -> Result<()> {
    command::capture(Command::new("ip").args(args)).context("cannot set up the cluster's network")?;
    Ok(())
}
