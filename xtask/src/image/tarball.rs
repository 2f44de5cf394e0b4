//! A tar archive without times and users, so that the same contents give the same bytes.

use anyhow::Result;
use tar::{Builder, EntryType, Header};

/// An archive that is written in memory.
pub(crate) struct Tarball(Builder<Vec<u8>>);

impl Tarball {
    pub(crate) fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    pub(crate) fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        let mut header = header(EntryType::Regular, mode);
        header.set_size(bytes.len() as u64);
        Ok(self.0.append_data(&mut header, path, bytes)?)
    }

    pub(crate) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        Ok(self
            .0
            .append_data(&mut header(EntryType::Directory, mode), path, &[][..])?)
    }

    /// Adds a symbolic link or a hard link to `to`.
    pub(crate) fn link(&mut self, kind: EntryType, path: &str, to: &str) -> Result<()> {
        Ok(self.0.append_link(&mut header(kind, 0o777), path, to)?)
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.0.into_inner()?)
    }
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}
