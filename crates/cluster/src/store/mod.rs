//! Generic storage, without knowledge of any kind: tables that reconcile a watch with our own writes, secondary indexes,
//! compression of idle objects, and parsing of only those fields that are kept.

pub mod compressed;
pub(crate) mod field_manager;
pub mod fields;
pub mod groups;
pub mod identity;
pub mod lenient;
pub mod projection;
pub mod scale;
pub mod strip_managed_fields;
pub mod table;
pub mod weights;
