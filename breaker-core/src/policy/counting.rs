//! Which restarts count: those of the causes and peers of the policy, inside its window and the
//! episode.

use std::fmt;

use jiff::Timestamp;

use super::Policy;
use crate::Cause;

/// Why a restart does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uncounted {
    /// It ended before the episode began.
    BeforeEpisode,
    /// It ended before the window.
    BeforeWindow,
    /// The policy does not count its cause.
    OtherCause,
    /// The policy does not count failures of its peer.
    OtherPeer,
    /// The policy counts failures of some peers, and the peer of this one is not known.
    UnknownPeer,
}

impl fmt::Display for Uncounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeEpisode => "before the last trip or reset",
            Self::BeforeWindow => "older than the window",
            Self::OtherCause => "not one of the counted causes",
            Self::OtherPeer => "not one of the counted peers",
            Self::UnknownPeer => "its peer is not known",
        })
    }
}

impl Policy {
    /// The oldest instant at which a restart counts. `counts_from` is that of the Record.
    pub fn oldest_counted(&self, counts_from: Option<Timestamp>, now: Timestamp) -> Timestamp {
        self.window.oldest(now).max(episode_start(counts_from)).unwrap_or(Timestamp::MIN)
    }

    /// Whether a restart by `cause` counts, if it is in the window and the episode. `peer` is that
    /// of its verdict.
    pub fn counts(&self, cause: Cause, peer: Option<&str>) -> bool {
        self.excludes(cause, peer).is_none()
    }

    /// Why the cause or the peer of a restart does not count; `None` if both do. Only network
    /// restarts have a peer.
    pub(crate) fn excludes(&self, cause: Cause, peer: Option<&str>) -> Option<Uncounted> {
        if !self.causes.contains(cause) {
            return Some(Uncounted::OtherCause);
        }
        if cause != Cause::Network || self.peers.is_any() {
            return None;
        }
        match peer {
            None => Some(Uncounted::UnknownPeer),
            Some(peer) => (!self.peers.matches(peer)).then_some(Uncounted::OtherPeer),
        }
    }

    /// Why a restart by `cause` that ended `at` does not count; `None` if it counts. `peer` is that
    /// of its verdict.
    pub fn uncounted(
        &self,
        at: Timestamp,
        cause: Cause,
        peer: Option<&str>,
        counts_from: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Uncounted> {
        if at < self.oldest_counted(counts_from, now) {
            let before_episode = episode_start(counts_from).is_some_and(|start| at < start);
            return Some(if before_episode { Uncounted::BeforeEpisode } else { Uncounted::BeforeWindow });
        }
        self.excludes(cause, peer)
    }
}

/// Kubernetes truncates times to whole seconds.
fn episode_start(counts_from: Option<Timestamp>) -> Option<Timestamp> {
    counts_from.and_then(|at| Timestamp::from_second(at.as_second()).ok())
}
