//! A link as it is kept while nobody looks at it: its JSON, compressed. Parsed, a link is one struct of one and a half
//! kilobytes and some sixty strings; packed, a few hundred bytes. The links that were looked at last stay parsed.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use instancelink_api::InstanceLink;
use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};
use parking_lot::Mutex;

/// How many stay parsed: more than are worked on at once, with the links of their sources.
const PARSED: usize = 512;

/// What most links have in common, so that none needs to say it.
static DICTIONARY: &[u8] = include_bytes!("packed.json");

/// The links that are parsed, those looked at last at the end.
static RECENT: LazyLock<Mutex<VecDeque<Arc<Cell>>>> = LazyLock::new(Mutex::default);

/// A link, parsed or packed.
#[derive(Clone, Debug)]
pub(crate) struct Packed(Arc<Cell>);

#[derive(Debug)]
struct Cell(Mutex<Form>);

#[derive(Clone, Debug)]
enum Form {
    Parsed(Arc<InstanceLink>),
    Packed(Box<[u8]>),
}

impl Packed {
    /// A link that is looked at now.
    pub(crate) fn new(link: InstanceLink) -> Self {
        let cell = Arc::new(Cell(Mutex::new(Form::Parsed(Arc::new(link)))));
        remember(&cell);
        Self(cell)
    }

    /// The link, which stays parsed for a while.
    pub(crate) fn open(&self) -> Arc<InstanceLink> {
        let mut form = self.0.0.lock();
        let link = match &*form {
            Form::Parsed(link) => return Arc::clone(link),
            Form::Packed(bytes) => Arc::new(parse(bytes)),
        };
        *form = Form::Parsed(Arc::clone(&link));
        drop(form);
        remember(&self.0);
        link
    }

    /// The link, for one look among many.
    pub(crate) fn glance(&self) -> Arc<InstanceLink> {
        match &*self.0.0.lock() {
            Form::Parsed(link) => Arc::clone(link),
            Form::Packed(bytes) => Arc::new(parse(bytes)),
        }
    }
}

fn remember(cell: &Arc<Cell>) {
    let mut recent = RECENT.lock();
    recent.push_back(Arc::clone(cell));
    let least = if recent.len() > PARSED { recent.pop_front() } else { None };
    drop(recent);
    // What nobody else has is of a version that is past.
    if let Some(least) = least.filter(|cell| Arc::strong_count(cell) > 1) {
        least.pack();
    }
}

impl Cell {
    fn pack(&self) {
        let mut form = self.0.lock();
        if let Form::Parsed(link) = &*form
            && let Ok(json) = serde_json::to_vec(&**link)
        {
            *form = Form::Packed(compress_prepend_size_with_dict(&json, DICTIONARY).into_boxed_slice());
        }
    }
}

#[expect(clippy::expect_used, reason = "it was written from a link, in this process")]
fn parse(bytes: &[u8]) -> InstanceLink {
    let json = decompress_size_prepended_with_dict(bytes, DICTIONARY).expect("what was compressed");
    serde_json::from_slice(&json).expect("what was a link")
}

#[cfg(test)]
mod tests {
    use instancelink_core::fixture::World;

    use super::*;

    fn at_rest() -> InstanceLink {
        World::active().s.link.object
    }

    #[test]
    fn a_packed_link_is_the_link_that_was_packed() {
        let link = at_rest();
        let packed = Packed::new(link.clone());
        packed.0.pack();
        assert_eq!(*packed.glance(), link);
        assert_eq!(*packed.open(), link);
    }

    #[test]
    fn a_link_at_rest_takes_a_few_hundred_bytes() {
        let packed = Packed::new(at_rest());
        packed.0.pack();
        let Form::Packed(bytes) = &*packed.0.0.lock() else {
            panic!("it is parsed still")
        };
        assert!(bytes.len() < 400, "{} bytes", bytes.len());
    }
}
