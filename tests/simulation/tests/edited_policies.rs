//! The editor of another namespace changes the link's policy there before each request of the operator, so that no
//! deletion finds the version that it names. The link is cut and deleted nevertheless.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test fails by panicking

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use instancelink_simulation::operator::Running;
use instancelink_simulation::run::paused;
use instancelink_simulation::script::kinds::{GRANTS, LINKS, POLICIES};
use instancelink_simulation::script::{Deed, edit, link};
use instancelink_simulation::scripts::forged::{closed, consent};
use instancelink_simulation::seeds;
use instancelink_testkit::api::Api;
use instancelink_testkit::api::call::Call;
use instancelink_testkit::api::resource::{LEASES, Resource};
use instancelink_testkit::api::store::{Key, Store};
use instancelink_testkit::api::watch::Replica;
use instancelink_testkit::api::write::{self, Writer};
use instancelink_testkit::faults::hooks::{EventFate, Fate, Hooks};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long a request takes.
const TAKES: Duration = Duration::from_millis(5);
/// The longest drain, and more.
const SOON: Duration = Duration::from_mins(1);
/// Requests about the link's policy until the link is cut.
const FEW: u32 = 8;
/// The labels of a policy without them.
const KEPT: &str = "example.org/labels";

/// What the editor does before each request.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Changes an annotation.
    Annotates,
    /// Removes marks, and sets them again at the next request.
    Unmarks,
    /// Creates it again, with all marks.
    Recreates,
}

struct Editor {
    api: Arc<Api>,
    way: Way,
    works: AtomicBool,
    /// Requests about policies in `data`.
    requests: AtomicU32,
}

impl Editor {
    fn edits(&self, store: &mut Store, key: &Key, writer: Writer<'_>, turn: u32) {
        let Some(found) = store.get(key) else { return };
        let mut object = Value::clone(found);
        object["metadata"]["annotations"]["example.org/turn"] = turn.to_string().into();
        match self.way {
            Way::Annotates => {}
            Way::Unmarks => {
                let meta = &mut object["metadata"];
                if turn.is_multiple_of(2) {
                    if let Some(kept) = meta["annotations"][KEPT].as_str() {
                        meta["labels"] = serde_json::from_str(kept).unwrap();
                    }
                } else if meta["labels"].as_object().is_some_and(|labels| !labels.is_empty()) {
                    meta["annotations"][KEPT] = meta["labels"].to_string().into();
                    meta["labels"] = json!({});
                }
            }
            Way::Recreates => {
                write::delete(store, key, &json!({}), writer).unwrap();
                for field in [
                    "uid",
                    "resourceVersion",
                    "creationTimestamp",
                    "managedFields",
                    "generation",
                ] {
                    object["metadata"].as_object_mut().unwrap().remove(field);
                }
                write::create(store, key.resource, &key.namespace, object, writer).unwrap();
                return;
            }
        }
        write::update(store, key, None, object, false, writer).unwrap();
    }
}

impl Hooks for Editor {
    fn call(&self, call: &Call, _: &[u8]) -> Fate {
        if call.verb == "watch" || *call.resource == LEASES || !self.works.load(Ordering::Relaxed) {
            return Fate::Served;
        }
        let is_about_it = *call.resource == POLICIES && call.namespace.as_deref() == Some("data");
        let turn = self.requests.fetch_add(u32::from(is_about_it), Ordering::Relaxed);
        self.api.change(|store, now| {
            for key in policies_of_the_link(store) {
                self.edits(store, &key, Writer { by: "mallory", now }, turn);
            }
        });
        Fate::Held(TAKES, Box::new(Fate::Served))
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Delivered
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}

fn policies_of_the_link(store: &Store) -> Vec<Key> {
    let all = store
        .all()
        .filter(|(key, _)| *key.resource == POLICIES && key.namespace == "data");
    all.map(|(key, _)| key.clone())
        .filter(|key| key.name != "closed")
        .collect()
}

fn state(api: &Api) -> Option<String> {
    let store = api.store();
    let link = store.of(&LINKS).next()?;
    Some(link["status"]["state"].as_str().unwrap_or_default().to_owned())
}

fn plant(api: &Api) {
    seeds::plant(api);
    let spec = "{targetInstanceRef: {kind: Deployment, name: pg, namespace: data}, networkPolicy: Allow, \
                ports: [{name: pg, port: 5432}]}";
    seeds::put(api, &POLICIES, closed());
    seeds::put(api, &GRANTS, consent());
    link("db", "db", "", spec).act(api);
}

/// Cuts an active link while the editor is at work.
async fn cut(way: Way, deed: &Deed, expected: Option<&str>) {
    let api = Arc::new(Api::default());
    plant(&api);
    let editor = Arc::new(Editor {
        api: Arc::clone(&api),
        way,
        works: AtomicBool::new(false),
        requests: AtomicU32::new(0),
    });
    let hooks: Arc<dyn Hooks> = editor.clone();
    let _operator = Running::start_with(&api, &hooks, "operator-1", SignedDuration::ZERO, &[]);
    sleep(SOON).await;
    assert_eq!(state(&api).as_deref(), Some("active"));
    assert_eq!(policies_of_the_link(&api.store()).len(), 1);

    editor.works.store(true, Ordering::Relaxed);
    let began = Instant::now();
    deed.act(&api);
    sleep(TAKES).await;
    let is_cut = || match expected {
        // A link that was retargeted stays active.
        Some("active") => api.store().of(&LINKS).all(|link| {
            let is_done = link["status"]["observedGeneration"] == link["metadata"]["generation"];
            is_done && link["status"]["state"] == "active"
        }),
        expected => state(&api).as_deref() == expected,
    };
    while !is_cut() && began.elapsed() < SOON {
        sleep(TAKES).await;
    }
    editor.works.store(false, Ordering::Relaxed);
    let requests = editor.requests.load(Ordering::Relaxed);
    assert!(
        is_cut(),
        "{way:?}: the link is {:?} after {requests} requests for its policy",
        state(&api)
    );
    assert!(requests <= FEW, "{way:?}: {requests} requests for its policy");

    sleep(SOON).await;
    assert!(is_cut(), "{way:?}: the link is {:?} later", state(&api));
    let is_marked = !matches!(way, Way::Unmarks);
    let left = policies_of_the_link(&api.store());
    assert!(left.is_empty() || !is_marked, "{way:?}: {left:?} is left");
}

/// lifecycle#no-wait-for-others
#[test]
fn a_policy_that_changes_before_each_request_holds_neither_a_cut_nor_a_delete() {
    for way in [Way::Annotates, Way::Unmarks, Way::Recreates] {
        let retarget = "{targetInstanceRef: {kind: Deployment, name: pg, namespace: shop}}";
        let cuts = [
            (Deed::Act("db", "deactivate/1"), Some("inactive")),
            (Deed::Act("db", "remove/1"), Some("removed")),
            (Deed::Delete(&GRANTS, "data", "shop"), Some("inactive")),
            (edit("db", retarget), Some("active")),
            (edit("db", "{networkPolicy: None}"), Some("active")),
            (Deed::Delete(&LINKS, "shop", "db"), None),
        ];
        for (deed, expected) in cuts {
            paused().block_on(cut(way, &deed, expected));
        }
    }
}
