//! What the names in a spec stand for right now: references, names of what is made for them, pods, ports, endpoints.
//!
//! Reads the snapshot and returns values. Writes nothing and knows no child; `dataplane` builds those from its answers.

use instancelink_api::condition::Reason;

pub mod consent;
pub mod directory;
pub mod endpoints;
pub mod isolation;
pub mod kinds;
pub mod pod_ports;
pub mod pods;
pub mod ports;
pub mod reference;
pub mod reference_grant;
pub mod selector;
pub mod selector_text;

pub use directory::{directory_name, directory_of, fqdn};
pub use reference::{TargetVerdict, target_of};

/// Why a spec cannot be served: `InvalidPorts`, `AddressingNotPossible` or `KindNotSupported`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unservable {
    /// The condition's reason.
    pub reason: Reason,
    /// What is wrong, why, and what to write instead.
    pub message: String,
}
