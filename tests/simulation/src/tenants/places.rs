//! The namespaces of the two tenants.

/// That of the tenant that makes random writes.
pub(super) const A: &str = "data";
/// That of the other one.
pub(super) const B: &str = "shop";
