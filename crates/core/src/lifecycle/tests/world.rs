//! A world of one link: it executes what `step` asks for, as an API server and an executor would, and checks the
//! invariants of lifecycle §8 on the way.

use instancelink_api::{InstanceLinkStatus, Intent, LastAction, State, crd, keys};
use jiff::Timestamp;

use crate::dataplane;
use crate::effect::{Effect, Event, Step};
use crate::fixture;
use crate::lifecycle::{is_edge, step};
use crate::snapshot::Snapshot;

/// More writes than any pass needs: a loop shows as a failure.
const LIMIT: usize = 40;

pub(crate) struct World {
    pub s: Snapshot,
    /// Every state written since the last [`World::watched`].
    states: Vec<State>,
    pub events: Vec<Event>,
    /// Writes to the link, by name.
    pub writes: Vec<&'static str>,
    /// The object is gone.
    pub gone: bool,
}

impl World {
    /// A world in which the link has just been created: the API server has put the default status on it.
    pub(crate) fn new(s: Snapshot) -> Self {
        let mut world = Self {
            s,
            states: Vec::new(),
            events: Vec::new(),
            writes: Vec::new(),
            gone: false,
        };
        world.wipe_status();
        world
    }

    /// A world with source and ready target, in which the link has become active.
    pub(crate) fn active() -> Self {
        let mut world = Self::new(fixture::snapshot());
        world.settle();
        assert_eq!(world.watched(), [State::Activating, State::Active]);
        world
    }

    /// The same, parked by an action.
    pub(crate) fn inactive() -> Self {
        let mut world = Self::active();
        world.act("deactivate");
        assert_eq!(world.watched(), [State::Deactivating, State::Inactive]);
        world
    }

    /// The same, removed by an action.
    pub(crate) fn removed() -> Self {
        let mut world = Self::inactive();
        world.act("remove");
        assert_eq!(world.watched(), [State::Removing, State::Removed]);
        world
    }

    /// The states written since this was last asked.
    pub(crate) fn watched(&mut self) -> Vec<State> {
        std::mem::take(&mut self.states)
    }

    pub(crate) fn state(&self) -> State {
        self.status().state
    }

    pub(crate) fn status(&self) -> &InstanceLinkStatus {
        self.s.link.object.status.as_ref().unwrap()
    }

    pub(crate) fn last_action(&self) -> &LastAction {
        self.status().last_action.as_ref().unwrap()
    }

    pub(crate) fn condition(&self, name: &str) -> (&str, &str) {
        self.status()
            .conditions
            .iter()
            .find(|c| c.type_ == name)
            .map_or(("absent", ""), |c| (c.status.as_str(), c.reason.as_str()))
    }

    /// `kubectl annotate --overwrite`, and what follows.
    pub(crate) fn act(&mut self, value: &str) {
        self.annotate(value);
        self.settle();
    }

    pub(crate) fn annotate(&mut self, value: &str) {
        self.annotations().insert(keys::ACTION.to_owned(), value.to_owned());
    }

    pub(crate) fn annotations(&mut self) -> &mut std::collections::BTreeMap<String, String> {
        self.s.link.object.metadata.annotations.get_or_insert_default()
    }

    /// `kubectl delete`.
    pub(crate) fn delete(&mut self) {
        let now = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(self.s.now);
        self.s.link.object.metadata.deletion_timestamp.get_or_insert(now);
        self.gone = self.s.link.object.metadata.finalizers.iter().flatten().next().is_none();
    }

    /// A backup dropped the status; the API server puts the default there.
    pub(crate) fn wipe_status(&mut self) {
        self.s.link.object.status = Some(serde_json::from_value(crd::default_status()).unwrap());
    }

    /// `kubectl replace` with a bare manifest.
    pub(crate) fn strip_annotations(&mut self) {
        self.s.link.object.metadata.annotations = None;
    }

    pub(crate) fn pass_time(&mut self, seconds: i64) {
        self.s = self.s.clone().later(seconds);
    }

    /// Steps until nothing is due.
    pub(crate) fn settle(&mut self) -> Option<Timestamp> {
        self.s.refusals.clear();
        for _ in 0..LIMIT {
            if self.gone {
                return None;
            }
            match self.step() {
                Ok(()) => {}
                Err(wake) => return wake,
            }
        }
        panic!("no end of writes: {:?}, last in state {}", self.writes, self.state());
    }

    /// One step; `Err` with the wake time where nothing was due.
    pub(crate) fn step(&mut self) -> Result<(), Option<Timestamp>> {
        match step(&self.s) {
            Step::Settled { wake, .. } => Err(wake),
            Step::Act(effects) => {
                assert!(!effects.is_empty(), "an empty group would never end");
                self.s.execute(&effects);
                for effect in effects {
                    self.execute_on_link(effect);
                }
                Ok(())
            }
        }
    }

    fn execute_on_link(&mut self, effect: Effect) {
        let name = match effect {
            Effect::Take {
                intent,
                remove_action,
                add_finalizer,
            } => {
                if remove_action {
                    self.annotations().remove(keys::ACTION);
                }
                if add_finalizer {
                    self.add_finalizer();
                }
                self.write_intent(&intent);
                "take"
            }
            Effect::WriteIntent { intent } => {
                self.write_intent(&intent);
                "intent"
            }
            Effect::AddFinalizer => {
                self.add_finalizer();
                "finalizer"
            }
            Effect::DropFinalizer => {
                assert!(
                    !dataplane::has_children(&self.s),
                    "the finalizer goes when nothing is left"
                );
                self.s.link.object.metadata.finalizers = None;
                self.gone = self.s.link.object.metadata.deletion_timestamp.is_some();
                "drop"
            }
            Effect::WriteStatus { status } => {
                self.write_status(*status);
                "status"
            }
            Effect::DeleteLink => {
                self.delete();
                "delete"
            }
            Effect::Publish(event) => {
                self.events.push(event);
                return;
            }
            Effect::Create { .. } | Effect::Replace { .. } | Effect::Delete { .. } => return,
        };
        self.writes.push(name);
    }

    fn add_finalizer(&mut self) {
        assert!(
            self.s.link.object.metadata.deletion_timestamp.is_none(),
            "no finalizer is added to what is going"
        );
        self.s
            .link
            .object
            .metadata
            .finalizers
            .get_or_insert_default()
            .push(keys::FINALIZER.to_owned());
    }

    fn write_intent(&mut self, intent: &Intent) {
        self.annotations()
            .insert(keys::INTENT.to_owned(), serde_json::to_string(intent).unwrap());
    }

    /// The invariants are checked where they could be broken: at each status write.
    fn write_status(&mut self, status: InstanceLinkStatus) {
        let (from, to) = (self.state(), status.state);
        assert_ne!(status, *self.status(), "nothing is written that is already so");
        // What the API server stores is what comes back.
        let status: InstanceLinkStatus = serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap();
        if from != to {
            assert!(is_edge(from, to), "I1: {from} to {to} is no edge");
            self.states.push(to);
        }
        let bare = [State::Inactive, State::UpdatingInactive, State::Removed, State::Purged];
        assert!(
            !bare.contains(&to) || !dataplane::has_children(&self.s),
            "I3: {to} with children"
        );
        let bare_of_all = matches!(to, State::Removed | State::Purged);
        assert!(
            !bare_of_all || self.s.children.virtual_ips.is_empty(),
            "I3: {to} with a virtual IP"
        );
        let ready = status
            .conditions
            .iter()
            .any(|c| c.type_ == "Ready" && c.status == "True");
        let troubled = status
            .conditions
            .iter()
            .any(|c| ["Reconciling", "Stalled"].contains(&c.type_.as_str()));
        assert!(
            !(ready && troubled),
            "Reconciling and Stalled never stand beside Ready=True: {:?}",
            status.conditions
        );
        self.s.link.object.status = Some(status);
    }
}
