//! Takes the answer to an effect into the snapshot. An answer that shows something else than was sent, because admission
//! changed the object, counts as a refusal of that write: otherwise the next step would ask for the same write again, and the
//! pass would not end (lifecycle#disputes).

use instancelink_api::{InstanceLink, Intent, keys};

use super::refused::refuse_undone;
use crate::alteration::Alteration;
use crate::dataplane;
use crate::effect::{Answer, Effect};
use crate::snapshot::Snapshot;

/// Takes an answer into the snapshot. `alteration` is what others changed in the child, if it was asked for. False if the pass
/// cannot go on: the link is held by a finalizer that comes back.
pub fn take_answer(snapshot: &mut Snapshot, effect: &Effect, answer: Answer, alteration: Option<Alteration>) -> bool {
    dataplane::record(snapshot, effect, &answer, alteration);
    let is_undone = matches!(&answer, Answer::Link(link) if is_undone(effect, link));
    snapshot.fold(answer);
    !is_undone || refuse_undone(snapshot, effect)
}

/// True if the link that was answered does not have what this write asked for.
fn is_undone(effect: &Effect, link: &InstanceLink) -> bool {
    match effect {
        Effect::AcceptAction {
            intent,
            remove_action,
            add_finalizer,
        } => {
            (*remove_action && annotation(link, keys::ACTION).is_some())
                || (*add_finalizer && !has_finalizer(link))
                || !has_intent(link, intent)
        }
        Effect::WriteIntent { intent } => !has_intent(link, intent),
        Effect::AddFinalizer => !has_finalizer(link),
        Effect::DropFinalizer => has_finalizer(link),
        Effect::WriteStatus { status } => link.status.as_ref() != Some(&**status),
        Effect::DeleteLink
        | Effect::Create { .. }
        | Effect::Replace { .. }
        | Effect::Delete { .. }
        | Effect::Publish(_) => false,
    }
}

fn has_intent(link: &InstanceLink, sent: &Intent) -> bool {
    let found = annotation(link, keys::INTENT);
    found
        .and_then(|text| serde_json::from_str::<Intent>(text).ok())
        .as_ref()
        == Some(sent)
}

fn annotation<'a>(link: &'a InstanceLink, key: &str) -> Option<&'a String> {
    link.metadata.annotations.as_ref()?.get(key)
}

fn has_finalizer(link: &InstanceLink) -> bool {
    let mut finalizers = link.metadata.finalizers.iter().flatten();
    finalizers.any(|name| name == keys::FINALIZER)
}
