//! Objects that are kept compressed while they are idle: their JSON, compressed with a dictionary. Parsed, a link is one
//! struct of one and a half kilobytes and some sixty strings; compressed, a few hundred bytes. [`Recent`] keeps the
//! objects that were used last parsed.

mod recent;

use std::sync::{Arc, Weak};

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::scale::OF_OTHERS;
pub use recent::{Forgotten, Recent};

/// What can be kept compressed.
pub trait Compress: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What most objects of the kind have in common, so that it is not stored once an object.
    const DICTIONARY: &'static [u8];
    /// The field that takes most of a large one.
    const FIELD: &'static str;
    /// About how many bytes it takes when it is parsed.
    fn size(&self) -> usize;
}

/// An object, parsed or compressed. A new one is parsed, and stays so until it was shown to a [`Recent`] and forgotten
/// there.
#[derive(Debug)]
pub struct Compressed<T>(Arc<Cell<T>>);

#[derive(Debug)]
struct Cell<T>(Mutex<Form<T>>);

#[derive(Debug)]
enum Form<T> {
    Parsed(Box<Parsed<T>>),
    Compressed(Box<[u8]>),
}

#[derive(Debug)]
struct Parsed<T> {
    object: Arc<T>,
    /// Its compressed form from before, if any: most objects are read without being changed.
    compressed: Option<Box<[u8]>>,
    /// When it was used last, by the clock of [`Recent`].
    used: u64,
}

impl<T: Compress> Compressed<T> {
    /// An object: parsed, unless it is large.
    pub fn new(object: T) -> Self {
        if object.size() > OF_OTHERS
            && let Some(bytes) = compress(&object)
        {
            return Self(Arc::new(Cell(Mutex::new(Form::Compressed(bytes)))));
        }
        Self(Arc::new(Cell(Mutex::new(Form::Parsed(Box::new(Parsed {
            object: Arc::new(object),
            compressed: None,
            used: 0,
        }))))))
    }

    /// The object, which then stays parsed for a while.
    pub fn get(&self, recent: &Recent) -> Arc<T> {
        let mut form = self.0.0.lock();
        let used = recent.tick();
        let (object, bytes) = match &mut *form {
            Form::Parsed(parsed) => {
                parsed.used = used;
                return Arc::clone(&parsed.object);
            }
            Form::Compressed(bytes) => (Arc::new(parse(bytes)), std::mem::take(bytes)),
        };
        *form = Form::Parsed(Box::new(Parsed {
            object: Arc::clone(&object),
            compressed: Some(bytes),
            used,
        }));
        // Another object may be compressed for this one, which locks that object's cell.
        drop(form);
        recent.remember(used, object.size(), self.idle()).compress();
        object
    }

    /// The object, for one look among many: a compressed one stays compressed.
    pub fn peek(&self) -> Arc<T> {
        match &*self.0.0.lock() {
            Form::Parsed(parsed) => Arc::clone(&parsed.object),
            Form::Compressed(bytes) => Arc::new(parse(bytes)),
        }
    }

    /// Adds a new object to [`Recent`]. Returns the objects to compress in its place.
    pub fn remember(&self, recent: &Recent) -> Forgotten {
        let used = recent.tick();
        let size = match &mut *self.0.0.lock() {
            Form::Parsed(parsed) => {
                parsed.used = used;
                parsed.object.size()
            }
            Form::Compressed(_) => return Forgotten::default(),
        };
        recent.remember(used, size, self.idle())
    }

    /// The bytes that it takes now.
    pub fn size(&self) -> usize {
        match &*self.0.0.lock() {
            Form::Parsed(parsed) => parsed.object.size(),
            Form::Compressed(bytes) => bytes.len(),
        }
    }

    /// Compresses it now, and returns its size then.
    #[cfg(test)]
    pub(crate) fn compress_now(&self) -> usize {
        self.0.compress();
        match &*self.0.0.lock() {
            Form::Compressed(bytes) => bytes.len(),
            Form::Parsed(_) => usize::MAX,
        }
    }

    fn idle(&self) -> Weak<dyn Idle> {
        Arc::downgrade(&self.0) as Weak<dyn Idle>
    }
}

/// An object of any kind that can be compressed.
trait Idle: Send + Sync {
    /// Compresses it, if it is parsed.
    fn compress(&self);
    /// When it was used last. None if it is compressed.
    fn used(&self) -> Option<u64>;
}

impl<T: Compress> Idle for Cell<T> {
    fn compress(&self) {
        let mut form = self.0.lock();
        if let Form::Parsed(parsed) = &mut *form
            && let Some(bytes) = parsed.compressed.take().or_else(|| compress(&*parsed.object))
        {
            *form = Form::Compressed(bytes);
        }
    }

    fn used(&self) -> Option<u64> {
        match &*self.0.lock() {
            Form::Parsed(parsed) => Some(parsed.used),
            Form::Compressed(_) => None,
        }
    }
}

fn compress<T: Compress>(object: &T) -> Option<Box<[u8]>> {
    let json = serde_json::to_vec(object).ok()?;
    Some(compress_prepend_size_with_dict(&json, T::DICTIONARY).into_boxed_slice())
}

#[expect(clippy::expect_used, reason = "it was written from such an object, in this process")]
fn parse<T: Compress>(bytes: &[u8]) -> T {
    let json = decompress_size_prepended_with_dict(bytes, T::DICTIONARY).expect("compressed by this process");
    serde_json::from_slice(&json).expect("the JSON of such an object")
}

#[cfg(test)]
mod tests;
