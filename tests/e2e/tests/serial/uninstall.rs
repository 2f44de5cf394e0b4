//! Uninstalling, which runs last: the links are deleted while the operator still serves them, then everything else. The
//! operator can be installed again.
//!
//! Rule: contract#uninstall.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use harness::{Installation, eventually, in_namespace, link, residue_of};
use instancelink_api::State::{Active, Inactive, Registering, Removed};
use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;

/// The checkout with the installed `deploy/`.
fn checkout() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Runs `instancelink uninstall` with this standard input. Returns whether it succeeded, and its output.
async fn uninstall(arguments: &[&str], typed: &str) -> (bool, String) {
    use tokio::io::AsyncWriteExt as _;
    let operator = std::env::var_os("INSTANCELINK_OPERATOR")
        .expect("INSTANCELINK_OPERATOR says where the operator's binary is: run `cargo xtask e2e uninstall`");
    let mut child = Command::new(operator)
        .arg("uninstall")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the operator's binary");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).await.ok();
    drop(stdin);
    let output = timeout(Duration::from_mins(5), child.wait_with_output())
        .await
        .expect("it ends within five minutes")
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn uninstall_asks_first_waits_for_every_link_and_leaves_nothing() {
    in_namespace(async |ns| {
        ns.web_and_two_databases().await;
        let draining = link("draining", "queue", "Deployment/web", "Service/pg")
            .spec("deactivation", json!({ "drainSeconds": 8 }));
        let draining = ns.link(draining).await;
        let up = ns.link(link("up", "db", "Deployment/web", "Service/pg")).await;
        let parked = link("parked", "cache", "Deployment/web", "Service/pg").spec("desiredState", "Inactive");
        let parked = ns.link(parked).await;
        let removed = ns
            .link(link("removed", "mail", "Deployment/web", "Service/pg").action("remove"))
            .await;
        let waiting = ns.link(link("waiting", "db", "Deployment/missing", "Service/pg")).await;
        tokio::join!(
            draining.reaches(Active),
            up.reaches(Active),
            parked.reaches(Inactive),
            removed.reaches(Removed),
            waiting.reaches(Registering),
        );
        let installation = Installation::of(&ns.client);
        let before = eventually(
            "no overlay of an earlier test is left",
            Duration::from_mins(1),
            async || {
                let objects = installation.objects().await;
                let overlay = objects
                    .iter()
                    .find(|object| object.ends_with(" instancelink-readiness-gates"));
                overlay.map_or_else(|| Ok(objects.clone()), |left| Err(left.clone()))
            },
        )
        .await;
        assert!(before.len() > 10, "{before:?}");

        let (ok, said) = uninstall(&[], "n\n").await;
        assert!(!ok, "a no is a no: {said}");
        assert_eq!(installation.objects().await, before);

        // The objects of an overlay in a user's namespace are part of the installation.
        ns.allow_readiness_gates().await;
        let (ok, said) = uninstall(&["--yes"], "").await;
        assert!(ok, "{said}");
        assert!(
            said.contains(&format!("{}/draining", ns.name)),
            "it says what it waits for: {said}"
        );
        eventually(
            "nothing of the installation is left",
            Duration::from_mins(1),
            async || {
                let left = installation.objects().await;
                if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
            },
        )
        .await;
        let left = residue_of(ns).await;
        assert!(left.is_empty(), "{left:?}");

        let (ok, said) = uninstall(&["--yes"], "").await;
        assert!(ok && said.contains("nothing to do"), "without the CRD, too: {said}");

        installation.put_back(checkout()).await;
        assert_eq!(installation.objects().await, before);
        ns.link(link("again", "db", "Deployment/web", "Service/pg"))
            .await
            .reaches(Active)
            .await;
    })
    .await;
}
