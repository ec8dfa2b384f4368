//! Saves of the Record: one at a time, and stored before the cluster is changed.

use jiff::Timestamp;

use super::episode::Episode;
use super::machine::Breaker;
use crate::action::{Action, Attempt, Failure};
use crate::event::BreakerEvent;
use crate::record::Record;
use crate::snapshot::HoldReason;
use crate::state::State;

/// Failures in a row after which a save that may yet succeed is reported; about 3 s.
pub(super) const REPORTED_FAILURES: u32 = 4;

impl Breaker {
    pub(super) fn save_if_needed(&mut self, now: Timestamp) {
        if !self.saves.is_requested()
            || self.saves.doubted.is_some()
            || self.retries.waits(Attempt::SaveRecord)
            || self.retries.in_flight(Attempt::SaveRecord)
        {
            return;
        }
        self.saves.sent(&self.episode, &self.state, self.scale.version());
        if self.saves.in_memory {
            self.record_saved(now);
        } else {
            self.retries.start(Attempt::SaveRecord);
            self.out.push(Action::SaveRecord(Box::new(self.record(now))));
        }
    }

    pub(super) fn record_saved(&mut self, now: Timestamp) {
        self.retries.succeeded(Attempt::SaveRecord);
        self.holds.clear_if(HoldReason::Record);
        for action in self.saves.acknowledged() {
            match action {
                Action::ReadScale => self.read_scale(),
                other => self.out.push(other),
            }
        }
        self.go_on_after_save(now);
    }

    /// The stored Record may say more than this breaker knows: another watcher may have tripped, or
    /// scaled the target up.
    pub(super) fn load_record(&mut self) {
        if !self.saves.in_memory && self.retries.start_unless_waiting(Attempt::LoadRecord) {
            self.saves.load_sent(self.scale.version());
            self.out.push(Action::LoadRecord);
        }
    }

    /// The Record cannot be loaded. A trip that waits for it is held.
    pub(super) fn load_failed(&mut self, failure: &Failure, now: Timestamp) {
        self.retry_failed(failure, now);
        if failure.is_refusal() {
            self.settle_contest(now);
        }
        let is_lasting = failure.is_refusal() || self.retries.failures(failure.of) >= REPORTED_FAILURES;
        if is_lasting && matches!(self.state, State::Tripping { .. }) {
            let why = format!("the record cannot be read, and nothing is scaled without it: {}", failure.why);
            self.hold(HoldReason::Record, why, now);
        }
    }

    /// A Record was found in the place of the one expected: that of another watcher, an older one
    /// of a storage that was restored from a backup, or this breaker's own, whose save was not
    /// acknowledged. The later state wins; the restarts of both are counted.
    pub(super) fn record_found(&mut self, theirs: Option<Record>, now: Timestamp) {
        let went_back = self.saves.take_lost();
        self.compare_record(theirs, went_back, now);
        if went_back {
            self.saves.request_then([Action::ReadScale]);
        }
        self.settle_contest(now);
    }

    /// `went_back`: the target and its Record are those of a backup. They belong together, so that
    /// Record is right.
    fn compare_record(&mut self, theirs: Option<Record>, went_back: bool, now: Timestamp) {
        let loading = self.retries.in_flight(Attempt::LoadRecord);
        self.retries.succeeded(Attempt::LoadRecord);
        if !loading {
            self.retries.ended(Attempt::SaveRecord);
        }
        self.saves.found(theirs.as_ref());
        let Some(theirs) = theirs.filter(|record| record.target_uid == self.target_uid) else {
            if !loading {
                self.save_again(now);
            } else if self.state != State::Closed {
                self.saves.request();
            }
            return;
        };
        if !loading && self.saves.was_sent_last(&theirs) {
            return self.record_saved(now);
        }
        if loading && self.is_stored() && !went_back {
            self.outbox.merge(theirs.notices);
            self.holds.clear_if(HoldReason::Record);
            if self.saves.confirm() {
                self.scale_known(now);
            }
            return;
        }
        self.ledger.merge_record(&theirs.containers);
        let further =
            (theirs.episode, progress(&theirs.state)) > (self.episode.number, progress(&self.state));
        let tripping = |state: &State| matches!(state, State::Tripping { .. });
        let same_trip =
            theirs.episode == self.episode.number && tripping(&self.state) && tripping(&theirs.state);
        if further || same_trip || went_back || self.is_explained_by(&theirs) {
            return self.take_over(theirs);
        }
        let has_trip = self.state == State::Closed && theirs.state.trip().is_some();
        if has_trip && !self.saves.was_sent(&theirs) {
            // By this trip the target may be at zero, and the Record knows the replicas to restore.
            if loading && self.scale.replicas() == Some(0) {
                return self.take_over(theirs);
            }
            if !loading {
                self.saves.failed();
                self.saves.doubted = Some(Box::new(theirs));
                return self.read_scale();
            }
        }
        self.outbox.merge(theirs.notices);
        if !loading {
            self.save_again(now);
        } else if self.state != State::Closed {
            self.saves.request();
        }
    }

    /// The scale was read: decides about a Record that was found with a trip.
    pub(super) fn settle_doubt(&mut self, now: Timestamp) {
        let Some(theirs) = self.saves.doubted.take() else { return };
        let may_be_carried_out = self.scale.replicas() == Some(0)
            || matches!(theirs.state, State::Tripping { .. })
            || self.is_trial_of(&theirs.state);
        if may_be_carried_out {
            self.take_over(*theirs);
            // The other watcher may not have known of them.
            self.follow_requests(now);
        } else {
            self.outbox.merge(theirs.notices);
            self.saves.request();
        }
    }

    fn take_over(&mut self, theirs: Record) {
        self.retries.succeeded(Attempt::SaveRecord);
        self.contest = None;
        // The press was about the state before. If it is still asked for, it comes again.
        self.pressing = false;
        let episode = Episode::of(&theirs);
        self.saves.replaced(episode.clone(), &theirs.state);
        self.outbox.merge(theirs.notices);
        if episode.number < self.episode.number {
            self.saves.request();
        } else {
            self.episode = episode;
        }
        self.counts_from = theirs.counts_from;
        self.state = theirs.state;
        self.trial_sent = true;
        self.override_ = theirs.override_;
        self.contested = theirs.contested;
        self.trips = theirs.trips;
        self.cooldown_secs = theirs.cooldown_secs;
        self.requests.handled = theirs.handled;
        self.events.replace(theirs.undelivered);
        self.scale.read_ahead = false;
        // The other watcher may be gone before they are delivered; an Event that is sent twice
        // exists once.
        self.publish_undelivered();
        match &self.state {
            // The other watcher may have crashed in between. Both continue; the precondition of the
            // write lets one of them scale.
            State::Tripping { .. } | State::Restoring { .. } => self.read_scale(),
            State::HalfOpen { .. } => {
                self.wake_for_recovery();
                self.read_scale();
            }
            State::Open { trip, .. } => {
                let trip = trip.clone();
                self.emit(BreakerEvent::already_open(trip));
                self.wake_for_recovery();
            }
            _ => {}
        }
    }

    /// Another version was stored: the Record is saved over that one.
    fn save_again(&mut self, now: Timestamp) {
        self.saves.failed();
        if self.retries.retry_at_once(Attempt::SaveRecord) {
            return self.saves.request();
        }
        self.retry_later(Attempt::SaveRecord, now);
        let why = "the record cannot be stored: another client keeps changing it";
        self.hold(HoldReason::Record, why.into(), now);
    }

    /// A save that was refused or not understood is tried again: nothing is scaled without it.
    pub(super) fn save_failed(&mut self, failure: &Failure, now: Timestamp) {
        self.saves.failed();
        if failure.conflict {
            // Somebody has changed the stored Record, and it cannot be read.
            self.saves.found(None);
        }
        self.retry_failed(failure, now);
        let (failures, refusals) = (self.retries.failures(failure.of), self.retries.refusals(failure.of));
        if refusals == 0 && failures < REPORTED_FAILURES {
            return;
        }
        let why = format!("the record cannot be stored, and nothing is scaled without it: {}", failure.why);
        if matches!(self.state, State::Tripping { .. }) {
            self.hold(HoldReason::Record, why, now);
        } else if refusals == 1 || (refusals == 0 && failures == REPORTED_FAILURES) {
            self.emit(BreakerEvent::Warning { message: why });
        }
    }

    /// The time has come to try the save again. A trip that no longer holds ends here.
    pub(super) fn save_retried(&mut self, now: Timestamp) {
        self.saves.request();
        if let State::Tripping { since, trip, .. } = &self.state
            && !self.is_stored()
            && !self.pods.is_stale(now)
            && let Some(why) = self.no_longer_holds(trip, *since, now)
        {
            self.step_back(why, now);
        }
    }
}

/// How far an episode has come: each state follows those with a lower number.
fn progress(state: &State) -> u8 {
    match state {
        State::Closed => 0,
        State::Tripping { probe: None, .. } => 1,
        State::Open { .. } => 2,
        State::Restoring { probe: None, .. } => 3,
        State::HalfOpen { .. } => 4,
        State::Tripping { probe: Some(_), .. } => 5,
        State::Restoring { probe: Some(_), .. } => 6,
    }
}
