//! The steps from alerts to verdicts and incidents.

use jiff::Timestamp;

use super::alert_phase::AlertPhase;
use super::alert_state::AlertState;
use super::alert_verdict::AlertVerdict;
use super::evaluation::Evaluation;
use super::flags::Flags;
use super::gone::NewestSnapshots;
use super::incidents;
use super::index::{AlertIx, IndexedList, indices};
use super::relate::{self, Union};
use super::scopes::{self, Scopes};
use super::source_scopes::{SourceScopes, scope_labels};
use super::unmatched_resolves::match_resolves_by_key;
use crate::identity::Identity;
use crate::ledger::{AlertEntry, Engine, SuppressedBy};
use crate::rules::{Rules, SeveritySource};
use crate::severity::Severity;
use crate::verdict::{Priority, Verdict};

impl<'e> Evaluation<'e> {
    /// Evaluates all alerts of an engine at `now`, or at the newest time in the input.
    pub(crate) fn new(engine: &'e Engine, now: Option<Timestamp>) -> Self {
        let now = now.or(engine.newest);
        let (matched_resolves, unmatched_resolves) = match_resolves_by_key(engine);
        let mut evaluation = Self {
            engine,
            now,
            unmatched_resolves,
            matched_resolves,
            alerts: IndexedList::default(),
            scopes: Scopes::default(),
            all_members: Vec::new(),
            incidents: IndexedList::default(),
            groups: IndexedList::default(),
            newest_snapshots: NewestSnapshots::new(engine),
            has_unusable_silences: now.is_none() && engine.rules().has_timed_silences(),
        };
        evaluation.evaluate_each();
        let mut union = Union::new(evaluation.alerts.len());
        relate::ladders(&mut evaluation, &mut union);
        evaluation.choose_verdicts();
        relate::edges(&mut evaluation, &mut union);
        relate::instances(&evaluation, &mut union);
        incidents::form(&mut evaluation, &mut union);
        evaluation
    }

    /// Evaluates each alert on its own.
    fn evaluate_each(&mut self) {
        let rules = self.engine.rules();
        let mut scopes = Scopes::default();
        let mut index = scopes::ScopeTable::default();
        let count = self.engine.entries.len() + self.unmatched_resolves.len();
        let by_source = SourceScopes::new(self.engine);
        let mut alerts = IndexedList::with_capacity(count);
        for at in indices::<AlertIx>(count) {
            let entry = self.entry(at);
            let identity = entry.identity();
            let state = self.state(at);
            let mut flags = self.flags(identity, &state);
            let (severity, severity_by) = self.severity(identity, &state, entry.count(), &mut flags);
            if is_informational(identity, rules, severity, severity_by) {
                flags |= Flags::INFORMATIONAL;
            }
            let scope = scope_of(entry, rules, &by_source);
            let scope = scopes.find_or_add(&scope, &mut index);
            let mut alert = AlertVerdict {
                phase: state.phase,
                verdict: Verdict::Active,
                flags,
                severity,
                severity_by,
                priority: Priority::P5,
                scope,
                superior: None,
                superseded_by: None,
                cause: None,
                explains: false,
                depth: 0,
                rung: 0,
                since: state.since,
                latest: state.latest,
                lasted: state.lasted.as_secs().clamp(0, i64::from(u32::MAX)) as u32,
            };
            alert.priority = priority(&alert);
            alerts.push(alert);
        }
        (self.alerts, self.scopes) = (alerts, scopes);
    }

    /// The flags that follow from the state of an alert.
    fn flags(&self, identity: Identity<'_>, state: &AlertState) -> Flags {
        let rules = self.engine.rules();
        let mut flags = match state.phase {
            AlertPhase::Resolved => Flags::RESOLVED,
            AlertPhase::Obsolete => Flags::OBSOLETE,
            AlertPhase::Pending => Flags::PENDING,
            AlertPhase::Open => Flags::default(),
        };
        if rules.silence(identity.alert, |name| identity.label(name), self.now).is_some() {
            flags |= Flags::SILENCED;
        }
        match (&state.suppressed_by, state.phase) {
            (Some(SuppressedBy::Silenced(_)), AlertPhase::Open) => flags |= Flags::SILENCED,
            (Some(SuppressedBy::Inhibited(_)), AlertPhase::Open) => flags |= Flags::INHIBITED,
            _ => {}
        }
        if state.cycles > 0 && rules.is_on("flapping") {
            flags |= Flags::FLAPPING;
        }
        if state.acknowledged.is_some() {
            flags |= Flags::ACKNOWLEDGED;
        }
        if state.fired_again {
            flags |= Flags::FIRED_AGAIN;
        }
        if state.is_gone {
            flags |= Flags::GONE;
        }
        if self.silence(state).is_some() {
            flags |= Flags::SILENT;
        }
        if state.only_ended {
            flags |= Flags::RESOLVE_ONLY;
        }
        flags
    }

    /// The severity of an alert, and where it comes from. Adds the flags of a transient.
    fn severity(
        &self,
        identity: Identity<'_>,
        state: &AlertState,
        count: u64,
        flags: &mut Flags,
    ) -> (Severity, SeveritySource) {
        let rules = self.engine.rules();
        let label = |name: &str| match &state.severity {
            Some(word) if name == "severity" => Some(word.as_ref()),
            _ => identity.label(name),
        };
        let (mut severity, mut severity_by) = rules.severity(identity.alert, label);
        let Some((lasting, _)) = rules.lasting_form(identity.alert) else { return (severity, severity_by) };
        *flags |= Flags::TRANSIENT;
        if rules.is_on("recurring") && count >= rules.limits().recurring {
            *flags |= Flags::RECURRING;
        }
        if state.is_sustained && rules.is_on("sustained") {
            *flags |= Flags::SUSTAINED;
            if severity_by.label().is_none() {
                (severity, severity_by) = rules.severity_by_name(&lasting, label);
            }
            if severity.class() > Severity::Warning.class() {
                severity = Severity::Warning;
            }
        }
        (severity, severity_by)
    }

    /// Sets the verdict of each alert: the first that holds.
    fn choose_verdicts(&mut self) {
        const IN_ORDER: [(Flags, Verdict); 10] = [
            (Flags::SILENCED, Verdict::Silenced),
            (Flags::INHIBITED, Verdict::Inhibited),
            (Flags::FLAPPING, Verdict::Flapping),
            (Flags::RESOLVED, Verdict::Resolved),
            (Flags::OBSOLETE, Verdict::Obsolete),
            (Flags::PENDING, Verdict::Pending),
            (Flags::SUPERSEDED, Verdict::Superseded),
            (Flags::SUSTAINED, Verdict::Sustained),
            (Flags::TRANSIENT, Verdict::Transient),
            (Flags::INFORMATIONAL, Verdict::Informational),
        ];
        for alert in self.alerts.iter_mut() {
            let first = IN_ORDER.into_iter().find(|(flag, _)| alert.flags.contains(*flag));
            alert.verdict = first.map_or(Verdict::Active, |(_, verdict)| verdict);
            alert.priority = priority(alert);
        }
    }
}

/// A label or a row that gives the severity takes precedence over an informational row. A word in
/// the name gives way to a row.
fn is_informational(
    identity: Identity<'_>,
    rules: &Rules,
    severity: Severity,
    severity_by: SeveritySource,
) -> bool {
    let row = || rules.informational(identity.alert, |name| identity.label(name));
    matches!(severity, Severity::Info | Severity::None)
        || match severity_by {
            SeveritySource::Default => row().is_some(),
            SeveritySource::Name => row().is_some_and(|(id, _)| rules.is_row(id)),
            SeveritySource::Label
            | SeveritySource::UnknownWord
            | SeveritySource::Alias(_)
            | SeveritySource::Row(_) => false,
        }
}

/// The priority follows from the severity and the flags; no count changes it.
fn priority(alert: &AlertVerdict) -> Priority {
    let is_informational = alert.flags.contains(Flags::INFORMATIONAL);
    if !alert.sets_priority() {
        // An alert that flapped and whose last episode is resolved gets a low ticket.
        let has_flapped = alert.flags.contains(Flags::FLAPPING) && alert.phase == AlertPhase::Resolved;
        let is_suppressed = alert.flags.intersects(Flags::SILENCED | Flags::INHIBITED);
        let fires_perhaps = alert.flags.contains(Flags::FIRED_AGAIN) && alert.phase == AlertPhase::Resolved;
        return match () {
            () if is_suppressed || is_informational => Priority::P5,
            // It may be a missed page: somebody has to look, but nothing proves that it fires.
            () if fires_perhaps && !alert.is_transient() => Priority::P3,
            () if fires_perhaps || has_flapped => Priority::P4,
            () => Priority::P5,
        };
    }
    if alert.is_transient() {
        return Priority::P4;
    }
    if is_informational {
        return Priority::P5;
    }
    Priority::from_severity(alert.severity)
}

/// The labels that make up the scope.
fn scope_of<'e>(
    entry: &'e AlertEntry,
    rules: &Rules,
    by_source: &'e SourceScopes<'e>,
) -> Vec<(&'e str, &'e str)> {
    let found = scope_labels(entry.identity(), rules);
    if found.is_empty() { by_source.label(&entry.sources).into_iter().collect() } else { found }
}
