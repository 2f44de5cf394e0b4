//! Resolves the names in a spec: references, consent, directory names, pods, ports, endpoints.
//!
//! It reads the snapshot and returns values. It writes nothing and does not use children. `dataplane` builds children
//! from its results, and `lifecycle` uses its results for the conditions.

use instancelink_api::condition::Reason;

mod addressing;
pub mod budget;
pub mod consent;
pub mod directory;
pub mod egress;
mod embedded;
pub mod endpoints;
pub mod external_lookups;
pub mod external_names;
pub mod former_source;
mod free;
pub mod grant;
pub mod imports;
pub mod isolation;
mod isolators;
pub mod kept_pods;
#[cfg(any(test, feature = "fixture"))]
pub mod lookups;
pub mod pod_ports;
pub mod pods;
pub mod ports;
pub mod reference;
pub mod reference_grant;
pub mod scaled_kinds;
pub mod selector;
pub mod selector_problem;
pub mod selector_text;
pub mod service_slices;

pub use directory::{directory_name, directory_of, fqdn, known_directory_of};
pub use reference::{TargetVerdict, target_of};

/// Why a spec cannot be served: `InvalidPorts`, `AddressingNotPossible`, `KindNotSupported` or `TooCostly`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unservable {
    /// The condition's reason.
    pub reason: Reason,
    /// What is wrong, why, and what to do.
    pub message: String,
}

/// The target has no addresses of the kind that the spec asks for.
fn not_possible(message: String) -> Unservable {
    Unservable {
        reason: Reason::AddressingNotPossible,
        message,
    }
}
