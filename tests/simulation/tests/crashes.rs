//! An operator that dies before or after each of its requests.
