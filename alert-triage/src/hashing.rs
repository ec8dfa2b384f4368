//! Hashing that is fast, and the same on every machine and in every run.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, FixedState>;
pub(crate) type HashSet<K> = std::collections::HashSet<K, FixedState>;

/// A hash that is the same on every machine and in every run. Incident ids, and which alerts are
/// kept at the limit, depend on it.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    FixedState::with_seed(0x00b1_62ed_b077).hash_one(bytes)
}
