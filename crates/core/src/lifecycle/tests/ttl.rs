//! Removed links that are purged by their ttl, and purged objects that are deleted.

use instancelink_api::State;

use super::World;

#[test]
fn a_removed_link_is_purged_after_its_ttl_and_its_object_is_deleted_later() {
    let mut world = World::inactive();
    world.s = world.s.clone().edited(|spec| spec.ttl_seconds_after_removed = Some(30));
    world.s.link.object.spec.ttl_seconds_after_purged = 10;
    world.annotate("remove");
    let wake = world.settle();
    assert_eq!(world.watched(), [State::Removing, State::Removed]);
    assert_eq!(wake, Some(world.s.now + jiff::SignedDuration::from_secs(30)));
    world.pass_time(30);
    world.settle();
    assert_eq!(world.watched(), [State::Purging, State::Purged]);
    assert_eq!(world.last_action().intent.manager, "ttlSecondsAfterRemoved");
    assert_eq!(world.status().history.len(), 1);
    world.pass_time(10);
    world.settle();
    assert!(world.gone);
}

#[test]
fn seconds_beyond_the_last_year_mean_never() {
    for seconds in [i64::MAX, i64::MAX - 1, 9_999_999_999_999] {
        let mut world = World::inactive();
        world.s = world
            .s
            .clone()
            .edited(|spec| spec.ttl_seconds_after_removed = Some(seconds));
        world.s.link.object.spec.ttl_seconds_after_purged = seconds;
        world.annotate("remove");
        assert_eq!(world.settle(), None, "{seconds}");
        world.annotate("purge");
        assert_eq!(world.settle(), None, "{seconds}");
        assert_eq!(world.state(), State::Purged);
    }
}

#[test]
fn of_the_managed_by_labels_only_that_of_helm_keeps_a_purged_object() {
    for (key, value, stays) in [
        ("app.kubernetes.io/managed-by", "Helm", true),
        ("app.kubernetes.io/managed-by", "kubectl", false),
        ("app.kubernetes.io/part-of", "Helm", false),
    ] {
        let mut world = World::removed();
        world.s.link.object.metadata.labels = Some([(key.to_owned(), value.to_owned())].into());
        world.act("purge");
        world.pass_time(1_000_000);
        world.settle();
        assert_eq!(!world.gone, stays, "{key}: {value}");
    }
}

#[test]
fn a_purged_object_that_a_gitops_tool_owns_stays() {
    let mut world = World::removed();
    world.s.link.object.metadata.labels = Some([("argocd.argoproj.io/instance".to_owned(), "shop".to_owned())].into());
    world.act("purge");
    world.pass_time(100_000);
    world.settle();
    assert!(!world.gone);
    assert_eq!(world.state(), State::Purged);
}
