//! The custom resources as users see them: `InstanceLink` with its spec, status, states, conditions and actions,
//! `InstanceLinkGrant`, and the keys (labels, annotations, finalizer) on objects that the operator writes.
//!
//! Plain data: no client and no decisions. Every other crate uses it.

pub mod action;
pub mod condition;
pub mod crd;
pub mod grant;
pub mod infrastructure;
pub mod keys;
pub mod reference;
mod selector_schema;
pub mod spec;
pub mod state;
pub mod status;

pub use action::{Desired, Intent, LastAction, Phase, Verb, Verdict};
pub use grant::{InstanceLinkGrant, InstanceLinkGrantSpec, InstanceLinkGrantStatus};
pub use infrastructure::Infrastructure;
pub use reference::{InstanceRef, TargetRef};
pub use spec::{Addressing, DesiredState, InstanceLink, InstanceLinkSpec, LinkPort};
pub use state::State;
pub use status::InstanceLinkStatus;
