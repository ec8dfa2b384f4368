//! Evaluates the alerts around an incident again, with a change.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::counterfactual::{Counterfactual, WhatIf};
use crate::explain::naming::{alert_label, identity_key};
use crate::identity::{Identity, IdentityParts};
use crate::judge::{AlertIx, Evaluation, IncidentIx, ScopeIx};
use crate::ledger::Engine;
use crate::record::{Record, Status};
use crate::report::Report;
use crate::report::wording::counted;
use crate::rules::RuleTable;
use crate::source_position::SourcePosition;
use crate::verdict::Notify;

/// Maximum number of alerts that are evaluated again for every change.
const MAX_RELATED_ALERTS: usize = 20_000;

/// A copy of the related alerts, and the changes found so far.
pub(super) struct Simulation<'r> {
    pub(super) report: &'r Report<'r>,
    /// The identity keys of the members.
    pub(super) keys: BTreeSet<Box<[u8]>>,
    /// The alerts that share a scope with the incident, and its members.
    pub(super) part: Engine,
    pub(super) now: Option<Timestamp>,
    /// The incident without a change.
    pub(super) before: Vec<Counterfactual>,
    pub(super) found: Vec<WhatIf>,
}

impl<'r> Simulation<'r> {
    /// Prepares the simulation of one incident. `None` if too many alerts share a scope with it.
    pub(super) fn new(report: &'r Report<'r>, incident: IncidentIx) -> Option<Self> {
        let evaluation = &report.evaluation;
        let members = evaluation.members(incident);
        let keys: BTreeSet<Box<[u8]>> = members.iter().map(|at| identity_key(report, *at).into()).collect();
        let scopes: BTreeSet<ScopeIx> = members.iter().map(|at| report.alert(*at).scope).collect();
        // Only alerts of one scope are related.
        let near: BTreeSet<Box<[u8]>> = (evaluation.alerts.indices())
            .filter(|at| scopes.contains(&report.alert(*at).scope))
            .map(|at| identity_key(report, at).into())
            .collect();
        if keys.union(&near).count() > MAX_RELATED_ALERTS {
            return None;
        }
        let part = evaluation.engine.subset(|entry| keys.contains(&entry.key) || near.contains(&entry.key));
        let now = evaluation.now;
        let mut simulation = Self { report, keys, part, now, found: Vec::new(), before: Vec::new() };
        simulation.before = simulation.counterfactuals(&simulation.part, now);
        Some(simulation)
    }

    /// The incidents that contain the members. Those that notify nobody are left out if one
    /// notifies.
    pub(super) fn counterfactuals(&self, engine: &Engine, now: Option<Timestamp>) -> Vec<Counterfactual> {
        self.counterfactuals_of(&self.keys, engine, now)
    }

    /// As [`counterfactuals`](Self::counterfactuals), for the alerts with these keys.
    pub(super) fn counterfactuals_of(
        &self,
        keys: &BTreeSet<Box<[u8]>>,
        engine: &Engine,
        now: Option<Timestamp>,
    ) -> Vec<Counterfactual> {
        let evaluation = Evaluation::new(engine, now);
        let mut found = Vec::new();
        for (incident, core) in evaluation.incidents.enumerate() {
            let members = evaluation.members(incident);
            if members.iter().any(|at| keys.contains(&evaluation.entry(*at).key)) {
                found.push(Counterfactual {
                    priority: core.priority,
                    notify: core.priority.notify(),
                    headline: evaluation.name(core.headline).to_owned(),
                });
            }
        }
        if found.iter().any(|one| one.notify != Notify::None) {
            found.retain(|one| one.notify != Notify::None);
        }
        found
    }

    /// Adds a change if it makes a difference.
    pub(super) fn add_if_changed(&mut self, change: String, then: Vec<Counterfactual>) -> bool {
        if then == self.before {
            return false;
        }
        self.add(change, then);
        true
    }

    /// Adds a change.
    pub(super) fn add(&mut self, change: String, then: Vec<Counterfactual>) {
        let outcome = match then.as_slice() {
            [] => "no incident would be left".to_owned(),
            same if *same == self.before => format!("it would stay {}", then[0]),
            [one] => format!("it would be {}", one),
            several => {
                let list =
                    several.iter().take(4).map(Counterfactual::to_string).collect::<Vec<_>>().join("; ");
                let more = if several.len() > 4 { "; …" } else { "" };
                format!("it would be {}: {list}{more}", counted(several.len() as u64, "incident"))
            }
        };
        self.found.push(WhatIf { sentence: format!("{change}: {outcome}"), change, then });
    }

    /// A copy of the alerts with other rules.
    pub(super) fn with_rules(&self, change: impl FnOnce(&mut RuleTable)) -> Engine {
        let mut part = self.part.subset(|_| true);
        part.set_rules(self.report.evaluation.engine.rules().clone().modified(change));
        part
    }

    /// A copy of the alerts with one more record.
    pub(super) fn with_record(&self, record: &Record<'_>) -> Engine {
        let mut part = self.part.subset(|_| true);
        part.ingest(SourcePosition::MAX, record);
        part
    }

    /// The name of an alert and its scope.
    pub(super) fn label(&self, at: AlertIx) -> String {
        alert_label(self.report, at)
    }

    /// A record that repeats the alert; `None` if the record would get another identity.
    pub(super) fn record(&self, at: AlertIx) -> Option<Record<'static>> {
        let key = identity_key(self.report, at);
        let identity = Identity::from_key(key);
        let mut record = Record::firing(identity.alert.to_owned());
        record.text = identity.text.to_owned().into();
        record.labels = identity
            .labels()
            .map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
            .collect();
        let mut parts = IdentityParts::default();
        parts.fill(&record, self.report.evaluation.engine.rules());
        (!identity.alert.is_empty() && parts.key.0 == key).then_some(record)
    }

    /// A record that fires at `now`; without a `now`, an event without a time.
    pub(super) fn now_firing(&self, mut record: Record<'static>) -> Record<'static> {
        (record.time, record.starts) = (self.now, self.now);
        if self.now.is_none() {
            record.status = Status::Event;
        }
        record
    }

    /// The name of an alert.
    pub(super) fn alert(&self, at: AlertIx) -> &str {
        Identity::from_key(identity_key(self.report, at)).alert
    }
}
