//! An optional part of the installation, applied for one test.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;

use crate::{eventually, kubectl};

/// How long the API server may take to apply a policy, or to stop applying it.
const EFFECTIVE: Duration = Duration::from_mins(1);

/// Runs a test with an overlay of `deploy/overlays`, and deletes the overlay even if the test fails. `is_in_force`
/// sends a request that the overlay refuses.
pub async fn with_overlay(overlay: &str, is_in_force: impl AsyncFn() -> bool, test: impl AsyncFnOnce()) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy/overlays")
        .join(overlay);
    let folder = folder.to_str().expect("a path in UTF-8");
    let body = async {
        kubectl(&["apply", "-k", folder]).await.succeeds();
        until(overlay, true, &is_in_force).await;
        test().await;
    };
    let outcome = AssertUnwindSafe(body).catch_unwind().await;
    kubectl(&["delete", "--ignore-not-found", "-k", folder])
        .await
        .succeeds();
    until(overlay, false, &is_in_force).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// The API server reads its policies at most once a second, so the answer must be the same three times in a row.
async fn until(overlay: &str, expected: bool, is_in_force: impl AsyncFn() -> bool) {
    let mut in_a_row = 0;
    eventually(&format!("{overlay} is in force: {expected}"), EFFECTIVE, async || {
        in_a_row = if is_in_force().await == expected {
            in_a_row + 1
        } else {
            0
        };
        if in_a_row >= 3 {
            Ok(())
        } else {
            Err("not three times in a row".to_owned())
        }
    })
    .await;
}
