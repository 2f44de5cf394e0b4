//! Pods at the ends of links that ask for policies. A policy is written only if all pods that it selects are isolated by
//! others, and in front of a target only if all are the target's. So a pod that gets or loses such labels concerns these links.

use std::sync::Arc;

use instancelink_core::child::names::policy;
use instancelink_core::resolve::budget::{Budget, TooCostly};
use instancelink_core::resolve::egress::may_be_of;
use instancelink_core::resolve::isolation::may_be_selected;
use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::Pod;

use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::name::{LinkKey, ObjectName};

/// Links one of whose policies selects the pod now, or did before. Beyond the budget of the event, links with any policy that
/// may.
pub(super) fn extend(
    index: &Index,
    namespace: &Arc<str>,
    old: Option<&Pod>,
    new: Option<&Pod>,
    affected: &mut Affected,
) {
    if !selection_differs(old, new) {
        return;
    }
    let pods: Vec<&Pod> = [old, new].into_iter().flatten().collect();
    let mut budget = Budget::of_event();
    for (asked, links) in index.links.policy_targets_in(namespace) {
        let name = ObjectName::within(namespace, asked.name.as_str());
        let target = index.target(&asked.api_version, &asked.kind, &name);
        let Some(target) = target else {
            // Its policy may stay while it selects nothing but pods that stay.
            let selects = |link: &&LinkKey| {
                let Some(selector) = selector_of_policy(index, link) else {
                    return false;
                };
                any(&pods, |pod| selector.selects_within(&mut budget, &pod.labels)).unwrap_or(true)
            };
            affected.extend(links.filter(selects), Cause::Change);
            continue;
        };
        // Beyond the budget it may be selected.
        if any(&pods, |pod| may_be_selected(&mut budget, &target, pod)).unwrap_or(true) {
            affected.extend(links, Cause::Change);
        }
    }
    for (asking, links) in index.links.policy_sources_in(namespace) {
        let name = ObjectName::within(namespace, asking.name.as_str());
        let source = index.source(&asking.api_version, &asking.kind, &name);
        let Some(source) = source else { continue };
        if any(&pods, |pod| may_be_of(&mut budget, &source, pod)).unwrap_or(true) {
            affected.extend(links, Cause::Change);
        }
    }
}

/// The selector of a link's existing policy in the link's own namespace.
fn selector_of_policy(index: &Index, key: &LinkKey) -> Option<Selector> {
    let link = index.links.table.get(key)?;
    let name = ObjectName::within(&key.namespace, policy(&key.name, &link.uid).as_str());
    let selector = index.policies.child(&name)?.object.body.spec().pod_selector;
    selector.map(Selector::from)
}

/// True if it may change whether a policy may select the pod.
fn selection_differs(old: Option<&Pod>, new: Option<&Pod>) -> bool {
    let view = |p: &Pod| (p.uid.clone(), p.labels.clone(), p.controller.clone(), p.finished);
    old.map(view) != new.map(view)
}

/// True if a question is answered with yes for any of these.
pub(super) fn any<T>(all: &[T], mut is: impl FnMut(&T) -> Result<bool, TooCostly>) -> Result<bool, TooCostly> {
    for one in all {
        if is(one)? {
            return Ok(true);
        }
    }
    Ok(false)
}
