//! The scopes. Each is small enough to be explored completely; together they cover the lifecycle.

use instancelink_api::spec::DesiredState;

use crate::scope::{Budget, Scope, Takeover};
use crate::surroundings::Change;
use crate::user::{Edit, User};

/// The spec of both links in most scopes.
const DB: &str = "
linkName: db
instanceRef: {kind: Deployment, name: web}
targetInstanceRef: {kind: Deployment, name: pg}
";
/// The same, with a drain, and a purge an hour after it was removed.
const EXPIRING: &str = "
linkName: db
instanceRef: {kind: Deployment, name: web}
targetInstanceRef: {kind: Deployment, name: pg}
ttlSecondsAfterRemoved: 3600
deactivation: {drainSeconds: 60}
";
/// With a target and a policy in another namespace.
const FAR: &str = "
linkName: db
instanceRef: {kind: Deployment, name: web}
targetInstanceRef: {kind: Deployment, name: pg, namespace: data}
networkPolicy: Allow
";
/// Another alias of the same source, so that the links share the directory and the environment.
const CACHE: &str = "
linkName: cache
instanceRef: {kind: Deployment, name: web}
targetInstanceRef: {kind: Deployment, name: pg}
";
/// A source of another kind with the same name, so that the links are rivals for the directory.
const STATEFUL: &str = "
linkName: db
instanceRef: {kind: StatefulSet, name: web}
targetInstanceRef: {kind: Deployment, name: pg}
";

const VERBS: [&str; 5] = ["activate", "deactivate", "remove", "restore", "purge"];

const fn edit(link: usize, edit: Edit) -> User {
    User { link, edit }
}

const fn act(link: usize, value: &'static str) -> User {
    edit(link, Edit::Act(value))
}

fn verbs(link: usize) -> impl Iterator<Item = User> {
    VERBS.into_iter().map(move |verb| act(link, verb))
}

/// All scopes, in the ordinary or the long size.
pub fn all(long: bool) -> Vec<Scope> {
    vec![
        race(long),
        losses(long),
        manifest(long),
        world(long),
        consent(long),
        shared(long),
        directory(long),
    ]
}

fn scope(name: &'static str, specs: [&'static str; 2]) -> Scope {
    Scope {
        name,
        specs,
        starts: vec![vec![]],
        users: Vec::new(),
        changes: Vec::new(),
        budget: Budget::default(),
        takeover: Takeover::Current,
        mutant: None,
    }
}

/// Two links of one alias, every action on both, and an operator that keeps writing after it lost the lease.
pub fn race(long: bool) -> Scope {
    let deletes = [edit(0, Edit::Delete), edit(1, Edit::Delete)];
    Scope {
        starts: vec![
            vec![],
            vec![act(0, "deactivate")],
            vec![act(0, "remove")],
            vec![act(0, "remove"), act(1, "remove")],
        ],
        users: verbs(0).chain(verbs(1)).chain(deletes).collect(),
        budget: Budget {
            users: if long { 3 } else { 2 },
            failovers: 1,
            ..Budget::default()
        },
        ..scope("two links of one alias, leader race", [DB, DB])
    }
}

/// Lost answers, crashes, lost status, lost annotations, lost finalizers, recreated links.
pub fn losses(long: bool) -> Scope {
    let losses = [
        Edit::WipeStatus,
        Edit::DropAnnotations,
        Edit::StripFinalizer,
        Edit::Delete,
        Edit::Create,
    ];
    let users = losses.into_iter().map(|loss| edit(0, loss));
    let users = users.chain([act(0, "deactivate/1"), act(0, "remove"), act(0, "restore")]);
    Scope {
        starts: vec![
            vec![],
            vec![act(0, "deactivate")],
            vec![act(0, "remove"), act(1, "remove")],
        ],
        users: users.chain([act(1, "remove"), edit(1, Edit::Delete)]).collect(),
        budget: Budget {
            users: if long { 4 } else { 3 },
            faults: 1,
            ..Budget::default()
        },
        ..scope("losses of memory, crashes and lost answers", [DB, DB])
    }
}

/// `desiredState`, updates, specs that cannot be served, bad requests, both TTLs.
pub fn manifest(long: bool) -> Scope {
    let edits = [
        Edit::Desire(Some(DesiredState::Active)),
        Edit::Desire(Some(DesiredState::Inactive)),
        Edit::Desire(None),
        Edit::Retarget,
        Edit::Unservable,
        Edit::Act("bogus"),
        Edit::Delete,
    ];
    let users = edits.into_iter().map(|it| edit(0, it)).chain(verbs(0));
    Scope {
        starts: vec![vec![], vec![act(0, "deactivate")], vec![act(0, "remove")]],
        users: users.chain([act(1, "deactivate")]).collect(),
        changes: vec![Change::TimePasses, Change::TargetNotReady, Change::TargetReady],
        budget: Budget {
            users: if long { 3 } else { 2 },
            changes: 1,
            faults: u8::from(long),
            failovers: 0,
        },
        ..scope("manifests, updates, bad requests and clocks", [EXPIRING, DB])
    }
}

/// Source, target, namespace and time change under two links of one alias, and the operator sees it late.
pub fn world(long: bool) -> Scope {
    Scope {
        starts: vec![vec![], vec![act(0, "deactivate")]],
        users: vec![
            act(0, "activate"),
            act(0, "remove"),
            act(1, "deactivate"),
            edit(0, Edit::Delete),
            edit(0, Edit::Retarget),
        ],
        changes: vec![
            Change::SourceGoes,
            Change::SourceDeparts,
            Change::SourceTerminates,
            Change::SourceComes,
            Change::TargetGoes,
            Change::TargetOrphaned,
            Change::TargetNotReady,
            Change::TargetReady,
            Change::NamespaceCloses,
            Change::TimePasses,
        ],
        budget: Budget {
            users: 1,
            changes: 2,
            faults: u8::from(long),
            failovers: 0,
        },
        ..scope("a world that changes and is seen late", [DB, DB])
    }
}

/// Grants are given and revoked, and targets move to the other namespace and back, with policies there.
pub fn consent(long: bool) -> Scope {
    Scope {
        starts: vec![vec![]],
        users: vec![
            edit(0, Edit::Elsewhere),
            edit(1, Edit::Elsewhere),
            edit(0, Edit::Retarget),
            act(0, "deactivate"),
            act(0, "remove"),
            edit(0, Edit::StripFinalizer),
            edit(0, Edit::Delete),
        ],
        changes: vec![
            Change::Granted,
            Change::Revoked,
            Change::TargetGoes,
            Change::TargetReady,
        ],
        budget: Budget {
            users: 1,
            changes: 2,
            faults: u8::from(long),
            failovers: u8::from(long),
        },
        ..scope("consent given and taken back", [FAR, DB])
    }
}

/// Two aliases of one source share the directory and the environment.
pub fn shared(long: bool) -> Scope {
    let deletes = [
        edit(0, Edit::Delete),
        edit(1, Edit::Delete),
        edit(0, Edit::StripFinalizer),
    ];
    Scope {
        starts: vec![vec![], vec![act(0, "deactivate")]],
        users: verbs(0).chain(verbs(1)).chain(deletes).collect(),
        changes: vec![Change::SourceGoes, Change::SourceComes],
        budget: Budget {
            // All three together give more states than fit into 20 GB.
            users: 1,
            changes: u8::from(long),
            faults: 1,
            failovers: u8::from(!long),
        },
        ..scope("two aliases of one source", [DB, CACHE])
    }
}

/// Sources of two kinds with the same name want the same directory.
pub fn directory(long: bool) -> Scope {
    Scope {
        users: verbs(0).chain(verbs(1)).chain([edit(0, Edit::Delete)]).collect(),
        changes: vec![Change::SourceGoes, Change::SourceComes],
        budget: Budget {
            // Two user actions and a failover give more states than fit into 20 GB.
            users: if long { 1 } else { 2 },
            changes: 1,
            faults: 0,
            failovers: u8::from(long),
        },
        ..scope("two sources of one name", [DB, STATEFUL])
    }
}
