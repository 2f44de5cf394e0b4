//! Runs a test in its own namespace. The namespace is created before the test, deleted after it, and kept with a hint
//! when the test fails.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::{Namespace, SHORT, eventually, hold, mutation, residue_of, webhook};

/// Runs a test in its own namespace. After the test, no object of an inactive link may remain in any namespace.
pub async fn in_namespace(test: impl AsyncFnOnce(&Namespace)) {
    let namespace = Namespace::create().await;
    let body = async {
        test(&namespace).await;
        hold::lift_all(&namespace).await;
        mutation::lift_all(&namespace).await;
        webhook::lift_all(&namespace).await;
        namespace.has_no_residue().await;
    };
    let outcome = AssertUnwindSafe(body).catch_unwind().await;
    hold::lift_all(&namespace).await;
    mutation::lift_all(&namespace).await;
    webhook::lift_all(&namespace).await;
    match outcome {
        Ok(()) => namespace.delete().await,
        Err(panic) => {
            namespace.report().await;
            std::panic::resume_unwind(panic);
        }
    }
}

impl Namespace {
    /// Waits until no object of an inactive link remains. It is called after every test, and tests may call it
    /// themselves.
    pub async fn has_no_residue(&self) {
        eventually("nothing remains of links that are not active", SHORT, async || {
            let residue = residue_of(self).await;
            if residue.is_empty() {
                Ok(())
            } else {
                Err(residue.join("\n"))
            }
        })
        .await;
    }
}
