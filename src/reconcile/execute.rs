//! Executes effects: one request each, its answer recorded in the caches before anyone can act on older than that.

use std::collections::HashSet;
use std::sync::Arc;

use instancelink_api::{InstanceLink, keys};
use instancelink_core::child::{DesiredChild, Key, Kind, ObservedChild};
use instancelink_core::effect::{Answer, Effect};
use instancelink_core::refusal::Refusal;
use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

use super::link_patch::{self, Change, Finalizer};
use super::refuse;
use super::unconfirmed::UnconfirmedWrites;
use instancelink_cluster::index::link_keys::source_key;
use instancelink_cluster::{
    Cache, CallError, Calls, Deleted, Environments, Links, ObjectName, Policies, Secrets, Services, Slices, SourceKey,
    Stripped, Watched,
};

/// Children whose creation was answered with "exists" in this pass: asked for again, their names count as taken.
pub(super) type Taken = Mutex<HashSet<Key>>;

/// Executes effects for passes.
#[derive(Clone)]
pub(super) struct Executor {
    pub(super) calls: Calls,
    pub(super) cache: Arc<Cache>,
    pub(super) doubts: Arc<UnconfirmedWrites>,
}

/// A kind of child: how it is watched, and how the caches' view of it becomes an answer.
trait ChildKind: Watched<Raw: Resource<DynamicType = (), Scope = NamespaceResourceScope>> {
    fn standing(item: &Self::Item) -> Option<ObservedChild>;
}

/// What is sent.
trait Body: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize {}

impl<K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize> Body for K {}

impl ChildKind for Services {
    fn standing(item: &Self::Item) -> Option<ObservedChild> {
        item.child.clone()
    }
}

impl ChildKind for Slices {
    fn standing(item: &Self::Item) -> Option<ObservedChild> {
        Some(ObservedChild::Slice((*item.child.peek()).clone()))
    }
}

impl ChildKind for Environments {
    fn standing(item: &Self::Item) -> Option<ObservedChild> {
        Some(ObservedChild::Environment((*item.peek()).clone()))
    }
}

impl ChildKind for Policies {
    fn standing(item: &Self::Item) -> Option<ObservedChild> {
        item.child().cloned().map(ObservedChild::Policy)
    }
}

impl ChildKind for Secrets {
    fn standing(item: &Self::Item) -> Option<ObservedChild> {
        Some(ObservedChild::Binding(item.clone()))
    }
}

impl Executor {
    /// Executes one effect on a link as read. Publishing is no request, and not done here.
    pub(super) async fn execute(
        &self,
        link: &InstanceLink,
        effect: &Effect,
        taken: &Taken,
    ) -> Result<Answer, CallError> {
        match effect {
            Effect::AcceptAction {
                intent,
                remove_action,
                add_finalizer,
            } => {
                let change = Change {
                    intent: Some(intent),
                    remove_action: *remove_action,
                    finalizer: add_finalizer.then_some(Finalizer::Add),
                };
                self.patch_metadata(link, &change).await
            }
            Effect::WriteIntent { intent } => {
                let change = Change {
                    intent: Some(intent),
                    ..Change::default()
                };
                self.patch_metadata(link, &change).await
            }
            Effect::AddFinalizer => self.set_finalizer(link, Finalizer::Add).await,
            Effect::DropFinalizer => self.set_finalizer(link, Finalizer::Drop).await,
            Effect::WriteStatus { status } => match link_patch::status(link, status).map_err(|e| unwritable(&e))? {
                Some(patch) => self.patch_link(link, Some("status"), &patch).await,
                None => Ok(Answer::Link(Box::new(link.clone()))),
            },
            Effect::DeleteLink => self.delete_link(link).await,
            Effect::Create { child } => {
                let answer = self.create(child, taken).await;
                self.note_doubt(link, child, &answer);
                answer
            }
            Effect::Replace {
                child,
                uid,
                resource_version,
            } => {
                let answer = self.replace(child, (uid, resource_version)).await;
                self.note_doubt(link, child, &answer);
                answer
            }
            Effect::Delete {
                key,
                uid,
                resource_version,
            } => self.delete(key, uid, resource_version).await,
            Effect::Publish(_) => Ok(Answer::Done),
        }
    }

    /// Takes note where it is not known whether a write was done, and where it is again. A deletion needs none of this: it is
    /// asked for again.
    fn note_doubt(&self, link: &InstanceLink, child: &DesiredChild, answer: &Result<Answer, CallError>) {
        match answer {
            Err(error) if error.leaves_doubt() => self.doubts.add(source_key(link), child.clone()),
            Ok(Answer::Child(_) | Answer::ChildGone(_) | Answer::Done) if !self.doubts.are_none() => {
                self.doubts.settle(&source_key(link), &child.key());
            }
            // A refusal tells nothing of the write before it.
            _ => {}
        }
    }

    /// Asks what stands of these children of a source.
    pub(super) async fn ask(&self, source: &SourceKey, children: Vec<Key>) -> Result<(), CallError> {
        for key in children {
            let name = ObjectName::new(&key.namespace, &key.name);
            match key.kind {
                Kind::Directory | Kind::VirtualIp => self.what_stands::<Services>(key.clone(), &name).await?,
                Kind::Slice => self.what_stands::<Slices>(key.clone(), &name).await?,
                Kind::Environment => self.what_stands::<Environments>(key.clone(), &name).await?,
                Kind::Policy => self.what_stands::<Policies>(key.clone(), &name).await?,
                Kind::Binding => self.what_stands::<Secrets>(key.clone(), &name).await?,
            };
            self.doubts.settle(source, &key);
        }
        Ok(())
    }

    /// Deletes a child.
    pub(super) async fn delete(&self, key: &Key, uid: &str, version: &str) -> Result<Answer, CallError> {
        match key.kind {
            Kind::Directory | Kind::VirtualIp => self.delete_as::<Services>(key, uid, version).await,
            Kind::Slice => self.delete_as::<Slices>(key, uid, version).await,
            Kind::Environment => self.delete_as::<Environments>(key, uid, version).await,
            Kind::Policy => self.delete_as::<Policies>(key, uid, version).await,
            Kind::Binding => self.delete_as::<Secrets>(key, uid, version).await,
        }
    }

    async fn set_finalizer(&self, link: &InstanceLink, finalizer: Finalizer) -> Result<Answer, CallError> {
        let change = Change {
            finalizer: Some(finalizer),
            ..Change::default()
        };
        self.patch_metadata(link, &change).await
    }

    async fn patch_metadata(&self, link: &InstanceLink, change: &Change<'_>) -> Result<Answer, CallError> {
        let patch = link_patch::metadata(link, change).map_err(|e| unwritable(&e))?;
        self.patch_link(link, None, &patch).await
    }

    async fn patch_link(
        &self,
        link: &InstanceLink,
        subresource: Option<&str>,
        patch: &Value,
    ) -> Result<Answer, CallError> {
        let name = ObjectName::of(&link.metadata);
        let in_flight = self.cache.begin::<Links>(name.clone());
        match self
            .calls
            .patch::<Stripped<InstanceLink>>(Links::KIND, &name, subresource, patch)
            .await
        {
            Ok(object) => {
                let meta = &object.object.metadata;
                let held = meta.finalizers.as_ref().is_some_and(|f| !f.is_empty());
                if meta.deletion_timestamp.is_some() && !held {
                    // The last finalizer went with this patch, and the object with it.
                    in_flight.gone(meta.uid.as_deref().unwrap_or_default());
                    return Ok(Answer::LinkGone);
                }
                let item = Links::reduce(object);
                let answer = InstanceLink::clone(&item.peek());
                in_flight.answered(item);
                Ok(Answer::Link(Box::new(answer)))
            }
            Err(CallError::NotFound(_)) => {
                in_flight.gone(link.metadata.uid.as_deref().unwrap_or_default());
                Ok(Answer::LinkGone)
            }
            Err(error) => Err(error),
        }
    }

    async fn delete_link(&self, link: &InstanceLink) -> Result<Answer, CallError> {
        let name = ObjectName::of(&link.metadata);
        let uid = link.metadata.uid.as_deref().unwrap_or_default();
        let version = link.metadata.resource_version.as_deref().unwrap_or_default();
        let in_flight = self.cache.begin::<Links>(name.clone());
        match self
            .calls
            .delete::<Stripped<InstanceLink>>(Links::KIND, &name, uid, version)
            .await
        {
            Ok(Deleted::Held(object)) => {
                let item = Links::reduce(*object);
                let answer = InstanceLink::clone(&item.peek());
                in_flight.answered(item);
                Ok(Answer::Link(Box::new(answer)))
            }
            Ok(Deleted::Gone) | Err(CallError::NotFound(_)) => {
                in_flight.gone(uid);
                Ok(Answer::LinkGone)
            }
            Err(error) => Err(error),
        }
    }

    async fn create(&self, child: &DesiredChild, taken: &Taken) -> Result<Answer, CallError> {
        let key = child.key();
        match child {
            DesiredChild::Directory(o) => self.create_as::<Services>(key, o.to_api(None), taken).await,
            DesiredChild::Slice(o) => self.create_as::<Slices>(key, o.to_api(None), taken).await,
            DesiredChild::Environment(o) => self.create_as::<Environments>(key, o.to_api(None), taken).await,
            DesiredChild::VirtualIp(o) => self.create_as::<Services>(key, o.to_api(None), taken).await,
            DesiredChild::Policy(o) => self.create_as::<Policies>(key, o.to_api(None), taken).await,
            DesiredChild::Binding(o) => self.create_as::<Secrets>(key, o.to_api(None), taken).await,
        }
    }

    async fn create_as<W: ChildKind>(&self, key: Key, body: impl Body, taken: &Taken) -> Result<Answer, CallError> {
        let name = ObjectName::new(&key.namespace, &key.name);
        let in_flight = self.cache.begin::<W>(name.clone());
        match self.calls.create::<_, W::Raw>(W::KIND, &name, &body).await {
            Ok(raw) => {
                let item = W::reduce(raw);
                let answer = W::standing(&item).map_or(Answer::Done, Answer::Child);
                in_flight.answered(item);
                Ok(answer)
            }
            Err(CallError::AlreadyExists(_)) => {
                drop(in_flight);
                if !taken.lock().insert(key.clone()) {
                    let refusal = Refusal::name_taken(&key);
                    return Ok(Answer::Refused(key, refusal));
                }
                self.what_stands::<W>(key, &name).await
            }
            Err(error) => answer_refusal(error, "create", key),
        }
    }

    /// After "exists", or no answer: what does exist, from the API server itself. Core decides whose it is.
    async fn what_stands<W: ChildKind>(&self, key: Key, name: &ObjectName) -> Result<Answer, CallError> {
        match self.calls.get::<W::Raw>(W::KIND, name).await {
            Ok(raw) => {
                let labels = raw.meta().labels.as_ref();
                let ours = labels.and_then(|l| l.get(keys::MANAGED_BY)).map(String::as_str) == Some(keys::MANAGER);
                let item = W::reduce(raw);
                let answer = W::standing(&item).map_or(Answer::Done, Answer::Child);
                // A stranger's object is on no watch of ours: kept, it would never leave the caches again.
                if ours {
                    self.cache.read_live::<W>(name, item);
                }
                Ok(answer)
            }
            Err(CallError::NotFound(_)) => Ok(Answer::ChildGone(key)),
            Err(error) => answer_refusal(error, "get", key),
        }
    }

    async fn replace(&self, child: &DesiredChild, replaces: (&str, &str)) -> Result<Answer, CallError> {
        let key = child.key();
        match child {
            DesiredChild::Directory(o) => {
                self.replace_as::<Services>(key, o.to_api(Some(replaces)), replaces.0)
                    .await
            }
            DesiredChild::Policy(o) => {
                self.replace_as::<Policies>(key, o.to_api(Some(replaces)), replaces.0)
                    .await
            }
            DesiredChild::VirtualIp(o) => {
                self.replace_as::<Services>(key, o.to_api(Some(replaces)), replaces.0)
                    .await
            }
            DesiredChild::Slice(o) => {
                self.replace_as::<Slices>(key, o.to_api(Some(replaces)), replaces.0)
                    .await
            }
            DesiredChild::Environment(o) => {
                self.replace_as::<Environments>(key, o.to_api(Some(replaces)), replaces.0)
                    .await
            }
            DesiredChild::Binding(o) => {
                self.replace_as::<Secrets>(key, o.to_api(Some(replaces)), replaces.0)
                    .await
            }
        }
    }

    async fn replace_as<W: ChildKind>(&self, key: Key, body: impl Body, uid: &str) -> Result<Answer, CallError> {
        let name = ObjectName::new(&key.namespace, &key.name);
        let in_flight = self.cache.begin::<W>(name.clone());
        match self.calls.replace::<_, W::Raw>(W::KIND, &name, &body).await {
            Ok(raw) => {
                let item = W::reduce(raw);
                let answer = W::standing(&item).map_or(Answer::Done, Answer::Child);
                in_flight.answered(item);
                Ok(answer)
            }
            Err(CallError::NotFound(_)) => {
                in_flight.gone(uid);
                Ok(Answer::ChildGone(key))
            }
            Err(error) => answer_refusal(error, "update", key),
        }
    }

    async fn delete_as<W: ChildKind>(&self, key: &Key, uid: &str, version: &str) -> Result<Answer, CallError> {
        let name = ObjectName::new(&key.namespace, &key.name);
        let in_flight = self.cache.begin::<W>(name.clone());
        match self.calls.delete::<W::Raw>(W::KIND, &name, uid, version).await {
            Ok(Deleted::Held(raw)) => {
                let item = W::reduce(*raw);
                let answer = W::standing(&item).map_or(Answer::Done, Answer::Child);
                in_flight.answered(item);
                Ok(answer)
            }
            Ok(Deleted::Gone) | Err(CallError::NotFound(_)) => {
                in_flight.gone(uid);
                Ok(Answer::ChildGone(key.clone()))
            }
            Err(error) => answer_refusal(error, "delete", key.clone()),
        }
    }
}

fn answer_refusal(error: CallError, verb: &'static str, key: Key) -> Result<Answer, CallError> {
    match refuse::refusal_of(&error, verb, &key) {
        Some(refusal) => Ok(Answer::Refused(key, refusal)),
        None => Err(error),
    }
}

fn unwritable(error: &serde_json::Error) -> CallError {
    CallError::Refused {
        code: 0,
        message: format!("the patch cannot be written as JSON: {error}"),
    }
}
