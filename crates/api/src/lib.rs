//! The custom resources as users see them: `InstanceLink` with its spec, status, states, conditions and actions, the
//! grant by which a namespace consents to links into it, and the keys (labels, annotations, finalizer) the operator puts
//! on objects.
//!
//! Plain data. No client, no tokio, no decisions: those are in `instancelink-core`.

pub mod action;
pub mod condition;
pub mod crd;
pub mod grant;
pub mod keys;
pub mod reference;
pub mod spec;
pub mod state;
pub mod status;

pub use action::{Desired, Intent, LastAction, Phase, Verb, Verdict};
pub use grant::{InstanceLinkGrant, InstanceLinkGrantSpec};
pub use reference::{InstanceRef, TargetRef};
pub use spec::{Addressing, DesiredState, InstanceLink, InstanceLinkSpec, LinkPort};
pub use state::State;
pub use status::InstanceLinkStatus;
