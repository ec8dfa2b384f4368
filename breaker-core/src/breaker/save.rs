//! Saves of the Record: one at a time, and stored before the cluster is changed.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::{Action, Attempt, Failure};
use crate::event::BreakerEvent;
use crate::record::Record;
use crate::state::State;

impl Breaker {
    pub(super) fn save_if_needed(&mut self, now: Timestamp) {
        if !self.saves.is_requested()
            || self.retries.waits(Attempt::SaveRecord)
            || self.retries.in_flight(Attempt::SaveRecord)
        {
            return;
        }
        self.saves.sent(self.episode, &self.state);
        if self.saves.in_memory {
            self.record_saved();
        } else {
            self.retries.start(Attempt::SaveRecord);
            self.out.push(Action::SaveRecord(Box::new(self.record(now))));
        }
    }

    pub(super) fn record_saved(&mut self) {
        self.retries.succeeded(Attempt::SaveRecord);
        for action in self.saves.acknowledged() {
            match action {
                // A reset may have overtaken it.
                Action::WriteScale { replicas: 0, .. } if !matches!(self.state, State::Tripping { .. }) => {}
                Action::WriteScale { seen, replicas } => self.write_scale(seen, replicas),
                Action::ReadScale => self.read_scale(),
                other => self.out.push(other),
            }
        }
    }

    /// No pod is left: another watcher may have tripped.
    pub(super) fn load_record(&mut self) {
        if !self.saves.in_memory && self.retries.start(Attempt::LoadRecord) {
            self.out.push(Action::LoadRecord);
        }
    }

    /// Another watcher wrote the Record. The state of the later episode or phase wins; the restarts
    /// of both are counted.
    pub(super) fn record_found(&mut self, theirs: Option<Record>) {
        let loading = self.retries.in_flight(Attempt::LoadRecord);
        self.retries.succeeded(Attempt::LoadRecord);
        if !loading {
            self.retries.succeeded(Attempt::SaveRecord);
        }
        let Some(theirs) = theirs.filter(|record| record.target_uid == self.target_uid) else {
            if !loading {
                self.save_again();
            }
            return;
        };
        self.ledger.merge_record(&theirs.containers);
        let progress = |episode: u64, state: &State| (episode, state.phase());
        let further = progress(theirs.episode, &theirs.state) > progress(self.episode, &self.state);
        let tripping = |state: &State| matches!(state, State::Tripping { .. });
        let same_trip = theirs.episode == self.episode && tripping(&self.state) && tripping(&theirs.state);
        if further || same_trip {
            self.take_over(theirs);
            return;
        }
        self.outbox.merge(theirs.notices);
        if !loading {
            self.save_again();
        }
    }

    fn take_over(&mut self, theirs: Record) {
        self.saves.replaced(theirs.episode, &theirs.state);
        self.outbox.merge(theirs.notices);
        self.episode = theirs.episode;
        self.counts_from = theirs.counts_from;
        self.state = theirs.state;
        self.override_ = theirs.override_;
        self.contested = theirs.contested;
        self.trips = theirs.trips;
        self.cooldown_secs = theirs.cooldown_secs;
        self.events.replace(theirs.undelivered);
        self.scale.read_ahead = false;
        // The other watcher may be gone before they are delivered; an Event that is sent twice
        // exists once.
        self.publish_undelivered();
        match &self.state {
            // The other watcher may have crashed in between. Both continue; the precondition of the
            // write lets one of them scale.
            State::Tripping { .. } => self.read_scale(),
            State::Open { trip, .. } => {
                let trip = trip.clone();
                self.emit(BreakerEvent::already_open(trip));
                self.wake_for_recovery();
            }
            _ => {}
        }
    }

    fn save_again(&mut self) {
        self.saves.failed();
        self.saves.request();
    }

    pub(super) fn save_failed(&mut self, failure: &Failure, now: Timestamp) {
        if failure.of == Attempt::LoadRecord {
            return;
        }
        if failure.retryable {
            self.saves.failed();
            self.retry_later(Attempt::SaveRecord, now);
            return;
        }
        self.saves.in_memory = true;
        let message =
            format!("the record is kept in memory only and is lost with this process: {}", failure.why);
        self.emit(BreakerEvent::Warning { message });
        self.record_saved();
    }
}
