//! Scaling: what each answer of the scale subresource means in each state.

use jiff::Timestamp;

use super::machine::Breaker;
use super::save::REPORTED_FAILURES;
use super::trip::MAX_TRIP_AGE;
use crate::action::{Action, Attempt, Failure};
use crate::cluster::Scale;
use crate::event::BreakerEvent;
use crate::ledger::Ledger;
use crate::pod_cache::PodCache;
use crate::snapshot::HoldReason;
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
        self.retries.ended(Attempt::ReadScale);
        let Some(scale) = scale else { return self.target_not_found(now) };
        self.retries.succeeded(Attempt::ReadScale);
        if self.retries.failures(Attempt::WriteScale) == 0 {
            self.holds.clear_if(HoldReason::Scale);
        }
        if std::mem::take(&mut self.scale.read_is_old) {
            return self.read_scale();
        }
        let replaced = scale.uid != self.target_uid;
        let before = self.scale.replace(scale);
        if replaced {
            return self.target_replaced(now);
        }
        let went_back = self.scale.went_back_since(before.as_ref());
        if went_back && self.saves.doubted.is_none() && !self.saves.in_memory {
            // The stored Record is an older one as well.
            self.saves.lose();
            return self.load_record();
        }
        self.settle_doubt(now);
        if before.is_some_and(|before| Some(&before.selector) != self.scale.selector()) {
            self.await_pods(now);
        }
        self.scale_known(now);
    }

    fn target_not_found(&mut self, now: Timestamp) {
        if !self.scale.confirms_missing() {
            return self.retry_later(Attempt::ReadScale, now);
        }
        self.retries.succeeded(Attempt::ReadScale);
        self.scale.last = None;
        self.emit(BreakerEvent::Lost { target: self.target.to_string() });
    }

    pub(super) fn scale_read_failed(&mut self, failure: &Failure, now: Timestamp) {
        self.scale.read_is_old = false;
        self.retry_failed(failure, now);
        if failure.is_refusal() || self.retries.failures(Attempt::ReadScale) >= REPORTED_FAILURES {
            self.hold(HoldReason::Scale, format!("the scale cannot be read: {}", failure.why), now);
        }
    }

    /// Acts on the scale as last read.
    pub(super) fn scale_known(&mut self, now: Timestamp) {
        let Some(scale) = self.scale.last.clone().filter(|_| !self.scale.is_outdated()) else {
            return self.read_scale();
        };
        // What was read while a write of this breaker is under way is what the write will change.
        if self.retries.in_flight(Attempt::WriteScale) {
            return;
        }
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
            State::Tripping { since, trip, probe } => self.go_on_tripping(scale, since, trip, probe, now),
            State::Open { .. } if scale.replicas > 0 => self.find_scaler(),
            State::Open { .. } => {}
            State::HalfOpen { probe, probing, .. } => match scale.replicas {
                0 if self.is_stored() => {
                    self.trial_sent = true;
                    self.write_scale(scale, probe);
                }
                0 => {}
                n if n == probe && probing => {}
                n if n == probe && self.trial_sent => self.probing(now),
                _ => self.find_scaler(),
            },
            State::Restoring { trip, probe, .. } => {
                let as_left = scale.replicas == 0 || Some(scale.replicas) == probe;
                if as_left && scale.replicas < trip.replicas {
                    if self.is_stored() {
                        self.write_scale(scale, trip.replicas);
                    }
                } else if self.scale.write_may_follow(now) {
                    self.recheck_later(now);
                } else {
                    self.closed(scale.replicas, now);
                }
            }
        }
    }

    /// The Record is stored: a trip goes on. With a hook the scale is read first, so that the hook
    /// is asked about the replicas of now.
    pub(super) fn go_on_after_save(&mut self, now: Timestamp) {
        if !matches!(self.state, State::Tripping { .. }) || !self.is_stored() {
            return;
        }
        if self.policy.hooks.before_trip.is_some() && !self.hook_has_passed() {
            self.read_scale();
        } else {
            self.scale_known(now);
        }
    }

    /// The only way to a write of 0. What was decided is checked once more against what is known
    /// now, since the Record, the hook or a retry may have taken long.
    fn go_on_tripping(
        &mut self,
        scale: Scale,
        since: Timestamp,
        trip: Trip,
        probe: Option<u32>,
        now: Timestamp,
    ) {
        if scale.replicas == 0 {
            if self.scale.write_may_follow(now) {
                return self.recheck_later(now);
            }
            if !self.is_stored() {
                // Another watcher may have scaled it, by a trip of its own. Then the save finds the
                // Record of that trip, which is the one to report.
                return;
            }
            return self.opened(true, now);
        }
        if self.only_observes() {
            return self.step_back("the breaker now only observes".into(), now);
        }
        if self.stop_if_guarded(now) || self.retries.waits(Attempt::WriteScale) || !self.is_stored() {
            return;
        }
        let Trip { replicas, because } = &trip;
        let expected = probe.unwrap_or(*replicas);
        if probe.is_some() && scale.replicas != expected && !because.pressed {
            // Another client scaled the target during the trial, and keeps it.
            return self.find_scaler();
        }
        if !because.pressed && self.needs_list(since, now) {
            self.trip_waits_for_list = true;
            return self.list_pods();
        }
        if let Some(why) = self.no_longer_holds(&trip, since, now) {
            let why = if scale.replicas == expected {
                why
            } else {
                format!("the target was scaled to {} in the meantime", scale.replicas)
            };
            return self.step_back(why, now);
        }
        if !because.pressed
            && probe.is_none()
            && let Some(why) = self.one_node_hold(&because.revision, now)
        {
            return self.step_back_to_hold(HoldReason::OneNode, why, now);
        }
        if scale.replicas != expected {
            // Another client changed the replicas in between. A reset then restores that number.
            return self.trip(trip.because, scale, now);
        }
        if !self.waits_for_hook() {
            self.write_scale(scale, 0);
        }
    }

    /// Whether the stored Record says what this breaker is about to do.
    pub(super) fn is_stored(&self) -> bool {
        self.saves.has(&self.episode, &self.state)
    }

    /// Whether the pods have to be listed before a trip that was decided at `since` goes on.
    fn needs_list(&self, since: Timestamp, now: Timestamp) -> bool {
        let recent = |at: Timestamp| now.duration_since(at) < MAX_TRIP_AGE;
        let confirmed = recent(since) || self.listed_now || self.pods.listed_at().is_some_and(recent);
        self.pods.is_stale(now) || !confirmed
    }

    /// Writes the scale. Since it was `seen`, another watcher may have undone what the Record says:
    /// unless the Record was stored after that, it is loaded first.
    pub(super) fn write_scale(&mut self, seen: Scale, replicas: u32) {
        if !self.saves.is_confirmed_over(&seen.resource_version) {
            self.saves.write_waits = true;
            return self.load_record();
        }
        if !self.retries.waits(Attempt::WriteScale) && self.retries.start(Attempt::WriteScale) {
            self.scale.write_sent(&seen, replicas);
            self.out.push(Action::WriteScale { seen, replicas });
        }
    }

    /// A write was acknowledged. The state may have changed meanwhile.
    pub(super) fn scale_written(&mut self, scale: Scale, now: Timestamp) {
        self.retries.succeeded(Attempt::WriteScale);
        self.holds.clear_if(HoldReason::Refused);
        self.holds.clear_if(HoldReason::Scale);
        self.scale.read_is_old = self.retries.in_flight(Attempt::ReadScale);
        self.scale.writes_settled();
        let replicas = scale.replicas;
        self.scale.replace(scale);
        match self.state {
            State::Tripping { .. } if replicas == 0 => self.opened(false, now),
            // A reset came while the write of 0 was under way: all are restored at once.
            State::Restoring { ref trip, .. } if replicas == 0 => {
                let trip = trip.clone();
                self.report_zero(&trip, false, now);
                self.scale_known(now);
            }
            State::Closed => {}
            _ => self.scale_known(now),
        }
    }

    pub(super) fn write_failed(&mut self, failure: &Failure, now: Timestamp) {
        if failure.conflict {
            self.scale.write_conflicted();
            self.scale.read_is_old = self.retries.in_flight(Attempt::ReadScale);
            if self.retries.retry_at_once(Attempt::WriteScale) {
                return self.read_scale();
            }
        } else if failure.is_refusal() {
            self.scale.write_answered();
            return self.write_refused(failure, now);
        } else {
            self.scale.write_unclear(now);
        }
        self.retry_failed(failure, now);
        let failures = self.retries.failures(Attempt::WriteScale);
        if failures >= REPORTED_FAILURES {
            let why = format!("the scale cannot be written: {}", failure.why);
            if matches!(self.state, State::Tripping { .. }) {
                self.hold(HoldReason::Scale, why, now);
            } else if failures == REPORTED_FAILURES {
                self.emit(BreakerEvent::Warning { message: why });
            }
        }
    }

    /// A refusal may end: an admission policy is changed, a right is granted. The trip stays the
    /// same, so that the hook is not called again.
    fn write_refused(&mut self, failure: &Failure, now: Timestamp) {
        self.retry_failed(failure, now);
        if !matches!(self.state, State::Tripping { .. }) {
            if self.retries.refusals(Attempt::WriteScale) == 1 {
                self.emit(BreakerEvent::Warning { message: failure.why.clone() });
            }
        } else if self.press_once && !self.scale.write_may_follow(now) {
            self.press_once = false;
            self.retries.forget_failures(Attempt::WriteScale);
            self.release();
            self.abandon(failure.why.clone(), now);
        } else {
            self.hold(HoldReason::Refused, failure.why.clone(), now);
        }
    }

    /// Ends a trip that must not go on. While a write of 0 may still take effect, the Record keeps
    /// the replicas.
    pub(super) fn step_back(&mut self, why: String, now: Timestamp) {
        if self.scale.is_outdated() {
            self.read_scale();
        } else if self.scale.write_may_follow(now) {
            self.recheck_later(now);
        } else {
            self.abandon(why, now);
        }
    }

    /// As [`Self::step_back`], and holds the next trip for this reason.
    pub(super) fn step_back_to_hold(&mut self, reason: HoldReason, why: String, now: Timestamp) {
        if self.scale.is_outdated() {
            self.read_scale();
        } else if self.scale.write_may_follow(now) {
            self.recheck_later(now);
        } else {
            self.abort_to_hold(reason, why, now);
        }
    }

    fn recheck_later(&mut self, now: Timestamp) {
        let at = self.scale.plan_recheck(now);
        self.out.push(Action::Wake(at));
    }

    /// Another object has the same name: the counts and the state no longer apply.
    fn target_replaced(&mut self, now: Timestamp) {
        let Some(uid) = self.scale.last.as_ref().map(|scale| scale.uid.clone()) else { return };
        let tripping = matches!(self.state, State::Tripping { .. });
        self.retries.forget_failures(Attempt::WriteScale);
        self.scale.writes_settled();
        self.saves.doubted = None;
        self.contest = None;
        self.target_uid = uid.clone();
        self.pods = PodCache::new(self.target.clone(), uid);
        self.ledger = Ledger::default();
        self.counts_from = None;
        self.contested = None;
        self.events.replace(Vec::new());
        if tripping {
            self.abandon("the target was deleted and created again".into(), now);
            self.state = State::Closed;
        } else {
            self.state = State::Closed;
            self.next_episode();
            let message = "the target was deleted and created again; counting from zero".into();
            self.saves.request_then([Action::Emit(BreakerEvent::Warning { message })]);
        }
        self.await_pods(now);
        self.follow_requests(now);
    }
}
