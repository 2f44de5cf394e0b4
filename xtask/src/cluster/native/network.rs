//! The network namespace of the whole cluster. One pair of interfaces connects it to the host. The firewall and the routes of
//! the host are not changed.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::layout::Layout;
use crate::command;

/// Makes the namespace.
///
/// The default route goes to a device that drops all packets, so nothing leaves the machine. Without a default route a
/// connection that kube-proxy rejects and one that is dropped fail in the same way, and a test could not distinguish them.
pub(crate) fn make(layout: &Layout) -> Result<()> {
    let Some(netns) = layout.netns.as_deref() else {
        return Ok(());
    };
    let link = layout.link();
    if command::succeeds(Command::new("ip").args(["link", "show", &link])) {
        bail!(
            "another cluster uses {}: its name gives the same addresses as '{}'. Choose another --name",
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
    if layout.is_dual_stack() {
        // Without the search for duplicates, during which the address cannot be used for a second.
        let address = format!("{}/64", layout.address6());
        inside(&["addr", "add", &address, "dev", "eth0", "nodad"])?;
    }
    inside(&["link", "set", "eth0", "up"])?;
    inside(&["link", "set", "lo", "up"])?;
    // If the kernel has no dummy device, a bridge without ports. Without ARP, packets are dropped and not answered with
    // "unreachable".
    inside(&["link", "add", "nowhere", "type", "dummy"])
        .or_else(|_| inside(&["link", "add", "nowhere", "type", "bridge"]))?;
    inside(&["link", "set", "nowhere", "arp", "off", "up"])?;
    inside(&["route", "add", "default", "dev", "nowhere"])?;
    let mut forwarding = vec!["net.ipv4.ip_forward=1"];
    if layout.is_dual_stack() {
        inside(&["-6", "route", "add", "default", "dev", "nowhere"])?;
        forwarding.push("net.ipv6.conf.all.forwarding=1");
    }
    let mut sysctl = Command::new("nsenter");
    sysctl
        .arg(entrance(netns))
        .args(["sysctl", "-q", "-w"])
        .args(forwarding);
    command::capture(&mut sysctl)?;
    Ok(())
}

/// Removes the pair and the namespace, and with it the devices, routes and firewall in it.
pub(crate) fn remove(layout: &Layout) {
    let Some(netns) = layout.netns.as_deref() else { return };
    // The pair first: a shell that still runs in the namespace keeps the namespace, and with it the address of the pair.
    let _ = ip(&["link", "del", &layout.link()]);
    let _ = ip(&["netns", "del", netns]);
}

/// The option of `nsenter` for the namespace. `ip netns exec` mounts another /sys, in which the kubelet finds no cgroups.
pub(crate) fn entrance(netns: &str) -> String {
    format!("--net=/run/netns/{netns}")
}

fn ip(args: &[&str]) -> Result<()> {
    command::capture(Command::new("ip").args(args)).context("cannot set up the cluster's network")?;
    Ok(())
}
