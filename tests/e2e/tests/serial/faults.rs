//! The operator is killed: in every transition, as the leader of two, and for a longer time.
//!
//! Rules: lifecycle#actions-once, lifecycle#converges.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use harness::{Hold, Link, Namespace, Operator, Stage, Watch, idle_deployment, in_namespace, link};
use instancelink_api::Phase;
use instancelink_api::State::{
    self, Activating, Active, Deactivating, Inactive, Purged, Purging, Registering, Removed, Removing, Requested,
    Restoring, UpdatingActive, UpdatingInactive,
};
use kube::ResourceExt as _;
use tokio::sync::Barrier;
use tokio::time::timeout;

/// The moment in a link's life when the operator is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// All work of this state is done, but the next state is not written.
    Before(State),
    /// In this state, none of the children could be written yet.
    ChildrenMissing,
    /// In this state, some children have the new target and some the old.
    ChildrenOld,
    /// None of the children could be deleted yet.
    ChildrenStanding,
    /// A request was taken, but not acknowledged.
    Taken,
    /// Deleted, with all but the finalizer gone.
    FinalizerStanding,
}

/// Every moment, and the states that follow when an operator is back.
const MOMENTS: [(Moment, &[State]); 14] = [
    (Moment::Before(Requested), &[Activating, Active]),
    (Moment::Before(Activating), &[Active]),
    (Moment::Before(UpdatingActive), &[Active]),
    (Moment::Before(Deactivating), &[Inactive]),
    (Moment::Before(UpdatingInactive), &[Inactive]),
    (Moment::Before(Removing), &[Removed]),
    (Moment::Before(Restoring), &[Inactive]),
    (Moment::Before(Purging), &[Purged]),
    (Moment::Before(Registering), &[Activating, Active]),
    (Moment::ChildrenMissing, &[Active]),
    (Moment::ChildrenOld, &[Active]),
    (Moment::ChildrenStanding, &[Inactive]),
    (Moment::Taken, &[Deactivating, Inactive]),
    (Moment::FinalizerStanding, &[]),
];

impl Moment {
    async fn stage(self, ns: &Namespace) -> Stage {
        let active = async || ns.stage(Active, &["db"]).await.lift().await.remove(0);
        match self {
            Self::Before(state) => ns.stage(state, &["db"]).await,
            Self::ChildrenMissing => {
                ns.web_and_two_databases().await;
                let hold = Hold::writes(ns, "endpointslices", &["CREATE"]).await;
                let link = ns.link(link("db", "db", "Deployment/web", "Service/pg")).await;
                link.reaches(Activating).await;
                Stage::held(link, hold)
            }
            Self::ChildrenOld => {
                let link = active().await;
                let hold = Hold::writes(ns, "endpointslices", &["CREATE", "UPDATE", "DELETE"]).await;
                link.retarget("Service/pg2").await;
                link.reaches(UpdatingActive).await;
                Stage::held(link, hold)
            }
            Self::ChildrenStanding => {
                let link = active().await;
                let hold = Hold::writes(ns, "endpointslices", &["DELETE"]).await;
                link.action("deactivate").await;
                link.reaches(Deactivating).await;
                Stage::held(link, hold)
            }
            Self::Taken => {
                let link = active().await;
                let hold = Hold::before(ns, None, &State::ALL).await;
                link.action("deactivate").await;
                link.is_taken().await;
                Stage::held(link, hold)
            }
            Self::FinalizerStanding => {
                let link = active().await;
                let hold = Hold::finalizer(ns).await;
                link.delete().await;
                link.reaches(Purging).await;
                Stage::held(link, hold)
            }
        }
    }
}

/// One link at one moment: it is brought there, the operator is killed, and the link continues.
async fn goes_on_after_a_kill(moment: Moment, way: &[State], staged: Arc<Barrier>, killed: Arc<Barrier>) {
    in_namespace(async |ns| {
        let meet = async |barrier: &Barrier| {
            timeout(Duration::from_mins(4), barrier.wait())
                .await
                .expect("the other links get there too");
        };
        let stage = moment.stage(ns).await;
        let mut watch = Watch::start(ns, "db").await;
        meet(&staged).await;
        meet(&killed).await;
        if matches!(moment, Moment::Before(Registering)) {
            ns.create_object(&idle_deployment("missing")).await;
        }
        stage.lift().await;
        if matches!(moment, Moment::FinalizerStanding) {
            watch.walks_and_is_gone(way).await;
        } else {
            watch.walks_within(way, Duration::from_mins(1)).await;
            watch.rests().await;
            Link::at(ns, "db").condition("Ready", "True", "").await;
        }
        if matches!(moment, Moment::Taken) {
            Link::at(ns, "db").action_is(Phase::Completed).await;
            assert_eq!(
                Link::at(ns, "db").seq().await,
                1,
                "an action is neither lost nor applied twice"
            );
        }
        ns.has_no_residue().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_operator_killed_in_the_middle_of_every_transition_ends_each_as_it_would_have() {
    in_namespace(async |ns| {
        let operator = Operator::of(&ns.client);
        operator.is_ready().await;
        let meeting = || Arc::new(Barrier::new(MOMENTS.len() + 1));
        let (staged, killed) = (meeting(), meeting());
        let links = join_all(MOMENTS.map(|(moment, way)| {
            tokio::task::unconstrained(goes_on_after_a_kill(
                moment,
                way,
                Arc::clone(&staged),
                Arc::clone(&killed),
            ))
        }));
        let kill = async {
            timeout(Duration::from_mins(4), staged.wait())
                .await
                .expect("every link is staged");
            operator.kill_all(ns).await;
            killed.wait().await;
        };
        tokio::join!(links, kill);
        operator.is_ready().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn when_the_leader_of_two_is_killed_the_other_goes_on() {
    in_namespace(async |ns| {
        let operator = Operator::of(&ns.client);
        operator.scale(2).await;
        ns.web_and_two_databases().await;
        let (first, mut watch) = ns
            .watched_link(link("first", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        let (leader, holder) = (operator.leader().await, operator.holder().await.unwrap());
        operator.kill(ns, std::slice::from_ref(&leader)).await;
        first.action("deactivate").await;
        let second = ns.link(link("second", "cache", "Deployment/web", "Service/pg2")).await;
        operator.other_leader_than(&holder, Duration::from_secs(40)).await;
        watch.walks([Deactivating, Inactive]).await;
        second.reaches(Active).await;
        assert_eq!(first.seq().await, 1);
        operator.is_ready().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_leader_that_is_asked_to_end_hands_over_within_seconds() {
    in_namespace(async |ns| {
        let operator = Operator::of(&ns.client);
        operator.scale(2).await;
        ns.web_and_two_databases().await;
        let (leader, holder) = (operator.leader().await, operator.holder().await.unwrap());
        operator.stop(&leader).await;
        // Much shorter than the lease's duration, because the lease was released.
        operator.other_leader_than(&holder, Duration::from_secs(10)).await;
        let (_link, mut watch) = ns
            .watched_link(link("web-db", "db", "Deployment/web", "Service/pg"))
            .await;
        watch.walks([Requested, Activating, Active]).await;
        operator.is_ready().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_operator_that_starts_catches_up_with_what_happened_before() {
    in_namespace(async |ns| {
        let operator = Operator::of(&ns.client);
        ns.web_and_two_databases().await;
        let names = ["asked", "edited", "deleted", "stripped", "damaged", "orphan"];
        let links = join_all(names.map(|name| {
            let source = if name == "orphan" {
                "Deployment/other"
            } else {
                "Deployment/web"
            };
            ns.link(link(name, name, source, "Service/pg"))
        }))
        .await;
        ns.create_object(&idle_deployment("other")).await;
        join_all(links.iter().map(|l| l.reaches(Active))).await;
        operator.scale(0).await;
        let [asked, edited, deleted, stripped, damaged, orphan] = &links[..] else {
            unreachable!()
        };
        asked.action("deactivate").await;
        edited.retarget("Service/pg2").await;
        deleted.delete().await;
        stripped.object().strip_finalizers().await;
        stripped.delete().await;
        stripped.is_gone().await;
        ns.object("discovery.k8s.io/v1", "EndpointSlice", "damaged-v4")
            .delete()
            .await;
        ns.object("apps/v1", "Deployment", "other").delete().await;
        let late = ns.link(link("late", "late", "Deployment/web", "Service/pg")).await;
        operator.scale(2).await;
        asked.reaches(Inactive).await;
        edited
            .until("leads to its new target", |l| {
                let status = l.status.as_ref().unwrap();
                status.state == Active && status.target.as_ref().is_some_and(|t| t.name == "pg2")
            })
            .await;
        deleted.is_gone().await;
        damaged.reaches(Active).await;
        orphan.reaches(Inactive).await;
        late.reaches(Active).await;
        // Three links have children. The swept, inactive and deleted ones are not in the directory.
        harness::eventually("three links have a slice", harness::SHORT, async || {
            let found: Vec<String> = ns.slices().await.iter().map(kube::ResourceExt::name_any).collect();
            let expected = ["damaged-v4", "edited-v4", "late-v4"];
            if found == expected {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
        ns.has_no_residue().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn two_operators_may_start_at_once_and_one_leads() {
    in_namespace(async |ns| {
        let operator = Operator::of(&ns.client);
        operator.scale(0).await;
        operator.scale(2).await;
        let holder = operator.holder().await.unwrap();
        let pods = operator.pods().await;
        assert_eq!(pods.iter().filter(|p| holder.starts_with(&p.name_any())).count(), 1);
        // The follower is ready too, because its caches are filled.
        assert_eq!(pods.len(), 2);
    })
    .await;
}
