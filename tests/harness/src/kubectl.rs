//! Runs `kubectl`, for tests of its output or of its waiting. Its path is in `KUBECTL`.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Namespace;

/// What a run of kubectl printed.
#[derive(Debug)]
pub struct Output {
    /// It exited with 0.
    pub ok: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Output {
    /// Panics unless it succeeded.
    pub fn succeeds(self) -> String {
        assert!(self.ok, "kubectl failed: {}{}", self.out, self.err);
        self.out
    }

    /// Panics unless it failed with a message that contains all of these.
    pub fn is_refused_with(self, parts: &[&str]) {
        assert!(!self.ok, "kubectl should have been refused, but said: {}", self.out);
        for part in parts {
            assert!(
                self.err.contains(part),
                "the refusal should say {part:?}, but says: {}",
                self.err
            );
        }
    }
}

/// Runs `kubectl <arguments>` with this standard input.
pub(crate) async fn run(arguments: &[&str], input: &str) -> Output {
    start(&program(), "false", arguments, input).await
}

/// Runs a command of a message as a user pastes it into a shell, with the rights of a user if one is given. `kubectl edit`
/// starts this editor.
pub(crate) async fn pasted(command: &str, user: Option<&str>, editor: &str) -> Output {
    let rights = user.map(|name| format!("--as='{name}' ")).unwrap_or_default();
    let script = format!("kubectl() {{ command '{}' {rights}\"$@\"; }}\n{command}", program());
    start("sh", editor, &["-c", &script], "").await
}

fn program() -> String {
    std::env::var("KUBECTL").unwrap_or_else(|_| "kubectl".to_owned())
}

async fn start(program: &str, editor: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .env("KUBE_EDITOR", editor)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|e| panic!("cannot run {program}: {e}; set KUBECTL to its path"));
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(input.as_bytes())
        .await
        .expect("kubectl reads its input");
    drop(stdin);
    let output = timeout(Duration::from_mins(2), child.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("{program} {} did not end within two minutes", arguments.join(" ")))
        .expect("kubectl's output");
    Output {
        ok: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs kubectl without a namespace.
pub async fn kubectl(arguments: &[&str]) -> Output {
    run(arguments, "").await
}

impl Namespace {
    /// Runs kubectl in this namespace.
    pub async fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_with(arguments, "").await
    }

    /// The same, with a manifest on its standard input.
    pub async fn kubectl_with(&self, arguments: &[&str], input: &str) -> Output {
        run(&[&["--namespace", self.name.as_str()], arguments].concat(), input).await
    }
}
