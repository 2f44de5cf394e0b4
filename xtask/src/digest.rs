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

/// One digest of several texts.
pub(crate) fn digest_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| format!("{}:{text}", text.len())).collect();
    sha256(texts.iter().map(String::as_bytes))
}

/// The first digits, as many as a name needs.
pub(crate) fn short(hex: &str, digits: usize) -> &str {
    hex.get(..digits).unwrap_or(hex)
}
