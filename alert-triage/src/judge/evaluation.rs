//! The verdicts on all alerts at one instant.

use jiff::Timestamp;

use super::alert_phase::AlertPhase;
use super::alert_state::{AlertState, EvaluationTime, SilentSpan};
use super::alert_verdict::AlertVerdict;
use super::gone::NewestSnapshots;
use super::incident_core::{AlertGroup, IncidentCore};
use super::index::{AlertIx, GroupIx, IncidentIx, IndexedList, ListIndex as _};
use super::scopes::Scopes;
use crate::hashing::HashMap;
use crate::ledger::AlertEntry;
use crate::ledger::Engine;
use crate::ledger::{LabelSetHistory, TimedPosition};
use crate::source_position::SourcePosition;

/// The verdicts on all alerts of an engine at one instant, and the incidents that they form.
#[derive(Debug)]
pub(crate) struct Evaluation<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) now: Option<Timestamp>,
    /// Alerts of which only a resolve by key is known. Their indices follow those of the engine.
    pub(crate) unmatched_resolves: Vec<AlertEntry>,
    /// Resolves by key, by the alert that owns the key.
    pub(crate) matched_resolves: HashMap<AlertIx, LabelSetHistory>,
    pub(crate) alerts: IndexedList<AlertIx, AlertVerdict>,
    pub(crate) scopes: Scopes,
    /// The alerts of all incidents; see [`members`](Self::members).
    pub(crate) all_members: Vec<AlertIx>,
    /// In the order of the report.
    pub(crate) incidents: IndexedList<IncidentIx, IncidentCore>,
    /// In the order of the report.
    pub(crate) groups: IndexedList<GroupIx, AlertGroup>,
    /// Where the newest snapshot of each source begins.
    pub(super) newest_snapshots: NewestSnapshots,
    /// Are there silences with a start or an end, but no `now`?
    pub(crate) has_unusable_silences: bool,
}

impl Evaluation<'_> {
    /// The ledger entry of an alert.
    pub(crate) fn entry(&self, at: AlertIx) -> &AlertEntry {
        let entries = &self.engine.entries;
        let position = at.position();
        entries.get(position).unwrap_or_else(|| &self.unmatched_resolves[position - entries.len()])
    }

    /// The name of an alert.
    pub(crate) fn name(&self, at: AlertIx) -> &str {
        self.entry(at).identity().alert
    }

    /// The members of an incident. Those that set the priority come first, from the cause down.
    pub(crate) fn members(&self, incident: IncidentIx) -> &[AlertIx] {
        let members = &self.incidents[incident].members;
        &self.all_members[members.start as usize..members.end as usize]
    }

    /// The number of records of an alert and its matched resolves, without duplicates.
    pub(crate) fn count(&self, at: AlertIx) -> u64 {
        let resolves = self.matched_resolves.get(&at);
        self.entry(at).count() + resolves.map_or(0, |set| set.records() - set.repeats())
    }

    /// The earliest and the latest of these records.
    pub(crate) fn span(&self, at: AlertIx) -> (TimedPosition, TimedPosition) {
        let resolves = self.matched_resolves.get(&at).and_then(LabelSetHistory::span);
        let both = self.entry(at).span().into_iter().chain(resolves);
        let nowhere = TimedPosition { at: None, position: SourcePosition::MAX };
        both.reduce(|a, b| (a.0.earlier(b.0), a.1.later(b.1))).unwrap_or((nowhere, nowhere))
    }

    /// When a cause began and when its symptom began, if both are known.
    pub(crate) fn began(&self, cause: AlertIx, symptom: AlertIx) -> Option<(Timestamp, Timestamp)> {
        self.alerts[cause].since.zip(self.alerts[symptom].latest)
    }

    /// The state of an alert, derived from its ledger entry.
    pub(crate) fn state(&self, at: AlertIx) -> AlertState {
        let entry = self.entry(at);
        let identity = entry.identity();
        let rules = self.engine.rules();
        let ttl = rules.is_on("ttl").then(|| rules.ttl(identity.alert, |name| identity.label(name)));
        let time = EvaluationTime { now: self.now, arrivals_since: self.engine.arrivals_since };
        let mut state = AlertState::of_entry(entry, &self.engine.keyed_ends, time, ttl, rules.limits());
        let is_open = matches!(state.phase, AlertPhase::Open | AlertPhase::Pending);
        if is_open && rules.is_on("gone-from-source") && self.newest_snapshots.lack(entry) {
            state.phase = AlertPhase::Obsolete;
            state.is_gone = true;
        }
        state
    }

    /// Whether the events of an alert have stopped, if they came in a rhythm.
    pub(crate) fn silence(&self, state: &AlertState) -> Option<SilentSpan> {
        state.silence(self.now).filter(|_| self.engine.rules().is_on("silent"))
    }
}
