//! Without the shipped admission policies: requests that they would refuse reach the operator, which uses the same
//! table.
//!
//! Rules: contract#table-without-policy, contract#finalizer-at-creation.

use futures::future::join_all;
use harness::{Link, Namespace, User, Watch, in_namespace, link, without_policies};
use instancelink_api::State::{self, Activating, Active, Deactivating, Inactive, Purged, Removed, Requested};
use instancelink_api::{Verb, keys};

/// The verbs that are rejected in a state (the cells `–` of the action table).
const REJECTED: [(State, &[&str]); 13] = [
    (State::Requested, &["restore", "purge"]),
    (State::Registering, &["restore", "purge"]),
    (State::Activating, &["restore", "purge"]),
    (State::Active, &["restore", "purge"]),
    (State::UpdatingActive, &["restore", "purge"]),
    (State::Inactive, &["restore", "purge"]),
    (State::UpdatingInactive, &["restore", "purge"]),
    (State::Deactivating, &["restore", "purge"]),
    (State::Removing, &["activate", "deactivate"]),
    (State::Removed, &["activate", "deactivate"]),
    (State::Restoring, &["purge"]),
    (State::Purging, &["activate", "deactivate", "remove", "restore"]),
    (State::Purged, &["activate", "deactivate", "remove", "restore"]),
];

/// In this state every rejected verb is recorded with a reason and a Warning event, and changes no state.
async fn rejections_in(state: State, verbs: &[&str]) {
    in_namespace(async |ns| {
        let staged = ns.stage(state, verbs).await;
        let watches = join_all(verbs.iter().map(|name| Watch::start(ns, name))).await;
        let seqs = join_all(staged.links.iter().map(Link::seq)).await;
        for link in &staged.links {
            link.action(&link.name).await;
        }
        // Where the test refuses status writes, the acknowledgement comes with the next state.
        join_all(staged.links.iter().map(Link::is_taken)).await;
        if state != Requested {
            for watch in &watches {
                assert_eq!(watch.states(), [state], "a rejection moves nothing");
            }
        }
        for (link, seq) in staged.lift().await.iter().zip(seqs) {
            let reason = if matches!(state, State::Purging | Purged) {
                "Purged"
            } else {
                "NotPossibleNow"
            };
            let rejected = link.acknowledged_after(seq).await.is_rejected(reason);
            let annotations = rejected.link.metadata.annotations.unwrap_or_default();
            assert!(
                !annotations.contains_key(keys::ACTION),
                "a rejected request is taken too"
            );
            let events = ns.events_of(link, reason, 1).await;
            assert_eq!(events[0].type_.as_deref(), Some("Warning"));
            assert!(
                events[0]
                    .note
                    .as_deref()
                    .unwrap_or_default()
                    .contains(link.name.as_str()),
                "{events:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_policies_every_illegal_action_is_recorded_as_rejected_with_a_warning() {
    in_namespace(async |ns| {
        without_policies(ns, async || {
            for (state, verbs) in REJECTED {
                rejections_in(state, verbs).await;
            }
        })
        .await;
    })
    .await;
}

async fn active_link(ns: &Namespace) -> (Link, Watch) {
    ns.web_and_two_databases().await;
    let (link, mut watch) = ns
        .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
        .await;
    watch.walks([Requested, Activating, Active]).await;
    (link, watch)
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_policies_an_unknown_action_is_rejected_once_and_stays_where_it_is() {
    in_namespace(async |ns| {
        without_policies(ns, async || {
            let (link, mut watch) = active_link(ns).await;
            let long = "x".repeat(300);
            for (number, value) in ["bogus", "deactivate/", "deactivate/a b", "größe", &long]
                .into_iter()
                .enumerate()
            {
                let seq = link.seq().await;
                assert_eq!(seq, number as u64);
                link.action(value).await;
                let rejected = link.acknowledged_after(seq).await.is_rejected("InvalidValue");
                assert!(rejected.action.intent.action.chars().count() <= 80);
                assert!(value.starts_with(rejected.action.intent.action.trim_end_matches('…')));
                let annotations = link.get().await.metadata.annotations.unwrap();
                assert_eq!(
                    annotations.get(keys::ACTION).map(String::as_str),
                    Some(value),
                    "it stays"
                );
            }
            watch.rests().await;
            assert_eq!(
                link.seq().await,
                5,
                "a value that stays is reported once and not for ever"
            );
            ns.events_of(&link, "InvalidValue", 5).await;
            // A valid request still works.
            link.act("deactivate").await.is_accepted();
            watch.walks([Deactivating, Inactive]).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_policies_desired_state_rejects_activate_and_deactivate_even_as_no_op() {
    in_namespace(async |ns| {
        without_policies(ns, async || {
            ns.web_and_two_databases().await;
            let manifest = link("web-db", "db", "Deployment/web", "Service/pg").spec("desiredState", "Active");
            let (link, mut watch) = ns.watched_link(manifest).await;
            watch.walks([Requested, Activating, Active]).await;
            for verb in [Verb::Activate, Verb::Deactivate] {
                link.act(verb.as_str()).await.is_rejected("ManagedBySpec");
            }
            watch.rests().await;
            link.act("remove").await.is_accepted();
            link.reaches(Removed).await;
            // NotPossibleNow is reported before ManagedBySpec.
            link.act("activate").await.is_rejected("NotPossibleNow");
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_policies_a_link_that_is_to_be_purged_accepts_no_other_action() {
    in_namespace(async |ns| {
        without_policies(ns, async || {
            let staged = ns.stage(Removed, &["db"]).await.lift().await;
            let link = &staged[0];
            let hold = harness::Hold::before(ns, None, &[Purged]).await;
            link.act("purge").await.is_accepted();
            let seq = link.seq().await;
            link.action("restore").await;
            link.is_taken().await;
            hold.lift().await;
            link.acknowledged_after(seq).await.is_rejected("Purged");
            link.reaches(Purged).await;
            link.act("activate").await.is_rejected("Purged");
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn without_policies_the_operator_adds_the_finalizer_itself() {
    in_namespace(async |ns| {
        without_policies(ns, async || {
            let (link, _watch) = active_link(ns).await;
            let finalizers = link.get().await.metadata.finalizers.unwrap_or_default();
            assert!(finalizers.iter().any(|f| f == keys::FINALIZER), "{finalizers:?}");
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn policies_put_back_are_in_force_again() {
    in_namespace(async |ns| {
        without_policies(ns, async || {}).await;
        let (link, _watch) = active_link(ns).await;
        link.annotate("bogus")
            .await
            .is_refused_with(&["unknown action 'bogus'"]);
        let editor = User::with_cluster_role(ns, "ed", "edit").await;
        assert!(editor.sets_annotation(&link, keys::INTENT, Some("{}")).await.is_err());
    })
    .await;
}
