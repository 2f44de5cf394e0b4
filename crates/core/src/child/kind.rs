//! The kinds of children, each once: its place among what stands, and its arm wherever a child may be of any kind.

use super::{Binding, ChildSpec, Directory, Environment, Key, Observed, Policy, Slice, VirtualIp};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident: $name:literal in $list:ident;)*) => {
        /// The kinds of children the operator writes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl Kind {
            /// The API's name of the kind, as messages show it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }

        /// What stands in the cluster of one link and of its source, a stranger's object on a child's name included.
        #[derive(Clone, Debug, Default)]
        pub struct Children {
            $($(#[doc = $doc])* pub $list: Vec<Observed<$kind>>,)*
        }

        impl Children {
            /// The child of this name, if one stands.
            pub fn find(&self, key: &Key) -> Option<ObservedChild> {
                match key.kind {
                    $(Kind::$kind => {
                        let mut all = self.$list.iter();
                        all.find(|f| f.object.is(key)).cloned().map(ObservedChild::$kind)
                    })*
                }
            }

            /// Takes note of what stands now under a child's name.
            pub fn put(&mut self, child: ObservedChild) {
                self.forget(&child.key());
                match child {
                    $(ObservedChild::$kind(found) => self.$list.push(found),)*
                }
            }

            /// Takes note that nothing stands under this name.
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
            /// What it is called in the cluster.
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$kind(object) => object.key(Kind::$kind),)*
                }
            }
        }

        /// A child of any kind that stands in the cluster.
        #[derive(Clone, Debug, PartialEq)]
        pub enum ObservedChild {
            $($(#[doc = $doc])* $kind(Observed<$kind>),)*
        }

        impl ObservedChild {
            /// What it is called in the cluster.
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
        }

        $(impl HasKind for $kind {
            const KIND: Kind = Kind::$kind;
            fn draft(object: ChildSpec<Self>) -> DesiredChild {
                DesiredChild::$kind(object)
            }
        })*
    };
}

/// A body that has a kind in the cluster.
pub(crate) trait HasKind: Sized {
    const KIND: Kind;
    fn draft(object: ChildSpec<Self>) -> DesiredChild;
}

kinds! {
    /// The directory: a headless Service, one per source.
    Directory: "Service" in directories;
    /// An `EndpointSlice` of one link: under the directory, or under its virtual IP.
    Slice: "EndpointSlice" in slices;
    /// The environment `ConfigMap`, one per source.
    Environment: "ConfigMap" in environments;
    /// The virtual IP: a Service of the link's own.
    VirtualIp: "Service" in virtual_ips;
    /// The policy: a `NetworkPolicy` in the target's namespace.
    Policy: "NetworkPolicy" in policies;
    /// The binding: a Secret of the link's own.
    Binding: "Secret" in bindings;
}

impl<T> ChildSpec<T> {
    fn is(&self, key: &Key) -> bool {
        self.namespace == key.namespace && self.name == key.name
    }

    /// What it is called in the cluster.
    pub(crate) fn key(&self, kind: Kind) -> Key {
        Key {
            kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}
