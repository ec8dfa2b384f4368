//! Scaling: what each answer of the scale subresource means in each state.

use jiff::Timestamp;

use super::machine::Breaker;
use super::notify::Message;
use super::trip::MAX_TRIP_AGE;
use crate::action::{Action, Attempt, Failure};
use crate::cluster::Scale;
use crate::event::BreakerEvent;
use crate::ledger::Ledger;
use crate::notification::NotificationKind;
use crate::pod_cache::PodCache;
use crate::record::Contested;
use crate::state::{State, Trip};

impl Breaker {
    pub(super) fn read_scale(&mut self) {
        if self.retries.start_unless_waiting(Attempt::ReadScale) {
            self.out.push(Action::ReadScale);
        }
    }

    /// One restart away from a trip, the scale that was read ahead is kept fresh.
    pub(super) fn refresh_later(&mut self, now: Timestamp) {
        if self.state == State::Closed
            && let Some(at) = self.scale.plan_refresh(now)
        {
            self.out.push(Action::Wake(at));
        }
    }

    /// The answer to a read; `None` when the target is gone.
    pub(super) fn scale_read(&mut self, scale: Option<Scale>, now: Timestamp) {
        self.retries.succeeded(Attempt::ReadScale);
        let Some(scale) = scale else {
            self.scale.last = None;
            return self.emit(BreakerEvent::Lost { target: self.target.to_string() });
        };
        if std::mem::take(&mut self.scale.read_is_old) {
            return self.read_scale();
        }
        let replaced = scale.uid != self.target_uid;
        let before = self.scale.last.replace(scale);
        if replaced {
            return self.target_replaced(now);
        }
        if before.is_some_and(|before| Some(&before.selector) != self.scale.selector()) {
            self.await_pods(now);
        }
        self.scale_known(now);
    }

    /// Acts on the scale as last read.
    pub(super) fn scale_known(&mut self, now: Timestamp) {
        let Some(scale) = self.scale.last.clone() else { return self.read_scale() };
        match self.state.clone() {
            State::Closed if self.pressing => self.press_at(scale, now),
            State::Closed => {
                if scale.replicas == 0 && self.pods.pods().next().is_none() {
                    self.load_record();
                }
                let before = self.scale.read_ahead;
                self.scale.read_ahead =
                    self.count_revisions(now).iter().any(|revision| revision.counts.at_threshold());
                if !before {
                    self.refresh_later(now);
                }
            }
            State::Tripping { since, trip } => self.go_on_tripping(scale, since, trip, now),
            State::Open { .. } if scale.replicas > 0 => self.find_scaler(),
            State::Open { .. } => {}
            State::HalfOpen { probe, probing, .. } => match scale.replicas {
                0 => self.write_scale(scale, probe),
                n if n == probe && probing => {}
                n if n == probe => self.probing(now),
                _ => self.find_scaler(),
            },
            State::Restoring { trip, probe, .. } => {
                let as_left = scale.replicas == 0 || Some(scale.replicas) == probe;
                if as_left && scale.replicas < trip.replicas {
                    self.write_scale(scale, trip.replicas);
                } else {
                    self.closed(scale.replicas, now);
                }
            }
        }
    }

    fn go_on_tripping(&mut self, scale: Scale, since: Timestamp, trip: Trip, now: Timestamp) {
        let Trip { replicas, because } = trip;
        if scale.replicas == 0 {
            return self.opened(true, now);
        }
        // Once the Record is stored, the trip continues from there.
        if self.stop_if_guarded(now) || !self.saves.has_trip(self.episode) {
            return;
        }
        let old = now.duration_since(since) >= MAX_TRIP_AGE && !because.probe_failed;
        if old && self.pods.is_stale(now) {
            self.trip_waits_for_list = true;
            return self.list_pods();
        }
        if old && !self.still_trips(&because, now) {
            return self.abandon("it could not be carried out within a minute".into(), now);
        }
        if because.probe_failed || scale.replicas == replicas {
            if !self.waits_for_hook() {
                self.write_scale(scale, 0);
            }
            return;
        }
        // Another client changed the replicas in between. A reset then restores that number, if the
        // counts still ask for a trip.
        if self.still_trips(&because, now) {
            self.trip(because, scale, now);
        } else {
            self.abandon(format!("the target was scaled to {} in the meantime", scale.replicas), now);
        }
    }

    pub(super) fn write_scale(&mut self, seen: Scale, replicas: u32) {
        if self.retries.start(Attempt::WriteScale) {
            self.out.push(Action::WriteScale { seen, replicas });
        }
    }

    pub(super) fn scale_written(&mut self, scale: Scale, now: Timestamp) {
        self.retries.succeeded(Attempt::WriteScale);
        self.scale.read_is_old = self.retries.in_flight(Attempt::ReadScale);
        let replicas = scale.replicas;
        self.scale.last = Some(scale);
        match self.state {
            State::Tripping { .. } => self.opened(false, now),
            State::Restoring { .. } => self.closed(replicas, now),
            State::HalfOpen { .. } => self.probing(now),
            State::Closed | State::Open { .. } => {}
        }
    }

    pub(super) fn write_failed(&mut self, failure: &Failure, now: Timestamp) {
        if failure.conflict && self.retries.retry_at_once(Attempt::WriteScale) {
            self.read_scale();
        } else if failure.conflict || failure.retryable {
            self.retry_later(Attempt::WriteScale, now);
        } else {
            self.holds.scaling_forbidden = Some(failure.why.clone());
            self.emit(BreakerEvent::Warning { message: failure.why.clone() });
            if matches!(self.state, State::Tripping { .. }) {
                self.abandon(failure.why.clone(), now);
            }
        }
    }

    fn find_scaler(&mut self) {
        if self.retries.start(Attempt::FindScaler) {
            self.out.push(Action::FindScaler);
        }
    }

    /// Another client scaled the target up while the breaker was open: the breaker closes.
    pub(super) fn contested_by(&mut self, by: Option<String>, now: Timestamp) {
        if matches!(self.state, State::Closed | State::Tripping { .. }) {
            return;
        }
        let replicas = self.scale.replicas().unwrap_or_default();
        let by = by.unwrap_or_else(|| "another client".into());
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

    /// Another object has the same name: the counts and the state no longer apply.
    fn target_replaced(&mut self, now: Timestamp) {
        let Some(scale) = &self.scale.last else { return };
        let tripping = matches!(self.state, State::Tripping { .. });
        self.target_uid = scale.uid.clone();
        self.pods = PodCache::new(self.target.clone(), scale.uid.clone());
        self.ledger = Ledger::default();
        self.counts_from = None;
        self.contested = None;
        self.events.replace(Vec::new());
        if tripping {
            self.abandon("the target was deleted and created again".into(), now);
        } else {
            self.state = State::Closed;
            self.episode += 1;
            let message = "the target was deleted and created again; counting from zero".into();
            self.saves.request_then([Action::Emit(BreakerEvent::Warning { message })]);
        }
        self.await_pods(now);
    }
}
