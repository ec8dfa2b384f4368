//! A trip: decided, carried out, abandoned, or taken over from an earlier watcher.

use jiff::{SignedDuration, Timestamp};

use super::machine::Breaker;
use super::notify::Message;
use crate::action::{Action, Attempt};
use crate::cluster::Scale;
use crate::event::BreakerEvent;
use crate::notification::NotificationKind;
use crate::snapshot::RevisionCounts;
use crate::state::{State, Trip, TripReason};

/// A container that has run for this time is well again: the kubelet forgets its back-off.
const BACKOFF_RESET: SignedDuration = SignedDuration::from_mins(10);

/// A trip that is not carried out after this time is decided again.
pub(super) const MAX_TRIP_AGE: SignedDuration = SignedDuration::from_secs(60);

impl Breaker {
    /// The Record first, then the hook, then the scale.
    pub(super) fn trip(&mut self, because: TripReason, scale: Scale, now: Timestamp) {
        let replicas = scale.replicas;
        self.state =
            State::Tripping { since: now, trip: Trip { replicas, because: because.clone() }, probe: None };
        self.scale.read_ahead = false;
        self.holds.clear();
        self.saves.request_then([Action::Emit(BreakerEvent::Tripping { replicas, because })]);
    }

    /// A trip that an earlier watcher had begun: goes on while it is fresh and still right.
    pub(super) fn resume_trip(&mut self, now: Timestamp) {
        let State::Tripping { since, trip, .. } = &self.state else { return };
        let Some(replicas) = self.scale.replicas() else { return self.read_scale() };
        let fresh = now.duration_since(*since) < MAX_TRIP_AGE;
        if replicas == 0 || fresh || trip.because.probe_failed {
            self.scale_known(now);
        } else {
            self.step_back("it was interrupted for more than a minute".into(), now);
        }
    }

    /// Why the condition of the trip no longer holds; `None` while it does.
    pub(super) fn no_longer_holds(&self, trip: &Trip, since: Timestamp, now: Timestamp) -> Option<String> {
        let because = &trip.because;
        if because.pressed {
            return None;
        }
        let revisions = self.count_revisions(now);
        let own = revisions.iter().find(|revision| revision.revision == because.revision);
        let holds = if because.probe_failed {
            // The run time of a container comes from the clock of its node, which may differ.
            let recent = now.duration_since(since) < BACKOFF_RESET;
            let failing = revisions.iter().any(|revision| revision.counts.failing > 0);
            self.live_pod_restarted() && (recent || failing)
        } else {
            own.is_some_and(RevisionCounts::trips)
        };
        if holds {
            return None;
        }
        Some(if own.is_some_and(|revision| revision.superseded) {
            "a newer revision is being rolled out".into()
        } else {
            "its pods no longer fail".into()
        })
    }

    /// Back to closed without having scaled; what was counted stays counted.
    pub(super) fn abandon(&mut self, why: String, now: Timestamp) {
        let event = self.event(true, "TripAbandoned", "None", format!("Trip abandoned: {why}"));
        let message = Message::new(NotificationKind::Abandoned, event.note.clone());
        self.enqueue(Message { replicas: self.state.trip().map(|trip| trip.replicas), ..message }, now);
        self.undo_trip(now);
        self.restart_trial(now);
        self.publish_later(event);
        self.saves.request_then([Action::Emit(BreakerEvent::Abandoned { why })]);
    }

    /// Back to where the trip came from: closed, or the trial.
    pub(super) fn undo_trip(&mut self, now: Timestamp) {
        let State::Tripping { trip, probe, .. } = self.state.clone() else { return };
        self.press_taken_back();
        self.next_episode();
        self.press_once = false;
        let Some(probe) = probe else {
            self.state = State::Closed;
            return;
        };
        let because = TripReason { probe_failed: false, ..trip.because };
        let trip = Trip { because, ..trip };
        self.state = State::HalfOpen { since: now, trip, probe, probing: true, started: None };
        self.wake_for_recovery();
    }

    /// The target of a trip is at zero. `already`: not by a write that this breaker saw
    /// acknowledged.
    pub(super) fn opened(&mut self, already: bool, now: Timestamp) {
        let State::Tripping { trip, .. } = self.state.clone() else { return };
        self.retries.forget_failures(Attempt::WriteScale);
        self.press_once = false;
        self.report_zero(&trip, already, now);
        self.lengthen_cooldown(&trip.because);
        self.state = State::Open { since: now, trip };
        self.start_episode(now);
        self.saves.request();
        self.wake_for_recovery();
    }

    /// Reports that the target of a trip is at zero, in the episode of the trip.
    pub(super) fn report_zero(&mut self, trip: &Trip, already: bool, now: Timestamp) {
        let Trip { replicas, because } = trip.clone();
        let mut note = format!("Scaled to 0 (was {replicas}): {because}");
        if let Some(hint) = &self.restore_hint {
            note = format!("{note}. {hint}");
        }
        let event = self.event(true, "Tripped", "ScaleToZero", note);
        let message = Message::new(NotificationKind::Tripped, event.note.clone());
        self.enqueue(Message { replicas: Some(replicas), because: Some(because.clone()), ..message }, now);
        self.publish_later(event);
        self.trips.retain(|at| now.duration_since(*at) < SignedDuration::from_hours(1));
        self.trips.push(now);
        self.emit(BreakerEvent::Scaled { replicas, already, because });
    }
}
