//! The content of a link's status and metadata during its life.
//!
//! Rule: contract#status-fields.

use harness::{in_namespace, link};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Removed, Removing, Requested};
use instancelink_api::keys;
use instancelink_api::status::Transitioning;

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_status_has_the_fifteen_fields_of_rancher() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("name", "the database");
        let link = ns.link(manifest).await;
        let object = link.reaches(Active).await;
        let uid = |kind: &str, api: &str, name: &str| {
            let object = ns.object(api, kind, name);
            async move { object.get().await.metadata.uid }
        };
        let status = object.status.clone().unwrap();
        assert_eq!(status.uuid, object.metadata.uid);
        assert_eq!(status.instance_id, uid("Deployment", "apps/v1", "web").await);
        assert_eq!(status.target_instance_id, uid("Service", "v1", "pg").await);
        assert_eq!(status.account_id, uid("Namespace", "v1", &ns.name).await);
        assert_eq!(status.kind.as_deref(), Some("instanceLink"));
        assert_eq!(status.name.as_deref(), Some("the database"));
        assert_eq!(status.link_name.as_deref(), Some("db"));
        assert_eq!(status.created, object.metadata.creation_timestamp);
        assert_eq!((status.description, status.removed), (None, None));
        assert!(
            status.id.is_some_and(|id| (1..1 << 52).contains(&id)),
            "{:?}",
            status.id
        );
        assert_eq!(status.transitioning, Transitioning::No);
        assert_eq!(status.transitioning_progress, None);
        assert!(
            status
                .fqdn
                .unwrap()
                .starts_with(&format!("db.web-links.{}.svc.", ns.name))
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn transitioning_is_yes_with_progress_in_the_ing_states_and_no_elsewhere() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        link.act("remove").await.is_accepted();
        watch.walks([Deactivating, Inactive, Removing, Removed]).await;
        for version in watch.versions() {
            let status = version.status.unwrap();
            let expected = if status.state.is_transitional() {
                Transitioning::Yes
            } else {
                Transitioning::No
            };
            assert_eq!(status.transitioning, expected, "in {}", status.state);
            let progress = status.transitioning_progress;
            assert_eq!(
                progress.is_some(),
                status.state.is_transitional(),
                "in {}: {progress:?}",
                status.state
            );
            assert!(
                progress.is_none_or(|p| (0..=100).contains(&p)),
                "in {}: {progress:?}",
                status.state
            );
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_new_link_has_its_finalizer_before_anything_is_made_for_it() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let (_link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        let held = |l: &instancelink_api::InstanceLink| {
            l.metadata
                .finalizers
                .as_ref()
                .is_some_and(|f| f.iter().any(|f| f == keys::FINALIZER))
        };
        let first_up = watch
            .versions()
            .into_iter()
            .find(|l| l.status.as_ref().is_some_and(|s| s.state == Activating));
        assert!(held(&first_up.unwrap()));
    })
    .await;
}
