//! A contest: an open target was scaled up, and not by this breaker.
//!
//! Three things find that out: a live pod that appears, a read of the scale before a write, and a
//! read of it now and then, since a pod may not be seen. Another watcher of the same breaker may
//! have scaled it, or the storage may have gone back to a backup. Then the stored Record says so.

use jiff::{SignedDuration, Timestamp};

use super::machine::Breaker;
use super::notify::Message;
use crate::action::{Action, Attempt};
use crate::event::BreakerEvent;
use crate::notification::NotificationKind;
use crate::record::{Contested, Record};
use crate::state::State;

/// Time between two reads of the scale while no pod shows what happens to the target.
pub(super) const UNSEEN_READ_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

impl Breaker {
    /// While the breaker is open, pods may not show that the target was scaled up, or deleted and
    /// created again with another selector. Nor do they while it is closed and has replicas, but no
    /// live pod: old pods may be terminating for long.
    pub(super) fn read_unseen_scale(&mut self, now: Timestamp) {
        let is_unseen = match self.state {
            State::Open { .. } => true,
            State::Closed => self.started && self.pods.live_count() == 0 && self.scale.replicas() != Some(0),
            _ => false,
        };
        if !is_unseen {
            return self.scale.forget_unseen_read();
        }
        let (is_due, next) = self.scale.plan_unseen_read(now, UNSEEN_READ_INTERVAL);
        if is_due {
            self.read_scale();
        }
        if let Some(at) = next {
            self.out.push(Action::Wake(at));
        }
    }

    pub(super) fn find_scaler(&mut self) {
        if self.contest.is_none() && self.retries.start(Attempt::FindScaler) {
            self.out.push(Action::FindScaler);
        }
    }

    /// Who scaled the target up is known, if it can be. The Record is read before the breaker
    /// closes.
    pub(super) fn scaler_found(&mut self, by: Option<String>, now: Timestamp) {
        if !self.is_contested() {
            return;
        }
        let by = by.unwrap_or_else(|| "another client".into());
        if self.saves.in_memory {
            return self.contested_by(by, now);
        }
        self.contest = Some(by);
        self.load_record();
    }

    /// Whether the stored Record, which this breaker has not stored, explains the replicas: a
    /// watcher has scaled the target up.
    pub(super) fn is_explained_by(&self, stored: &Record) -> bool {
        let restored = match &stored.state {
            State::Restoring { trip, .. } => self.scale.replicas() == Some(trip.replicas),
            _ => false,
        };
        self.contest.is_some() && !self.is_stored() && (restored || self.is_trial_of(&stored.state))
    }

    /// Whether the target has the trial replicas of a stored state.
    pub(super) fn is_trial_of(&self, stored: &State) -> bool {
        match stored {
            State::HalfOpen { probe, .. }
            | State::Tripping { probe: Some(probe), .. }
            | State::Restoring { probe: Some(probe), .. } => self.scale.replicas() == Some(*probe),
            _ => false,
        }
    }

    /// The Record was read, and the state is still as before.
    pub(super) fn settle_contest(&mut self, now: Timestamp) {
        if let Some(by) = self.contest.take()
            && self.is_contested()
        {
            self.contested_by(by, now);
        }
    }

    /// Whether the target has replicas that this breaker has not set.
    fn is_contested(&self) -> bool {
        let replicas = self.scale.replicas().unwrap_or_default();
        match self.state {
            State::Open { .. } => replicas > 0,
            State::HalfOpen { probe, probing, .. } => {
                replicas > 0 && (replicas != probe || !(probing || self.trial_sent))
            }
            State::Tripping { probe: Some(probe), ref trip, .. } => {
                replicas > 0 && replicas != probe && !trip.because.pressed
            }
            State::Closed | State::Tripping { .. } | State::Restoring { .. } => false,
        }
    }

    /// Another client scaled the target up while the breaker was open: the breaker closes.
    fn contested_by(&mut self, by: String, now: Timestamp) {
        let replicas = self.scale.replicas().unwrap_or_default();
        let note = format!(
            "{by} scaled it up to {replicas} while the breaker was open; the breaker closes and counts from zero"
        );
        let event = self.event(true, "Contested", "None", note);
        let message = Message::new(NotificationKind::Contested, event.note.clone());
        self.enqueue(Message { replicas: Some(replicas), ..message }, now);
        self.publish_later(event);
        self.contested = Some(Contested { by: by.clone(), at: now });
        self.state = State::Closed;
        self.start_episode(now);
        self.saves.request_then([Action::Emit(BreakerEvent::Contested { by, replicas })]);
    }
}
