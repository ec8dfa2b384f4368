//! The sheet of one breaker: what its status says, put together from the Record and from what was
//! told.
//!
//! Pure: what is written, when and over which version is the page's business.

use std::collections::BTreeMap;

use breaker_core::snapshot::{Counts, Hold};
use breaker_core::state::{Override, Phase, State};
use breaker_core::{BreakerEvent, Record};
use jiff::Timestamp;
use serde_json::Value;

use super::desired::name;
use crate::crd::{CircuitBreakerStatus, Condition, KedaPause, LastTrip, condition};

/// A condition before it is dated: is it so, why in one word, why in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConditionState {
    pub(crate) holds: bool,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl ConditionState {
    pub(crate) fn new(holds: bool, reason: &'static str, message: impl Into<String>) -> Self {
        Self { holds, reason, message: message.into() }
    }
}

/// What is known of one breaker beside its Record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatusModel {
    pub(crate) generation: Option<i64>,
    pub(crate) ready: ConditionState,
    /// `None` while nobody has looked.
    pub(crate) target_found: Option<ConditionState>,
    /// An older breaker has the same target.
    pub(crate) conflict: Option<String>,
    /// The window may overlook a steady crash loop.
    pub(crate) overlook: Option<String>,
    /// An HPA may scale the open target up.
    pub(crate) may_wake: Option<String>,
    /// KEDA, as it was found before the trip.
    pub(crate) paused: Option<KedaPause>,
    /// Why it does not act although restarts are many: a word and a sentence.
    pub(crate) held: Option<(&'static str, String)>,
    /// It only observes, and would have tripped.
    pub(crate) would_trip: Option<String>,
    pub(crate) count: Counts,
    pub(crate) by_cause: BTreeMap<String, u32>,
    /// What `count` is about, once there was a Record: which target, counted since when.
    pub(crate) about: Option<(String, Option<Timestamp>)>,
    pub(crate) last_trip: Option<LastTrip>,
    pub(crate) reset_handled: Option<String>,
    pub(crate) override_handled: Option<String>,
    /// An override given to the breaker; handled once a Record carries it.
    pub(crate) override_pending: Option<Override>,
    /// As last written, for their times.
    conditions: Vec<Condition>,
}

impl StatusModel {
    /// The sheet that an earlier controller left, or an empty one.
    pub(crate) fn of(status: CircuitBreakerStatus, generation: Option<i64>) -> Self {
        let count = Counts {
            counted: status.counted.unwrap_or_default(),
            threshold: status.threshold.unwrap_or_default(),
            ..Counts::default()
        };
        // A warning that stands already is not emitted again.
        let standing = |kind: &str| {
            let before = status.conditions.iter().find(|before| before.kind == kind);
            before.map(|before| before.message.clone())
        };
        Self {
            generation,
            ready: ConditionState::new(false, "Starting", "not looked at yet"),
            target_found: None,
            conflict: None,
            overlook: standing(condition::WINDOW_TOO_SHORT),
            may_wake: standing(condition::HPA_MAY_SCALE_UP),
            paused: status.paused,
            held: None,
            would_trip: None,
            count,
            by_cause: status.by_cause,
            about: None,
            last_trip: status.last_trip,
            reset_handled: status.reset_handled,
            override_handled: status.override_handled,
            override_pending: None,
            conditions: status.conditions,
        }
    }

    /// Takes in what was told; answers whether the status should be written soon for its sake. What
    /// is told with a new Record is written with that.
    pub(crate) fn told(&mut self, notice: &BreakerEvent) -> bool {
        match notice {
            BreakerEvent::Watching { counts, by_cause, .. } => {
                (self.count, self.by_cause) = (*counts, by_cause.clone());
            }
            BreakerEvent::Restart(restart) => {
                self.count = restart.so_far;
                *self.by_cause.entry(restart.label()).or_default() += restart.times;
            }
            BreakerEvent::Heartbeat { counts, by_cause, held, phase, .. } => {
                if *phase == Phase::Closed {
                    (self.count, self.by_cause) = (*counts, by_cause.clone());
                }
                self.held = held.as_ref().map(shown);
            }
            BreakerEvent::Held(held) => self.held = Some(shown(held)),
            BreakerEvent::WouldTrip(because) => self.would_trip = Some(because.to_string()),
            BreakerEvent::Tripping { .. } => (self.held, self.would_trip) = (None, None),
            BreakerEvent::Scaled { .. } => self.held = None,
            BreakerEvent::Contested { .. } => (self.held, self.may_wake) = (None, None),
            BreakerEvent::Reset | BreakerEvent::Restored { .. } => {
                (self.held, self.would_trip, self.may_wake) = (None, None, None);
                self.count.counted = 0;
                self.by_cause.clear();
            }
            _ => return false,
        }
        true
    }

    /// The whole status as it is to be written at `now`, with this Record.
    pub(crate) fn status(
        &mut self,
        record: Option<(&Record, Value)>,
        now: Timestamp,
    ) -> CircuitBreakerStatus {
        let (record, stored) = match record {
            Some((record, stored)) => (Some(record), Some(stored)),
            None => (None, None),
        };
        let state = record.map(|record| &record.state);
        if let Some(State::Open { since, trip }) = state
            && self.last_trip.as_ref().is_none_or(|last| last.at != *since)
        {
            let because = &trip.because;
            let cause = if because.pressed { "button".into() } else { because.cause.clone() };
            self.last_trip = Some(LastTrip { at: *since, cause, quote: because.quote.clone() });
        }
        // Open, it goes on showing what tripped it; closed again, counting has begun from zero.
        if let Some(record) = record
            && record.state == State::Closed
        {
            let about = (record.target_uid.clone(), record.counts_from);
            if self.about.replace(about.clone()).is_some_and(|before| before != about) {
                self.count.counted = 0;
                self.by_cause = by_cause(record);
            }
        }
        if let Some(pending) = self.override_pending
            && record.is_some_and(|record| record.override_ == pending)
        {
            self.override_handled = Some(name(pending).into());
            self.override_pending = None;
        }
        let because =
            state.and_then(State::trip).map(|trip| &trip.because).filter(|because| !because.pressed);
        let counts = because.map_or(self.count, |because| because.counts);
        self.conditions = self.conditions_at(record, now);
        CircuitBreakerStatus {
            phase: state.map(|state| state.phase().to_string()).or_else(|| {
                // Watched, and nothing worth a Record has happened yet.
                self.ready.holds.then(|| Phase::Closed.to_string())
            }),
            counted: self.ready.holds.then_some(counts.counted),
            threshold: self.ready.holds.then_some(counts.threshold),
            by_cause: self.by_cause.clone(),
            original_replicas: state.and_then(State::trip).map(|trip| trip.replicas),
            last_trip: self.last_trip.clone(),
            contested_by: record.and_then(|record| record.contested.as_ref()).map(|by| by.by.clone()),
            observed_generation: self.generation,
            conditions: self.conditions.clone(),
            reset_handled: self.reset_handled.clone(),
            override_handled: self.override_handled.clone(),
            paused: self.paused.clone(),
            record: stored,
        }
    }

    fn conditions_at(&self, record: Option<&Record>, now: Timestamp) -> Vec<Condition> {
        let found = self.target_found.clone().unwrap_or(ConditionState::new(
            false,
            "NotLookedFor",
            "not looked for yet",
        ));
        let held = match &self.held {
            Some((_, why)) => ConditionState::new(true, "", why),
            None => ConditionState::new(false, "NotHeld", "no trip is held"),
        };
        let mut all = vec![
            (condition::READY, self.ready.clone()),
            (condition::TARGET_FOUND, found),
            (condition::TRIPPED, self.tripped(record)),
            (condition::HELD, held),
        ];
        if let Some(by) = record.and_then(|record| record.contested.as_ref()) {
            let why = format!("{} scaled it up while the breaker was open; it is left alone", by.by);
            all.push((condition::CONTESTED, ConditionState::new(true, "ScaledUp", why)));
        }
        if let Some(why) = &self.conflict {
            all.push((condition::CONFLICT, ConditionState::new(true, "OlderBreaker", why)));
        }
        if let Some(why) = &self.overlook {
            all.push((condition::WINDOW_TOO_SHORT, ConditionState::new(true, "ShortWindow", why)));
        }
        if let Some(why) = &self.may_wake {
            all.push((condition::HPA_MAY_SCALE_UP, ConditionState::new(true, "MinReplicasZero", why)));
        }
        all.into_iter()
            .map(|(kind, finding)| {
                let status = if finding.holds { "True" } else { "False" };
                let before = self.conditions.iter().find(|before| before.kind == kind);
                let unchanged = before.filter(|before| before.status == status);
                let reason = match &self.held {
                    Some((word, _)) if kind == condition::HELD => *word,
                    _ => finding.reason,
                };
                Condition {
                    kind: kind.into(),
                    status: status.into(),
                    reason: reason.to_owned(),
                    message: finding.message,
                    last_transition_time: unchanged
                        .map_or(whole_seconds(now), |before| before.last_transition_time),
                    observed_generation: self.generation,
                }
            })
            .collect()
    }

    fn tripped(&self, record: Option<&Record>) -> ConditionState {
        let Some(record) = record else { return self.closed() };
        match &record.state {
            State::Closed => self.closed(),
            State::Tripping { trip, .. } => ConditionState::new(true, "Tripping", trip.because.to_string()),
            State::Open { trip, .. } => ConditionState::new(
                true,
                "Open",
                format!("{}; a reset gives back {} replicas", trip.because, trip.replicas),
            ),
            State::Restoring { trip, .. } => {
                ConditionState::new(true, "Restoring", format!("giving back {} replicas", trip.replicas))
            }
            State::HalfOpen { probe, trip, .. } => {
                ConditionState::new(true, "HalfOpen", format!("trying {probe} of {} replicas", trip.replicas))
            }
        }
    }

    fn closed(&self) -> ConditionState {
        match &self.would_trip {
            Some(why) => ConditionState::new(
                false,
                "WouldTrip",
                format!("it only observes; it would have tripped: {why}"),
            ),
            None => ConditionState::new(false, "Closed", "watching"),
        }
    }
}

/// As the API stores times; with fractions, a time would not compare equal when read back.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The reason and the message of the condition `Held`.
fn shown(hold: &Hold) -> (&'static str, String) {
    let message = match hold.would_trip_with {
        Some(causes) => {
            let names: Vec<_> = causes.iter().map(|cause| format!("{cause:?}")).collect();
            format!("{}; spec.trip.causes: [{}] would trip", hold.why, names.join(", "))
        }
        None => hold.why.clone(),
    };
    (hold.reason.condition_reason(), message)
}

/// All restarts of a Record, by cause; the counts of a breaker that was never told of them.
pub(crate) fn by_cause(record: &Record) -> BTreeMap<String, u32> {
    let mut all = BTreeMap::new();
    for restart in record.containers.iter().flat_map(|container| &container.restarts) {
        *all.entry(restart.label()).or_default() += 1;
    }
    all
}
