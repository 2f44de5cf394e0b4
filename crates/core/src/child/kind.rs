//! The kinds of children. Each kind is declared once, at the end of this file: its body, its API type, whether the links of
//! a source share it, and its list in [`Children`]. The macro generates every match that has one arm a kind.
//!
//! Code outside of core dispatches with [`with_kind!`], [`with_desired!`] and [`with_observed!`]: the arm is written once,
//! and each kind gets its own copy of it. The operator's executor and sweeper call them.

use k8s_openapi::Resource;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;

use super::{Binding, ChildSpec, Directory, Environment, Key, Merge, Observed, Owner, Policy, Slice, VirtualIp};

/// The body of a kind of child, and what follows from it.
pub trait ChildKind: Merge + Clone + PartialEq + Sized {
    /// The kind as a value.
    const KIND: Kind;

    /// The API's own type.
    type Api: Resource;

    /// The child as an effect carries it.
    fn desired(spec: ChildSpec<Self>) -> DesiredChild;

    /// The child as snapshots and answers carry it.
    fn observed(found: Observed<Self>) -> ObservedChild;

    /// The object to send.
    fn to_api(spec: &ChildSpec<Self>) -> Self::Api;

    /// The object as received, reduced to what core compares.
    fn from_api(object: Self::Api) -> Observed<Self>;
}

macro_rules! kinds {
    (($d:tt) $($(#[doc = $doc:literal])* $kind:ident: $api:ty, shared: $shared:literal, in $list:ident;)*) => {
        /// The kinds of children the operator writes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The API's name of the kind, as messages show it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => <$api as Resource>::KIND,)*
                }
            }

            /// The API's resource, in plural and without its group.
            pub const fn plural(self) -> &'static str {
                match self {
                    $(Self::$kind => <$api as Resource>::URL_PATH_SEGMENT,)*
                }
            }

            /// The API's group; empty for the core group.
            pub const fn group(self) -> &'static str {
                match self {
                    $(Self::$kind => <$api as Resource>::GROUP,)*
                }
            }

            /// The API's resource with its group, as `kubectl` and messages name it.
            pub fn resource(self) -> String {
                let (plural, group) = (self.plural(), self.group());
                if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
            }

            /// True where all links of a source share one child of this kind; false where each link has its own.
            pub const fn is_shared(self) -> bool {
                match self {
                    $(Self::$kind => $shared,)*
                }
            }
        }

        /// The children of one link and of its source that the caches show. A foreign object that has the name of a child
        /// is among them.
        #[derive(Clone, Debug, Default)]
        pub struct Children {
            $($(#[doc = $doc])* pub $list: Vec<Observed<$kind>>,)*
        }

        impl Children {
            /// The child of this name, if it exists.
            pub fn find(&self, key: &Key) -> Option<ObservedChild> {
                match key.kind {
                    $(Kind::$kind => {
                        let mut all = self.$list.iter();
                        all.find(|f| f.object.is(key)).cloned().map(ObservedChild::$kind)
                    })*
                }
            }

            /// All children, kind by kind.
            pub fn all(&self) -> impl Iterator<Item = ObservedChild> {
                let none = std::iter::empty();
                none$(.chain(self.$list.iter().cloned().map(ObservedChild::$kind)))*
            }

            /// Records the child that exists now, in place of an earlier one of its name.
            pub fn put(&mut self, child: ObservedChild) {
                self.forget(&child.key());
                match child {
                    $(ObservedChild::$kind(found) => self.$list.push(found),)*
                }
            }

            /// Records that no child of this name exists.
            pub fn forget(&mut self, key: &Key) {
                match key.kind {
                    $(Kind::$kind => self.$list.retain(|f| !f.object.is(key)),)*
                }
            }
        }

        /// A child of any kind, as effects carry it.
        #[derive(Clone, Debug, PartialEq)]
        pub enum DesiredChild {
            $($(#[doc = $doc])* $kind(ChildSpec<$kind>),)*
        }

        impl DesiredChild {
            /// Its kind, namespace and name.
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$kind(object) => object.key(Kind::$kind),)*
                }
            }

            /// True if the observed child has all that this one asks for.
            pub fn is_met_by(&self, found: &ObservedChild) -> bool {
                match (self, found) {
                    $((Self::$kind(desired), ObservedChild::$kind(found)) => found.object.is_as(desired),)*
                    _ => false,
                }
            }

            /// The child as it is observed after the write.
            pub fn written(self, uid: &str, resource_version: &str) -> ObservedChild {
                match self {
                    $(Self::$kind(object) => ObservedChild::$kind(object.written(uid, resource_version)),)*
                }
            }
        }

        /// A child of any kind that exists in the cluster.
        #[derive(Clone, Debug, PartialEq)]
        pub enum ObservedChild {
            $($(#[doc = $doc])* $kind(Observed<$kind>),)*
        }

        impl ObservedChild {
            /// Its kind, namespace and name.
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$kind(found) => found.object.key(Kind::$kind),)*
                }
            }

            /// UID and resource version: the preconditions of a write.
            pub fn version(&self) -> (&str, &str) {
                match self {
                    $(Self::$kind(found) => (&found.uid, &found.resource_version),)*
                }
            }

            /// A label's value.
            pub fn label(&self, key: &str) -> Option<&str> {
                match self {
                    $(Self::$kind(found) => found.label(key),)*
                }
            }

            /// Its owner references.
            pub fn owners(&self) -> &[Owner] {
                match self {
                    $(Self::$kind(found) => &found.object.owners,)*
                }
            }

            /// Its content, as an effect would carry it.
            pub fn into_desired(self) -> DesiredChild {
                match self {
                    $(Self::$kind(found) => DesiredChild::$kind(found.object),)*
                }
            }
        }

        $(impl ChildKind for $kind {
            const KIND: Kind = Kind::$kind;

            type Api = $api;

            fn desired(spec: ChildSpec<Self>) -> DesiredChild {
                DesiredChild::$kind(spec)
            }

            fn observed(found: Observed<Self>) -> ObservedChild {
                ObservedChild::$kind(found)
            }

            fn to_api(spec: &ChildSpec<Self>) -> $api {
                spec.to_api()
            }

            fn from_api(object: $api) -> Observed<Self> {
                object.into()
            }
        })*

        /// Runs one expression for the kind that a [`Kind`] names:
        /// `with_kind!(key.kind, K => self.delete::<K>(key).await)`. In the expression, `K` is the kind's body.
        #[macro_export]
        macro_rules! with_kind {
            ($d value:expr, $d body:ident => $d run:expr) => {
                match $d value {
                    $($crate::child::Kind::$kind => {
                        #[allow(dead_code)] // the expression need not name it
                        type $d body = $crate::child::$kind;
                        $d run
                    })*
                }
            };
        }

        /// Runs one expression for the kind of a [`DesiredChild`]:
        /// `with_desired!(child, K(spec) => self.create::<K>(spec).await)`. In the expression, `K` is the kind's body and
        /// `spec` its [`ChildSpec`].
        #[macro_export]
        macro_rules! with_desired {
            ($d value:expr, $d body:ident($d spec:pat) => $d run:expr) => {
                match $d value {
                    $($crate::child::DesiredChild::$kind($d spec) => {
                        #[allow(dead_code)] // the expression need not name it
                        type $d body = $crate::child::$kind;
                        $d run
                    })*
                }
            };
        }

        /// Runs one expression for the kind of an [`ObservedChild`]:
        /// `with_observed!(child, K(found) => K::KIND.is_shared())`. In the expression, `K` is the kind's body and `found`
        /// its [`Observed`].
        #[macro_export]
        macro_rules! with_observed {
            ($d value:expr, $d body:ident($d found:pat) => $d run:expr) => {
                match $d value {
                    $($crate::child::ObservedChild::$kind($d found) => {
                        #[allow(dead_code)] // the expression need not name it
                        type $d body = $crate::child::$kind;
                        $d run
                    })*
                }
            };
        }
    };
}

kinds! {
    ($)
    /// The directory: a headless Service, one per source.
    Directory: Service, shared: true, in directories;
    /// An `EndpointSlice` of one link: under the directory, or under its virtual IP.
    Slice: EndpointSlice, shared: false, in slices;
    /// The environment `ConfigMap`, one per source.
    Environment: ConfigMap, shared: true, in environments;
    /// The virtual IP: a Service of one link.
    VirtualIp: Service, shared: false, in virtual_ips;
    /// A policy: a `NetworkPolicy` in the target's namespace for ingress, or in the link's namespace for egress.
    Policy: NetworkPolicy, shared: false, in policies;
    /// The binding: a Secret of one link.
    Binding: Secret, shared: false, in bindings;
}

pub use with_desired;
pub use with_kind;
pub use with_observed;

impl<T> ChildSpec<T> {
    pub(crate) fn is(&self, key: &Key) -> bool {
        self.namespace == key.namespace && self.name == key.name
    }

    /// Its kind, namespace and name.
    pub(crate) fn key(&self, kind: Kind) -> Key {
        Key {
            kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// The child as it is observed after the write.
    pub(crate) fn written(self, uid: &str, resource_version: &str) -> Observed<T> {
        Observed {
            uid: uid.to_owned(),
            resource_version: resource_version.to_owned(),
            terminating: false,
            held_since: None,
            object: self,
        }
    }
}
