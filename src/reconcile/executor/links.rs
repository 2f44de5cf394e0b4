//! Requests for links: merge patches of metadata and status, and deletions.

use instancelink_api::{InstanceLink, InstanceLinkStatus};
use instancelink_cluster::{CallError, Deleted, Lenient, Links, ObjectName, Stripped, Watched};
use instancelink_core::effect::Answer;
use serde_json::Value;

use super::super::link_patch::{self, Change, Finalizer};
use super::{Executor, unwritable};

impl Executor {
    /// Patches the status; without a difference no request is sent.
    pub(super) async fn write_status(
        &self,
        link: &InstanceLink,
        status: &InstanceLinkStatus,
    ) -> Result<Answer, CallError> {
        let name = ObjectName::of(&link.metadata);
        let lost = self.cache.read(|index| {
            let why = index.links.table.why_unusable(&name)?;
            Some(why.status_field()?.to_owned())
        });
        match link_patch::status(link, status, lost.as_deref()).map_err(|e| unwritable(&e))? {
            Some(patch) => self.patch_link(link, Some("status"), &patch).await,
            None => Ok(Answer::Link(Box::new(link.clone()))),
        }
    }

    /// Adds or removes the finalizer.
    pub(super) async fn set_finalizer(&self, link: &InstanceLink, finalizer: Finalizer) -> Result<Answer, CallError> {
        let change = Change {
            finalizer: Some(finalizer),
            ..Change::default()
        };
        self.patch_metadata(link, &change).await
    }

    /// Patches the metadata.
    pub(super) async fn patch_metadata(&self, link: &InstanceLink, change: &Change<'_>) -> Result<Answer, CallError> {
        let patch = if change.finalizer.is_some() && link_patch::lacks_finalizers(link) {
            link_patch::metadata(&self.with_all_finalizers(link).await?, change)
        } else {
            link_patch::metadata(link, change)
        };
        self.patch_link(link, None, &patch.map_err(|e| unwritable(&e))?).await
    }

    /// The link with the finalizers that the API server has. If one was added since the link was read, the precondition of the
    /// patch refuses it.
    async fn with_all_finalizers(&self, link: &InstanceLink) -> Result<InstanceLink, CallError> {
        let name = ObjectName::of(&link.metadata);
        let live = self
            .calls
            .get::<Lenient<Stripped<InstanceLink>>>(Links::KIND, &name)
            .await?;
        let mut link = link.clone();
        link.metadata.finalizers = live.object.object.metadata.finalizers;
        Ok(link)
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
            .patch::<InstanceLink, Lenient<Stripped<InstanceLink>>>(Links::KIND, &name, subresource, patch)
            .await
        {
            Ok(object) => {
                let meta = &object.object.object.metadata;
                let held = meta.finalizers.as_ref().is_some_and(|f| !f.is_empty());
                if meta.deletion_timestamp.is_some() && !held {
                    // This patch removed the last finalizer, and so the object.
                    in_flight.gone(meta.uid.as_deref().unwrap_or_default());
                    return Ok(Answer::LinkGone);
                }
                let object = Links::reduced(object);
                let answer = InstanceLink::clone(&object.item.peek());
                in_flight.answered(object);
                Ok(Answer::Link(Box::new(answer)))
            }
            Err(CallError::NotFound(_)) => {
                in_flight.vanished(link.metadata.uid.as_deref().unwrap_or_default());
                Ok(Answer::LinkGone)
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes the link.
    pub(super) async fn delete_link(&self, link: &InstanceLink) -> Result<Answer, CallError> {
        let name = ObjectName::of(&link.metadata);
        let uid = link.metadata.uid.as_deref().unwrap_or_default();
        let version = link.metadata.resource_version.as_deref().unwrap_or_default();
        let in_flight = self.cache.begin::<Links>(name.clone());
        match self
            .calls
            .delete::<Lenient<Stripped<InstanceLink>>>(Links::KIND, &name, uid, Some(version))
            .await
        {
            Ok(Deleted::Held(object)) => {
                let object = Links::reduced(*object);
                let answer = InstanceLink::clone(&object.item.peek());
                in_flight.answered(object);
                Ok(Answer::Link(Box::new(answer)))
            }
            Ok(Deleted::Gone) => {
                in_flight.gone(uid);
                Ok(Answer::LinkGone)
            }
            Err(CallError::NotFound(_)) => {
                in_flight.vanished(uid);
                Ok(Answer::LinkGone)
            }
            Err(error) => Err(error),
        }
    }
}
