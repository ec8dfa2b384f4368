//! What is printed: a view of the engine as judged at one instant.

mod document;
mod incident;
mod level;
mod row;
pub(crate) mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::document::Run;
pub use self::incident::{AlertRef, Cause, Incident, Member, Role, Score, Seen};
pub(crate) use self::incident::{Outline, labels, many_labels, maybe_labels, maybe_many_labels};
pub use self::level::{Notify, Priority, Verdict};
pub use self::row::Row;
use crate::judge::Judgement;
use crate::ledger::{self, Engine, Offsets};
use crate::place::Place;
use crate::printable;
use crate::severity::Severity;

/// Labels by name, in their order.
pub type Labels = BTreeMap<String, String>;

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
    totals: Totals,
}

/// Sums over the input, so that nothing is lost unsaid: `records` = `duplicates` + the sum of all counts (`alerts`) + `retired`, and for
/// formats read line by line `lines` = `blank` + `malformed` + `records`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Totals {
    /// Lines of all inputs.
    pub lines: u64,
    /// Lines of white space only.
    pub blank: u64,
    /// Lines, or records of a document, that could not be read.
    pub malformed: u64,
    /// What could.
    pub records: u64,
    /// Records that repeat one of the same labels, start and state.
    pub duplicates: u64,
    /// Records that are none, of the alerts that are known.
    pub alerts: u64,
    /// Records that are none, of alerts that were [forgotten](Engine::retire).
    #[serde(skip_serializing_if = "is_zero")]
    pub retired: u64,
    /// Members of all incidents.
    pub distinct: u64,
    /// Alerts that a sender says it left out.
    pub truncated: u64,
    /// Incidents, those that notify nobody included.
    pub incidents: u64,
    /// Notifications that wake somebody; a group counts once.
    pub pages: u64,
    /// Notifications that wait for the morning.
    pub tickets: u64,
}

/// Alerts beyond the limit on distinct identities: the mildest, counted and no longer told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Overflow {
    /// Records of alerts that are critical.
    pub critical: u64,
    /// Records of alerts that are errors.
    pub error: u64,
    /// Records of alerts that are warnings, or of an unknown severity.
    pub warning: u64,
    /// Records of alerts that are for information, and of ends that name an unknown key.
    pub info: u64,
    /// All of them.
    pub count: u64,
    /// By the most severe.
    pub priority: Priority,
    /// By the priority.
    pub notify: Notify,
}

/// The same alert standing in several scopes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Group {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Where it stands.
    #[serde(serialize_with = "incident::many_labels")]
    pub scopes: Vec<Labels>,
    /// Ids of the incidents it is in.
    pub incidents: Vec<String>,
    /// Ids of those that it heads, if they are so many that they take one row and one notification.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folded: Vec<String>,
}

/// A line or a record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Malformed {
    /// Name of its input; none if there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Counts from 1.
    pub line: u64,
    /// What is wrong and what would mend it, going on from "it …".
    pub error: String,
    /// The text itself, printable and cut.
    pub text: String,
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
        let joined: u64 = judgement.ends.values().map(crate::ledger::set::Set::records).sum();
        let joined_repeats: u64 = judgement.ends.values().map(crate::ledger::set::Set::repeats).sum();
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
        let alone = judgement
            .incidents
            .iter()
            .filter(|core| core.group == crate::judge::NONE)
            .map(|core| core.priority);
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

    /// All incidents, the most urgent first; each is made when it is asked for.
    pub fn incidents(&self) -> impl ExactSizeIterator<Item = Incident> + '_ {
        (0..self.judgement.incidents.len()).map(|number| self.incident(number))
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
        self.engine
            .faults
            .iter()
            .map(|((place, _), malformed)| Malformed::new(self.engine, &self.offsets, *place, malformed))
    }

    /// How many of each kind could not be read; all of them.
    pub fn malformed_by_error(&self) -> &BTreeMap<&'static str, u64> {
        &self.engine.faults_by_kind
    }

    /// What the whole report rests on and cannot know, for people; each a sentence.
    pub fn caveats(&self) -> Vec<String> {
        words::caveats(self)
    }

    pub(crate) fn source(&self, place: Place) -> Option<String> {
        self.engine.source_of(place)
    }

    pub(crate) fn scope(&self, scope: u32) -> Labels {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.judgement.scopes.labels(scope).map(pair).collect()
    }
}

impl Malformed {
    pub(crate) fn new(
        engine: &Engine,
        offsets: &Offsets,
        place: Place,
        malformed: &ledger::Malformed,
    ) -> Self {
        Self {
            source: engine.source_of(place),
            line: offsets.line(place),
            error: malformed.fault.to_string(),
            text: malformed.text.clone(),
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
