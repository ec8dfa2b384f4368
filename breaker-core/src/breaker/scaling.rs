//! Scaling: what each answer of the scale subresource means in each state.

use jiff::Timestamp;

use super::{Breaker, TRIP_STAYS_FRESH};
use crate::BreakerEvent;
use crate::action::Action;
use crate::action::{Attempt, Failure};
use crate::cluster::Scale;
use crate::ledger::Ledger;
use crate::pod_cache::PodCache;
use crate::record::Contested;
use crate::state::State;

/// Conflicts are routine; so many are met at once before waiting.
const TRIES_AT_ONCE: u32 = 5;

impl Breaker {
    pub(super) fn scale_read(&mut self, scale: Scale, now: Timestamp) {
        let replaced = scale.uid != self.target_uid;
        self.scale = Some(scale);
        if replaced {
            return self.target_replaced(now);
        }
        self.scale_known(now);
    }

    /// Acts on the scale as last read.
    pub(super) fn scale_known(&mut self, now: Timestamp) {
        let Some(scale) = self.scale.clone() else { return self.read_scale() };
        match self.state.clone() {
            State::Closed if self.pressing => self.press_at(scale, now),
            State::Closed => {
                if scale.replicas == 0 && self.view.pods().next().is_none() {
                    self.load_record();
                }
                let before = self.read_ahead;
                self.read_ahead = self
                    .count_revisions(now)
                    .iter()
                    .any(|tally| tally.counted > 0 && tally.counted >= tally.threshold);
                if !before {
                    self.refresh_later(now);
                }
            }
            State::Tripping { since, replicas, because } => {
                if scale.replicas == 0 {
                    return self.opened(true, now);
                }
                // What comes once the Record is stored goes on from there.
                if self.stop_if_guarded(now) || !self.saving.has_trip(self.episode) {
                    return;
                }
                let long = now.duration_since(since) >= TRIP_STAYS_FRESH && !because.probe_failed;
                if long && self.view.is_stale(now) {
                    self.trip_waits_for_list = true;
                    return self.list_pods();
                }
                if long && !self.still_exceeded(&because, now) {
                    return self.abandon("it could not be carried out for more than a minute".into(), now);
                }
                if because.probe_failed || scale.replicas == replicas {
                    if self.asks_first() {
                        return;
                    }
                    return self.write_scale(scale, 0);
                }
                // Somebody changed the number in between: that is what a reset will give back, if the
                // trip is still right for so many.
                if self.still_exceeded(&because, now) {
                    self.trip(because, scale, now);
                } else {
                    self.abandon(format!("it was scaled to {} meanwhile", scale.replicas), now);
                }
            }
            State::Open { replicas, restoring: true, .. } => {
                if scale.replicas == 0 && replicas > 0 {
                    self.write_scale(scale, replicas);
                } else {
                    self.closed(scale.replicas, now);
                }
            }
            State::Open { .. } if scale.replicas > 0 => self.name_scaler(),
            State::Open { .. } => {}
            State::HalfOpen { replicas, probe, restoring: true, .. } => {
                if scale.replicas < replicas && (scale.replicas == 0 || scale.replicas == probe) {
                    self.write_scale(scale, replicas);
                } else {
                    self.closed(scale.replicas, now);
                }
            }
            State::HalfOpen { probe, probing, .. } => match scale.replicas {
                0 => self.write_scale(scale, probe),
                n if n == probe && probing => {}
                n if n == probe => self.probing(now),
                _ => self.name_scaler(),
            },
        }
    }

    pub(super) fn write_scale(&mut self, seen: Scale, replicas: u32) {
        if self.in_flight.insert(Attempt::WriteScale) {
            self.out.push(Action::WriteScale { seen, replicas });
        }
    }

    pub(super) fn scale_written(&mut self, scale: Scale, now: Timestamp) {
        self.scale = Some(scale.clone());
        match self.state {
            State::Tripping { .. } => self.opened(false, now),
            State::Open { restoring: true, .. } | State::HalfOpen { restoring: true, .. } => {
                self.closed(scale.replicas, now);
            }
            State::HalfOpen { .. } => self.probing(now),
            State::Closed | State::Open { .. } => {}
        }
    }

    pub(super) fn write_failed(&mut self, failure: &Failure, now: Timestamp) {
        let tries = self.retries.get(&Attempt::WriteScale).map_or(0, |retry| retry.tries);
        if failure.conflict && tries < TRIES_AT_ONCE {
            self.retries.insert(Attempt::WriteScale, super::Retry { tries: tries + 1, due: None });
            self.read_scale();
        } else if failure.conflict || failure.retryable {
            self.retry_later(Attempt::WriteScale, now);
        } else {
            self.barred = Some(failure.why.clone());
            self.tell(BreakerEvent::Warning { message: failure.why.clone() });
            if matches!(self.state, State::Tripping { .. }) {
                self.abandon(failure.why.clone(), now);
            }
        }
    }

    /// Tripping has reached zero. `already`: not by a write of ours that was acknowledged.
    fn opened(&mut self, already: bool, now: Timestamp) {
        let State::Tripping { replicas, because, .. } = self.state.clone() else { return };
        self.retries.remove(&Attempt::WriteScale);
        let who = self.known_as.clone().unwrap_or_else(|| format!("--target {}", self.target.slash()));
        let note = format!(
            "Scaled to 0, was {replicas}: {because}. To give back: watcher reset -n {} {who}",
            self.target.namespace,
        );
        let event = self.event(true, "Tripped", "ScaleToZero", note);
        self.announce("tripped", "", event.note.clone(), Some(replicas), Some(because.clone()), now);
        self.publish_later(event);
        self.trips.retain(|at| now.duration_since(*at) < jiff::SignedDuration::from_hours(1));
        self.trips.push(now);
        self.lengthen_cooldown(&because);
        self.state = State::Open { since: now, replicas, because: because.clone(), restoring: false };
        self.new_episode(now);
        self.tell(BreakerEvent::Scaled { replicas, already, because });
        self.save_then(vec![]);
        self.wake_for_recovery();
    }

    pub(super) fn new_episode(&mut self, now: Timestamp) {
        self.episode += 1;
        self.counts_from = Some(now);
        self.read_ahead = false;
        self.told_held.clear();
        self.hook.begin_anew();
        self.held_now = None;
        self.ledger.begin_anew();
    }

    /// Open, and a live pod appeared: did somebody scale it up?
    pub(super) fn live_pod_appeared(&mut self) {
        if matches!(self.state, State::Open { .. }) {
            self.read_scale();
        }
    }

    /// No pod is left: was it scaled down, or deleted?
    pub(super) fn last_pod_went(&mut self) {
        if self.listed && self.view.pods().next().is_none() {
            self.read_scale();
        }
    }

    fn name_scaler(&mut self) {
        if self.in_flight.insert(Attempt::FindScaler) {
            self.out.push(Action::FindScaler);
        }
    }

    /// Somebody else scaled it up while it was open: theirs, not ours.
    pub(super) fn contested_by(&mut self, by: Option<String>, now: Timestamp) {
        if !matches!(self.state, State::Open { .. } | State::HalfOpen { .. }) {
            return;
        }
        let replicas = self.scale.as_ref().map_or(0, |scale| scale.replicas);
        let by = by.unwrap_or_else(|| "somebody".into());
        let note = format!("{by} scaled it up to {replicas} while the breaker was open; left alone");
        let event = self.event(true, "Contested", "None", note);
        self.announce("contested", "", event.note.clone(), Some(replicas), None, now);
        self.publish_later(event);
        self.contested = Some(Contested { by: by.clone(), at: now });
        self.state = State::Closed;
        self.new_episode(now);
        self.save_then(vec![Action::Emit(BreakerEvent::Contested { by, replicas })]);
    }

    /// Another object under the same name: nothing that was known holds for it.
    fn target_replaced(&mut self, now: Timestamp) {
        let Some(scale) = &self.scale else { return };
        let tripping = matches!(self.state, State::Tripping { .. });
        self.target_uid = scale.uid.clone();
        self.view = PodCache::new(self.target.clone(), scale.uid.clone());
        self.ledger = Ledger::default();
        self.counts_from = None;
        self.contested = None;
        self.undelivered.clear();
        if tripping {
            self.abandon("the target was deleted and created again".into(), now);
        } else {
            self.state = State::Closed;
            self.episode += 1;
            let message = "the target was deleted and created again; counting anew".into();
            self.save_then(vec![Action::Emit(BreakerEvent::Warning { message })]);
        }
        self.list_pods();
    }
}
