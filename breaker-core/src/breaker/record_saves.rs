//! Saves of the Record, and the actions that wait for them.

use crate::action::Action;
use crate::state::State;

/// The state of the saves; at most one is in flight.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RecordSaves {
    /// The Record has changed since the last save was sent.
    dirty: bool,
    /// Actions for when the next save is acknowledged.
    after_next: Vec<Action>,
    /// Actions for when the save under way is acknowledged.
    after_current: Vec<Action>,
    /// The Record cannot be stored, or must not be: it is kept in memory.
    pub(super) in_memory: bool,
    /// Episode of the trip in the Record that is being saved.
    sent_trip: Option<u64>,
    /// Episode of the trip in the stored Record.
    stored_trip: Option<u64>,
}

impl RecordSaves {
    pub(super) fn request(&mut self) {
        self.dirty = true;
    }

    pub(super) fn request_then(&mut self, then: impl IntoIterator<Item = Action>) {
        self.dirty = true;
        self.after_next.extend(then);
    }

    pub(super) fn is_requested(&self) -> bool {
        self.dirty
    }

    /// A save is sent now.
    pub(super) fn sent(&mut self, episode: u64, state: &State) {
        self.dirty = false;
        self.after_current = std::mem::take(&mut self.after_next);
        self.sent_trip = matches!(state, State::Tripping { .. }).then_some(episode);
    }

    /// The save was acknowledged; what waited for it.
    pub(super) fn acknowledged(&mut self) -> Vec<Action> {
        self.stored_trip = self.sent_trip.take();
        std::mem::take(&mut self.after_current)
    }

    /// The save failed: what waited for it waits for the next one.
    pub(super) fn failed(&mut self) {
        let after = std::mem::take(&mut self.after_current);
        self.after_next.splice(0..0, after);
    }

    /// Another Record takes the place of this one; nothing waits for it any more.
    pub(super) fn replaced(&mut self, episode: u64, state: &State) {
        self.after_current.clear();
        self.after_next.clear();
        self.dirty = false;
        self.stored(episode, state);
    }

    /// This is what the stored Record says.
    pub(super) fn stored(&mut self, episode: u64, state: &State) {
        self.stored_trip = matches!(state, State::Tripping { .. }).then_some(episode);
    }

    /// The trip that is stored is not the one that is wanted now.
    pub(super) fn forget_trip(&mut self) {
        (self.sent_trip, self.stored_trip) = (None, None);
    }

    /// Whether the trip of this episode is in the stored Record, so that it may be carried out.
    pub(super) fn has_trip(&self, episode: u64) -> bool {
        self.stored_trip == Some(episode)
    }
}
