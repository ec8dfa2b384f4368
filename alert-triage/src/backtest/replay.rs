//! Replays a history with one set of rules.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::arrival::Arrival;
use super::result::ReplayTotals;
use crate::explain::Location;
use crate::hashing::hash;
use crate::identity::{Identity, IdentityParts};
use crate::incident_tracker::{Change, IncidentTracker, Notification};
use crate::judge::alert_phase::AlertPhase;
use crate::judge::{IncidentIx, ListIndex as _};
use crate::ledger::{Engine, LineOffsets};
use crate::printable::printable;
use crate::report::{Labels, Report};
use crate::severity::Severity;
use crate::source_position::SourcePosition;
use crate::verdict::{Notify, Priority};

/// Maximum number of positions kept for each alert.
const MAX_POSITIONS: usize = 5;

/// One alert over the whole history.
#[derive(Debug)]
pub(super) struct ReplayedAlert {
    pub(super) name: String,
    pub(super) scope: Labels,
    /// The highest priority of its incident while the alert was open, with the reason; `None` if it
    /// was never open.
    pub(super) peak: Option<(Priority, String)>,
    /// Was it open, neither silenced nor inhibited, in an incident that pages?
    pub(super) pages: bool,
    /// Was it open as critical, or does its label say so?
    pub(super) is_critical: bool,
    /// Was it the headline of an incident with a page or a ticket?
    pub(super) is_headline: bool,
    pub(super) positions: Vec<SourcePosition>,
}

/// A notification that these rules send.
#[derive(Debug)]
pub(super) struct SentNotification {
    pub(super) at: Option<Timestamp>,
    pub(super) notice: Notification,
    /// Numbers of the open alerts of its incidents.
    pub(super) alerts: BTreeSet<usize>,
    /// The number of the headline.
    pub(super) head: Option<usize>,
    pub(super) scopes: Vec<Labels>,
}

#[derive(Debug)]
pub(super) struct Replay {
    pub(super) totals: ReplayTotals,
    pub(super) alerts: Vec<ReplayedAlert>,
    pub(super) sent: Vec<SentNotification>,
    /// The number of the alert of each record, by its position and its index there.
    pub(super) alert_of_record: HashMap<(SourcePosition, u32), usize>,
    pub(super) has_overflow: bool,
    pub(super) has_timed_silences: bool,
    offsets: LineOffsets,
    sources: Vec<String>,
}

impl Replay {
    /// Replays the arrivals and makes a report at each of `times`.
    pub(super) fn run(recorder: Engine, arrivals: Vec<Arrival>, times: &[Option<Timestamp>]) -> Self {
        let mut engine = recorder.sibling();
        engine.trace = None;
        let mut replay = Self {
            totals: ReplayTotals {
                malformed: recorder.malformed,
                records: arrivals.len() as u64,
                ..ReplayTotals::default()
            },
            alerts: Vec::new(),
            sent: Vec::new(),
            alert_of_record: HashMap::with_capacity(arrivals.len()),
            has_overflow: false,
            has_timed_silences: recorder.rules().has_timed_silences(),
            offsets: recorder.offsets(),
            sources: recorder.sources.clone(),
        };
        drop(recorder);
        // Alerts by the hash of their keys. Two alerts with equal hashes would be compared as one,
        // and have no effect elsewhere.
        let mut known: HashMap<u64, usize> = HashMap::new();
        let mut tracker = IncidentTracker::default();
        let mut parts = IdentityParts::default();
        let mut arrivals = arrivals.into_iter().peekable();
        for &now in times {
            while let Some(arrival) = arrivals.next_if(|arrival| now.is_none() || arrival.at <= now) {
                engine.ingest(arrival.position, &arrival.record);
                replay.record(&arrival, &mut parts, &engine, &mut known);
            }
            let report = engine.report(now);
            replay.evaluate(&report, &mut tracker, now, &mut known);
        }
        replay.totals.alerts = replay.alerts.len() as u64;
        replay.has_overflow = engine.overflow.iter().any(|count| *count > 0);
        for sent in &replay.sent {
            match sent.notice.notify {
                Notify::Page => replay.totals.pages += 1,
                Notify::Ticket => replay.totals.tickets += 1,
                Notify::None => {}
            }
        }
        replay
    }

    fn record(
        &mut self,
        arrival: &Arrival,
        parts: &mut IdentityParts,
        engine: &Engine,
        known: &mut HashMap<u64, usize>,
    ) {
        // A resolve by key belongs to an alert of other records.
        if arrival.record.alert.is_empty() || arrival.record.is_named_end() {
            return;
        }
        parts.fill(&arrival.record, engine.rules());
        let number = self.find_or_add(hash(&parts.key.0), &parts.key.0, known);
        let alert = &mut self.alerts[number];
        if alert.positions.len() < MAX_POSITIONS {
            alert.positions.push(arrival.position);
        }
        let label = arrival.record.labels.iter().rfind(|(name, _)| name == "severity");
        alert.is_critical |= label.is_some_and(|(_, word)| Severity::from_word(word) == Severity::Critical);
        self.alert_of_record.insert((arrival.position, arrival.index), number);
    }

    fn find_or_add(&mut self, hash: u64, key: &[u8], known: &mut HashMap<u64, usize>) -> usize {
        *known.entry(hash).or_insert_with(|| {
            self.alerts.push(ReplayedAlert {
                name: Identity::from_key(key).alert.to_owned(),
                scope: Labels::new(),
                peak: None,
                pages: false,
                is_critical: false,
                is_headline: false,
                positions: Vec::new(),
            });
            self.alerts.len() - 1
        })
    }

    fn evaluate(
        &mut self,
        report: &Report<'_>,
        tracker: &mut IncidentTracker,
        now: Option<Timestamp>,
        known: &mut HashMap<u64, usize>,
    ) {
        let evaluation = &report.evaluation;
        for (incident, core) in evaluation.incidents.enumerate() {
            let notify = core.priority.notify();
            for &at in evaluation.members(incident) {
                let verdict = report.alert(at);
                if verdict.phase != AlertPhase::Open {
                    continue;
                }
                let entry = evaluation.entry(at);
                let number = self.find_or_add(entry.hash, &entry.key, known);
                let alert = &mut self.alerts[number];
                alert.is_critical |= verdict.severity == Severity::Critical;
                alert.pages |= notify == Notify::Page && verdict.is_firing();
                alert.is_headline |= notify != Notify::None && core.headline == at;
                if alert.peak.as_ref().is_none_or(|(peak, _)| core.priority < *peak) {
                    let head = core.headline;
                    let own = || format!("{}, {}", verdict.verdict, report.member(at).why);
                    let why = match head == at || verdict.priority == core.priority {
                        true => own(),
                        // The alert is suppressed, its incident is not.
                        false if !verdict.is_firing() => {
                            format!("{}, in the incident of {}", own(), report.name(head))
                        }
                        // Another member sets the incident's priority.
                        false => {
                            format!("in the incident of {}, {}", report.name(head), report.severity(head))
                        }
                    };
                    alert.peak = Some((core.priority, why));
                    alert.scope = report.scope(verdict.scope);
                }
            }
        }
        let (ids, notices) = tracker.follow(report);
        for notice in notices {
            if notice.change == Change::Closed || notice.notify == Notify::None {
                continue;
            }
            // The id of a group's notice is the name of the alert; it covers all incidents folded
            // into it.
            let incidents: Vec<IncidentIx> = match notice.incident() {
                Some(id) => {
                    ids.iter().position(|known| *known == id).map(IncidentIx::new).into_iter().collect()
                }
                None => (evaluation.groups.iter())
                    .filter(|group| printable(group.alert.as_bytes()) == notice.headline)
                    .flat_map(|group| group.folded.iter().copied())
                    .collect(),
            };
            let mut alerts = BTreeSet::new();
            let mut scopes = BTreeSet::new();
            for &incident in &incidents {
                for &at in evaluation.members(incident) {
                    if report.alert(at).is_firing() {
                        let entry = evaluation.entry(at);
                        alerts.insert(self.find_or_add(entry.hash, &entry.key, known));
                        scopes.insert(report.scope(report.alert(at).scope));
                    }
                }
            }
            let head = incidents.first().map(|incident| {
                let entry = evaluation.entry(evaluation.incidents[*incident].headline);
                self.find_or_add(entry.hash, &entry.key, known)
            });
            self.sent.push(SentNotification {
                at: now.or(report.now()),
                notice,
                alerts,
                head,
                scopes: scopes.into_iter().collect(),
            });
        }
    }

    /// The lines of an alert's first records.
    pub(super) fn evidence(&self, alert: usize) -> Vec<Location> {
        let mut lines: Vec<Location> = (self.alerts[alert].positions.iter())
            .map(|position| {
                let name = self.sources.get(position.source()).filter(|_| self.sources.len() > 1);
                Location { source: name.map(printable), line: self.offsets.line(*position) }
            })
            .collect();
        lines.dedup();
        lines
    }
}
