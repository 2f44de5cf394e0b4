//! PostgreSQL servers with different names, and `psql` in the pods of a link's source.

use std::time::Duration;

use kube::api::{AttachParams, AttachedProcess};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, Lines};
use tokio::time::timeout;

use crate::{Client, Resolver, workload::deployment_of};

/// A Deployment of one server, whose `cluster_name` is its name.
pub fn postgres_deployment(name: &str) -> Value {
    let mut template = Resolver::Glibc.pod_template(&json!({ "app": name }));
    let container = &mut template["spec"]["containers"][0];
    container["command"] = Value::Null;
    container["args"] = Value::Null;
    container["env"] = json!([{ "name": "CLUSTER_NAME", "value": name }]);
    container["ports"] = json!([{ "name": "pg", "containerPort": 5432 }]);
    container["readinessProbe"] =
        json!({ "exec": { "command": ["pg_isready", "--quiet", "--host=127.0.0.1"] }, "periodSeconds": 1 });
    container["volumeMounts"] = json!([{ "name": "data", "mountPath": "/data" }]);
    template["spec"]["volumes"] = json!([{ "name": "data", "emptyDir": {} }]);
    deployment_of(name, 1, &template)
}

/// A Deployment for running `psql`, with the environment of its links and a search list. It starts without pods.
pub fn psql_deployment(name: &str, searches: &[String]) -> Value {
    let mut template = Resolver::Glibc.pod_template(&json!({ "app": name }));
    template["spec"]["containers"][0]["envFrom"] =
        json!([{ "configMapRef": { "name": format!("{name}-links"), "optional": true } }]);
    template["spec"]["dnsConfig"] = json!({ "searches": searches });
    deployment_of(name, 0, &template)
}

/// The same, where the pods have only the label that requests both.
pub fn injected_psql_deployment(name: &str) -> Value {
    let labels = json!({ "app": name, "instancelink.dev/inject-links-of": name });
    let template = Resolver::Glibc.pod_template(&labels);
    let mut deployment = deployment_of(name, 0, &template);
    deployment["spec"]["selector"] = json!({ "matchLabels": { "app": name } });
    deployment
}

impl Client {
    /// The server that a new connection to this host reaches, or the error of psql.
    pub async fn reaches_server(&self, host: &str) -> Result<String, String> {
        self.psql(&format!("host={host}")).await
    }

    /// The same, for any connection string. The shell expands variables in it.
    pub async fn psql(&self, connection: &str) -> Result<String, String> {
        let command = format!("psql \"user=postgres connect_timeout=3 {connection}\" -Atc 'show cluster_name'");
        let (ok, printed) = self.exec(&["sh", "-c", &command]).await;
        let printed = printed.trim().to_owned();
        if ok { Ok(printed) } else { Err(printed) }
    }

    /// One connection that stays open.
    pub async fn session(&self, host: &str) -> Session {
        let target = format!("host={host} user=postgres connect_timeout=3");
        let params = AttachParams::default().stdin(true).stdout(true).stderr(false);
        let mut process = self
            .pods
            .exec(&self.name, ["psql", target.as_str(), "-At"], &params)
            .await
            .unwrap_or_else(|e| panic!("cannot run psql in pod {}: {e}", self.name));
        let questions = Box::new(process.stdin().expect("attached"));
        let answers: Box<dyn AsyncRead + Send + Unpin> = Box::new(process.stdout().expect("attached"));
        Session {
            questions,
            answers: BufReader::new(answers).lines(),
            _process: process,
        }
    }
}

/// A connection of `psql` to a server.
pub struct Session {
    questions: Box<dyn AsyncWrite + Send + Unpin>,
    answers: Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
    _process: AttachedProcess,
}

impl Session {
    /// The connected server, and the process that serves the connection. Another process means another connection.
    pub async fn peer(&mut self) -> String {
        let question = b"select current_setting('cluster_name'), pg_backend_pid();\n";
        self.questions.write_all(question).await.expect("psql reads");
        self.questions.flush().await.expect("psql reads");
        timeout(Duration::from_secs(10), self.answers.next_line())
            .await
            .expect("the server answers")
            .expect("UTF-8")
            .expect("the connection stands")
    }
}
