//! Objects as they are kept while nobody looks at them: their JSON, compressed. Parsed, a link is one struct of one and a
//! half kilobytes and some sixty strings; packed, a few hundred bytes. What was looked at last stays parsed.

mod kinds;

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use kinds::PackedChild;

/// How many stay parsed: more than are worked on at once, with the other links of their sources and their children.
const PARSED: usize = 1024;
/// How often what has been parsed for long is packed, and how many times in a row it is spared.
const PACE: Duration = Duration::from_secs(1);
const SPARED: u64 = 3;
/// More than this parsed since the round before, and much is going on: what waits for its turn would be packed just to be
/// parsed again.
const BUSY: usize = PARSED / 8;

static RECENT: LazyLock<Mutex<Recent>> = LazyLock::new(Mutex::default);

/// What is parsed, looked at last at the end.
/// A version that is past is let go at once: an environment has as many as its source has links, and the last is the longest.
#[derive(Default)]
struct Recent {
    cells: VecDeque<(u64, Weak<dyn CanPack>)>,
    round: u64,
}

impl Recent {
    /// Takes one more. What is to be packed for it, where there are too many.
    fn remember(&mut self, cell: Weak<dyn CanPack>) -> Option<Weak<dyn CanPack>> {
        self.cells.push_back((self.round, cell));
        if self.cells.len() <= PARSED {
            return None;
        }
        self.cells.pop_front().map(|(_, least)| least)
    }

    /// Begins a round. What was spared often enough, where little is going on.
    fn begin_round(&mut self) -> Vec<Weak<dyn CanPack>> {
        let since = self.cells.partition_point(|(round, _)| *round < self.round);
        self.round += 1;
        if self.cells.len() - since > BUSY {
            return Vec::new();
        }
        let old = self.cells.partition_point(|(round, _)| round + SPARED <= self.round);
        self.cells.drain(..old).map(|(_, cell)| cell).collect()
    }
}

/// Packs what nobody works on any more, for as long as there is a cache: at rest, nothing is parsed.
pub(crate) async fn keep_packed() {
    loop {
        tokio::time::sleep(PACE).await;
        let old = RECENT.lock().begin_round();
        old.iter().filter_map(Weak::upgrade).for_each(|cell| cell.pack());
    }
}

/// What can be kept so.
pub(crate) trait Pack: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What most objects of the kind have in common, so that none needs to say it.
    const DICTIONARY: &'static [u8];
}

/// An object, parsed or packed.
#[derive(Debug)]
pub(crate) struct Packed<T>(Arc<Cell<T>>);

#[derive(Debug)]
struct Cell<T>(Mutex<Form<T>>);

#[derive(Debug)]
enum Form<T> {
    Parsed(Box<Parsed<T>>),
    Packed(Box<[u8]>),
}

#[derive(Debug)]
struct Parsed<T> {
    object: Arc<T>,
    /// As it was when it was packed before: most of what is looked at does not change.
    packed: Option<Box<[u8]>>,
}

impl<T> Form<T> {
    fn parsed(object: &Arc<T>, packed: Option<Box<[u8]>>) -> Self {
        let object = Arc::clone(object);
        Self::Parsed(Box::new(Parsed { object, packed }))
    }
}

impl<T: Pack> Packed<T> {
    /// An object that is looked at now.
    pub(crate) fn new(object: T) -> Self {
        let cell = Arc::new(Cell(Mutex::new(Form::parsed(&Arc::new(object), None))));
        remember(Arc::downgrade(&cell));
        Self(cell)
    }

    /// The object, which stays parsed for a while.
    pub(crate) fn open(&self) -> Arc<T> {
        let mut form = self.0.0.lock();
        let (object, bytes) = match &mut *form {
            Form::Parsed(parsed) => return Arc::clone(&parsed.object),
            Form::Packed(bytes) => (Arc::new(parse(bytes)), std::mem::take(bytes)),
        };
        *form = Form::parsed(&object, Some(bytes));
        drop(form);
        remember(Arc::downgrade(&self.0));
        object
    }

    /// The object, for one look among many.
    pub(crate) fn glance(&self) -> Arc<T> {
        match &*self.0.0.lock() {
            Form::Parsed(parsed) => Arc::clone(&parsed.object),
            Form::Packed(bytes) => Arc::new(parse(bytes)),
        }
    }
}

fn remember<T: Pack>(cell: Weak<Cell<T>>) {
    let least = RECENT.lock().remember(cell);
    if let Some(least) = least.and_then(|cell| cell.upgrade()) {
        least.pack();
    }
}

/// An object of any kind that can be packed.
trait CanPack: Send + Sync {
    fn pack(&self);
}

impl<T: Pack> CanPack for Cell<T> {
    fn pack(&self) {
        let mut form = self.0.lock();
        if let Form::Parsed(parsed) = &mut *form
            && let Some(bytes) = parsed.packed.take().or_else(|| compress(&*parsed.object))
        {
            *form = Form::Packed(bytes);
        }
    }
}

fn compress<T: Pack>(object: &T) -> Option<Box<[u8]>> {
    let json = serde_json::to_vec(object).ok()?;
    Some(compress_prepend_size_with_dict(&json, T::DICTIONARY).into_boxed_slice())
}

#[expect(clippy::expect_used, reason = "it was written from such an object, in this process")]
fn parse<T: Pack>(bytes: &[u8]) -> T {
    let json = decompress_size_prepended_with_dict(bytes, T::DICTIONARY).expect("what was compressed");
    serde_json::from_slice(&json).expect("what was such an object")
}

#[cfg(test)]
mod tests;
