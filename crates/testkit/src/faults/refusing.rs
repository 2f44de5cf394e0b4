//! An API server that refuses one write of a child again and again, as a quota, a policy or a webhook does, until it
//! is lifted.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::hooks::{Answer, EventFate, Fate, Hooks};
use crate::api::call::Call;
use crate::api::failure::Failure;
use crate::api::object::Meta as _;
use crate::api::resource::{CONFIG_MAPS, POLICIES, Resource, SECRETS, SERVICES, SLICES};
use crate::api::watch::Replica;

/// Who refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuser {
    /// The quota `objects`. It refuses creations only.
    Quota,
    /// The policy `teams`, with this code.
    Policy(u16),
    /// The webhook `teams.example.com`, with this code.
    Webhook(u16),
    /// The webhook `teams.example.com` does not answer.
    BrokenWebhook,
    /// The webhook `teams.example.com` answers with a patch that does not fit, or with a patch of a deletion.
    UnfitPatch,
    /// The `MutatingAdmissionPolicy` `teams` cannot be applied.
    MutatingPolicy,
    /// The authorizer.
    Rights,
}

impl Refuser {
    /// All of them. Without the words of the refuser, the operator treats each of these codes in another way.
    pub const ALL: [Self; 11] = [
        Self::Quota,
        Self::Policy(401),
        Self::Policy(403),
        Self::Policy(422),
        Self::Webhook(400),
        Self::Webhook(404),
        Self::Webhook(409),
        Self::BrokenWebhook,
        Self::UnfitPatch,
        Self::MutatingPolicy,
        Self::Rights,
    ];

    /// The answer to a request about this object.
    fn answer(self, call: &Call, name: &str) -> Failure {
        let object = format!("{} \"{name}\" is forbidden", call.resource.qualified());
        let counted = format!("count/{}", call.resource.qualified());
        let (code, reason, message) = match self {
            Self::Rights => return call.forbidden(),
            Self::Quota => (
                403,
                "Forbidden",
                format!(
                    "{object}: exceeded quota: objects, requested: {counted}=1, used: {counted}=5, limited: {counted}=5"
                ),
            ),
            Self::Policy(code) => (
                code,
                "Invalid",
                format!("{object}: ValidatingAdmissionPolicy 'teams' with binding 'teams' denied request: no team"),
            ),
            Self::Webhook(code) => (
                code,
                "NotFound",
                "admission webhook \"teams.example.com\" denied the request: no team".to_owned(),
            ),
            Self::BrokenWebhook => (
                500,
                "InternalError",
                "Internal error occurred: failed calling webhook \"teams.example.com\": failed to call webhook: EOF"
                    .to_owned(),
            ),
            Self::UnfitPatch => {
                let error = if call.verb == "delete" {
                    "admission webhook \"teams.example.com\" attempted to modify the object, which is not supported for this operation"
                } else {
                    "add operation does not apply: doc is missing path: \"/spec/x/y\": missing value"
                };
                (500, "InternalError", format!("Internal error occurred: {error}"))
            }
            Self::MutatingPolicy => (
                403,
                "Invalid",
                "policy 'teams' with binding 'teams' denied request: JSON Patch: no such path".to_owned(),
            ),
        };
        let details = json!({"name": name, "kind": call.resource.plural});
        Failure {
            details: Some(details),
            ..Failure::new(code, reason, message)
        }
    }
}

/// A write of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// As in RBAC rules.
    pub verb: &'static str,
    /// Its kind, as messages show it.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// Refuses a write of a child, and all that repeat it.
#[derive(Debug)]
pub struct Refusing {
    by: &'static str,
    refuser: Refuser,
    number: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    writes: Vec<Write>,
    refused: Option<Write>,
    times: usize,
    is_over: bool,
}

impl Refusing {
    /// Refuses this write of children by clients whose names begin with `by`. The first write has the number 1; 0 is none.
    pub fn new(by: &'static str, refuser: Refuser, number: usize) -> Self {
        Self {
            by,
            refuser,
            number,
            state: Mutex::default(),
        }
    }

    /// The write that is refused, once it was sent.
    pub fn refused(&self) -> Option<Write> {
        self.state.lock().unwrap().refused.clone()
    }

    /// How often it was sent and refused.
    pub fn times(&self) -> usize {
        self.state.lock().unwrap().times
    }

    /// All writes of children so far.
    pub fn writes(&self) -> Vec<Write> {
        self.state.lock().unwrap().writes.clone()
    }

    /// Refuses nothing any more.
    pub fn lift(&self) {
        self.state.lock().unwrap().is_over = true;
    }
}

impl Hooks for Refusing {
    fn call(&self, call: &Call, body: &[u8]) -> Fate {
        let is_child = [&SERVICES, &SLICES, &CONFIG_MAPS, &POLICIES, &SECRETS].contains(&call.resource);
        if !is_child || !call.by.starts_with(self.by) || !["create", "patch", "delete"].contains(&call.verb) {
            return Fate::Served;
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let name = call.name.clone().unwrap_or_else(|| body.meta("name").to_owned());
        let write = Write {
            verb: call.verb,
            kind: call.resource.kind,
            name,
        };
        let mut state = self.state.lock().unwrap();
        state.writes.push(write.clone());
        if state.writes.len() == self.number && (self.refuser != Refuser::Quota || call.verb == "create") {
            state.refused = Some(write.clone());
        }
        if state.is_over || state.refused.as_ref() != Some(&write) {
            return Fate::Served;
        }
        state.times += 1;
        Fate::NotServed(Answer::Failure(self.refuser.answer(call, &write.name)))
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Delivered
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}
