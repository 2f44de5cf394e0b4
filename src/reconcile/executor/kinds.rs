//! How the caches watch each kind of child. Everything else about a kind is declared in core (`child/kind.rs`).

use instancelink_cluster::{Environments, Policies, Secrets, Services, Slices, Watched};
use instancelink_core::child::{Binding, ChildKind, Directory, Environment, ObservedChild, Policy, Slice, VirtualIp};
use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use serde::Serialize;

/// A kind of child that the caches watch.
pub(super) trait WatchedChild:
    ChildKind<Api: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize>
{
    /// Its watch.
    type Watch: Watched<Raw: Resource<DynamicType = (), Scope = NamespaceResourceScope>>;

    /// The child in an item of the watch; none if the item is not a child.
    fn observed_in(item: &<Self::Watch as Watched>::Item) -> Option<ObservedChild>;
}

impl WatchedChild for Directory {
    type Watch = Services;

    fn observed_in(item: &<Services as Watched>::Item) -> Option<ObservedChild> {
        item.child.clone()
    }
}

impl WatchedChild for VirtualIp {
    type Watch = Services;

    fn observed_in(item: &<Services as Watched>::Item) -> Option<ObservedChild> {
        item.child.clone()
    }
}

impl WatchedChild for Slice {
    type Watch = Slices;

    fn observed_in(item: &<Slices as Watched>::Item) -> Option<ObservedChild> {
        Some(Self::observed((*item.child.peek()).clone()))
    }
}

impl WatchedChild for Environment {
    type Watch = Environments;

    fn observed_in(item: &<Environments as Watched>::Item) -> Option<ObservedChild> {
        Some(Self::observed((*item.peek()).clone()))
    }
}

impl WatchedChild for Policy {
    type Watch = Policies;

    fn observed_in(item: &<Policies as Watched>::Item) -> Option<ObservedChild> {
        item.child().cloned().map(Self::observed)
    }
}

impl WatchedChild for Binding {
    type Watch = Secrets;

    fn observed_in(item: &<Secrets as Watched>::Item) -> Option<ObservedChild> {
        Some(Self::observed(item.clone()))
    }
}
