//! A link that goes on soon after what held it has ended.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Verdict, Webhook};

/// The promise is ten seconds. The rest is for a busy machine.
const SOON: Duration = Duration::from_secs(13);

/// Fails if this takes longer than was promised.
pub async fn soon<T>(goes_on: impl Future<Output = T>) {
    let began = Instant::now();
    goes_on.await;
    let took = began.elapsed();
    assert!(took < SOON, "it went on after {took:?}");
}

impl Webhook {
    /// Allows everything from now on, and the link goes on soon.
    pub async fn allows(&self, goes_on: impl Future) {
        self.answers(|_| Verdict::Allow);
        soon(goes_on).await;
    }
}

/// The webhook allows everything, the link goes on soon, and the webhook is lifted.
pub async fn goes_on_without(webhook: Webhook, goes_on: impl Future) {
    webhook.allows(goes_on).await;
    webhook.lift().await;
}
