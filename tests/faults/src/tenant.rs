//! A tenant that makes random writes in its namespace, as a user who may edit there.

use std::collections::HashMap;
use std::time::Duration;

use harness::Namespace;
use http::Method;
use instancelink_api::keys;
use instancelink_testkit::tenant::{Scene, Verb, Write};
use kube::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::raw::{delete, path, post, send};

const MERGE: &str = "application/merge-patch+json";

/// The tenant.
pub struct Tenant<'a> {
    /// Its own client.
    pub client: Client,
    /// Its namespace.
    pub namespace: &'a Namespace,
    /// What it knows of the other tenant.
    pub scene: &'a Scene,
}

impl Tenant<'_> {
    /// Sends the writes in their order, each at its time. Returns how many were not refused.
    pub async fn write(&self, writes: &[Write], during: Duration) -> u64 {
        let began = Instant::now();
        let mut uids = HashMap::new();
        let mut sent = 0;
        for write in writes {
            sleep_until(began + during * write.at / 1000).await;
            let body = self.resolved(write, &mut uids).await;
            sent += u64::from(self.send(write, &body).await);
        }
        sent
    }

    /// Removes the tenant's own finalizers, so that its namespace can be deleted. The operator's stay.
    pub async fn let_go(&self, writes: &[Write]) {
        let held = |write: &&Write| write.verb == Verb::Create && !write.body["metadata"]["finalizers"].is_null();
        let client = &self.namespace.client;
        for write in writes.iter().filter(held) {
            let object = path(&self.scene.mine, write.kind, &write.name);
            let ours = json!({"metadata": {"finalizers": [keys::FINALIZER]}});
            let none = json!({"metadata": {"finalizers": null}});
            // A finalizer that the operator has removed already cannot be added to an object that is being deleted.
            let kept = write.kind == keys::KIND && send(client, Method::PATCH, &object, MERGE, &ours).await.is_ok();
            if !kept {
                let _ = send(client, Method::PATCH, &object, MERGE, &none).await;
            }
        }
    }

    /// The body, with the UIDs that the objects have now, or had when the tenant first needed them.
    async fn resolved(&self, write: &Write, uids: &mut HashMap<(bool, String, String), String>) -> Value {
        let mut missing = Vec::new();
        write.resolved(&mut |mine, kind, name| {
            missing.push((mine, kind.to_owned(), name.to_owned()));
            None
        });
        for key in missing {
            let (mine, kind, name) = &key;
            let namespace = if *mine { &self.scene.mine } else { &self.scene.theirs };
            if let Some(uid) = self.uid_of(namespace, kind, name).await {
                uids.insert(key, uid);
            }
        }
        write.resolved(&mut |mine, kind, name| uids.get(&(mine, kind.to_owned(), name.to_owned())).cloned())
    }

    /// A tenant learns UIDs from children that were in its namespace, so it is asked with all rights.
    async fn uid_of(&self, namespace: &str, kind: &str, name: &str) -> Option<String> {
        let path = path(namespace, kind, name);
        let answer = send(
            &self.namespace.client,
            Method::GET,
            &path,
            "application/json",
            &Value::Null,
        )
        .await;
        let answer = answer.ok()?;
        let (_, rest) = answer.split_once("\"uid\":\"")?;
        rest.split('"').next().map(str::to_owned)
    }

    async fn send(&self, write: &Write, body: &Value) -> bool {
        let (client, mine) = (&self.client, &self.scene.mine);
        let object = path(mine, write.kind, &write.name);
        let done = match write.verb {
            Verb::Create => post(client, &path(mine, write.kind, ""), body).await,
            Verb::Patch => send(client, Method::PATCH, &object, MERGE, body).await.map(drop),
            Verb::PatchStatus => {
                let status = format!("{object}/status");
                send(client, Method::PATCH, &status, MERGE, body).await.map(drop)
            }
            Verb::Delete => delete(client, &object).await,
        };
        done.is_ok()
    }
}
