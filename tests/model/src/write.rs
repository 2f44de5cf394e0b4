//! Executes writes to a link as an API server does, and checks the promises about them.

use instancelink_api::{InstanceLink, InstanceLinkStatus, Intent, State, Verb, Verdict, keys};
use instancelink_core::action::{Legality, Memory, cell};
use instancelink_core::effect::Effect;
use instancelink_core::lifecycle::is_edge;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::entries::{Link, desired_number};
use crate::model::Model;
use crate::promise::{Broken, Promise};
use crate::state::LinkNumber;
use crate::written::{Meaning, Written};

impl Model {
    /// Executes one write of a group on a link.
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
        let mut meaning = Meaning::Nothing;
        match effect {
            Effect::AcceptAction {
                intent,
                remove_action,
                add_finalizer,
            } => {
                broken = Broken::unless(self.is_taken_correctly(before, &intent), Promise::Actions);
                meaning = meaning_of(&intent);
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
                    meaning = meaning_of(&intent);
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
                meaning = Meaning::FinalizerDropped;
                link.metadata.finalizers = None;
                if before.deleting {
                    return Written {
                        link: 0,
                        broken,
                        meaning,
                    };
                }
            }
            Effect::WriteStatus { status } => {
                let (from, to) = (before.state, status.state);
                broken = Broken::unless(from == to || is_edge(from, to), Promise::Edges);
                self.coverage.moved(from, to);
                meaning = Meaning::Acknowledged;
                link.status = Some(stored(&status));
            }
            Effect::DeleteLink if before.held => {
                let now = Time(link.metadata.creation_timestamp.as_ref().unwrap().0);
                link.metadata.deletion_timestamp.get_or_insert(now);
            }
            Effect::DeleteLink => {
                return Written {
                    link: 0,
                    broken,
                    meaning,
                };
            }
            other => panic!("not a write to a link: {other:?}"),
        }
        Written {
            link: self.link(link),
            broken,
            meaning,
        }
    }

    /// True if the intent is the request in the annotation, with the verdict of the specification
    /// (lifecycle#actions-once).
    fn is_taken_correctly(&self, before: &Link, intent: &Intent) -> bool {
        self.coverage.taken(intent);
        let value = before.action.clone().unwrap_or_default();
        let asked = if intent.id.is_empty() {
            intent.action.clone()
        } else {
            format!("{}/{}", intent.action, intent.id)
        };
        let expected = match Verb::ALL.into_iter().find(|verb| verb.as_str() == intent.action) {
            None => "InvalidValue",
            Some(verb) => expected_reason(before, verb),
        };
        let is_expected = if intent.reason == "AliasTaken" {
            // Whether another link had the alias depends on the view at that time.
            expected.is_empty() && intent.action == Verb::Restore.as_str()
        } else {
            intent.reason == expected
        };
        value == asked && is_expected && (intent.verdict == Verdict::Accepted) == intent.reason.is_empty()
    }
}

/// The reason for a rejection, or an empty text if the verb is accepted (lifecycle#rejection-order).
fn expected_reason(link: &Link, verb: Verb) -> &'static str {
    let purged = link.desired == 4 || matches!(link.state, State::Purging | State::Purged);
    let managed = link.desired_state.is_some() && matches!(verb, Verb::Activate | Verb::Deactivate);
    match cell(link.state, verb) {
        _ if link.deleting => "Deleting",
        _ if purged && verb != Verb::Purge => "Purged",
        Legality::No => "NotPossibleNow",
        _ if managed => "ManagedBySpec",
        Legality::Yes | Legality::NoOp => "",
    }
}

fn meaning_of(intent: &Intent) -> Meaning {
    Meaning::Taken {
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

/// The status as the API server stores it.
fn stored(status: &InstanceLinkStatus) -> InstanceLinkStatus {
    serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap()
}
