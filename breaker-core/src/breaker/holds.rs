//! The holds of a breaker, and those that have been reported.

use std::collections::BTreeSet;

use crate::snapshot::{Hold, HoldReason, RevisionCounts};
use crate::state::TripReason;

/// Holds and dry-run trips.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Holds {
    /// Why the outage guard of the fleet holds every trip that no person asked for.
    pub(super) outage_guard: Option<String>,
    /// After the guard has gone off, the next decision needs a list of pods read from then on.
    pub(super) needs_fresh_list: bool,
    /// What holds a trip now.
    current: Option<Hold>,
    /// Reasons reported in this episode. An episode that ends because its trip was held does not
    /// clear them.
    emitted: BTreeSet<HoldReason>,
    /// The dry-run trip that was reported, with its episode.
    would_trip: Option<(u64, TripReason)>,
}

impl Holds {
    pub(super) fn current(&self) -> Option<&Hold> {
        self.current.as_ref()
    }

    /// Sets what holds a trip; whether its reason is yet to be reported.
    pub(super) fn set(&mut self, hold: Hold) -> bool {
        let new = self.emitted.insert(hold.reason);
        self.current = Some(hold);
        new
    }

    pub(super) fn clear(&mut self) {
        self.current = None;
    }

    pub(super) fn clear_if(&mut self, reason: HoldReason) {
        if self.current.as_ref().is_some_and(|hold| hold.reason == reason) {
            self.current = None;
        }
    }

    /// The counts ask for a trip: what holds it holds these counts.
    pub(super) fn follow(&mut self, revision: &RevisionCounts) {
        self.clear_if(HoldReason::Causes);
        self.clear_if(HoldReason::Peers);
        if let Some(hold) = &mut self.current {
            (hold.counts, hold.total) = (revision.counts, revision.total);
        }
    }

    /// The dry-run trip of this episode, if one was reported.
    pub(super) fn would_trip(&self, episode: u64) -> Option<&TripReason> {
        self.would_trip.as_ref().filter(|(of, _)| *of == episode).map(|(_, because)| because)
    }

    /// The counted restarts of the dry-run trip have left the window: the next outage is reported
    /// again.
    pub(super) fn end_would_trip(&mut self) {
        self.would_trip = None;
    }

    pub(super) fn set_would_trip(&mut self, episode: u64, because: TripReason) {
        self.would_trip = Some((episode, because));
    }

    /// A new episode: what is held is reported again.
    pub(super) fn start_episode(&mut self) {
        self.emitted.clear();
        self.current = None;
    }

    /// A new policy: as a new episode, and a dry-run trip is reported again.
    pub(super) fn follow_policy(&mut self) {
        self.start_episode();
        self.would_trip = None;
    }
}
