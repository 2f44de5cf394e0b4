//! Asks who changed the children that a pass writes, for messages (lifecycle#disputes). Where nothing foreign happens, no
//! request is sent.

use futures::future::join_all;
use instancelink_cluster::CallError;
use instancelink_core::alteration::Alteration;
use instancelink_core::dataplane::{is_altered, is_repeated};
use instancelink_core::effect::{Answer, Effect};
use instancelink_core::snapshot::Snapshot;

use super::executor::Executor;

/// What others changed in each child of a group before it is repaired once more.
pub(super) async fn before(executor: &Executor, s: &Snapshot, group: &[Effect]) -> Vec<Option<Alteration>> {
    join_all(group.iter().map(async |effect| {
        if is_repeated(s, effect) {
            alteration_of(executor, effect).await
        } else {
            None
        }
    }))
    .await
}

/// The same, with what admission changed in the writes themselves.
pub(super) async fn after(
    executor: &Executor,
    group: &[Effect],
    answers: &[Result<Answer, CallError>],
    before: Vec<Option<Alteration>>,
) -> Vec<Option<Alteration>> {
    let written = group.iter().zip(answers).zip(before);
    join_all(written.map(async |((effect, answer), before)| {
        let is_altered = answer.as_ref().is_ok_and(|answer| is_altered(effect, answer));
        if is_altered {
            alteration_of(executor, effect).await.or(before)
        } else {
            before
        }
    }))
    .await
}

async fn alteration_of(executor: &Executor, effect: &Effect) -> Option<Alteration> {
    match effect {
        Effect::Create { child } | Effect::Replace { child, .. } => executor.alteration_of(child).await,
        _ => None,
    }
}
