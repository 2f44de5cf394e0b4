use std::collections::BTreeMap;

use http::{Method, Request, Response};
use instancelink_api::keys;
use instancelink_cluster::{Affected, Calls, Cause, Links, Listener, Meter, UnusableObject};
use instancelink_core::child::{Binding, ChildSpec, DesiredChild, Environment};
use instancelink_core::external_name::AllowedNames;
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use crate::events;

struct NoListener;

impl Listener for NoListener {
    fn affected(&self, _: Affected) {}
    fn listed(&self, _: &'static str, _: u64) {}
    fn unusable(&self, _: UnusableObject) {}
}

/// A link of the source `web`.
fn link(name: &str, alias: &str, state: &str) -> Value {
    json!({
        "apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("{name}-uid"), "resourceVersion": "1"},
        "spec": {"linkName": alias, "instanceRef": {"kind": "Deployment", "name": "web"}},
        "status": {"state": state},
    })
}

/// Passes over these links, at an API server that answers each request with what is given for its method.
fn context(links: &[Value], answer: fn(&Method) -> (u16, Value)) -> PassContext {
    let serve = tower::service_fn(move |request: Request<Body>| async move {
        let (code, body) = answer(request.method());
        let body = Body::from(serde_json::to_vec(&body).unwrap());
        Response::builder().status(code).body(body)
    });
    let metrics = Arc::new(Metrics::new());
    let calls = Calls::new(Client::new(serve, "system"), Arc::clone(&metrics) as Arc<dyn Meter>);
    let cache = Arc::new(Cache::new(&["InstanceLink"], Arc::new(NoListener)));
    for link in links {
        cache.observe::<Links>(Event::Apply(serde_json::from_value(link.clone()).unwrap()));
    }
    let queue = Arc::new(Queue::new(2));
    queue.open();
    queue.set_source_lookup(|_| Some(source()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (events, _) = events::channel(calls.clone(), &metrics, Arc::clone(&clock), "a-pod");
    let verifier = Verifier::new(
        None,
        Arc::clone(&cache),
        Arc::clone(&queue),
        Arc::clone(&clock),
        "cluster.local",
    );
    let external_names = ExternalLookups::new(&AllowedNames::default(), None, Arc::clone(&queue), Arc::clone(&clock));
    PassContext {
        executor: Executor::new(calls, Arc::clone(&cache)),
        batches: Batches::default(),
        recent_writes: RecentWrites::default(),
        link_writes: Arc::default(),
        cache,
        queue,
        events,
        leadership: Leadership::always(),
        clock,
        metrics,
        cluster_domain: "cluster.local".to_owned(),
        source_grace: jiff::SignedDuration::from_secs(60),
        account: Account::default(),
        child_defaults: Arc::default(),
        verifier: Arc::new(verifier),
        external_names: Arc::new(external_names),
        running: RunningPasses::default(),
        refused_writes: RefusedWrites::default(),
        refused_links: RefusedLinks::default(),
    }
}

fn refused(code: u16, reason: &str) -> (u16, Value) {
    let details = json!({"name": "x", "kind": "x"});
    (
        code,
        json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "no", "details": details}),
    )
}

fn source() -> SourceKey {
    ("shop".into(), "web".to_owned())
}

fn turn(name: &str) -> Turn {
    Turn {
        key: LinkKey::new("shop", name),
        waited: Duration::ZERO,
        endpoints_since: None,
        refusals: 0,
        source: Some(source()),
        yielded: false,
        others_yielded: false,
    }
}

fn pass<'a>(context: &'a PassContext, turn: &'a Turn) -> Pass<'a> {
    Pass {
        context,
        turn,
        collisions: Collisions::default(),
        recalled: Vec::new(),
        endpoints_since: None,
        refused_link: context.refused_links.before(&turn.key),
        link_writes: context.link_writes.of(&turn.key),
        running: context.running.begin(&turn.key),
    }
}

/// A child in the namespace of the links.
fn child<T>(name: &str, annotations: BTreeMap<String, String>, body: T) -> ChildSpec<T> {
    ChildSpec {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        labels: BTreeMap::new(),
        annotations,
        owners: Vec::new(),
        body,
    }
}

/// The creation of an environment with an entry of this link.
fn environment_of(uid: &str) -> Effect {
    let annotations = BTreeMap::from([(keys::ENTRIES.to_owned(), format!(r#"{{"{uid}": []}}"#))]);
    let child = DesiredChild::Environment(child("web-links", annotations, Environment::default()));
    Effect::Create { child }
}

/// Whether a snapshot has a sibling of this name.
fn has(snapshot: &Snapshot, sibling: &str) -> bool {
    let mut names = snapshot.siblings.iter().map(|s| s.object.metadata.name.as_deref());
    names.any(|name| name == Some(sibling))
}

/// The answer of a pass that may not read a Secret whose creation had no answer, and whether the creation is forgotten. The
/// snapshot is changed before.
async fn asked(change: impl FnOnce(&mut Snapshot)) -> (Result<bool, CallError>, bool) {
    let links = [link("web-db", "db", "inactive")];
    let context = context(&links, |_| refused(403, "Forbidden"));
    let body = Binding {
        type_: "servicebinding.io/postgresql".to_owned(),
        data: BTreeMap::new(),
        immutable: false,
    };
    let secret = DesiredChild::Binding(child("web-db-binding", BTreeMap::new(), body));
    context.executor.unconfirmed.add(source(), secret);
    let turn = turn("web-db");
    let mut pass = pass(&context, &turn);
    let mut snapshot = pass.observe().unwrap();
    change(&mut snapshot);
    let answer = pass.ask(&snapshot, &decide(&snapshot)).await;
    (answer, context.executor.unconfirmed.is_empty())
}

#[tokio::test]
async fn the_links_of_a_deleted_namespace_do_not_wait_for_a_child_that_the_operator_may_no_longer_read() {
    let (answer, forgotten) = asked(|s| s.namespace.terminating = true).await;
    assert!(matches!(answer, Ok(true)), "{answer:?}");
    assert!(forgotten);
}

#[tokio::test]
async fn the_links_of_a_source_do_not_wait_for_a_secret_after_the_right_to_secrets_was_withdrawn() {
    let (answer, forgotten) = asked(|s| s.secrets = Secrets::Forbidden).await;
    assert!(matches!(answer, Ok(true)), "{answer:?}");
    assert!(forgotten);
}

#[tokio::test]
async fn a_pass_is_repeated_while_an_api_server_that_starts_refuses_the_read_of_an_unconfirmed_child() {
    let (answer, forgotten) = asked(|_| {}).await;
    assert!(matches!(answer, Err(CallError::Forbidden(_))), "{answer:?}");
    assert!(!forgotten);
}

/// The links of one source: `a` keeps the directory, `b` has an entry in the environment, and `c` competes with neither.
fn three_links() -> [Value; 3] {
    [("a", "active"), ("b", "activating"), ("c", "activating")].map(|(name, state)| link(name, name, state))
}

#[tokio::test]
async fn a_pass_knows_the_links_whose_entries_are_in_a_write_that_is_held_back() {
    let context = context(&three_links(), |_| refused(403, "Forbidden"));
    let [first, second] = ["b", "c"].map(|name| LinkKey::new("shop", name));
    context.queue.add([(&first, &Cause::Change), (&second, &Cause::Change)]);
    let first = context.queue.next().await;
    let snapshot = pass(&context, &first).observe().unwrap();
    let mut group = vec![environment_of("b-uid")];
    assert!(context.batches.hold_back(&context.queue, &first, &snapshot, &mut group));
    let second = turn("c");
    assert!(has(&pass(&context, &second).observe().unwrap(), "b"));
}

#[tokio::test]
async fn a_pass_knows_the_links_whose_entries_are_in_an_environment_that_exists_already() {
    let context = context(&three_links(), |method| {
        if method == Method::POST {
            refused(409, "AlreadyExists")
        } else {
            let found = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
                "namespace": "shop", "name": "web-links", "uid": "e", "resourceVersion": "5",
                "labels": {"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/source-uid": "w"},
                "annotations": {"instancelink.dev/entries": r#"{"b-uid": []}"#, "instancelink.dev/link": "shop/b"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "w"}],
            }});
            (200, found)
        }
    });
    let turn = turn("c");
    let mut pass = pass(&context, &turn);
    let mut snapshot = pass.observe().unwrap();
    assert!(!has(&snapshot, "b"));
    let outcome = pass.act(&mut snapshot, vec![environment_of("c-uid")]).await;
    assert!(outcome.is_none());
    assert!(has(&snapshot, "b"));
}
