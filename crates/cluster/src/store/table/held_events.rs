//! Events that are held while one of our writes to their object is in flight. Only the answer to the write shows which of
//! them it caused.

use super::{Item, Table, version_of};
use crate::affected::Affected;
use crate::name::ObjectName;

/// How one of our writes ended.
#[derive(Clone, Debug)]
pub enum Written {
    /// The object now has this resourceVersion.
    Version(String),
    /// The write removed the object with this UID.
    Gone(String),
    /// No answer, or a refusal.
    Nothing,
}

/// An event that came while one of our writes was in flight. It may be the echo of that write.
#[derive(Debug)]
pub(super) struct Held {
    version: u64,
    deleted: Option<String>,
    /// What the event concerns if another client made the change.
    affected: Affected,
    /// What the event concerns if it is the echo.
    as_echo: Affected,
}

impl<T: Item> Table<T> {
    /// One of our writes is in flight. Events of this object are held until it is known which of them the write caused.
    pub fn begin(&mut self, name: &ObjectName) {
        self.in_flight.entry(name.clone()).or_default();
    }

    /// True while one of our writes to this object is in flight.
    pub fn is_in_flight(&self, name: &ObjectName) -> bool {
        self.in_flight.contains_key(name)
    }

    /// Holds an event while a write is in flight. Only the answer to the write shows who caused the event.
    pub fn hold(
        &mut self,
        name: &ObjectName,
        resource_version: &str,
        deleted: Option<&str>,
        affected: Affected,
        as_echo: Affected,
    ) {
        if let Some(held) = self.in_flight.get_mut(name) {
            held.push(Held {
                version: version_of(resource_version),
                deleted: deleted.map(str::to_owned),
                affected,
                as_echo,
            });
        }
    }

    /// The write has ended. Returns what the held events concern. For the echo, this is only what our own write
    /// concerns: if the watch was faster, the answer did not return it.
    pub fn finish(&mut self, name: &ObjectName, written: &Written) -> Affected {
        let mut affected = Affected::default();
        for held in self.in_flight.remove(name).unwrap_or_default() {
            let is_echo = match written {
                Written::Version(version) => held.deleted.is_none() && held.version == version_of(version),
                Written::Gone(uid) => held.deleted.as_ref() == Some(uid),
                Written::Nothing => false,
            };
            affected.merge(if is_echo { held.as_echo } else { held.affected });
        }
        affected
    }
}
