//! Saving: one Record at a time, and nothing done before the Record that announces it is stored.

use jiff::Timestamp;

use super::Breaker;
use crate::action::Action;
use crate::action::{Attempt, Failure};
use crate::state::State;
use crate::{BreakerEvent, Record};

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Saving {
    /// The Record has changed since the last save was sent.
    dirty: bool,
    /// To be done once the next save is acknowledged.
    after_next: Vec<Action>,
    /// To be done once the save under way is acknowledged.
    after_current: Vec<Action>,
    /// The Record cannot be stored: it lives in memory.
    pub(super) in_memory: bool,
    /// Publish no Events.
    pub(super) silent: bool,
    /// Episode of the trip in the Record on its way.
    sent_trip: Option<u64>,
    /// Episode of the trip in the stored Record.
    stored_trip: Option<u64>,
}

impl Saving {
    pub(super) fn again(&mut self) {
        self.dirty = true;
    }

    /// The stored Record is known to say so.
    pub(super) fn stored(&mut self, episode: u64, state: &State) {
        self.stored_trip = matches!(state, State::Tripping { .. }).then_some(episode);
    }

    /// The trip that is stored is not the one that is wanted now.
    pub(super) fn forget_trip(&mut self) {
        (self.sent_trip, self.stored_trip) = (None, None);
    }

    /// The trip of this episode is in the stored Record: it may be carried out.
    pub(super) fn has_trip(&self, episode: u64) -> bool {
        self.stored_trip == Some(episode)
    }

    pub(super) fn wanted(&self) -> bool {
        self.dirty
    }
}

impl Breaker {
    /// Stores the Record, then does `then`.
    pub(super) fn save_then(&mut self, then: Vec<Action>) {
        self.saving.dirty = true;
        self.saving.after_next.extend(then);
    }

    pub(super) fn save_if_needed(&mut self, now: Timestamp) {
        let waiting = self.retries.get(&Attempt::SaveRecord).is_some_and(|retry| retry.due.is_some());
        if !self.saving.dirty || waiting || self.in_flight.contains(&Attempt::SaveRecord) {
            return;
        }
        self.saving.dirty = false;
        self.saving.after_current = std::mem::take(&mut self.saving.after_next);
        self.saving.sent_trip = matches!(self.state, State::Tripping { .. }).then_some(self.episode);
        if self.saving.in_memory {
            self.record_saved();
        } else {
            self.in_flight.insert(Attempt::SaveRecord);
            self.out.push(Action::SaveRecord(Box::new(self.record(now))));
        }
    }

    pub(super) fn record_saved(&mut self) {
        self.finished(Attempt::SaveRecord);
        self.saving.stored_trip = self.saving.sent_trip.take();
        for action in std::mem::take(&mut self.saving.after_current) {
            match action {
                // A reset may have overtaken it.
                Action::WriteScale { replicas: 0, .. } if !matches!(self.state, State::Tripping { .. }) => {}
                Action::WriteScale { seen, replicas } => self.write_scale(seen, replicas),
                Action::ReadScale => self.read_scale(),
                other => self.out.push(other),
            }
        }
    }

    /// Nobody is left: perhaps somebody else pressed the button.
    pub(super) fn load_record(&mut self) {
        if !self.saving.in_memory && self.in_flight.insert(Attempt::LoadRecord) {
            self.out.push(Action::LoadRecord);
        }
    }

    /// Another watcher wrote the Record. The one that is further along is right about the state; what
    /// either has counted is counted.
    pub(super) fn record_found(&mut self, theirs: Option<Record>) {
        let looked = self.in_flight.contains(&Attempt::LoadRecord);
        self.finished(Attempt::LoadRecord);
        if !looked {
            self.finished(Attempt::SaveRecord);
        }
        let theirs = theirs.filter(|record| record.target_uid == self.target_uid);
        let Some(theirs) = theirs else {
            if !looked {
                self.send_again();
            }
            return;
        };
        self.ledger.adopt(&theirs.containers);
        self.outbox.adopt(theirs.notices);
        let ours_is_tripping = matches!(self.state, State::Tripping { .. });
        let both_tripping = ours_is_tripping && matches!(theirs.state, State::Tripping { .. });
        let progress = |episode: u64, state: &State| (episode, state.rank());
        let further = progress(theirs.episode, &theirs.state) > progress(self.episode, &self.state);
        let same_trip = both_tripping && theirs.episode == self.episode;
        if !(further || same_trip) {
            if !looked {
                self.send_again();
            }
            return;
        }
        self.saving.after_current.clear();
        self.saving.after_next.clear();
        self.saving.dirty = false;
        self.episode = theirs.episode;
        self.counts_from = theirs.counts_from;
        self.saving.stored(theirs.episode, &theirs.state);
        self.state = theirs.state;
        self.override_ = theirs.override_;
        self.contested = theirs.contested;
        self.trips = theirs.trips;
        self.cooldown_secs = theirs.cooldown_secs;
        self.undelivered = theirs.undelivered;
        self.read_ahead = false;
        // Whoever it was may be gone before they are delivered; twice told is told once.
        for event in self.undelivered.clone() {
            self.publish(event);
        }
        match &self.state {
            // It may have crashed half-way: whoever comes first finishes, the precondition sees to one trip.
            State::Tripping { .. } => self.read_scale(),
            State::Open { replicas, because, restoring: false, .. } => {
                let (replicas, because) = (*replicas, because.clone());
                self.tell(BreakerEvent::AlreadyOpen { replicas, because });
                self.wake_for_recovery();
            }
            _ => {}
        }
    }

    fn send_again(&mut self) {
        let after = std::mem::take(&mut self.saving.after_current);
        self.saving.after_next.splice(0..0, after);
        self.saving.dirty = true;
    }

    pub(super) fn save_failed(&mut self, failure: &Failure, now: Timestamp) {
        if failure.of == Attempt::LoadRecord {
            return;
        }
        if failure.retryable {
            let after = std::mem::take(&mut self.saving.after_current);
            self.saving.after_next.splice(0..0, after);
            self.retry_later(Attempt::SaveRecord, now);
            return;
        }
        self.saving.in_memory = true;
        let message =
            format!("the record is kept in memory only and is lost with this process: {}", failure.why);
        self.tell(BreakerEvent::Warning { message });
        self.record_saved();
    }
}
