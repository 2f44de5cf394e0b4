//! The plan: what a link has in the cluster while it is up, put together from the builders of each kind.

use std::collections::BTreeSet;

use super::binding::{self, DesiredBinding};
use super::environment::DesiredEnvironment;
use super::naming::Names;
use super::notes::{self, Note};
use super::{directory, infrastructure, policy, slices, virtual_ip};
use crate::child::infrastructure::put_on;
use crate::child::{ChildSpec, Directory, Policy, Slice, VirtualIp};
use crate::refusal::Refusal;
use crate::resolve::Unservable;
use crate::resolve::endpoints::{Group, endpoint_groups};
use crate::snapshot::Snapshot;

/// The desired children of a link that is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<'a> {
    /// The source's directory.
    pub directory: ChildSpec<Directory>,
    /// The slices: at least one under the directory, which may be empty, and the same under a virtual IP.
    pub slices: Vec<ChildSpec<Slice>>,
    /// The link's virtual IP, if the spec asks for one.
    pub virtual_ip: Option<ChildSpec<VirtualIp>>,
    /// The policy in the target's namespace, if the spec asks for one and policies of others isolate the target.
    pub policy: Option<ChildSpec<Policy>>,
    /// The policy for the egress of the source, in the link's namespace, if policies of others isolate the source for egress.
    pub egress: Option<ChildSpec<Policy>>,
    /// The source's environment, with this link's entry if the spec asks for one.
    pub environment: DesiredEnvironment<'a>,
    /// The link's binding.
    pub binding: DesiredBinding,
    /// Number of endpoints that answer.
    pub ready: usize,
    /// What the spec asks for but the operator may not write (`Programmed=False/Forbidden`).
    pub forbidden: Vec<Refusal>,
    /// What a user of the link may miss, although all of it is programmed.
    pub notes: Vec<Note>,
}

/// Builds the plan. `older` has the UIDs of the siblings whose keys in the environment take precedence over this link's
/// (contract#older-key-wins).
///
/// # Errors
/// If the spec cannot be served with the target as it is now.
pub fn build<'a>(s: &'a Snapshot, older: &BTreeSet<String>) -> Result<Plan<'a>, Unservable> {
    let endpoints = endpoint_groups(s)?;
    let names = Names::of(s);
    let mut policies = policy::desired(s, &names, &endpoints)?;
    let mut virtual_ip = virtual_ip::desired(s, &names, &endpoints);
    let mut slices = if virtual_ip.is_some() {
        let group = Group {
            ports: endpoints.ports.clone(),
            endpoints: virtual_ip::endpoints(s, &names, &endpoints),
        };
        let mut slices = slices::under_virtual_ip(s, &names, &endpoints);
        slices.extend(slices::under_directory(s, &names, &[group], &endpoints.ports));
        slices
    } else {
        slices::under_directory(s, &names, &endpoints.groups, &endpoints.ports)
    };
    let (mut binding, past) = binding::desired(s, &names, &endpoints.ports);
    let wanted = infrastructure::own(s);
    for child in &mut slices {
        put_on(child, &wanted);
    }
    if let Some(child) = &mut virtual_ip {
        put_on(child, &wanted);
    }
    for child in policies.ingress.iter_mut().chain(&mut policies.egress) {
        put_on(child, &wanted);
    }
    if let DesiredBinding::Present(child) = &mut binding {
        put_on(child, &wanted);
    }
    Ok(Plan {
        directory: directory::desired(s, &names),
        notes: notes::of(s, &names, &endpoints, &past),
        binding,
        environment: DesiredEnvironment::new(s, &endpoints.ports, older),
        ready: endpoints
            .groups
            .iter()
            .flat_map(|group| &group.endpoints)
            .filter(|endpoint| endpoint.answers())
            .count(),
        slices,
        virtual_ip,
        policy: policies.ingress,
        egress: policies.egress,
        forbidden: policies.refused.into_iter().collect(),
    })
}

impl Plan<'_> {
    /// The policies at both ends.
    pub fn policies(&self) -> impl Iterator<Item = &ChildSpec<Policy>> {
        self.policy.iter().chain(&self.egress)
    }

    /// The refusal of the link's variables, if they do not fit into the environment. It keeps no link from being active
    /// (contract#environment-size).
    pub fn too_large(&self) -> Vec<Refusal> {
        self.environment.refusal().into_iter().collect()
    }
}
