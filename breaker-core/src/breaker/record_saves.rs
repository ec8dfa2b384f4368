//! Saves of the Record, and the actions that wait for them.

use super::episode::Episode;
use crate::action::Action;
use crate::record::Record;
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
    /// Episode and state of each Record that was sent since the last acknowledgement.
    sent: Vec<(Episode, State)>,
    /// Episode and state of the stored Record.
    stored: Option<(Episode, State)>,
    /// Version of the scale that was known when the save under way was sent.
    saving_over: Option<String>,
    /// Version of the scale that was known when the load under way was sent.
    loading_over: Option<String>,
    /// Version of the scale since whose read the Record was stored, or found as it is here.
    confirmed_over: Option<String>,
    /// A write of the scale waits until the Record is confirmed.
    pub(super) write_waits: bool,
    /// The storage has gone back to a backup: what is stored now is not known.
    is_lost: bool,
    /// The Record of another watcher that has a trip, while this breaker is closed. Nothing is
    /// saved over it before the scale was read: the target may be at zero, or on trial, by that
    /// trip.
    pub(super) doubted: Option<Box<Record>>,
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

    /// A save is sent now, while this version of the scale is known.
    pub(super) fn sent(&mut self, episode: &Episode, state: &State, scale: Option<String>) {
        self.dirty = false;
        self.saving_over = scale;
        self.after_current = std::mem::take(&mut self.after_next);
        self.sent.push((episode.clone(), state.clone()));
        self.sent.dedup();
    }

    /// Whether `record` was sent last: that save took effect, whatever was answered.
    pub(super) fn was_sent_last(&self, record: &Record) -> bool {
        self.sent.last().is_some_and(|sent| is_same(sent, record))
    }

    /// Whether `record` was sent since the last acknowledgement.
    pub(super) fn was_sent(&self, record: &Record) -> bool {
        self.sent.iter().any(|sent| is_same(sent, record))
    }

    /// The save was acknowledged; what waited for it.
    pub(super) fn acknowledged(&mut self) -> Vec<Action> {
        if let Some((episode, state)) = self.sent.pop() {
            self.stored(episode, &state);
        }
        self.sent.clear();
        self.confirmed_over = self.saving_over.take();
        std::mem::take(&mut self.after_current)
    }

    /// The save failed: what waited for it waits for the next one.
    pub(super) fn failed(&mut self) {
        let after = std::mem::take(&mut self.after_current);
        self.after_next.splice(0..0, after);
    }

    /// Another Record takes the place of this one; nothing waits for it any more.
    pub(super) fn replaced(&mut self, episode: Episode, state: &State) {
        self.after_current.clear();
        self.after_next.clear();
        (self.dirty, self.write_waits) = (false, false);
        self.sent.clear();
        self.doubted = None;
        self.stored(episode, state);
    }

    /// This Record is stored, by whomever.
    pub(super) fn found(&mut self, record: Option<&Record>) {
        self.stored = record.map(|record| (Episode::of(record), record.state.clone()));
    }

    /// A load is sent now, while this version of the scale is known.
    pub(super) fn load_sent(&mut self, scale: Option<String>) {
        self.loading_over = scale;
    }

    /// The load has found the Record as it is here. Returns whether a write of the scale waits for
    /// that.
    pub(super) fn confirm(&mut self) -> bool {
        self.confirmed_over = self.loading_over.take();
        std::mem::take(&mut self.write_waits)
    }

    /// Whether the Record is known from after the read of this version of the scale. Then a write
    /// with that precondition can only take effect while the Record says what is carried out:
    /// whoever undoes it changes the Record first, and the version of the scale next.
    pub(super) fn is_confirmed_over(&self, version: &str) -> bool {
        self.in_memory || self.confirmed_over.as_deref() == Some(version)
    }

    /// The storage has gone back to a backup.
    pub(super) fn lose(&mut self) {
        (self.stored, self.is_lost) = (None, true);
    }

    /// Whether that is so. The stored Record is known now.
    pub(super) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.is_lost)
    }

    /// This is what the stored Record says.
    pub(super) fn stored(&mut self, episode: Episode, state: &State) {
        self.stored = Some((episode, state.clone()));
    }

    /// Whether the stored Record says this, so that it may be carried out.
    pub(super) fn has(&self, episode: &Episode, state: &State) -> bool {
        self.stored.as_ref().is_some_and(|(of, stored)| of == episode && asks_for_the_same(stored, state))
    }
}

/// Whether two states want the same of the target, since whenever.
fn asks_for_the_same(a: &State, b: &State) -> bool {
    let trial = |state: &State| match state {
        State::HalfOpen { probe, .. } => Some(*probe),
        State::Tripping { probe, .. } => *probe,
        State::Closed | State::Open { .. } | State::Restoring { .. } => None,
    };
    std::mem::discriminant(a) == std::mem::discriminant(b) && a.trip() == b.trip() && trial(a) == trial(b)
}

fn is_same((episode, state): &(Episode, State), record: &Record) -> bool {
    *episode == Episode::of(record) && *state == record.state
}
