//! The action table: every verb in each of the thirteen states, requested with kubectl, with the admission policies.
//!
//! Rules: contract#action-table, contract#action-admission.

use Cell::{Goes, Nothing, Refused};
use futures::future::join_all;
use harness::{Watch, in_namespace};
use instancelink_api::State::{
    self, Activating, Active, Deactivating, Inactive, Purged, Purging, Registering, Removed, Removing, Requested,
    Restoring, UpdatingActive, UpdatingInactive,
};
use instancelink_api::{Verb, Verdict};

/// The result of a request in a state.
#[derive(Clone, Copy)]
enum Cell {
    /// Refused in kubectl's own output.
    Refused,
    /// Accepted, and the link continues as without the request.
    Nothing(&'static [State]),
    /// Accepted, and the link passes these states.
    Goes(&'static [State]),
}

/// Five links in a state, one per verb in the order of the table: activate, deactivate, remove, restore, purge.
async fn row(state: State, cells: [Cell; 5]) {
    in_namespace(async |ns| {
        let names = Verb::ALL.map(Verb::as_str);
        let staged = ns.stage(state, &names).await;
        let mut watches = join_all(names.iter().map(|name| Watch::start(ns, name))).await;
        let seqs = join_all(staged.links.iter().map(harness::Link::seq)).await;
        for (link, cell) in staged.links.iter().zip(cells) {
            let answer = link.annotate(&link.name).await;
            match cell {
                Refused => {
                    let said = format!("cannot {}: the link", link.name);
                    answer.is_refused_with(&[&said]);
                }
                Nothing(_) | Goes(_) => drop(answer.succeeds()),
            }
        }
        let links = staged.lift().await;
        for (((link, cell), watch), seq) in links.iter().zip(cells).zip(&mut watches).zip(seqs) {
            match cell {
                Refused => assert_eq!(
                    link.seq().await,
                    seq,
                    "{} was refused, so it was never a request",
                    link.name
                ),
                Nothing(way) | Goes(way) => {
                    let taken = link.acknowledged_after(seq).await;
                    assert_eq!(taken.action.intent.verdict, Verdict::Accepted, "{:#?}", taken.action);
                    watch.walks(way).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_link_the_operator_has_not_seen_yet() {
    let removed = Goes(&[Removing, Removed]);
    row(
        Requested,
        [
            Nothing(&[Activating, Active]),
            Goes(&[Inactive]),
            removed,
            Refused,
            Refused,
        ],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_link_that_waits_for_its_source() {
    row(
        Registering,
        [Nothing(&[]), Goes(&[]), Goes(&[Removing, Removed]), Refused, Refused],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_an_activating_link() {
    let parked = Goes(&[Deactivating, Inactive]);
    let removed = Goes(&[Deactivating, Inactive, Removing, Removed]);
    row(Activating, [Nothing(&[Active]), parked, removed, Refused, Refused]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_an_active_link() {
    let parked = Goes(&[Deactivating, Inactive]);
    let removed = Goes(&[Deactivating, Inactive, Removing, Removed]);
    row(Active, [Nothing(&[]), parked, removed, Refused, Refused]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_an_active_link_whose_target_is_being_changed() {
    let parked = Goes(&[Deactivating, Inactive]);
    let removed = Goes(&[Deactivating, Inactive, Removing, Removed]);
    row(UpdatingActive, [Nothing(&[Active]), parked, removed, Refused, Refused]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_deactivating_link() {
    let up_again = Goes(&[Inactive, Activating, Active]);
    row(
        Deactivating,
        [
            up_again,
            Nothing(&[Inactive]),
            Goes(&[Inactive, Removing, Removed]),
            Refused,
            Refused,
        ],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_an_inactive_link() {
    let removed = Goes(&[Removing, Removed]);
    row(
        Inactive,
        [Goes(&[Activating, Active]), Nothing(&[]), removed, Refused, Refused],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_an_inactive_link_whose_edit_is_being_noted() {
    let up = Goes(&[Inactive, Activating, Active]);
    row(
        UpdatingInactive,
        [up, Nothing(&[Inactive]), Goes(&[Removing, Removed]), Refused, Refused],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_removing_link() {
    let restored = Goes(&[Removed, Restoring, Inactive]);
    row(
        Removing,
        [
            Refused,
            Refused,
            Nothing(&[Removed]),
            restored,
            Goes(&[Removed, Purging, Purged]),
        ],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_removed_link() {
    row(
        Removed,
        [
            Refused,
            Refused,
            Nothing(&[]),
            Goes(&[Restoring, Inactive]),
            Goes(&[Purging, Purged]),
        ],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_restoring_link() {
    let removed = Goes(&[Inactive, Removing, Removed]);
    let (up, parked) = (Goes(&[Inactive, Activating, Active]), Nothing(&[Inactive]));
    row(Restoring, [up, parked, removed, Nothing(&[Inactive]), Refused]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_purging_link() {
    row(Purging, [Refused, Refused, Refused, Refused, Nothing(&[Purged])]).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn requests_to_a_purged_link() {
    row(Purged, [Refused, Refused, Refused, Refused, Nothing(&[])]).await;
}
