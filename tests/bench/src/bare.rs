//! The bare client: streams the objects that the operator watches, parses them into the usual types, and drops them.
//! This is the minimal cost of a start that reads all objects.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use control_plane::{Account, ControlPlane, Program, kubeconfig_of, write};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _, join_all};
use instancelink_api::{InstanceLink, InstanceLinkGrant, keys};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::runtime::watcher;
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::process::Command;
use tokio::time::sleep;

/// The line that the bare client prints when it has received the first list of every kind.
pub const READY: &str = "ready";
/// Interval between two checks of a condition.
const PERIOD: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs the bare client. It watches until the caller ends the process.
pub async fn run() {
    let client = Client::try_default()
        .await
        .expect("KUBECONFIG says where the API server is");
    let all = watcher::Config::default();
    let ours = all.clone().labels(&format!("{}={}", keys::MANAGED_BY, keys::MANAGER));
    let (seen, mut waiting) = tokio::sync::mpsc::channel::<()>(1);
    let done = || seen.clone();
    let watches = [
        follow::<InstanceLink>(&client, &all, done()),
        follow::<InstanceLinkGrant>(&client, &all, done()),
        follow::<Deployment>(&client, &all, done()),
        follow::<StatefulSet>(&client, &all, done()),
        follow::<DaemonSet>(&client, &all, done()),
        follow::<ReplicaSet>(&client, &all, done()),
        follow::<Job>(&client, &all, done()),
        follow::<CronJob>(&client, &all, done()),
        follow::<Pod>(&client, &all, done()),
        follow::<Service>(&client, &all, done()),
        follow::<EndpointSlice>(&client, &ours, done()),
        follow::<NetworkPolicy>(&client, &all, done()),
        follow::<ConfigMap>(&client, &ours, done()),
        follow::<Namespace>(&client, &all, done()),
        follow::<Node>(&client, &all, done()),
    ];
    drop(seen);
    let all_seen = async {
        // All senders are dropped when every kind has been seen.
        while waiting.recv().await.is_some() {}
        println!("{READY}");
    };
    tokio::join!(join_all(watches.map(tokio::spawn)), all_seen);
}

/// Watches one kind. Drops `seen` when the first list is complete.
fn follow<K>(client: &Client, config: &watcher::Config, seen: tokio::sync::mpsc::Sender<()>) -> BoxFuture<'static, ()>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let events = watcher(Api::<K>::all(client.clone()), config.clone().streaming_lists());
    async move {
        let (mut seen, mut events) = (Some(seen), events.boxed());
        while let Some(event) = events.next().await {
            if matches!(event.expect("a watch"), Event::InitDone) {
                seen = None;
            }
        }
        drop(seen);
    }
    .boxed()
}

/// Starts the current executable with the operator's rights, and waits until it prints [`READY`]. Returns the program
/// and the time when it was ready.
pub async fn start(plane: &ControlPlane, name: &str, arguments: &[&OsStr]) -> (Program, Instant) {
    let [kubeconfig, log] = ["kubeconfig", "log"].map(|kind| plane.file(&format!("{name}.{kind}")));
    let token = Account::shipped().token(plane, None).await;
    write(&kubeconfig, &kubeconfig_of(&plane.server(), &json!({ "token": token })));
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(arguments).env("KUBECONFIG", kubeconfig);
    let program = Program::start(name, &log, &mut command);
    let is_ready = || std::fs::read_to_string(&log).is_ok_and(|text| text.lines().any(|line| line == READY));
    let ready = until(async || is_ready()).await;
    (program, ready)
}

/// Waits until a condition is true, and returns the time of the first check that found it true.
pub async fn until(is_so: impl AsyncFn() -> bool) -> Instant {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "not ready within {PATIENCE:?}");
        sleep(PERIOD).await;
    }
    Instant::now()
}
