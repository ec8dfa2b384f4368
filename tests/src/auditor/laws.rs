//! The laws of a breaker on a history of revisions.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::time::Duration;

use breaker_core::Record;
use breaker_core::state::State;
use jiff::Timestamp;

use super::history::{HookCall, Revision, Stored};
use super::pod_history::PodHistory;

/// A law of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// A write of 0 follows a stored Record of its trip, with the replicas to restore.
    RecordBeforeZero,
    /// While the replicas are not restored, every Record has their number.
    NumberKept,
    /// What is restored is what was taken, or the replicas of a trial.
    RestoresWhatWasTaken,
    /// After a trial, all is restored only if no trial replica has restarted.
    RestoresAfterAGoodTrial,
    /// A write of 0 finds as many failing pods as the condition needs: half of those that have
    /// started, by the policy's default.
    FailingAtZero,
    /// A write of 0 follows more restarts than the policy tolerates for each pod that must fail.
    EnoughRestarts,
    /// One write of 0 for an episode.
    OneZeroForAnEpisode,
    /// No more writes of 0 than were asked for by a person, beside the trips.
    OneZeroForAPress,
    /// No more restores than were asked for by a person, beside the trials.
    OneRestoreForAReset,
    /// The hook is called before a write of 0, under one key for a trip.
    OneKeyForATrip,
    /// A breaker that observes or is disabled writes no scale.
    ObserverWritesNothing,
}

/// A law that a history breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// `resourceVersion` of the revision that breaks it.
    pub version: u64,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at version {}: {}", self.law, self.version, self.what)
    }
}

/// What was asked of a breaker, and what its policy tolerates.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Restarts that are tolerated for each pod that must fail; the trip needs one more.
    pub max_restarts: u32,
    /// Trips that a person asked for.
    pub presses: u32,
    /// Resets that a person asked for.
    pub resets: u32,
    /// Whether the breaker may write the scale.
    pub may_scale: bool,
    /// By how much the breaker's view of the pods may be late.
    pub view_delay: Duration,
    /// Calls of the hook; `None` without a hook.
    pub hook_calls: Option<Vec<HookCall>>,
    /// Versions at which the test itself wrote the replicas.
    pub foreign: HashSet<u64>,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            max_restarts: 3,
            presses: 0,
            resets: 0,
            may_scale: true,
            view_delay: Duration::from_secs(5),
            hook_calls: None,
            foreign: HashSet::new(),
        }
    }
}

/// The violations of the laws in a history, which is put in the order of its versions.
pub fn audit(mut history: Vec<Revision>, expected: &Expected) -> Vec<Violation> {
    history.sort_by_key(|revision| revision.version);
    let mut audit = Audit::new(expected);
    for Revision { version, at, stored } in history {
        match stored {
            Stored::Pod(name, pod) => audit.pods.observe(&name, pod, at),
            Stored::Record(record) => audit.record_stored(version, record.map(|record| *record)),
            Stored::Replicas(replicas) => audit.replicas_stored(version, at, replicas),
        }
    }
    audit.check_hook_keys();
    audit.violations
}

struct Audit<'e> {
    expected: &'e Expected,
    pods: PodHistory,
    replicas: Option<u32>,
    record: Option<Record>,
    /// The replicas that a trip has taken and that are not restored yet.
    taken: Option<u32>,
    /// Episodes with a write of 0.
    episodes: BTreeSet<u64>,
    presses: u32,
    resets: u32,
    violations: Vec<Violation>,
}

impl<'e> Audit<'e> {
    fn new(expected: &'e Expected) -> Self {
        Self {
            expected,
            pods: PodHistory::default(),
            replicas: None,
            record: None,
            taken: None,
            episodes: BTreeSet::new(),
            presses: 0,
            resets: 0,
            violations: Vec::new(),
        }
    }

    fn report(&mut self, law: Law, version: u64, what: String) {
        self.violations.push(Violation { law, version, what });
    }

    /// Whether the replicas that a trip has taken are back.
    fn is_restored(&self) -> bool {
        self.taken.is_none_or(|taken| self.replicas == Some(taken))
    }

    fn record_stored(&mut self, version: u64, record: Option<Record>) {
        if let Some(taken) = self.taken {
            let kept = record.as_ref().and_then(|record| record.state.trip()).map(|trip| trip.replicas);
            let is_closed = record.as_ref().is_some_and(|record| record.state == State::Closed);
            if is_closed && self.is_restored() {
                self.taken = None;
            } else if kept != Some(taken) {
                let what = format!("{taken} replicas are not restored, and it is {}", name(record.as_ref()));
                self.report(Law::NumberKept, version, what);
                // Reported once.
                self.taken = None;
            }
        }
        self.record = record;
    }

    fn replicas_stored(&mut self, version: u64, at: Timestamp, replicas: u32) {
        let before = self.replicas.replace(replicas);
        let Some(before) = before.filter(|before| *before != replicas) else { return };
        if self.expected.foreign.contains(&version) {
            // It belongs to the other client now.
            self.taken = None;
            return;
        }
        if !self.expected.may_scale {
            self.report(Law::ObserverWritesNothing, version, format!("{before} -> {replicas}"));
        }
        if replicas == 0 {
            self.zero_stored(version, at, before);
        } else {
            self.restore_stored(version, at, before, replicas);
        }
    }

    fn zero_stored(&mut self, version: u64, at: Timestamp, before: u32) {
        let due = self.taken.unwrap_or(before);
        self.taken = Some(due);
        let Some(Record { episode, state: State::Tripping { trip, .. }, .. }) = self.record.clone() else {
            let what = format!("{before} -> 0, and the Record is {}", name(self.record.as_ref()));
            self.report(Law::RecordBeforeZero, version, what);
            return;
        };
        if trip.replicas != due {
            let what = format!("{before} -> 0, {due} to restore, and the Record has {}", trip.replicas);
            self.report(Law::RecordBeforeZero, version, what);
        }
        if !self.episodes.insert(episode) {
            let what = format!("episode {episode} has a second write of 0");
            self.report(Law::OneZeroForAnEpisode, version, what);
        }
        if trip.because.pressed {
            self.presses += 1;
            if self.presses > self.expected.presses {
                let what = format!("{} writes of 0 for {} presses", self.presses, self.expected.presses);
                self.report(Law::OneZeroForAPress, version, what);
            }
        } else {
            self.check_condition(version, at, before, trip.because.probe_failed);
        }
        self.check_hook_called(version, at, episode);
        self.pods.start_counting();
    }

    /// The condition of a trip that nobody pressed, by the pods' own revisions and the replicas
    /// that the write replaces. A trial is ended by one restart of one pod.
    fn check_condition(&mut self, version: u64, at: Timestamp, replicas: u32, trial_failed: bool) {
        let delay = self.expected.view_delay;
        let base = self.pods.started(at, delay).min(replicas as usize).max(1);
        let need = if trial_failed { 1 } else { base.div_ceil(2) };
        let failing = self.pods.failing(at, delay);
        if failing < need {
            let what = format!("{failing} pods have failed within {delay:?} before, and {need} must");
            self.report(Law::FailingAtZero, version, what);
        }
        let tolerated = if trial_failed { 0 } else { self.expected.max_restarts * need as u32 };
        let restarts = self.pods.network_restarts(at);
        if restarts <= tolerated {
            let what = format!("{restarts} restarts, and {tolerated} are tolerated");
            self.report(Law::EnoughRestarts, version, what);
        }
    }

    fn check_hook_called(&mut self, version: u64, at: Timestamp, episode: u64) {
        let Some(calls) = &self.expected.hook_calls else { return };
        if !calls.iter().any(|call| call.episode == episode && call.at <= at) {
            let what = format!("the hook was not called for episode {episode} before the write of 0");
            self.report(Law::OneKeyForATrip, version, what);
        }
    }

    fn restore_stored(&mut self, version: u64, at: Timestamp, before: u32, replicas: u32) {
        let trial = match self.record.as_ref().map(|record| &record.state) {
            Some(State::HalfOpen { probe, .. }) => Some(*probe),
            _ => None,
        };
        let Some(taken) = self.taken else {
            let what = format!("{before} -> {replicas}, and nothing was taken");
            return self.report(Law::RestoresWhatWasTaken, version, what);
        };
        if trial == Some(replicas) {
            // The trial's own restarts decide whether it fails.
            return self.pods.start_counting();
        }
        if replicas != taken {
            let what = format!("{before} -> {replicas}, and {taken} were taken");
            self.report(Law::RestoresWhatWasTaken, version, what);
            // Reported once.
            self.taken = None;
        }
        let is_after_trial = matches!(
            self.record.as_ref().map(|record| &record.state),
            Some(State::Restoring { probe: Some(_), .. })
        );
        if is_after_trial {
            let restarts = self.pods.network_restarts(at - self.expected.view_delay);
            if restarts > 0 {
                let what = format!("all are restored after {restarts} restarts of the trial replicas");
                self.report(Law::RestoresAfterAGoodTrial, version, what);
            }
        } else {
            self.resets += 1;
            if self.resets > self.expected.resets {
                let what = format!("{} restores for {} resets", self.resets, self.expected.resets);
                self.report(Law::OneRestoreForAReset, version, what);
            }
        }
    }

    fn check_hook_keys(&mut self) {
        let mut keys: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for call in self.expected.hook_calls.iter().flatten() {
            keys.entry(call.episode).or_default().insert(&call.id);
        }
        let broken: Vec<_> = keys.into_iter().filter(|(_, keys)| keys.len() > 1).collect();
        for (episode, keys) in broken {
            let what = format!("the trip of episode {episode} has the keys {keys:?}");
            self.report(Law::OneKeyForATrip, 0, what);
        }
    }
}

fn name(record: Option<&Record>) -> String {
    match record {
        None => "absent or unreadable".into(),
        Some(record) => format!("{:?} in episode {}", record.state, record.episode),
    }
}
