//! What a write does to a link, as an API server would do it, and what the promises say of that.

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent, State, Verb, Verdict, keys};
use instancelink_core::action::{Legality, Memory, cell};
use instancelink_core::effect::Effect;
use instancelink_core::lifecycle::is_edge;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::digest::{Link, desired_number};
use crate::model::Model;
use crate::promise::{Broken, Promise};
use crate::state::LinkNumber;

/// What a write to a link came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// The link afterwards; 0: it is gone.
    pub(crate) link: LinkNumber,
    pub(crate) broken: Broken,
    pub(crate) means: Means,
}

/// What it means for the account of the link's actions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Means {
    Nothing,
    /// A request was taken: what is desired from now on (0: as before), and whether it was the one with an id.
    Taken {
        desired: u8,
        with_id: bool,
    },
    Acknowledged,
    /// The finalizer went.
    LetGo,
}

impl Model {
    /// Executes one write of a group on the link it was decided on.
    pub(crate) fn write(&self, link: LinkNumber, group: u32, write: u8) -> Written {
        self.writes.get((link, group, write), |_| {
            let before = self.links.at(link);
            let effect = self
                .groups
                .read(group, |group| group.writes[usize::from(write)].clone());
            self.execute(&before, effect)
        })
    }

    fn execute(&self, before: &Link, effect: Effect) -> Written {
        let mut link = before.object.clone();
        let mut broken = Broken::default();
        let mut means = Means::Nothing;
        match effect {
            Effect::AcceptAction {
                intent,
                remove_action,
                add_finalizer,
            } => {
                broken = Broken::unless(self.is_rightly_taken(before, &intent), Promise::Actions);
                means = meaning(&intent);
                if remove_action {
                    annotations(&mut link).remove(keys::ACTION);
                }
                if add_finalizer {
                    link.metadata
                        .finalizers
                        .get_or_insert_default()
                        .push(keys::FINALIZER.to_owned());
                }
                remember(&mut link, &intent);
            }
            Effect::WriteIntent { intent } => {
                let last = Memory::of(&link).last.map_or(0, |last| last.seq);
                if intent.seq > last {
                    means = meaning(&intent);
                }
                remember(&mut link, &intent);
            }
            Effect::AddFinalizer => {
                link.metadata
                    .finalizers
                    .get_or_insert_default()
                    .push(keys::FINALIZER.to_owned());
            }
            Effect::DropFinalizer => {
                means = Means::LetGo;
                link.metadata.finalizers = None;
                if before.deleting {
                    return Written { link: 0, broken, means };
                }
            }
            Effect::WriteStatus { status } => {
                let (from, to) = (before.state, status.state);
                broken = Broken::unless(from == to || is_edge(from, to), Promise::Edges);
                self.coverage.moved(from, to);
                means = Means::Acknowledged;
                link.status = Some(stored(&status));
            }
            Effect::DeleteLink if before.held => {
                let now = Time(link.metadata.creation_timestamp.as_ref().unwrap().0);
                link.metadata.deletion_timestamp.get_or_insert(now);
            }
            Effect::DeleteLink => return Written { link: 0, broken, means },
            other => panic!("no write to a link: {other:?}"),
        }
        Written {
            link: self.link(link),
            broken,
            means,
        }
    }

    /// The request that is taken is the one in the annotation, and the verdict is that of the sequential specification
    /// (lifecycle#actions-once).
    fn is_rightly_taken(&self, before: &Link, intent: &Intent) -> bool {
        self.coverage.taken(intent);
        let value = before.action.clone().unwrap_or_default();
        let asked = if intent.id.is_empty() {
            intent.action.clone()
        } else {
            format!("{}/{}", intent.action, intent.id)
        };
        let expected = match Verb::ALL.into_iter().find(|verb| verb.as_str() == intent.action) {
            None => "InvalidValue",
            Some(verb) => ruling(before, verb),
        };
        let is_expected = if intent.reason == "AliasTaken" {
            // Whether another link had the alias is a matter of what was known then.
            expected.is_empty() && intent.action == Verb::Restore.as_str()
        } else {
            intent.reason == expected
        };
        value == asked && is_expected && (intent.verdict == Verdict::Accepted) == intent.reason.is_empty()
    }
}

/// lifecycle#rejection-order: the reason, or an empty text where the verb is accepted.
fn ruling(link: &Link, verb: Verb) -> &'static str {
    let purged = link.desired == 4 || matches!(link.state, State::Purging | State::Purged);
    let managed = link.wish.is_some() && matches!(verb, Verb::Activate | Verb::Deactivate);
    match cell(link.state, verb) {
        _ if link.deleting => "Deleting",
        _ if purged && verb != Verb::Purge => "Purged",
        Legality::No => "NotPossibleNow",
        _ if managed => "ManagedBySpec",
        Legality::Yes | Legality::NoOp => "",
    }
}

fn meaning(intent: &Intent) -> Means {
    Means::Taken {
        desired: match intent.verdict {
            Verdict::Accepted => desired_number(intent.desired),
            Verdict::Rejected => 0,
        },
        with_id: !intent.id.is_empty(),
    }
}

fn remember(link: &mut InstanceLink, intent: &Intent) {
    annotations(link).insert(keys::INTENT.to_owned(), serde_json::to_string(intent).unwrap());
}

fn annotations(link: &mut InstanceLink) -> &mut std::collections::BTreeMap<String, String> {
    link.metadata.annotations.get_or_insert_default()
}

/// What the API server stores is what comes back.
fn stored(status: &InstanceLinkStatus) -> InstanceLinkStatus {
    serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap()
}
