//! One link in the cluster, as its owner uses it: read, wait, edit, delete.

use std::time::Duration;

use instancelink_api::{InstanceLink, InstanceLinkStatus, State, keys};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::{LinkManifest, Namespace, Object, SHORT, eventually, manifest::reference, never};

/// Two of the longest pauses of a write that is repeated, and some time for the rest.
const HEALED: Duration = Duration::from_secs(150);

/// A link in a test's namespace.
#[derive(Clone)]
pub struct Link {
    /// Its namespace.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
    pub(crate) api: Api<InstanceLink>,
}

impl Namespace {
    /// Creates a link.
    pub async fn link(&self, manifest: impl Into<LinkManifest>) -> Link {
        let manifest = manifest.into().into_value();
        Link::at(self, &self.create_object(&manifest).await.name)
    }
}

impl Link {
    /// The link with this name.
    pub fn at(namespace: &Namespace, name: &str) -> Self {
        Self {
            namespace: namespace.clone(),
            name: name.to_owned(),
            api: namespace.api(),
        }
    }

    /// The object as it is in the cluster. Panics if it does not exist.
    pub async fn get(&self) -> InstanceLink {
        self.api
            .get(&self.name)
            .await
            .unwrap_or_else(|e| panic!("cannot get link {}: {e}", self.name))
    }

    /// Its status.
    pub async fn status(&self) -> InstanceLinkStatus {
        self.get().await.status.unwrap_or_default()
    }

    /// `metadata.uid`.
    pub async fn uid(&self) -> String {
        self.get().await.metadata.uid.expect("objects have a UID")
    }

    /// As an object of any kind.
    pub fn object(&self) -> Object {
        self.namespace.object(keys::API_VERSION, keys::KIND, &self.name)
    }

    /// Waits until it is in a state.
    pub async fn reaches(&self, state: State) -> InstanceLink {
        self.reaches_within(state, Duration::from_secs(40)).await
    }

    /// The same, with its own limit.
    pub async fn reaches_within(&self, state: State, limit: Duration) -> InstanceLink {
        self.until_within(&format!("is {state}"), limit, |link| state_of(link) == state)
            .await
    }

    /// Waits until a condition has a status, and a reason if one is given: `("Ready", "False", "Held")`.
    pub async fn condition(&self, kind: &str, status: &str, reason: &str) -> Condition {
        let what = format!("has condition {kind}={status} {reason}");
        let holds = |c: &Condition| c.status == status && (reason.is_empty() || c.reason == reason);
        let link = self
            .until(&what, |link| condition_of(link, kind).is_some_and(holds))
            .await;
        condition_of(&link, kind).cloned().expect("it was there")
    }

    /// Waits until its objects are as the operator writes them, and it says so. After a dispute with other clients that takes as
    /// long as the longest pause of a write that is repeated, and a minute more.
    pub async fn is_programmed_again(&self) {
        let is_programmed = |link: &InstanceLink| condition_of(link, "Programmed").is_some_and(|c| c.status == "True");
        self.until_within("has Programmed=True again", HEALED, is_programmed)
            .await;
    }

    /// Waits until a predicate is true for it.
    pub async fn until(&self, what: &str, check: impl Fn(&InstanceLink) -> bool) -> InstanceLink {
        self.until_within(what, SHORT, check).await
    }

    /// The same, with its own limit.
    pub async fn until_within(
        &self,
        what: &str,
        limit: Duration,
        check: impl Fn(&InstanceLink) -> bool,
    ) -> InstanceLink {
        eventually(&format!("link {} {what}", self.name), limit, async || {
            match self.api.get_opt(&self.name).await {
                Ok(Some(link)) if check(&link) => Ok(link),
                Ok(Some(link)) => Err(yaml(link)),
                Ok(None) => Err("no such link".to_owned()),
                Err(e) => Err(e.to_string()),
            }
        })
        .await
    }

    /// Expects that it stays in a state for a while.
    pub async fn stays(&self, state: State) {
        let what = format!("link {} should stay {state}", self.name);
        never(&what, Duration::from_millis(1500), async || {
            let link = self.get().await;
            if state_of(&link) == state {
                Ok(())
            } else {
                Err(yaml(link))
            }
        })
        .await;
    }

    /// Changes fields of the spec. Null removes a field.
    pub async fn edit(&self, spec: Value) -> InstanceLink {
        self.patch(&json!({ "spec": spec })).await
    }

    /// Changes its target to `Kind/name`.
    pub async fn retarget(&self, target: &str) -> InstanceLink {
        self.edit(json!({ "targetInstanceRef": reference(target) })).await
    }

    /// Sends a merge patch.
    pub async fn patch(&self, patch: &Value) -> InstanceLink {
        self.api
            .patch(&self.name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap_or_else(|e| panic!("cannot patch link {}: {e}\n{patch}", self.name))
    }

    /// Removes its whole status, as a restore from a backup does.
    pub async fn wipe_status(&self) {
        self.api
            .patch_status(
                &self.name,
                &PatchParams::default(),
                &Patch::Merge(&json!({ "status": null })),
            )
            .await
            .unwrap_or_else(|e| panic!("cannot wipe the status of {}: {e}", self.name));
    }

    /// Starts its deletion.
    pub async fn delete(&self) {
        self.delete_with(&DeleteParams::default()).await;
    }

    /// Starts its deletion with these parameters.
    pub async fn delete_with(&self, params: &DeleteParams) {
        self.api
            .delete(&self.name, params)
            .await
            .unwrap_or_else(|e| panic!("cannot delete link {}: {e}", self.name));
    }

    /// Waits until the object is gone.
    pub async fn is_gone(&self) {
        eventually(
            &format!("link {} is gone", self.name),
            Duration::from_secs(40),
            async || match self.api.get_opt(&self.name).await {
                Ok(None) => Ok(()),
                Ok(Some(link)) => Err(yaml(link)),
                Err(e) => Err(e.to_string()),
            },
        )
        .await;
    }
}

/// `status.state`.
pub(crate) fn state_of(link: &InstanceLink) -> State {
    link.status.as_ref().map(|s| s.state).unwrap_or_default()
}

fn condition_of<'a>(link: &'a InstanceLink, kind: &str) -> Option<&'a Condition> {
    link.status.as_ref()?.conditions.iter().find(|c| c.type_ == kind)
}

fn yaml(mut link: InstanceLink) -> String {
    link.metadata.managed_fields = None;
    serde_yaml_ng::to_string(&link).unwrap_or_default()
}
