//! A report: a view of the engine as judged at one instant.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::group::Group;
use super::labels::Labels;
use super::malformed::Malformed;
use super::totals::{Overflow, Totals};
use crate::judge::{Judgement, NONE};
use crate::ledger::LabelSetHistory;
use crate::ledger::{Engine, Offsets};
use crate::severity::Severity;
use crate::source_position::SourcePosition;
use crate::verdict::{Notify, Priority};

impl Engine {
    /// Judges everything at `now`; none is the newest time that a record carries, and where no record carries one,
    /// nothing that needs the time holds.
    pub fn report(&mut self, now: Option<Timestamp>) -> Report<'_> {
        self.flush_line_counts();
        Report::of(self, now)
    }
}

/// Incidents in their order, and what became of every line.
///
/// A view that borrows the engine: a million incidents need no second copy of what they are made of. Serialized
/// (`triage/v1`) it is written piece by piece.
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
    pub(crate) engine: &'e Engine,
    pub(crate) judgement: Judgement,
    pub(crate) offsets: Offsets,
    pub(super) totals: Totals,
}

impl<'e> Report<'e> {
    pub(crate) fn of(engine: &'e Engine, now: Option<Timestamp>) -> Self {
        let judgement = Judgement::of(engine, now);
        let mut report = Self { engine, judgement, offsets: engine.offsets(), totals: Totals::default() };
        report.totals = report.sum();
        report
    }

    fn sum(&self) -> Totals {
        let Self { engine, judgement, .. } = self;
        let all = 0..judgement.alerts.len() as u32;
        let overflow = self.overflow();
        let records: u64 = all.clone().map(|at| judgement.entry(engine, at).records()).sum();
        let repeats: u64 = all.map(|at| judgement.entry(engine, at).repeats()).sum();
        let joined: u64 = judgement.ends.values().map(LabelSetHistory::records).sum();
        let joined_repeats: u64 = judgement.ends.values().map(LabelSetHistory::repeats).sum();
        let overflown = overflow.map_or(0, |overflow| overflow.count);
        let mut totals = Totals {
            lines: engine.lines,
            blank: engine.blank,
            malformed: engine.malformed,
            records: records + joined + overflown + engine.retired.records,
            duplicates: repeats + joined_repeats + engine.retired.repeats,
            alerts: records + joined + overflown - repeats - joined_repeats,
            retired: engine.retired.records - engine.retired.repeats,
            distinct: judgement.alerts.len() as u64,
            truncated: engine.truncated,
            incidents: judgement.incidents.len() as u64,
            pages: 0,
            tickets: 0,
        };
        let alone = judgement.incidents.iter().filter(|core| core.group == NONE).map(|core| core.priority);
        let grouped = judgement.groups.iter().filter_map(|group| {
            group.folded.iter().map(|incident| judgement.incidents[*incident as usize].priority).min()
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

    /// The instant that was judged at; none if no record carries a time and none was given.
    pub fn now(&self) -> Option<Timestamp> {
        self.judgement.now
    }

    /// Sums over the input.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Alerts that stand in two scopes or more.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = Group> + '_ {
        self.judgement.groups.iter().map(|group| Group {
            alert: group.alert.to_string(),
            scopes: group.scopes.iter().map(|scope| self.scope(*scope)).collect(),
            incidents: group.incidents.iter().map(|incident| self.id(*incident as usize)).collect(),
            folded: group.folded.iter().map(|incident| self.id(*incident as usize)).collect(),
        })
    }

    /// What was counted beyond the limit on distinct identities, if anything was.
    pub fn overflow(&self) -> Option<Overflow> {
        let [critical, error, warning, info] = self.engine.overflow;
        let count = critical + error + warning + info;
        let severity = match () {
            () if critical > 0 => Severity::Critical,
            () if error > 0 => Severity::Error,
            () if warning > 0 => Severity::Warning,
            () => Severity::Info,
        };
        let priority = Priority::of(severity);
        let notify = priority.notify();
        (count > 0).then_some(Overflow { critical, error, warning, info, count, priority, notify })
    }

    /// The first [`MALFORMED_KEPT`](crate::MALFORMED_KEPT) lines and records that could not be read, by place.
    pub fn malformed(&self) -> impl ExactSizeIterator<Item = Malformed> + '_ {
        self.engine.faults.iter().map(|((position, _), malformed)| {
            Malformed::new(self.engine, &self.offsets, *position, malformed)
        })
    }

    /// How many of each kind could not be read; all of them.
    pub fn malformed_by_error(&self) -> &BTreeMap<&'static str, u64> {
        &self.engine.faults_by_kind
    }

    pub(crate) fn source(&self, position: SourcePosition) -> Option<String> {
        self.engine.source_name(position)
    }

    pub(crate) fn scope(&self, scope: u32) -> Labels {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.judgement.scopes.labels(scope).map(pair).collect()
    }
}
