//! etcd, an API server and the controllers that delete objects, on loopback: a real control plane that a test may
//! break.
//!
//! `cargo xtask campaigns` builds the binaries and passes their paths.

use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::{Namespace, Object, SYSTEM, eventually};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use tokio::process::Command;

use crate::folder::Folder;
use crate::{Program, loopback};

pub(crate) const ADMIN: &str = "admin-of-this-test";
const STARTS: Duration = Duration::from_secs(90);
/// The controllers that delete objects, and those that roles and namespaces need. Nothing here runs pods.
const CONTROLLERS: &str =
    "namespace-controller,garbage-collector-controller,serviceaccount-controller,clusterrole-aggregation-controller";

/// The options of a control plane. The default is the fastest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup {
    /// etcd writes its data to the disk before it answers, as in production.
    pub durable: bool,
    /// Each request of the accounts in the operator's namespace is written to [`ControlPlane::audit_log`] when it is
    /// answered.
    pub audited: bool,
}

/// A control plane for one test, with `deploy/` applied.
pub struct ControlPlane {
    folder: Folder,
    setup: Setup,
    /// Its etcd.
    pub etcd: Program,
    /// Its API server.
    pub api_server: Program,
    _controllers: Program,
    etcd_port: u16,
    api_port: u16,
    /// A client with all rights.
    pub client: Client,
}

impl ControlPlane {
    /// Starts a control plane, and waits until links can be created in it.
    pub async fn start() -> Self {
        Self::start_as(Setup::default()).await
    }

    /// Starts a control plane with these options.
    pub async fn start_as(setup: Setup) -> Self {
        let folder = Folder::new();
        let tokens = rcgen::KeyPair::generate().expect("a key");
        write(&folder.file("tokens.key"), &tokens.serialize_pem());
        write(&folder.file("tokens.pub"), &tokens.public_key_pem());
        write(
            &folder.file("users.csv"),
            &format!("{ADMIN},admin,admin,system:masters\n"),
        );
        write(&folder.file("audit.yaml"), &audit_policy());
        let [etcd_port, peer_port, api_port, controllers_port] = free_ports();
        let etcd = start_etcd(&folder, setup, etcd_port, peer_port, &[]);
        let api_server = start_api_server(&folder, setup, etcd_port, api_port);
        let kubeconfig = kubeconfig_of(&server(api_port), &json!({ "token": ADMIN }));
        write(&folder.file("admin.kubeconfig"), &kubeconfig);
        let client = client_of(&kubeconfig).await;
        is_ready(&client).await;
        let mut controllers = controllers_of(&folder, CONTROLLERS, controllers_port);
        let log = folder.file("controllers.log");
        let controllers = Program::start("kube-controller-manager", &log, &mut controllers);
        let plane = Self {
            folder,
            setup,
            etcd,
            api_server,
            _controllers: controllers,
            etcd_port,
            api_port,
            client,
        };
        plane.install().await;
        plane
    }

    /// The URL of the API server.
    pub fn server(&self) -> String {
        server(self.api_port)
    }

    /// A namespace with a source `web` and two targets that are always ready, `pg` and `pg2`.
    pub async fn namespace(&self, name: String) -> Namespace {
        let namespace = self.empty_namespace(name).await;
        namespace.web_and_two_databases().await;
        namespace
    }

    /// An empty namespace.
    pub async fn empty_namespace(&self, name: String) -> Namespace {
        let manifest = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        Object::of(&self.client, "", &manifest).create(&manifest).await;
        Namespace {
            client: self.client.clone(),
            name,
        }
    }

    /// A file in the folder of this test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// Starts more controllers of Kubernetes in a second process.
    pub fn start_controllers(&self, names: &str, flags: &[&str]) -> Program {
        let [port] = free_ports();
        let mut command = controllers_of(&self.folder, names, port);
        Program::start(names, &self.file(&format!("{names}.log")), command.args(flags))
    }

    /// The requests of the accounts in the operator's namespace, one line of JSON each. Needs auditing.
    pub fn audit_log(&self) -> PathBuf {
        self.file("audit.log")
    }

    /// Kills the API server, starts it again after a while, and waits until it is ready.
    pub async fn restart_api_server(&mut self, dead: Duration) {
        self.api_server.kill().await;
        tokio::time::sleep(dead).await;
        self.api_server = start_api_server(&self.folder, self.setup, self.etcd_port, self.api_port);
        is_ready(&self.client).await;
    }

    /// The same for etcd, which starts again with these flags.
    pub async fn restart_etcd(&mut self, dead: Duration, flags: &[&str]) {
        self.etcd.kill().await;
        tokio::time::sleep(dead).await;
        let [peer_port] = free_ports();
        self.etcd = start_etcd(&self.folder, self.setup, self.etcd_port, peer_port, flags);
        is_ready(&self.client).await;
    }

    /// Lets etcd write again after it was full. Its alarm stays until it is cleared.
    pub async fn take_alarm_back(&self) {
        let ask = async |body: &str| {
            let answer = loopback::post(self.etcd_port, "/v3/maintenance/alarm", body).await;
            answer.unwrap_or_else(|e| panic!("etcd does not answer: {e}"))
        };
        let standing = ask(r#"{"action":"GET"}"#).await;
        let member = standing
            .split("\"memberID\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let member = member.unwrap_or_else(|| panic!("no alarm stands: {standing}"));
        let answer = ask(&format!(
            r#"{{"action":"DEACTIVATE","memberID":"{member}","alarm":"NOSPACE"}}"#
        ))
        .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// The size of etcd's database on disk.
    pub fn etcd_size(&self) -> u64 {
        std::fs::metadata(self.folder.file("etcd/member/snap/db")).map_or(0, |m| m.len())
    }

    /// The last log lines of the API server and etcd, for messages.
    pub fn logs(&self) -> String {
        format!("{}\n{}", self.api_server.tail(), self.etcd.tail())
    }

    /// Runs `kubectl apply -k deploy` twice, because the CRDs are new.
    async fn install(&self) {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let apply = async || {
            let mut kubectl = Command::new(asset("kubectl"));
            let file = self.folder.file("admin.kubeconfig");
            kubectl
                .arg("--kubeconfig")
                .arg(file)
                .args(["apply", "--server-side", "-k"]);
            let output = kubectl.arg(checkout.join("deploy")).output().await.expect("kubectl");
            if output.status.success() {
                Ok(())
            } else {
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
        };
        eventually("the installation is applied", STARTS, apply).await;
        // The API server reads the schema of a new CRD a few seconds later. Until then the policies refuse each link.
        let link = harness::link("may-i", "may-i", "Deployment/nobody", "Service/nobody").into_value();
        let api = Object::of(&self.client, "default", &link).api;
        let dry = kube::api::PostParams {
            dry_run: true,
            ..kube::api::PostParams::default()
        };
        let link = serde_json::from_value(link).expect("a link");
        eventually("links can be made", STARTS, async || {
            api.create(&dry, &link).await.map(drop).map_err(|e| e.to_string())
        })
        .await;
    }
}

/// A kubeconfig for one user, as JSON, which is valid YAML. The server has a self-signed certificate, which is not
/// verified.
pub fn kubeconfig_of(server: &str, user: &serde_json::Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{ "name": "test", "cluster": { "server": server, "insecure-skip-tls-verify": true } }],
        "users": [{ "name": "test", "user": user }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
    })
    .to_string()
}

/// A client without retries.
pub async fn client_of(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .expect("a kubeconfig");
    config.default_retry = false;
    Client::try_from(config).expect("a client")
}

/// Writes a file, and replaces its content.
pub fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap_or_else(|e| panic!("cannot write {}: {e}", file.display()));
}

fn server(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

/// The path of a program, for example that of `kube-apiserver` from `KUBE_APISERVER`.
fn asset(name: &str) -> PathBuf {
    let variable = name.to_uppercase().replace('-', "_");
    let path = std::env::var_os(&variable);
    let Some(path) = path else {
        panic!("{variable} does not say where {name} is: run `cargo xtask campaigns`")
    };
    path.into()
}

/// Ports for servers on loopback: below node ports, and below those that the kernel uses for outgoing connections. A
/// port of that range could be taken between the check that it is free and the start of the server.
const PORTS: Range<u16> = 20_000..30_000;

/// Free ports on loopback.
pub fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let bound: [TcpListener; N] = std::array::from_fn(|_| {
        let free = PORTS.clone().find_map(|_| {
            // Programs that run in parallel start the search at different ports.
            let n = (std::process::id() * 97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = PORTS.start + u16::try_from(n % u32::from(PORTS.end - PORTS.start)).ok()?;
            TcpListener::bind(("127.0.0.1", port)).ok()
        });
        free.expect("a free port")
    });
    bound.map(|listener| listener.local_addr().expect("an address").port())
}

async fn is_ready(client: &Client) {
    eventually("the API server is ready", STARTS, async || {
        let request = http::Request::get("/readyz").body(Vec::new()).expect("a request");
        client.request_text(request).await.map(drop).map_err(|e| e.to_string())
    })
    .await;
}

fn start_etcd(folder: &Folder, setup: Setup, port: u16, peer_port: u16, flags: &[&str]) -> Program {
    let (clients, peers) = (
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{peer_port}"),
    );
    let mut command = Command::new(asset("etcd"));
    command
        .arg("--data-dir")
        .arg(folder.file("etcd"))
        .arg(format!("--listen-client-urls={clients}"))
        .arg(format!("--advertise-client-urls={clients}"))
        .arg(format!("--listen-peer-urls={peers}"))
        .arg(format!("--initial-advertise-peer-urls={peers}"))
        .arg(format!("--initial-cluster=default={peers}"))
        .args(flags)
        .current_dir(folder.path());
    if !setup.durable {
        command.arg("--unsafe-no-fsync");
    }
    Program::start("etcd", &folder.file("etcd.log"), &mut command)
}

fn start_api_server(folder: &Folder, setup: Setup, etcd_port: u16, port: u16) -> Program {
    let mut command = Command::new(asset("kube-apiserver"));
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd_port}"))
        .arg(format!("--secure-port={port}"))
        .arg("--bind-address=127.0.0.1")
        .arg("--advertise-address=127.0.0.1")
        .arg("--endpoint-reconciler-type=none")
        .arg("--service-cluster-ip-range=10.96.0.0/16")
        .arg("--service-account-issuer=https://kubernetes.default.svc.cluster.local")
        .arg("--authorization-mode=RBAC")
        .arg("--cert-dir")
        .arg(folder.file("pki"));
    for (flag, file) in [
        ("--service-account-key-file", "tokens.pub"),
        ("--service-account-signing-key-file", "tokens.key"),
        ("--token-auth-file", "users.csv"),
    ] {
        command.arg(flag).arg(folder.file(file));
    }
    if setup.audited {
        command
            .arg("--audit-log-maxsize=4096")
            .arg("--audit-policy-file")
            .arg(folder.file("audit.yaml"))
            .arg("--audit-log-path")
            .arg(folder.file("audit.log"));
    }
    Program::start("kube-apiserver", &folder.file("api-server.log"), &mut command)
}

fn controllers_of(folder: &Folder, names: &str, port: u16) -> Command {
    let mut command = Command::new(asset("kube-controller-manager"));
    command
        .arg("--kubeconfig")
        .arg(folder.file("admin.kubeconfig"))
        .arg(format!("--controllers={names}"))
        .arg(format!("--secure-port={port}"))
        .arg("--leader-elect=false")
        .current_dir(folder.path());
    command
}

fn audit_policy() -> String {
    json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            { "level": "Metadata", "userGroups": [format!("system:serviceaccounts:{SYSTEM}")] },
            { "level": "None" },
        ],
    })
    .to_string()
}
