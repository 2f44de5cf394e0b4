//! What the policies and webhooks of a cluster do to writes: they change objects, and they refuse updates.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::failure::Failure;
use super::resource::Resource;

/// Changes an object that is created or updated. The second argument is the object before.
type Mutate = dyn Fn(&Resource, Option<&Value>, &mut Value) + Send + Sync;
/// Refuses an update, if it returns a failure. The arguments are the object before and after, and who updates it.
type Refuse = dyn Fn(&Resource, &Value, &Value, &str) -> Option<Failure> + Send + Sync;

/// The policies. There are none at first.
#[derive(Clone, Default)]
pub struct Policies {
    mutate: Option<Arc<Mutate>>,
    refuse: Option<Arc<Refuse>>,
}

impl Policies {
    /// A mutating policy.
    pub fn mutating(mutate: impl Fn(&Resource, Option<&Value>, &mut Value) + Send + Sync + 'static) -> Self {
        Self {
            mutate: Some(Arc::new(mutate)),
            refuse: None,
        }
    }

    /// Updates that are refused.
    pub fn refusing(
        refuse: impl Fn(&Resource, &Value, &Value, &str) -> Option<Failure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            mutate: None,
            refuse: Some(Arc::new(refuse)),
        }
    }

    pub(super) fn mutate(&self, resource: &Resource, old: Option<&Value>, object: &mut Value) {
        if let Some(mutate) = &self.mutate {
            mutate(resource, old, object);
        }
    }

    pub(super) fn refuse(&self, resource: &Resource, old: &Value, new: &Value, by: &str) -> Result<(), Failure> {
        let refused = self.refuse.as_ref().and_then(|refuse| refuse(resource, old, new, by));
        refused.map_or(Ok(()), Err)
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mutates, refuses) = (self.mutate.is_some(), self.refuse.is_some());
        f.debug_struct("Policies")
            .field("mutates", &mutates)
            .field("refuses", &refuses)
            .finish()
    }
}
