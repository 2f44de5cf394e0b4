//! Requests for children. Each is written once, for all kinds.

use instancelink_api::InstanceLink;
use instancelink_cluster::{CallError, Deleted, InFlight, Lenient, ObjectName, SourceKey, Watched};
use instancelink_core::alteration::{Alteration, alteration};
use instancelink_core::child::{ChildKind, Delta, DesiredChild, Key, to_patch, with_desired, with_kind};
use instancelink_core::dataplane::{outlasts_conflicts, own_uid};
use instancelink_core::effect::Answer;
use instancelink_core::refusal::{Refusal, is_immutable};
use kube::Resource as _;
use serde_json::Value;

use super::super::refuse::refusal_of;
use super::kinds::WatchedChild;
use super::{Collisions, Executor, unwritable};

/// How often a deletion is tried: as the caches show the object, and as it was read, in case that it was created again.
const DELETIONS: usize = 3;

impl Executor {
    /// Creates a child.
    pub(super) async fn create(&self, child: &DesiredChild, collisions: &Collisions) -> Result<Answer, CallError> {
        let key = child.key();
        with_desired!(child, K(spec) => self.create_as::<K>(key, &K::to_api(spec), collisions).await)
    }

    /// Changes a child that has this UID and resourceVersion. An error if it does not exist any more.
    pub(crate) async fn replace(
        &self,
        child: &DesiredChild,
        delta: &Delta,
        version: (&str, &str),
    ) -> Result<Answer, CallError> {
        let key = child.key();
        with_desired!(child, K(spec) => {
            let patch = to_patch::<K>(spec, delta, version).map_err(|e| unwritable(&e))?;
            self.patch_as::<K>(key, &patch, version.0).await
        })
    }

    /// Deletes a child that has this UID and, if it is given, this resourceVersion. An error if it is gone.
    pub(crate) async fn delete(&self, key: &Key, uid: &str, version: Option<&str>) -> Result<Answer, CallError> {
        with_kind!(key.kind, K => self.delete_as::<K>(key, uid, version).await)
    }

    /// Deletes a child of this link. A policy of another namespace is deleted by its UID alone after a conflict.
    pub(super) async fn delete_of(
        &self,
        link: &InstanceLink,
        key: &Key,
        uid: &str,
        version: &str,
    ) -> Result<Answer, CallError> {
        let (mut uid, mut version) = (uid.to_owned(), Some(version));
        for _ in 0..DELETIONS {
            let answer = self.delete(key, &uid, version).await;
            if !matches!(answer, Err(CallError::Conflict(_))) || !outlasts_conflicts(link, key) {
                return answer;
            }
            // It may be another object than the caches show: our own, of a write whose event is late.
            match self.read(key).await? {
                Answer::Found(live) => match own_uid(link, &live) {
                    Some(live) => live.clone_into(&mut uid),
                    None => break,
                },
                _ => break,
            }
            version = None;
        }
        // What is there now, others created or changed meanwhile.
        Ok(Answer::ChildGone(key.clone()))
    }

    /// Reads a child whose last write is unconfirmed. After a failure it stays unconfirmed, because nothing was learnt.
    pub(in crate::reconcile) async fn confirm(&self, source: &SourceKey, key: &Key) -> Result<(), CallError> {
        self.read(key).await?;
        self.unconfirmed.forget(source, key);
        Ok(())
    }

    async fn read(&self, key: &Key) -> Result<Answer, CallError> {
        with_kind!(key.kind, K => self.read_as::<K>(key).await)
    }

    async fn create_as<K: WatchedChild>(
        &self,
        key: Key,
        body: &K::Api,
        collisions: &Collisions,
    ) -> Result<Answer, CallError> {
        let name = name_of(&key);
        let in_flight = self.cache.begin::<K::Watch>(name.clone());
        match self.calls.create::<_, Raw<K>>(K::Watch::KIND, &name, body).await {
            Ok(raw) => Ok(record::<K>(Some(in_flight), raw)),
            Err(CallError::AlreadyExists(_)) => {
                drop(in_flight);
                if !collisions.lock().insert(key.clone()) {
                    let refusal = Refusal::name_taken(&key);
                    return Ok(Answer::Refused(key, refusal));
                }
                match self.read_as::<K>(&key).await {
                    Err(error) => answer_refusal(error, "get", key),
                    answer => answer,
                }
            }
            Err(error) => answer_refusal(error, "create", key),
        }
    }

    /// Reads a child live, after "already exists", a conflict or no answer. Core decides whose object it is.
    async fn read_as<K: WatchedChild>(&self, key: &Key) -> Result<Answer, CallError> {
        let name = name_of(key);
        match self.calls.get::<Raw<K>>(K::Watch::KIND, &name).await {
            Ok(raw) => {
                let is_watched = K::Watch::is_watched(raw.meta());
                let object = K::Watch::reduced(raw);
                let answer = K::observed_in(&object.item).map_or(Answer::Done, Answer::Found);
                // An object that is not watched would never leave the caches again.
                if is_watched {
                    self.cache.read_live::<K::Watch>(&name, object);
                }
                Ok(answer)
            }
            Err(CallError::NotFound(_)) => Ok(Answer::ChildGone(key.clone())),
            Err(error) => Err(error),
        }
    }

    /// What others changed in a child since it was sent. None if that cannot be found out: then only the message is less exact.
    pub(in crate::reconcile) async fn alteration_of(&self, sent: &DesiredChild) -> Option<Alteration> {
        let name = name_of(&sent.key());
        with_desired!(sent, K(spec) => {
            let sent = serde_json::to_value(K::to_api(spec)).ok()?;
            let live = self.calls.get_as::<<K as ChildKind>::Api, _>(<K as WatchedChild>::Watch::KIND, &name).await.ok()?;
            alteration(&sent, &live)
        })
    }

    async fn patch_as<K: WatchedChild>(&self, key: Key, patch: &Value, uid: &str) -> Result<Answer, CallError> {
        let name = name_of(&key);
        let in_flight = self.begin::<K>(&name);
        let answer = self.calls.patch::<K::Api, Raw<K>>(K::Watch::KIND, &name, None, patch);
        match answer.await {
            Ok(raw) => Ok(record::<K>(in_flight, raw)),
            Err(error @ CallError::NotFound(_)) => {
                record_vanished(in_flight, uid);
                Err(error)
            }
            Err(CallError::Refused { message, .. }) if is_immutable(&message) => Ok(Answer::Unchangeable(key, message)),
            Err(error) => answer_refusal(error, "patch", key),
        }
    }

    async fn delete_as<K: WatchedChild>(
        &self,
        key: &Key,
        uid: &str,
        version: Option<&str>,
    ) -> Result<Answer, CallError> {
        let name = name_of(key);
        let in_flight = self.begin::<K>(&name);
        match self.calls.delete::<Raw<K>>(K::Watch::KIND, &name, uid, version).await {
            Ok(Deleted::Held(raw)) => Ok(record::<K>(in_flight, *raw)),
            Ok(Deleted::Gone) => {
                if let Some(write) = in_flight {
                    write.gone(uid);
                }
                Ok(Answer::ChildGone(key.clone()))
            }
            Err(error @ CallError::NotFound(_)) => {
                record_vanished(in_flight, uid);
                Err(error)
            }
            Err(error) => answer_refusal(error, "delete", key.clone()),
        }
    }

    /// Begins a write of a child. None if this executor does not record its writes.
    fn begin<K: WatchedChild>(&self, name: &ObjectName) -> Option<InFlight<K::Watch>> {
        self.records.then(|| self.cache.begin::<K::Watch>(name.clone()))
    }
}

/// An object of a kind as the API server sends it.
type Raw<K> = Lenient<<<K as WatchedChild>::Watch as Watched>::Raw>;

fn record<K: WatchedChild>(in_flight: Option<InFlight<K::Watch>>, raw: Raw<K>) -> Answer {
    let object = K::Watch::reduced(raw);
    let answer = K::observed_in(&object.item).map_or(Answer::Done, Answer::Child);
    if let Some(write) = in_flight {
        write.answered(object);
    }
    answer
}

/// A 404: another client was faster (lifecycle#answers-of-others).
fn record_vanished<W: Watched>(in_flight: Option<InFlight<W>>, uid: &str) {
    if let Some(write) = in_flight {
        write.vanished(uid);
    }
}

fn name_of(key: &Key) -> ObjectName {
    ObjectName::new(&key.namespace, &key.name)
}

fn answer_refusal(error: CallError, verb: &'static str, key: Key) -> Result<Answer, CallError> {
    match refusal_of(&error, verb, &key) {
        Some(refusal) => Ok(Answer::Refused(key, refusal)),
        None => Err(error),
    }
}
