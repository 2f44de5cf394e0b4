//! What each edge costs in requests.
