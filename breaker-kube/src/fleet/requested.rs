//! [`Requested`]: whether what a CircuitBreaker asks for is known as it is now.
//!
//! A list or an event of the watch may be from the past. A read of the object is not: its answer is
//! the latest state. What a breaker asks for is its spec and the annotation that requests a reset.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::partial_breaker::PartialBreaker;

/// What a CircuitBreaker asks for, as hashes: what the fleet follows, and the latest that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Requested {
    followed: u64,
    latest: u64,
    /// Grows when a read shows that the watch is late: something else is asked for than what is
    /// followed.
    epoch: u64,
}

/// What an event of the watch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Observed {
    /// What is asked for now.
    Latest,
    /// What is followed already, from the past.
    Old,
    /// Something that is not followed, from before a later version. Either it is from the past, or
    /// the storage of the API server has gone back.
    Unconfirmed,
}

impl Requested {
    pub(super) fn new(breaker: &PartialBreaker) -> Self {
        let asked = hash(breaker);
        Self { followed: asked, latest: asked, epoch: 0 }
    }

    /// Takes in the breaker as the watch shows it; `is_older` than a version that is known.
    pub(super) fn observe(&mut self, breaker: &PartialBreaker, is_older: bool) -> Observed {
        let asked = hash(breaker);
        if !is_older || asked == self.latest {
            (self.followed, self.latest) = (asked, asked);
            Observed::Latest
        } else if asked == self.followed {
            Observed::Old
        } else {
            Observed::Unconfirmed
        }
    }

    /// Takes in the breaker as it was read; `is_older` than a version that is known: the storage of
    /// the API server has gone back. The worker then goes on, since its Record is newer than the
    /// stored one. Returns whether the breaker asks for something that is not followed.
    pub(super) fn read(&mut self, breaker: &PartialBreaker, is_older: bool) -> bool {
        self.latest = hash(breaker);
        let is_new = !self.is_followed();
        self.epoch += u64::from(is_new && !is_older);
        is_new
    }

    /// Takes in the breaker as this controller has written it. The watch shows it soon.
    pub(super) fn wrote(&mut self, breaker: &PartialBreaker) {
        self.latest = hash(breaker);
    }

    /// Whether the latest is followed.
    pub(super) fn is_followed(&self) -> bool {
        self.followed == self.latest
    }

    /// Grows each time a worker must not go on with what it has started with.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }
}

fn hash(breaker: &PartialBreaker) -> u64 {
    let mut hasher = DefaultHasher::new();
    (breaker.spec.to_string(), breaker.reset_requested()).hash(&mut hasher);
    hasher.finish()
}
