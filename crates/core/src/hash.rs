//! Stable hashes: the same in each version of the operator and on each machine.

use sha2::{Digest, Sha256};

/// The first `digits` hexadecimal digits (at most 64) of the SHA-256 of `input`.
pub fn hex(input: &str, digits: usize) -> String {
    let mut text = format!("{:x}", Sha256::digest(input.as_bytes()));
    text.truncate(digits);
    text
}

/// The first 52 bits of the SHA-256 of `input`: a number that JSON readers that use doubles keep exact.
pub fn bits52(input: &str) -> i64 {
    of_bytes(input.as_bytes())
}

/// The first 52 bits of the SHA-256 of these bytes.
pub fn of_bytes(input: &[u8]) -> i64 {
    Sha256::digest(input)
        .iter()
        .take(7)
        .fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte))
        >> 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_in_each_version_and_on_each_machine() {
        assert_eq!(hex("6f2c", 10), hex("6f2c", 64)[..10]);
        assert_eq!(hex("", 8), "e3b0c442", "the well-known SHA-256 of nothing");
        assert_eq!(bits52(""), 0x000e_3b0c_4429_8fc1 & ((1 << 52) - 1));
    }
}
