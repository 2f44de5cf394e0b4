//! Our own writes in flight. An event of the same object may be the echo of the write, so the event is held until the
//! write is answered.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Cache, take_in};
use crate::affects::{Watched, Who};
use crate::name::ObjectName;
use crate::store::table::{Item as _, Reduced, Written};

/// A write in flight. If it is dropped without an answer, it releases the held events.
pub struct InFlight<W: Watched> {
    cache: Arc<Cache>,
    name: ObjectName,
    open: bool,
    kind: PhantomData<fn() -> W>,
}

impl Cache {
    /// Starts a write to this object. Call it before the request is sent. It ends with the guard, or with
    /// [`InFlight::answered`], [`InFlight::gone`] or [`InFlight::vanished`].
    pub fn begin<W: Watched>(self: &Arc<Self>, name: ObjectName) -> InFlight<W> {
        self.write(|index| W::table_in(index, &name.namespace).begin(&name));
        InFlight {
            cache: Arc::clone(self),
            name,
            open: true,
            kind: PhantomData,
        }
    }
}

impl<W: Watched> InFlight<W> {
    /// The answer: the object after the write.
    pub fn answered(self, object: impl Into<Reduced<W::Item>>) {
        let object = object.into();
        let written = Written::Version(object.item.resource_version().to_owned());
        self.cache.note::<W>(&self.name, &object);
        self.close(&written, Some(object));
    }

    /// The answer: this write removed the object with this UID.
    pub fn gone(self, uid: &str) {
        self.close(&Written::Gone(uid.to_owned()), None);
    }

    /// The answer: there is no object any more. Another client removed the one with this UID, so each link that it concerns
    /// gets a pass, whether this answer or the event of the watch comes first.
    pub fn vanished(mut self, uid: &str) {
        self.open = false;
        let (forgotten, affected) = self.cache.write(|index| {
            let table = W::table_in(index, &self.name.namespace);
            let change = table.record_gone(&self.name, uid);
            let mut affected = table.finish(&self.name, &Written::Nothing);
            let (forgotten, lost) = change
                .map(|change| take_in::<W>(index, &change, Who::Others))
                .unwrap_or_default();
            affected.merge(lost);
            (forgotten, affected)
        });
        forgotten.compress();
        self.cache.tell(affected);
    }

    fn close(mut self, written: &Written, object: Option<Reduced<W::Item>>) {
        self.open = false;
        let (forgotten, affected) = self.cache.write(|index| {
            let table = W::table_in(index, &self.name.namespace);
            let change = match (written, object) {
                (Written::Gone(uid), _) => table.record_gone(&self.name, uid),
                (_, Some(object)) => table.record(&self.name, object),
                (_, None) => None,
            };
            let mut affected = table.finish(&self.name, written);
            let (forgotten, own) = change
                .map(|change| take_in::<W>(index, &change, Who::Us))
                .unwrap_or_default();
            affected.merge(own);
            (forgotten, affected)
        });
        forgotten.compress();
        self.cache.tell(affected);
    }
}

impl<W: Watched> Drop for InFlight<W> {
    fn drop(&mut self) {
        if self.open {
            let table_of =
                |index: &mut _| W::table_in(index, &self.name.namespace).finish(&self.name, &Written::Nothing);
            let affected = self.cache.write(table_of);
            self.cache.tell(affected);
        }
    }
}
