//! SHA-256 as lower-case hex. Names of images, cache folders and networks contain it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The 64 hex digits of the digest of the parts, one after the other.
pub(crate) fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The first digits, as many as a name needs.
pub(crate) fn short(hex: &str, digits: usize) -> &str {
    hex.get(..digits).unwrap_or(hex)
}
