//! The writes of a sweep, and what is told about them.

use instancelink_cluster::{CallError, ObjectName};
use instancelink_core::child::Key;
use instancelink_core::dataplane;
use instancelink_core::effect::{Answer, Effect};
use instancelink_core::sweep;

use super::Sweeper;

impl Sweeper {
    /// Writes what was decided about an orphan. What cannot be done now is put off.
    pub(super) async fn write(&self, key: &Key, effect: &Effect) -> Result<(), CallError> {
        let answer = match effect {
            Effect::Delete {
                key,
                uid,
                resource_version,
            } => self.executor.delete(key, uid, Some(resource_version)).await,
            Effect::Replace {
                child,
                delta,
                uid,
                resource_version,
            } => self.executor.replace(child, delta, (uid, resource_version)).await,
            other => {
                tracing::error!(effect = ?other, "a sweep may only delete and replace children; this is a bug");
                return Ok(());
            }
        };
        let answer = match answer {
            // Another client removed it, and may create it again.
            Err(CallError::NotFound(_)) => {
                self.requests.put_off(key.clone());
                return Ok(());
            }
            answer => answer?,
        };
        // What cannot be changed, or is changed back, would be swept without end. It is deleted: its links write another.
        let answer = match (answer, effect) {
            (
                Answer::Unchangeable(..),
                Effect::Replace {
                    uid, resource_version, ..
                },
            ) => self.executor.delete(key, uid, Some(resource_version)).await?,
            (Answer::Child(found), Effect::Replace { .. })
                if dataplane::is_altered(effect, &Answer::Child(found.clone())) =>
            {
                let (uid, version) = found.version();
                self.executor.delete(key, uid, Some(version)).await?
            }
            (answer, _) => answer,
        };
        match answer {
            Answer::Refused(_, refusal) => {
                tracing::warn!(
                    child = %key,
                    "an orphan was not swept: {}; retrying after a pause",
                    refusal.message
                );
                self.put_off(key.clone());
            }
            Answer::Link(_)
            | Answer::LinkGone
            | Answer::Child(_)
            | Answer::Found(_)
            | Answer::ChildGone(_)
            | Answer::Unchangeable(..)
            | Answer::Done => {
                self.requests.put_off(key.clone());
                self.metrics.count_swept(key.kind.as_str());
                tracing::info!(child = %key, "orphan swept: its link is gone");
                if let Effect::Delete { key, uid, .. } = effect {
                    self.report(key, uid);
                }
            }
        }
        Ok(())
    }

    /// An event on a child that was deleted. A namespace that is being deleted takes no events.
    fn report(&self, child: &Key, uid: &str) {
        let namespace = ObjectName::new("", &child.namespace);
        let lives = self.cache.read(|index| {
            let known = index.namespaces.get(&namespace);
            known.is_some_and(|known| !known.terminating)
        });
        if lives {
            self.events.publish_about_child(child, uid, &sweep::event(child));
        }
    }
}
