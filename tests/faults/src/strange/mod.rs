//! The largest and strangest objects that an API server takes, of every kind that the operator reads. They are generated
//! from the `OpenAPI` schemas that the API server serves: a small valid object, and some fields of the schema with values
//! at the limits of their types. What the API server refuses is tried again with fewer of them.

mod canary;
mod cycles;
mod extremes;
mod grow;
mod kinds;
mod metadata;
mod object;
mod schemas;
mod silence;
mod writing;

pub use canary::{Tenant, install};
pub use cycles::Cycles;
pub use kinds::{KINDS, Kind, Writer};
pub use object::Strange;
pub use schemas::Schemas;
pub use writing::{Writers, only};
