//! Tests of the lifecycle, in a world of one link that does what an API server would do.

mod alias;
mod binding;
mod causes;
mod chaos;
mod child_deletions;
mod conditions;
mod delayed_hold;
mod deletion;
mod denied;
mod disclosure;
mod drain;
mod edges;
mod held;
mod intent;
mod kinds;
mod memory;
mod projection;
mod refused;
mod shadow;
mod status;
mod ttl;
mod unusable;
mod verified;
mod waits;
mod walk;

pub(crate) use crate::fixture::World;
