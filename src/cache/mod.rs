//! What the operator knows of the cluster: watches feed compact indexes, answers to our own writes run ahead of them,
//! and each event is turned into the links it is about. No request is made here, and nothing is decided.

mod affected;
pub(crate) mod backoff;
mod environments;
mod gateway;
mod grants;
mod groups;
pub(crate) mod index;
mod kinds;
mod lean;
pub(crate) mod links;
mod manager;
mod mirrors;
mod name;
mod newest;
mod packed;
mod places;
pub(crate) mod pods;
mod policies;
mod relists;
pub(crate) mod scaled;
mod secret_watches;
mod secrets;
mod services;
mod shared;
mod slices;
mod table;
pub(crate) mod watch;
mod wire;
pub(crate) mod workloads;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::Resource;
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio::sync::watch::{Receiver, Sender};

pub(crate) use affected::{Affected, Cause, GoneLink};
pub(crate) use environments::Environments;
pub(crate) use grants::{Grants, ReferenceGrants};
use index::{Index, Watched, Who};
pub(crate) use links::{Links, Namesakes};
pub(crate) use mirrors::Mirrors;
pub(crate) use name::{LinkKey, ObjectName};
pub(crate) use newest::lists_of;
pub(crate) use policies::Policies;
use relists::Relists;
pub(crate) use secrets::Secrets;
pub(crate) use services::Services;
pub(crate) use shared::instance_of;
pub(crate) use slices::Slices;
use table::Item;
pub(crate) use table::Written;
pub(crate) use wire::Wire;

/// What the caches tell the rest of the operator.
pub(crate) trait Listener: Send + Sync {
    /// These links are to be looked at again.
    fn affected(&self, affected: Affected);
    /// A kind was listed anew, `times` in all.
    fn listed(&self, kind: &'static str, times: u64);
}

/// All caches, shared by watches and passes.
pub(crate) struct Cache {
    index: RwLock<Index>,
    listener: Arc<dyn Listener>,
    pending: Mutex<BTreeSet<&'static str>>,
    synced: Sender<bool>,
    kinds_named: Notify,
    relists: Relists,
}

impl Cache {
    /// Empty caches that wait for the first list of these kinds.
    pub(crate) fn new(kinds: &[&'static str], listener: Arc<dyn Listener>) -> Self {
        Self {
            index: RwLock::default(),
            listener,
            pending: Mutex::new(kinds.iter().copied().collect()),
            synced: Sender::new(false),
            kinds_named: Notify::new(),
            relists: Relists::default(),
        }
    }

    /// Looks at all indexes at one moment.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&Index) -> R) -> R {
        look(&self.index.read())
    }

    /// True from the moment that every kind was listed once.
    pub(crate) fn synced(&self) -> Receiver<bool> {
        self.synced.subscribe()
    }

    /// The kinds whose first list is not complete.
    pub(crate) fn pending(&self) -> Vec<&'static str> {
        self.pending.lock().iter().copied().collect()
    }

    /// Reads anew all that operators write, so that nothing another one wrote before now is missing.
    pub(crate) async fn catch_up(&self) {
        self.relists.of(&watch::WRITTEN).await;
    }

    /// Takes in what a watch says.
    pub(crate) fn observe<W: Watched>(&self, event: Event<W::Raw>) {
        self.observe_in::<W>("", event);
    }

    /// Takes in what the watch of one namespace says.
    fn observe_in<W: Watched>(&self, namespace: &str, event: Event<W::Raw>) {
        match event {
            Event::Init => W::table_in(&mut self.index.write(), namespace).relist(),
            Event::InitApply(raw) | Event::Apply(raw) => self.shown::<W>(raw),
            Event::Delete(raw) => self.hidden::<W>(&raw),
            Event::InitDone => self.listed::<W>(namespace),
        }
    }

    /// Takes in that a kind is not served: there is nothing of it.
    pub(crate) fn absent<W: Watched>(&self) {
        W::table(&mut self.index.write()).relist();
        self.listed::<W>("");
    }

    fn shown<W: Watched>(&self, raw: W::Raw) {
        let name = ObjectName::of(raw.meta());
        let version = raw.meta().resource_version.clone().unwrap_or_default();
        let uid = raw.meta().uid.as_deref().unwrap_or_default();
        let mut index = self.index.write();
        let is_news = W::table_in(&mut index, &name.namespace).is_news(&name, uid, &version);
        // Most events are echoes of our own writes, and reducing an object is work, outside of the lock.
        let change = if is_news {
            drop(index);
            let item = W::reduce(raw);
            index = self.index.write();
            W::table_in(&mut index, &name.namespace).show(&name, item)
        } else {
            None
        };
        let affected = settle::<W>(&mut index, change, &name, &version, None);
        drop(index);
        self.tell(affected);
    }

    fn hidden<W: Watched>(&self, raw: &W::Raw) {
        let name = ObjectName::of(raw.meta());
        let version = raw.meta().resource_version.as_deref().unwrap_or_default();
        let uid = raw.meta().uid.as_deref().unwrap_or_default();
        let mut index = self.index.write();
        let change = W::table_in(&mut index, &name.namespace).hide(&name, uid, version);
        let affected = settle::<W>(&mut index, change, &name, version, Some(uid));
        drop(index);
        self.tell(affected);
    }

    fn listed<W: Watched>(&self, namespace: &str) {
        let mut affected = Affected::default();
        let mut index = self.index.write();
        let mut lost = W::table_in(&mut index, namespace).listed();
        lost.extend(W::table_in(&mut index, namespace).passed());
        for change in lost {
            W::changed(&mut index, &change, Who::Others, &mut affected);
        }
        let times = W::table_in(&mut index, namespace).lists();
        drop(index);
        self.tell(affected);
        self.listener.listed(W::KIND, times);
        let mut pending = self.pending.lock();
        pending.remove(W::KIND);
        if pending.is_empty() {
            self.synced.send_replace(true);
        }
    }

    /// A write of ours to this object is about to be sent. Ends with the guard, or with [`InFlight::answered`].
    pub(crate) fn begin<W: Watched>(self: &Arc<Self>, name: ObjectName) -> InFlight<W> {
        W::table_in(&mut self.index.write(), &name.namespace).begin(&name);
        InFlight {
            cache: Arc::clone(self),
            name,
            open: true,
            kind: std::marker::PhantomData,
        }
    }

    /// What stands in the cluster, read live rather than written.
    pub(crate) fn read_live<W: Watched>(&self, name: &ObjectName, item: W::Item) {
        let mut affected = Affected::default();
        let mut index = self.index.write();
        if let Some(change) = W::table_in(&mut index, &name.namespace).record(name, item) {
            W::changed(&mut index, &change, Who::Us, &mut affected);
        }
        drop(index);
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

/// Brings the indexes up to date with an event, and keeps back what may be the echo of a write on its way.
fn settle<W: Watched>(
    index: &mut Index,
    change: Option<table::Change<W::Item>>,
    name: &ObjectName,
    version: &str,
    deleted: Option<&str>,
) -> Affected {
    let mut affected = Affected::default();
    for lost in W::table_in(index, &name.namespace).passed() {
        W::changed(index, &lost, Who::Others, &mut affected);
    }
    if let Some(change) = change {
        let mut own = Affected::default();
        W::changed(index, &change, Who::Others, &mut own);
        if W::table_in(index, &name.namespace).is_in_flight(name) {
            let mut as_echo = Affected::default();
            W::changed(index, &change, Who::Us, &mut as_echo);
            W::table_in(index, &name.namespace).hold(name, version, deleted, own, as_echo);
        } else {
            affected.merge(own);
        }
    }
    affected
}

/// A write on its way. Dropped without an answer, it lets go what was kept back for it.
pub(crate) struct InFlight<W: Watched> {
    cache: Arc<Cache>,
    name: ObjectName,
    open: bool,
    kind: std::marker::PhantomData<fn() -> W>,
}

impl<W: Watched> InFlight<W> {
    /// The object after the write.
    pub(crate) fn answered(self, item: W::Item) {
        let written = Written::Version(item.resource_version().to_owned());
        self.close(&written, Some(item));
    }

    /// The object with this UID is gone.
    pub(crate) fn gone(self, uid: &str) {
        self.close(&Written::Gone(uid.to_owned()), None);
    }

    fn close(mut self, written: &Written, item: Option<W::Item>) {
        self.open = false;
        let mut affected = Affected::default();
        let mut index = self.cache.index.write();
        let table = W::table_in(&mut index, &self.name.namespace);
        let change = match (written, item) {
            (Written::Gone(uid), _) => table.record_gone(&self.name, uid),
            (_, Some(item)) => table.record(&self.name, item),
            (_, None) => None,
        };
        affected.merge(table.finish(&self.name, written));
        if let Some(change) = change {
            W::changed(&mut index, &change, Who::Us, &mut affected);
        }
        drop(index);
        self.cache.tell(affected);
    }
}

impl<W: Watched> Drop for InFlight<W> {
    fn drop(&mut self) {
        if self.open {
            let mut index = self.cache.index.write();
            let affected = W::table_in(&mut index, &self.name.namespace).finish(&self.name, &Written::Nothing);
            drop(index);
            self.cache.tell(affected);
        }
    }
}
