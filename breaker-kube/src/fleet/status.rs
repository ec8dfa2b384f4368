//! [`StatusModel`]: the status of one breaker, from its Record, its snapshot and what was observed.
//!
//! It makes no requests. [`StatusWriter`](super::status_writer::StatusWriter) decides when the
//! status is written and over which version.

use std::collections::BTreeMap;

use breaker_core::record::HandledRequests;
use breaker_core::snapshot::{Counts, Hold};
use breaker_core::state::{Override, Phase, State, Trip, TripReason};
use breaker_core::text::plural;
use breaker_core::{Record, Snapshot};
use jiff::Timestamp;
use serde_json::Value;

use crate::crd::condition::{self, reason};
use crate::crd::{CircuitBreakerStatus, Condition, KedaPause, LastTrip, WouldTrip};

/// The number of outages that a status keeps.
const MAX_WOULD_TRIPS: usize = 10;

/// A condition without its time: whether it is true, why in one word, and why for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConditionState {
    pub(crate) is_true: bool,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl ConditionState {
    pub(crate) fn new(is_true: bool, reason: &'static str, message: impl Into<String>) -> Self {
        Self { is_true, reason, message: message.into() }
    }
}

/// What is known about one breaker beside its Record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatusModel {
    pub(crate) generation: Option<i64>,
    pub(crate) ready: ConditionState,
    /// `None` before the target was read.
    pub(crate) target_found: Option<ConditionState>,
    /// An older breaker has the same target.
    pub(crate) conflict: Option<String>,
    /// The window can miss a steady crash loop.
    pub(crate) window_too_short: Option<String>,
    /// A HorizontalPodAutoscaler may scale the open target up.
    pub(crate) hpa_may_scale_up: Option<String>,
    /// The Lease of the controller, as `NAMESPACE/NAME`.
    pub(crate) lease: Option<String>,
    /// KEDA's autoscaler as it was before the trip.
    pub(crate) paused: Option<KedaPause>,
    /// Outages of a breaker that only observes, newest first.
    would_trips: Vec<WouldTrip>,
    /// `None` before the pods were listed.
    snapshot: Option<Snapshot>,
    /// The counts of the last snapshot before the target was at zero; at first those of an earlier
    /// controller. They stay until the breaker is closed again.
    counts: Counts,
    /// Restarts by cause, of the same snapshot as `counts`.
    by_cause: BTreeMap<String, u32>,
    /// Restarts by peer, of the same snapshot.
    by_peer: BTreeMap<String, u32>,
    /// The status as stored, without its Record. The next one takes the times of conditions and the
    /// last trip from it.
    previous: CircuitBreakerStatus,
}

impl StatusModel {
    /// The model that starts with the status of an earlier controller.
    pub(crate) fn new(status: CircuitBreakerStatus, generation: Option<i64>) -> Self {
        // A warning that the status has already is not reported again.
        let message_of = |kind: &str| {
            let condition = status.conditions.iter().find(|condition| condition.kind == kind);
            condition.map(|condition| condition.message.clone())
        };
        Self {
            generation,
            ready: ConditionState::new(false, reason::STARTING, "not started yet"),
            target_found: None,
            conflict: None,
            window_too_short: message_of(condition::WINDOW_TOO_SHORT),
            hpa_may_scale_up: message_of(condition::HPA_MAY_SCALE_UP),
            lease: None,
            paused: status.paused.clone(),
            would_trips: status.would_trip.clone(),
            snapshot: None,
            counts: Counts {
                counted: status.counted.unwrap_or_default(),
                threshold: status.threshold.unwrap_or_default(),
                ..Counts::default()
            },
            by_cause: status.by_cause.clone(),
            by_peer: status.by_peer.clone(),
            previous: CircuitBreakerStatus { record: None, ..status },
        }
    }

    /// The breaker would have tripped. Returns false for an outage that is in the list already: a
    /// controller that was restarted sees it again.
    pub(crate) fn would_trip(&mut self, at: Timestamp, because: &TripReason) -> bool {
        if self.would_trips.first().is_some_and(|newest| newest.until.is_none()) {
            return false;
        }
        let outage = WouldTrip {
            at: whole_seconds(at),
            until: None,
            counted: because.counts.counted,
            threshold: because.counts.threshold,
            cause: because.cause.clone(),
            peer: because.peer.clone(),
            quote: because.quote.clone(),
        };
        self.would_trips.insert(0, outage);
        self.would_trips.truncate(MAX_WOULD_TRIPS);
        true
    }

    /// Takes in what the breaker is at `now`.
    pub(crate) fn observe(&mut self, snapshot: &Snapshot, now: Timestamp) {
        let within_limits = snapshot.counts.counted <= snapshot.counts.threshold;
        if within_limits
            && snapshot.blind.is_none()
            && snapshot.would_trip.is_none()
            && let Some(newest) = self.would_trips.first_mut()
        {
            newest.until.get_or_insert_with(|| whole_seconds(now));
        }
        if matches!(snapshot.phase, Phase::Closed | Phase::Tripping) {
            self.counts = snapshot.counts;
            self.by_cause.clone_from(&snapshot.by_cause);
            self.by_peer.clone_from(&snapshot.by_peer);
        }
        self.snapshot = Some(snapshot.clone());
    }

    /// Counted restarts inside the window.
    pub(crate) fn counted(&self) -> u32 {
        self.counts.counted
    }

    /// The conditions that need no Record. The model takes them for written.
    pub(crate) fn conditions_without_record(&mut self, now: Timestamp) -> Vec<Condition> {
        let states = [(condition::READY, self.ready.clone()), (condition::HELD, self.held())];
        let conditions: Vec<_> =
            states.into_iter().map(|(kind, state)| self.dated(kind, state, now)).collect();
        for condition in &conditions {
            self.previous.conditions.retain(|before| before.kind != condition.kind);
            self.previous.conditions.push(condition.clone());
        }
        conditions
    }

    /// The status as written by an earlier version, which did not store handled requests in the
    /// Record.
    pub(crate) fn add_handled(&self, record: &mut Record) {
        let HandledRequests { reset, override_ } = &mut record.handled;
        if reset.is_none() {
            reset.clone_from(&self.previous.reset_handled);
        }
        if override_.is_none() {
            let handled = self.previous.override_handled.as_deref();
            *override_ = Override::ALL.into_iter().find(|one| Some(one.as_str()) == handled);
        }
    }

    /// The API server has stored this status.
    pub(crate) fn written(&mut self, status: CircuitBreakerStatus) {
        if status.original_replicas.is_none() {
            self.hpa_may_scale_up = None;
        }
        self.previous = CircuitBreakerStatus { record: None, ..status };
    }

    /// Another controller has written this status.
    pub(crate) fn found(&mut self, status: &CircuitBreakerStatus) {
        self.previous.reset_handled.clone_from(&status.reset_handled);
        self.previous.override_handled.clone_from(&status.override_handled);
        if status.paused.is_some() {
            self.paused.clone_from(&status.paused);
        }
    }

    /// The whole status to be written at `now` with this Record. It changes nothing here: the write
    /// may fail.
    pub(crate) fn compose(&self, record: Option<(&Record, Value)>, now: Timestamp) -> CircuitBreakerStatus {
        let (record, stored) = record.unzip();
        let state = record.map(|record| &record.state);
        let trip = state.and_then(State::trip);
        // A trip by a person has no counts.
        let counts = match trip.map(|trip| &trip.because) {
            Some(because) if !because.pressed => because.counts,
            _ => self.counts,
        };
        let handled = record.map(|record| &record.handled);
        CircuitBreakerStatus {
            held: Some(self.held()).filter(|held| held.is_true).map(|held| held.reason.into()),
            phase: match state {
                Some(state) => Some(state.phase().to_string()),
                // Nothing has happened that a Record is needed for.
                None => self.ready.is_true.then(|| Phase::Closed.to_string()),
            },
            counted: self.ready.is_true.then_some(counts.counted),
            threshold: self.ready.is_true.then_some(counts.threshold),
            by_cause: self.by_cause.clone(),
            by_peer: self.by_peer.clone(),
            original_replicas: trip.map(|trip| trip.replicas),
            last_trip: last_trip(state).or_else(|| self.previous.last_trip.clone()),
            would_trip: self.would_trips.clone(),
            contested_by: record.and_then(|record| record.contested.as_ref()).map(|by| by.by.clone()),
            observed_generation: self.generation,
            conditions: self.conditions(record, now),
            reset_handled: handled.and_then(|handled| handled.reset.clone()),
            override_handled: handled.and_then(|handled| handled.override_).map(|set| set.as_str().into()),
            lease: self.lease.clone(),
            paused: self.paused.clone(),
            record: stored,
        }
    }

    fn conditions(&self, record: Option<&Record>, now: Timestamp) -> Vec<Condition> {
        let not_checked = || ConditionState::new(false, reason::NOT_CHECKED, "not checked yet");
        let mut all = vec![
            (condition::READY, self.ready()),
            (condition::TARGET_FOUND, self.target_found.clone().unwrap_or_else(not_checked)),
            (condition::TRIPPED, self.tripped(record)),
            (condition::HELD, self.held()),
        ];
        if let Some(by) = record.and_then(|record| record.contested.as_ref()) {
            let message = format!("{} scaled it up while the breaker was open; it stays scaled up", by.by);
            all.push((condition::CONTESTED, ConditionState::new(true, reason::SCALED_UP, message)));
        }
        let is_open = record.is_some_and(|record| record.state != State::Closed);
        let hpa_may_scale_up = self.hpa_may_scale_up.clone().filter(|_| is_open);
        let warnings = [
            (condition::CONFLICT, reason::OLDER_BREAKER, &self.conflict),
            (condition::WINDOW_TOO_SHORT, reason::SHORT_WINDOW, &self.window_too_short),
            (condition::HPA_MAY_SCALE_UP, reason::MIN_REPLICAS_ZERO, &hpa_may_scale_up),
        ];
        for (kind, reason, message) in warnings {
            if let Some(message) = message {
                all.push((kind, ConditionState::new(true, reason, message)));
            }
        }
        all.into_iter().map(|(kind, state)| self.dated(kind, state, now)).collect()
    }

    /// The condition with the time of its last change.
    fn dated(&self, kind: &str, state: ConditionState, now: Timestamp) -> Condition {
        let status = if state.is_true { "True" } else { "False" };
        let before = self.previous.conditions.iter().find(|before| before.kind == kind);
        let unchanged = before.filter(|before| before.status == status);
        Condition {
            kind: kind.into(),
            status: status.into(),
            reason: state.reason.into(),
            message: state.message,
            last_transition_time: unchanged
                .map_or_else(|| whole_seconds(now), |before| before.last_transition_time),
            observed_generation: self.generation,
        }
    }

    /// A breaker that watches and acts is not ready while it does not see its pods.
    fn ready(&self) -> ConditionState {
        match self.snapshot.as_ref().and_then(|snapshot| snapshot.blind.as_ref()) {
            Some(blind) if self.ready.is_true => {
                let message = format!("its pods cannot be seen since {:.0}: {}", blind.since, blind.why);
                ConditionState::new(false, reason::BLIND, message)
            }
            _ => self.ready.clone(),
        }
    }

    fn held(&self) -> ConditionState {
        match self.snapshot.as_ref().and_then(|snapshot| snapshot.hold.as_ref()) {
            Some(hold) => ConditionState::new(true, hold.reason.condition_reason(), hold_message(hold)),
            None => ConditionState::new(false, reason::NOT_HELD, "no trip is held"),
        }
    }

    fn tripped(&self, record: Option<&Record>) -> ConditionState {
        match record.map(|record| &record.state) {
            None | Some(State::Closed) => self.closed(),
            Some(State::Tripping { trip, .. }) => {
                ConditionState::new(true, reason::TRIPPING, trip.because.to_string())
            }
            Some(State::Open { trip, .. }) => {
                let message =
                    format!("{}; a reset restores {}", trip.because, plural(trip.replicas, "replica"));
                ConditionState::new(true, reason::OPEN, message)
            }
            Some(State::Restoring { trip, .. }) => {
                let message = format!("restoring {}", plural(trip.replicas, "replica"));
                ConditionState::new(true, reason::RESTORING, message)
            }
            Some(State::HalfOpen { probe, trip, .. }) => {
                let message = format!("trying {probe} of {}", plural(trip.replicas, "replica"));
                ConditionState::new(true, reason::HALF_OPEN, message)
            }
        }
    }

    fn closed(&self) -> ConditionState {
        match self.snapshot.as_ref().and_then(|snapshot| snapshot.would_trip.as_ref()) {
            Some(because) => {
                let message = format!("the breaker only observes; it would have tripped: {because}");
                ConditionState::new(false, reason::WOULD_TRIP, message)
            }
            None => ConditionState::new(false, reason::CLOSED, "watching"),
        }
    }
}

/// The trip of a breaker that is open; `None` in every other state.
fn last_trip(state: Option<&State>) -> Option<LastTrip> {
    let Some(State::Open { since, trip }) = state else { return None };
    let Trip { because, .. } = trip;
    let cause = if because.pressed { "button".into() } else { because.cause.clone() };
    Some(LastTrip { at: *since, cause, peer: because.peer.clone(), quote: because.quote.clone() })
}

fn hold_message(hold: &Hold) -> String {
    let causes = hold.would_trip_with.map(|causes| {
        let names: Vec<_> = causes.iter().map(|cause| format!("{cause:?}")).collect();
        format!("spec.trip.causes: [{}]", names.join(", "))
    });
    let peers = hold.would_trip_with_peers.as_ref().map(|peers| {
        let globs: Vec<_> = peers.globs().map(|glob| format!("\"{glob}\"")).collect();
        format!("spec.trip.peers: [{}]", globs.join(", "))
    });
    match [causes, peers].into_iter().flatten().collect::<Vec<_>>().join(" with ") {
        advice if advice.is_empty() => hold.why.clone(),
        advice => format!("{}; {advice} would trip", hold.why),
    }
}

/// The precision in which the API server stores times. A time with fractions would differ from the
/// one that is read back.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
