//! The watch of `ReferenceGrant`s against an API server that serves them, and one that does not.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use tokio::sync::watch::Sender;
use tokio::time::{sleep, timeout};

use super::super::reference_grants;
use super::*;

const GROUP: &str = "/apis/gateway.networking.k8s.io";

/// What the API server does now.
#[derive(Clone, Debug, PartialEq)]
struct Served {
    /// The status of discovery.
    discovery: u16,
    /// The versions that serve the kind.
    versions: Vec<&'static str>,
    /// The status of a list.
    list: u16,
    /// The objects.
    grants: Vec<Value>,
}

impl Served {
    fn grants(versions: &[&'static str], grants: Vec<Value>) -> Self {
        Self {
            discovery: 200,
            versions: versions.to_vec(),
            list: 200,
            grants,
        }
    }

    fn nothing() -> Self {
        Self::grants(&[], vec![])
    }
}

#[derive(Clone)]
struct Server(Arc<Sender<Served>>);

/// Serves discovery, lists in pages, and watches. A watch ends when the served versions change.
async fn answer(State(api): State<Server>, uri: Uri) -> Response {
    let served = api.0.borrow().clone();
    let path = uri.path().strip_prefix(GROUP).unwrap_or("?").trim_start_matches('/');
    let (version, plural) = path.split_once('/').unwrap_or((path, ""));
    let is_served = served.versions.contains(&version);
    let query = uri.query().unwrap_or_default();
    match plural {
        "" if served.discovery != 200 => refusal(served.discovery),
        "" if version.is_empty() && served.versions.is_empty() => refusal(404),
        "" if version.is_empty() => {
            // Other kinds of the group may be served in a version that does not have this one.
            let versions = ["v1", "v1beta1"].map(|v| json!({"version": v, "groupVersion": format!("g/{v}")}));
            success(&json!({"kind": "APIGroup", "name": "g", "versions": versions}))
        }
        "" => {
            let name = if is_served { "referencegrants" } else { "gateways" };
            let resource = json!({"name": name, "kind": "K", "namespaced": true, "singularName": "", "verbs": []});
            success(&json!({"kind": "APIResourceList", "groupVersion": "g", "resources": [resource]}))
        }
        _ if !is_served => refusal(404),
        _ if served.list != 200 => refusal(served.list),
        _ if query.contains("sendInitialEvents") => refusal(422),
        _ if query.contains("watch=true") => {
            let mut changes = api.0.subscribe();
            let until_changed = async move { changes.changed().await.map_err(|_| ()) };
            let nothing = stream::once(until_changed).filter_map(async |_| None::<Result<Bytes, Infallible>>);
            Body::from_stream(nothing).into_response()
        }
        _ => success(&json!({"kind": "List", "apiVersion": "g/v1",
            "metadata": {"resourceVersion": "9"}, "items": served.grants})),
    }
}

/// A cluster, and caches that wait for nothing but its `ReferenceGrant`s.
struct Watched {
    api: Server,
    world: World,
}

impl Watched {
    fn start(served: Served) -> Self {
        let api = Server(Arc::new(Sender::new(served)));
        let world = World::waiting_for(&["ReferenceGrant"]);
        world.apply::<Links>(link(
            "a",
            "a",
            &json!({"kind": "Deployment", "name": "pg", "namespace": "data"}),
            1,
        ));
        world.heard();
        let cache = Arc::clone(&world.cache);
        let routes = Router::new().fallback(answer).with_state(api.clone());
        start(routes, |client, calls, meter| {
            reference_grants::watch(client, calls, cache, meter, QUICK)
        });
        Self { api, world }
    }

    fn serves(&self, served: Served) {
        self.api.0.send_replace(served);
    }

    async fn is_synced(&self) {
        let mut synced = self.world.cache.synced();
        let synced = timeout(Duration::from_secs(10), synced.wait_for(|synced| *synced)).await;
        synced.expect("in time").unwrap();
    }

    async fn is_not_synced(&self) {
        sleep(Duration::from_millis(200)).await;
        assert_eq!(self.world.cache.pending(), ["ReferenceGrant"]);
    }

    fn known(&self) -> usize {
        self.world.cache.read(|index| index.reference_grants.of("data").count())
    }

    async fn knows(&self, expected: usize) {
        let reached = async {
            while self.known() != expected {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = timeout(Duration::from_secs(10), reached).await;
        assert!(reached.is_ok(), "{} are known, not {expected}", self.known());
    }
}

fn grant(name: &str) -> Value {
    json!({
        "metadata": {"namespace": "data", "name": name, "uid": name, "resourceVersion": "5"},
        "spec": {
            "from": [{"group": "instancelink.dev", "kind": "InstanceLink", "namespace": "shop"}],
            "to": [{"group": "apps", "kind": "Deployment"}],
        },
    })
}

#[tokio::test]
async fn a_cluster_without_the_kind_holds_nothing_up() {
    let watched = Watched::start(Served::nothing());
    watched.is_synced().await;
}

#[tokio::test]
async fn a_group_without_the_kind_is_a_cluster_without_it() {
    let watched = Watched::start(Served::grants(&["v2"], vec![]));
    watched.is_synced().await;
}

#[tokio::test]
async fn the_caches_are_not_filled_before_discovery_has_answered() {
    let failing = Served {
        discovery: 503,
        ..Served::nothing()
    };
    let watched = Watched::start(failing);
    watched.is_not_synced().await;
    watched.serves(Served::nothing());
    watched.is_synced().await;
}

#[tokio::test]
async fn nor_before_those_that_are_served_were_listed() {
    let unlisted = Served {
        list: 403,
        ..Served::grants(&["v1"], vec![])
    };
    let watched = Watched::start(unlisted);
    watched.is_not_synced().await;
    watched.serves(Served::grants(&["v1"], vec![grant("g")]));
    watched.is_synced().await;
    assert_eq!(watched.known(), 1);
}

#[tokio::test]
async fn they_are_found_in_the_older_version_where_it_alone_is_served() {
    let watched = Watched::start(Served::grants(&["v1beta1"], vec![grant("g")]));
    watched.is_synced().await;
    assert_eq!(watched.known(), 1);
}

#[tokio::test]
async fn they_are_noticed_when_they_appear_and_forgotten_when_they_disappear() {
    let watched = Watched::start(Served::nothing());
    watched.is_synced().await;
    watched.serves(Served::grants(&["v1"], vec![grant("g"), grant("h")]));
    watched.knows(2).await;
    assert_eq!(watched.world.heard(), names(["a"]));
    watched.serves(Served::nothing());
    watched.knows(0).await;
    assert_eq!(watched.world.heard(), names(["a"]));
    watched.serves(Served::grants(&["v1beta1"], vec![grant("h")]));
    watched.knows(1).await;
}

#[tokio::test]
async fn a_change_of_the_served_version_forgets_none_in_between() {
    let watched = Watched::start(Served::grants(&["v1beta1"], vec![grant("g"), grant("h")]));
    watched.knows(2).await;
    watched.world.heard();
    watched.serves(Served::grants(&["v1"], vec![grant("g")]));
    watched.knows(1).await;
    let lost = watched.world.cache.read(|index| index.reference_grants.table.lists());
    assert_eq!(lost, 2, "the one that stayed was listed again, never lost");
    assert_eq!(watched.world.heard(), names(["a"]));
}

#[tokio::test]
async fn while_discovery_fails_what_is_known_stays_known() {
    let watched = Watched::start(Served::grants(&["v1"], vec![grant("g")]));
    watched.knows(1).await;
    watched.serves(Served {
        discovery: 500,
        ..Served::nothing()
    });
    sleep(Duration::from_secs(2)).await;
    assert_eq!(watched.known(), 1);
    watched.serves(Served::nothing());
    watched.knows(0).await;
}

#[test]
fn one_that_cannot_be_read_consents_to_nothing_and_keeps_no_other_out() {
    let world = World::waiting_for(&["ReferenceGrant"]);
    let odd = with(grant("odd"), "/spec/from", json!("everybody"));
    let bare = json!({"metadata": {"namespace": "data", "name": "bare", "uid": "bare", "resourceVersion": "4"}});
    world.list::<ReferenceGrants>(vec![odd, bare, grant("g")]);
    let able = world
        .cache
        .read(|index| index.reference_grants.of("data").filter(|g| !g.from.is_empty()).count());
    assert_eq!(able, 1);
    assert_eq!(world.cache.read(|index| index.reference_grants.of("data").count()), 3);
}
