//! [`Episode`]: the number of an episode, and the random id that no other episode ever has.

use std::hash::{BuildHasher, RandomState};

use crate::record::Record;

/// The number of an episode, from 1, and its id.
///
/// The number starts again when the Record is lost, for example with a CircuitBreaker that is
/// deleted and created again. A receiver that has seen a key must not see it again for another
/// trip, so keys have the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Episode {
    pub(super) number: u64,
    /// `None` in Records of earlier versions.
    pub(super) id: Option<String>,
}

impl Episode {
    /// The episode of a Record.
    pub(super) fn of(record: &Record) -> Self {
        Self { number: record.episode, id: record.episode_id.clone() }
    }

    /// What keys have: the id, or the number in the episode of an earlier version.
    pub(super) fn key(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.number.to_string())
    }
}

/// The source of ids: random numbers that follow from a random seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EpisodeIds(u64);

impl EpisodeIds {
    /// The seed is from the operating system's random numbers.
    pub(super) fn random() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// The next id, 16 hexadecimal digits, by the generator SplitMix64.
    pub(super) fn next(&mut self) -> String {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        format!("{:016x}", mixed ^ (mixed >> 31))
    }
}
