//! Deciding: trip, would trip, or hold and say why.

use jiff::{SignedDuration, Timestamp};

use super::{Breaker, TRIP_STAYS_FRESH};
use crate::BreakerEvent;
use crate::action::Action;
use crate::cluster::Scale;
use crate::event::{Hold, missing, times};
use crate::policy::{CauseSet, Mode};
use crate::revision_counts::RevisionCounts;
use crate::state::{Override, State, TripReason};

/// How often a contested target may be tripped in an hour.
pub const MAX_CONTESTED_TRIPS: usize = 3;

impl Breaker {
    /// Closed: is it time?
    pub(super) fn consider(&mut self, now: Timestamp) {
        let any = self.ledger.restarts_since(self.oldest(now)).next().is_some();
        if !any {
            self.read_ahead = false;
            return;
        }
        let count_revisions = self.count_revisions(now);
        let close = count_revisions.iter().any(|tally| tally.counted > 0 && tally.counted >= tally.threshold);
        self.read_ahead &= close;
        match count_revisions.iter().find(|tally| tally.exceeds() && !tally.superseded) {
            Some(tally) => self.exceeded(tally, now),
            None => {
                if close && !self.read_ahead {
                    self.read_scale();
                }
                if let Some(held) = self.held_by_causes(&count_revisions) {
                    self.hold_once(held, now);
                }
            }
        }
    }

    fn exceeded(&mut self, tally: &RevisionCounts, now: Timestamp) {
        let only_tells = self.override_ == Override::Disabled || self.policy.mode == Mode::Observe;
        if only_tells && self.told_would_trip == Some(self.episode) {
            return;
        }
        if let Some(why) = self.barred.clone() {
            return self.hold("refused", why, now);
        }
        if let Some(why) = self.guarded.clone() {
            return self.hold("guard", why, now);
        }
        if self.waits_to_ask(now) {
            return;
        }
        if self.view.is_stale(now) || self.decide_on_fresh {
            return self.list_pods();
        }
        if let Some(node) = self.failing_node(tally, now) {
            let why =
                format!("all failing pods are on node {node}, and the target has a Ready pod elsewhere");
            return self.hold("one_node", why, now);
        }
        let Some(scale) = self.scale.clone().filter(|_| self.read_ahead) else {
            return self.read_scale();
        };
        if scale.replicas == 0 {
            return;
        }
        let because = self.reason(tally, now);
        if only_tells {
            self.told_would_trip = Some(self.episode);
            return self.tell(BreakerEvent::WouldTrip(because));
        }
        if self.contested.is_some() && self.trips_in_last_hour(now) >= MAX_CONTESTED_TRIPS {
            let why =
                format!("somebody scales it up each time; tripped {MAX_CONTESTED_TRIPS} times in an hour");
            return self.hold("contested", why, now);
        }
        self.trip(because, scale, now);
    }

    /// The Record first, then the hook, then the scale.
    pub(super) fn trip(&mut self, because: TripReason, scale: Scale, now: Timestamp) {
        let replicas = scale.replicas;
        self.state = State::Tripping { since: now, replicas, because: because.clone() };
        self.read_ahead = false;
        self.saving.forget_trip();
        // With a hook the scale is read first, so that it is asked about what is there.
        let next = match self.policy.hooks.before_trip {
            Some(_) => Action::ReadScale,
            None => Action::WriteScale { seen: scale, replicas: 0 },
        };
        self.save_then(vec![Action::Emit(BreakerEvent::Tripping { replicas, because }), next]);
    }

    fn trips_in_last_hour(&self, now: Timestamp) -> usize {
        let hour = SignedDuration::from_hours(1);
        self.trips.iter().filter(|at| now.duration_since(**at) < hour).count()
    }

    /// A trip that an earlier watcher had begun: go on while it is fresh and still right.
    pub(super) fn resume_trip(&mut self, now: Timestamp) {
        let State::Tripping { since, because, .. } = &self.state else { return };
        let Some(scale) = &self.scale else { return self.read_scale() };
        let fresh = now.duration_since(*since) < TRIP_STAYS_FRESH;
        let still_right = because.probe_failed || (fresh && self.still_exceeded(because, now));
        if scale.replicas == 0 || still_right {
            self.scale_known(now);
        } else if fresh {
            self.abandon("its pods are not failing any more".into(), now);
        } else {
            self.abandon("it was interrupted for more than a minute".into(), now);
        }
    }

    pub(super) fn still_exceeded(&self, because: &TripReason, now: Timestamp) -> bool {
        because.pressed || self.count_revisions(now).iter().any(|tally| tally.exceeds() && !tally.superseded)
    }

    /// Back to closed without having scaled; what was counted stays counted.
    pub(super) fn abandon(&mut self, why: String, now: Timestamp) {
        let event = self.event(true, "TripAbandoned", "None", format!("Trip abandoned: {why}"));
        self.announce("abandoned", "", event.note.clone(), self.state.replicas(), None, now);
        self.state = State::Closed;
        self.episode += 1;
        self.publish_later(event);
        self.save_then(vec![Action::Emit(BreakerEvent::Abandoned { why })]);
    }

    fn reason(&self, tally: &RevisionCounts, now: Timestamp) -> TripReason {
        let oldest = self.oldest(now);
        let counted = || {
            self.ledger
                .restarts_since(oldest)
                .filter(|r| r.revision() == tally.revision && r.counts(self.policy.causes))
        };
        let counts =
            |label: &str| counted().filter(|r| r.verdict().is_some_and(|v| v.label() == label)).count();
        let cause = tally.by_cause.keys().max_by_key(|label| counts(label)).cloned().unwrap_or_default();
        let newest = counted().max_by_key(|restart| restart.at()).and_then(|restart| restart.verdict());
        TripReason {
            counted: tally.counted,
            threshold: tally.threshold,
            failing: tally.failing,
            need: tally.need,
            window: self.policy.window.to_string(),
            revision: tally.revision.clone(),
            cause,
            quote: newest.map(|verdict| verdict.quote.clone()).unwrap_or_default(),
            ..TripReason::default()
        }
    }

    /// Why it does not act now, for the heartbeat.
    pub(super) fn held(&self, now: Timestamp) -> Option<Hold> {
        if self.state != State::Closed {
            return None;
        }
        let count_revisions = self.count_revisions(now);
        if let Some(tally) = count_revisions.iter().find(|tally| tally.exceeds() && !tally.superseded) {
            let (reason, why) = self.held_now.clone()?;
            return Some(Self::held_for(reason, why, tally));
        }
        self.held_by_causes(&count_revisions)
    }

    /// All restarts together pass the threshold, those that count do not.
    fn held_by_causes(&self, count_revisions: &[RevisionCounts]) -> Option<Hold> {
        let tally = count_revisions.iter().find(|tally| {
            !tally.superseded && tally.total > tally.threshold && tally.counted <= tally.threshold
        })?;
        let mut causes: CauseSet = self.policy.causes;
        let mut counted = tally.counted;
        for cause in tally.other_causes(&self.policy) {
            if counted > tally.threshold {
                break;
            }
            causes = causes.iter().chain([cause]).collect();
            counted += tally.of(cause);
        }
        let seen: Vec<_> = tally.by_cause.iter().map(|(label, n)| format!("{label} {n}")).collect();
        let mut why = format!(
            "{} against {} tolerated, {} because of {} ({})",
            times(tally.total, "restart"),
            tally.threshold,
            tally.counted,
            self.policy.causes,
            seen.join(", ")
        );
        for (rule, n) in &tally.missing {
            why.push_str(&format!("; {n} unknown: {}", missing(rule)));
        }
        let mut held = Self::held_for("causes", why, tally);
        held.flag = Some(match self.known_as {
            None => format!("--causes {causes}"),
            Some(_) => format!("spec.trip.causes: [{}]", as_in_a_spec(&causes)),
        });
        Some(held)
    }

    pub(super) fn held_for(reason: &'static str, why: String, tally: &RevisionCounts) -> Hold {
        Hold {
            reason,
            total: tally.total,
            counted: tally.counted,
            threshold: tally.threshold,
            why,
            flag: None,
        }
    }
}

/// `Network, Unknown` of `network,unknown`.
fn as_in_a_spec(causes: &CauseSet) -> String {
    let named = causes.iter().map(|cause| {
        let (first, rest) = cause.as_str().split_at(1);
        first.to_ascii_uppercase() + rest
    });
    named.collect::<Vec<_>>().join(", ")
}
