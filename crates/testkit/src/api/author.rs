//! The author of a write: client, field manager and time.

use jiff::Timestamp;

/// A client that writes under its own name as field manager.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The client's name.
    pub by: &'a str,
    /// The API server's clock.
    pub now: Timestamp,
}

/// A client that writes under a field manager.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// The client's name.
    pub by: &'a str,
    /// The field manager: the client's name, unless the request names another.
    pub manager: &'a str,
    /// The API server's clock.
    pub now: Timestamp,
}

impl<'a> From<Writer<'a>> for Author<'a> {
    fn from(writer: Writer<'a>) -> Self {
        Self {
            by: writer.by,
            manager: writer.by,
            now: writer.now,
        }
    }
}
