//! The library: objects by number. Equal objects have one number, so that a state is a few bytes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

/// Numbers for objects. 0 means that there is no object.
#[derive(Debug)]
pub(crate) struct Library<T> {
    numbers: Mutex<HashMap<String, u32>>,
    entries: RwLock<Vec<Arc<T>>>,
}

impl<T> Library<T> {
    pub(crate) fn new() -> Self {
        Self {
            numbers: Mutex::new(HashMap::new()),
            entries: RwLock::new(Vec::new()),
        }
    }

    /// The number of the object that this text describes completely.
    pub(crate) fn number(&self, text: String, make: impl FnOnce() -> T) -> u32 {
        let mut numbers = self.numbers.lock();
        if let Some(number) = numbers.get(&text) {
            return *number;
        }
        let mut entries = self.entries.write();
        entries.push(Arc::new(make()));
        let number = entries.len() as u32;
        numbers.insert(text, number);
        number
    }

    /// The object with a number.
    pub(crate) fn at(&self, number: u32) -> Arc<T> {
        Arc::clone(&self.entries.read()[number as usize - 1])
    }

    /// Reads the object with a number.
    pub(crate) fn read<R>(&self, number: u32, look: impl FnOnce(&T) -> R) -> R {
        look(&self.entries.read()[number as usize - 1])
    }
}
