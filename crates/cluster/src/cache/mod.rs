//! The caches behind one lock. Events of the watches and answers to our own writes come in; each is turned into the links
//! that it concerns. No request is made here, and nothing is decided.

mod in_flight;
mod kept;
mod relists;
mod scaled;
mod secrets;
mod unusable;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::Resource as _;
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio::sync::watch::{Receiver, Sender};

use crate::affected::Affected;
use crate::affects::{WRITTEN, Watched, Who};
use crate::index::Index;
use crate::name::ObjectName;
use crate::store::compressed::Forgotten;
use crate::store::lenient::Lenient;
use crate::store::table::{Change, Item as _, Reduced};
use relists::Relists;

pub use in_flight::InFlight;
pub use unusable::UnusableObject;

/// Receives what the caches tell the rest of the operator.
pub trait Listener: Send + Sync {
    /// A change concerns these links and pods.
    fn affected(&self, affected: Affected);
    /// A list of this kind is complete, the `times`-th one.
    fn listed(&self, kind: &'static str, times: u64);
    /// An object cannot be used. Called once for each reason, and not for each version of the object.
    fn unusable(&self, object: UnusableObject);
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is taken in.
    In,
    /// The list that it completed cannot be trusted: resourceVersions went back.
    ListAgain,
}

/// All caches, shared by watches and passes.
pub struct Cache {
    index: RwLock<Index>,
    listener: Arc<dyn Listener>,
    pending: Mutex<BTreeSet<&'static str>>,
    synced: Sender<bool>,
    pub(crate) kinds_named: Notify,
    pub(crate) relists: Relists,
}

impl Cache {
    /// Empty caches that wait for the first list of these kinds.
    pub fn new(kinds: &[&'static str], listener: Arc<dyn Listener>) -> Self {
        Self {
            index: RwLock::default(),
            listener,
            pending: Mutex::new(kinds.iter().copied().collect()),
            synced: Sender::new(false),
            kinds_named: Notify::new(),
            relists: Relists::default(),
        }
    }

    /// Looks at all kinds at one moment. Events wait meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&Index) -> R) -> R {
        look(&self.index.read())
    }

    fn write<R>(&self, change: impl FnOnce(&mut Index) -> R) -> R {
        change(&mut self.index.write())
    }

    /// True from the moment that every kind was listed once.
    pub fn synced(&self) -> Receiver<bool> {
        self.synced.subscribe()
    }

    /// The kinds whose first list is not complete.
    pub fn pending(&self) -> Vec<&'static str> {
        self.pending.lock().iter().copied().collect()
    }

    /// Lists again what operators write, so that nothing is missing that another operator wrote before now.
    pub async fn catch_up(&self) {
        self.relists.of(&WRITTEN).await;
    }

    /// Compresses what was not used for a while. To be called about once a second.
    pub fn compress_idle(&self) {
        let idle = self.read(|index| index.recent.begin_round());
        idle.compress();
    }

    /// Takes in an event of a watch. The watch has to begin again if the answer is [`Taken::ListAgain`].
    pub fn observe<W: Watched>(&self, event: Event<Lenient<W::Raw>>) -> Taken {
        self.observe_in::<W>("", event)
    }

    /// Takes in an event of the watch of one namespace.
    fn observe_in<W: Watched>(&self, namespace: &str, event: Event<Lenient<W::Raw>>) -> Taken {
        match event {
            Event::Init => self.write(|index| W::table_in(index, namespace).relist()),
            Event::InitApply(raw) | Event::Apply(raw) => self.shown::<W>(raw),
            Event::Delete(raw) => self.hidden::<W>(&raw),
            Event::InitDone => return self.listed::<W>(namespace),
        }
        Taken::In
    }

    /// Takes in that a kind is not served: there are no objects of it.
    pub(crate) fn absent<W: Watched>(&self) {
        self.write(|index| W::table(index).relist());
        self.listed::<W>("");
    }

    fn shown<W: Watched>(&self, raw: Lenient<W::Raw>) {
        let name = ObjectName::of(raw.meta());
        let version = raw.meta().resource_version.clone().unwrap_or_default();
        let uid = raw.meta().uid.as_deref().unwrap_or_default();
        if name.name.is_empty() {
            return self.report::<W>(&name, "", &version, raw.why.as_deref());
        }
        let as_known = self.write(|index| {
            let is_news = W::table_in(index, &name.namespace).is_news(&name, uid, &version);
            (!is_news).then(|| settle::<W>(index, None, &name, &version, None))
        });
        // Most events are echoes of our own writes. Reducing an object takes time, so it is done outside of the lock.
        let (forgotten, affected) = as_known.unwrap_or_else(|| {
            let reduced = W::reduced(raw);
            self.note::<W>(&name, &reduced);
            self.write(|index| {
                let change = W::table_in(index, &name.namespace).show(&name, reduced);
                settle::<W>(index, change, &name, &version, None)
            })
        });
        forgotten.compress();
        self.tell(affected);
    }

    fn hidden<W: Watched>(&self, raw: &Lenient<W::Raw>) {
        let name = ObjectName::of(raw.meta());
        let version = raw.meta().resource_version.as_deref().unwrap_or_default();
        let uid = raw.meta().uid.as_deref().unwrap_or_default();
        let (forgotten, affected) = self.write(|index| {
            let change = W::table_in(index, &name.namespace).hide(&name, uid, version);
            settle::<W>(index, change, &name, version, Some(uid))
        });
        forgotten.compress();
        self.tell(affected);
    }

    fn listed<W: Watched>(&self, namespace: &str) -> Taken {
        let listed = self.write(|index| {
            let mut affected = Affected::default();
            let table = W::table_in(index, namespace);
            let mut lost = table.listed()?;
            lost.extend(table.passed());
            for change in lost {
                W::reindex(index, &change);
                affected.merge(W::concerns(index, &change, Who::Others));
            }
            Some((affected, W::table_in(index, namespace).lists()))
        });
        let Some((affected, times)) = listed else {
            tracing::warn!(
                kind = W::KIND,
                "resourceVersions went back, as after a restored backup of etcd; listing again"
            );
            return Taken::ListAgain;
        };
        self.tell(affected);
        self.listener.listed(W::KIND, times);
        let mut pending = self.pending.lock();
        pending.remove(W::KIND);
        if pending.is_empty() {
            self.synced.send_replace(true);
        }
        Taken::In
    }

    /// Takes in an object that was read live rather than written. It is unknown who wrote it, and the event of the watch is no
    /// news later, so it wakes the links that it concerns now.
    pub fn read_live<W: Watched>(&self, name: &ObjectName, object: impl Into<Reduced<W::Item>>) {
        let object = object.into();
        self.note::<W>(name, &object);
        let (forgotten, affected) = self.write(|index| {
            let change = W::table_in(index, &name.namespace).record(name, object);
            change
                .map(|change| take_in::<W>(index, &change, Who::Others))
                .unwrap_or_default()
        });
        forgotten.compress();
        self.tell(affected);
    }

    fn tell(&self, affected: Affected) {
        if affected.kinds {
            self.kinds_named.notify_one();
        }
        if !affected.is_empty() {
            self.listener.affected(affected);
        }
    }
}

/// Brings the lookups up to date with a change. Returns the objects to compress in place of a new object, and what the
/// change concerns.
fn take_in<W: Watched>(index: &mut Index, change: &Change<W::Item>, who: Who) -> (Forgotten, Affected) {
    W::reindex(index, change);
    let forgotten = change.new.as_ref().map(|new| new.remember(&index.recent));
    (forgotten.unwrap_or_default(), concerned::<W>(index, change, who))
}

/// What a change concerns. An object that can be used from now on, or no longer, is another one for all that look at it.
fn concerned<W: Watched>(index: &Index, change: &Change<W::Item>, who: Who) -> Affected {
    let mut affected = W::concerns(index, change, who);
    if change.other_use {
        let (name, old, new) = (change.name.clone(), None, change.new.clone());
        let other_use = false;
        affected.merge(W::concerns(
            index,
            &Change {
                name,
                old,
                new,
                other_use,
            },
            who,
        ));
    }
    affected
}

/// Brings the indexes up to date with an event. If the event may be the echo of a write in flight, what it concerns is
/// held until that write is answered.
fn settle<W: Watched>(
    index: &mut Index,
    change: Option<Change<W::Item>>,
    name: &ObjectName,
    version: &str,
    deleted: Option<&str>,
) -> (Forgotten, Affected) {
    let mut affected = Affected::default();
    for lost in W::table_in(index, &name.namespace).passed() {
        W::reindex(index, &lost);
        affected.merge(W::concerns(index, &lost, Who::Others));
    }
    let Some(change) = change else {
        return (Forgotten::default(), affected);
    };
    let (forgotten, as_event) = take_in::<W>(index, &change, Who::Others);
    if W::table_in(index, &name.namespace).is_in_flight(name) {
        let as_echo = concerned::<W>(index, &change, Who::Us);
        W::table_in(index, &name.namespace).hold(name, version, deleted, as_event, as_echo);
    } else {
        affected.merge(as_event);
    }
    (forgotten, affected)
}
