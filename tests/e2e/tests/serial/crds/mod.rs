//! Kinds from CRDs, which are cluster-scoped, and are installed and removed while the operator runs. Tests that need
//! the same CRD share one installation. Each of these tests has its own CRD, and they run in parallel.

mod reference_grants;
mod scaled_kinds;
mod service_imports;
