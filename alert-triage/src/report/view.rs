//! The report: a view of the engine at one instant.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::group::Group;
use super::labels::Labels;
use super::malformed::Malformed;
use super::totals::{Overflow, Totals};
use crate::judge::{AlertIx, AlertVerdict, Evaluation, ScopeIx, indices};
use crate::ledger::LabelSetHistory;
use crate::ledger::{Engine, LineOffsets};
use crate::severity::Severity;
use crate::source_position::SourcePosition;
use crate::verdict::{Notify, Priority};

impl Engine {
    /// Evaluates all alerts at `now`, and makes a report.
    ///
    /// `None` means the newest time in the input. If no record carries a time either, no verdict
    /// that needs a time holds.
    pub fn report(&mut self, now: Option<Timestamp>) -> Report<'_> {
        self.flush_line_counts();
        Report::new(self, now)
    }
}

/// A ranked report of all incidents at one instant.
///
/// The report is a view that borrows the engine: incidents are derived on demand, so a million of
/// them need no second copy. It serializes as `triage/v1`, piece by piece.
///
/// ```
/// use alert_triage::{Engine, Format, Rules};
///
/// let mut engine = Engine::new(Rules::builtin());
/// engine.read("night.log", Format::Lines, b"Zone AB: LLMModelStale\nZone AB: LLMModelVeryStale\n");
/// let report = engine.report(None);
///
/// let incident = report.incidents().next().unwrap();
/// assert_eq!((incident.headline.as_str(), incident.members.len()), ("LLMModelVeryStale", 2));
/// assert_eq!(incident.members[1].by.as_ref().unwrap().alert, "LLMModelVeryStale");
/// ```
#[derive(Debug)]
pub struct Report<'e> {
    pub(crate) evaluation: Evaluation<'e>,
    pub(crate) offsets: LineOffsets,
    pub(super) totals: Totals,
}

impl<'e> Report<'e> {
    fn new(engine: &'e Engine, now: Option<Timestamp>) -> Self {
        let evaluation = Evaluation::new(engine, now);
        let mut report = Self { evaluation, offsets: engine.offsets(), totals: Totals::default() };
        report.totals = report.sum();
        report
    }

    fn sum(&self) -> Totals {
        let evaluation = &self.evaluation;
        let engine = evaluation.engine;
        let all = || indices::<AlertIx>(evaluation.alerts.len()).map(|at| evaluation.entry(at));
        let overflow = self.overflow();
        let records: u64 = all().map(|entry| entry.records()).sum();
        let repeats: u64 = all().map(|entry| entry.repeats()).sum();
        let matched: u64 = evaluation.matched_resolves.values().map(LabelSetHistory::records).sum();
        let matched_repeats: u64 = evaluation.matched_resolves.values().map(LabelSetHistory::repeats).sum();
        let overflowed = overflow.map_or(0, |overflow| overflow.count);
        let mut totals = Totals {
            lines: engine.lines,
            blank: engine.blank,
            malformed: engine.malformed,
            records: records + matched + overflowed + engine.retired.records,
            duplicates: repeats + matched_repeats + engine.retired.repeats,
            alerts: records + matched + overflowed - repeats - matched_repeats,
            retired: engine.retired.records - engine.retired.repeats,
            distinct: evaluation.alerts.len() as u64,
            truncated: engine.truncated,
            incidents: evaluation.incidents.len() as u64,
            pages: 0,
            tickets: 0,
        };
        let alone = evaluation.incidents.iter().filter(|core| core.group.is_none()).map(|core| core.priority);
        let grouped = evaluation.groups.iter().filter_map(|group| {
            group.folded.iter().map(|incident| evaluation.incidents[*incident].priority).min()
        });
        for priority in alone.chain(grouped).chain(overflow.map(|overflow| overflow.priority)) {
            match priority.notify() {
                Notify::Page => totals.pages += 1,
                Notify::Ticket => totals.tickets += 1,
                Notify::None => {}
            }
        }
        totals
    }

    /// The instant of the report; `None` if no time was given and no record carries one.
    pub fn now(&self) -> Option<Timestamp> {
        self.evaluation.now
    }

    /// Sums over all inputs.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Alerts that are firing in at least 2 scopes.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = Group> + '_ {
        self.evaluation.groups.iter().map(|group| Group {
            alert: group.alert.to_string(),
            scopes: group.scopes.iter().map(|scope| self.scope(*scope)).collect(),
            incidents: group.incidents.iter().map(|incident| self.id(*incident)).collect(),
            folded: group.folded.iter().map(|incident| self.id(*incident)).collect(),
        })
    }

    /// The alerts beyond the limit on distinct identities, if there are any.
    pub fn overflow(&self) -> Option<Overflow> {
        let [critical, error, warning, info] = self.evaluation.engine.overflow;
        let count = critical + error + warning + info;
        let severity = match () {
            () if critical > 0 => Severity::Critical,
            () if error > 0 => Severity::Error,
            () if warning > 0 => Severity::Warning,
            () => Severity::Info,
        };
        let priority = Priority::from_severity(severity);
        let notify = priority.notify();
        (count > 0).then_some(Overflow { critical, error, warning, info, count, priority, notify })
    }

    /// The first [`MAX_MALFORMED_KEPT`](crate::fault::MAX_MALFORMED_KEPT) malformed lines and
    /// records, by position.
    pub fn malformed(&self) -> impl ExactSizeIterator<Item = Malformed> + '_ {
        self.evaluation.engine.faults.iter().map(|((position, _), malformed)| {
            Malformed::new(self.evaluation.engine, &self.offsets, *position, malformed)
        })
    }

    /// The number of malformed lines and records by kind of error.
    pub fn malformed_by_error(&self) -> BTreeMap<&'static str, u64> {
        self.evaluation.engine.source_log.faults_by_kind(|_| true)
    }

    pub(crate) fn source(&self, position: SourcePosition) -> Option<String> {
        self.evaluation.engine.source_name(position)
    }

    /// The verdict on an alert.
    pub(crate) fn alert(&self, at: AlertIx) -> &AlertVerdict {
        &self.evaluation.alerts[at]
    }

    /// The labels of a scope.
    pub(crate) fn scope(&self, scope: ScopeIx) -> Labels {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.evaluation.scopes.labels(scope).map(pair).collect()
    }
}
