//! Two tenants, each an editor of their own namespace alone. What one of them causes in events does not cost the other any.
//!
//! Rules: contract#events-take-turns.

use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::{Link, Namespace, User, idle_deployment, in_namespace, link};
use instancelink_api::State::Inactive;

/// The events of the flood need more than fifteen seconds: they are more than the token bucket has at once by 150.
const LINKS: usize = 20;
const ROUNDS: usize = 10;
/// Much less than the flood takes.
const SOON: Duration = Duration::from_secs(5);

async fn editor(namespace: &Namespace, name: &str) -> Namespace {
    let user = User::with_cluster_role(namespace, &format!("{name}-{}", namespace.name), "edit").await;
    user.at_home()
}

async fn inactive_link(namespace: &Namespace, name: &str, alias: &str) -> Link {
    let manifest = link(name, alias, "Deployment/web", "Deployment/nobody").spec("desiredState", "Inactive");
    let link = namespace.link(manifest).await;
    link.reaches(Inactive).await;
    link
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_flood_of_events_in_one_namespace_does_not_delay_those_of_another() {
    in_namespace(async |a| {
        in_namespace(async |b| {
            let (loud, quiet) = (editor(a, "loud").await, editor(b, "quiet").await);
            for namespace in [&loud, &quiet] {
                namespace.create_object(&idle_deployment("web")).await;
            }
            let links = (0..LINKS).map(|number| {
                let loud = &loud;
                async move { inactive_link(loud, &format!("link-{number}"), &format!("alias-{number}")).await }
            });
            let links = join_all(links).await;
            let link = inactive_link(&quiet, "web-db", "db").await;
            for round in 0..ROUNDS {
                join_all(
                    links
                        .iter()
                        .map(async |link| link.act(&format!("remove/{round}")).await),
                )
                .await;
                join_all(
                    links
                        .iter()
                        .map(async |link| link.act(&format!("restore/{round}")).await),
                )
                .await;
            }
            let asked = Instant::now();
            link.act("remove/once").await;
            b.events_of(&link, "ActionAccepted", 1).await;
            assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
        })
        .await;
    })
    .await;
}
