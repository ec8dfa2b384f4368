//! One set of rules, from instant to instant.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::Sent;
use crate::explain::At;
use crate::hashing::hash;
use crate::identity::{Identity, IdentityParts};
use crate::incident_tracker::{Change, IncidentTracker, Notification};
use crate::judge::stand::Stand;
use crate::ledger::{Engine, Offsets};
use crate::printable::printable;
use crate::record::Record;
use crate::report::{Labels, Report};
use crate::severity::Severity;
use crate::source_position::SourcePosition;
use crate::verdict::{Notify, Priority};

/// Places kept of one alert.
const MAX_POSITIONS: usize = 5;

/// A record, and when it became known.
#[derive(Debug)]
pub(super) struct Arrival {
    /// None if neither it nor anything before it in its source says when.
    pub(super) at: Option<Timestamp>,
    position: SourcePosition,
    pub(super) record: Record<'static>,
    /// Counts those of one place.
    turn: u32,
}

/// What a recording engine has read, in the order in which it became known.
pub(super) fn arrivals(engine: &mut Engine) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    let mut before: Option<(SourcePosition, Option<Timestamp>, u32)> = None;
    for (position, record) in engine.take_records() {
        let same_source = before.filter(|(known, ..)| known.source() == position.source());
        // What says no time comes with what stands before it.
        let at = record.newest().or(same_source.and_then(|(_, at, _)| at));
        let turn = before.filter(|(known, ..)| *known == position).map_or(0, |(.., turn)| turn + 1);
        before = Some((position, at, turn));
        arrivals.push(Arrival { at, position, record, turn });
    }
    arrivals.sort_by_key(|arrival| arrival.at);
    arrivals
}

/// What became of one alert over the whole history.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) name: String,
    pub(super) scope: Labels,
    /// Of its incident, at its most urgent while it stood, and why; none if it never stood.
    pub(super) peak: Option<(Priority, String)>,
    /// Stood, held back by nobody, in an incident that pages.
    pub(super) pages: bool,
    /// Stood as a critical one, or said so itself.
    pub(super) is_critical: bool,
    /// Stood at the head of an incident that tells somebody.
    pub(super) heads: bool,
    pub(super) positions: Vec<SourcePosition>,
}

/// What would have been told at one instant.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) at: Option<Timestamp>,
    pub(super) notice: Notification,
    /// Numbers of the alerts that stand in it.
    pub(super) alerts: BTreeSet<usize>,
    /// The one at its head.
    pub(super) head: Option<usize>,
    pub(super) scopes: Vec<Labels>,
}

#[derive(Debug)]
pub(super) struct Replay {
    pub(super) sent: Sent,
    pub(super) alerts: Vec<Alert>,
    pub(super) told: Vec<Told>,
    /// The alert that each record went to, by its place and its turn there.
    pub(super) of_record: HashMap<(SourcePosition, u32), usize>,
    pub(super) has_overflow: bool,
    pub(super) has_timed_silences: bool,
    offsets: Offsets,
    sources: Vec<String>,
}

impl Replay {
    pub(super) fn of(recorder: Engine, arrivals: Vec<Arrival>, instants: &[Option<Timestamp>]) -> Self {
        let mut engine = recorder.sibling();
        engine.trace = None;
        let mut replay = Self {
            sent: Sent { malformed: recorder.malformed, records: arrivals.len() as u64, ..Sent::default() },
            alerts: Vec::new(),
            told: Vec::new(),
            of_record: HashMap::with_capacity(arrivals.len()),
            has_overflow: false,
            has_timed_silences: recorder.rules().has_timed_silences(),
            offsets: recorder.offsets(),
            sources: recorder.sources.clone(),
        };
        drop(recorder);
        // Alerts by the hash of their keys; two of one hash would be taken for one in a comparison, and nowhere else.
        let mut known: HashMap<u64, usize> = HashMap::new();
        let mut tracker = IncidentTracker::default();
        let mut parts = IdentityParts::default();
        let mut arrivals = arrivals.into_iter().peekable();
        for &now in instants {
            while let Some(arrival) = arrivals.next_if(|arrival| now.is_none() || arrival.at <= now) {
                engine.ingest(arrival.position, &arrival.record);
                replay.record(&arrival, &mut parts, &engine, &mut known);
            }
            let report = engine.report(now);
            replay.look(&report, &mut tracker, now, &mut known);
        }
        replay.sent.alerts = replay.alerts.len() as u64;
        replay.has_overflow = engine.overflow.iter().any(|count| *count > 0);
        for told in &replay.told {
            match told.notice.notify {
                Notify::Page => replay.sent.pages += 1,
                Notify::Ticket => replay.sent.tickets += 1,
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
        // An end that names only a key is about an alert that other records made.
        if arrival.record.alert.is_empty() {
            return;
        }
        parts.fill(&arrival.record, engine.rules());
        let number = self.number(hash(&parts.key.0), &parts.key.0, known);
        let alert = &mut self.alerts[number];
        if alert.positions.len() < MAX_POSITIONS {
            alert.positions.push(arrival.position);
        }
        let label = arrival.record.labels.iter().rfind(|(name, _)| name == "severity");
        alert.is_critical |= label.is_some_and(|(_, word)| Severity::of_word(word) == Severity::Critical);
        self.of_record.insert((arrival.position, arrival.turn), number);
    }

    fn number(&mut self, hash: u64, key: &[u8], known: &mut HashMap<u64, usize>) -> usize {
        *known.entry(hash).or_insert_with(|| {
            self.alerts.push(Alert {
                name: Identity::of(key).alert.to_owned(),
                scope: Labels::new(),
                peak: None,
                pages: false,
                is_critical: false,
                heads: false,
                positions: Vec::new(),
            });
            self.alerts.len() - 1
        })
    }

    fn look(
        &mut self,
        report: &Report<'_>,
        tracker: &mut IncidentTracker,
        now: Option<Timestamp>,
        known: &mut HashMap<u64, usize>,
    ) {
        let judgement = &report.judgement;
        for core in &judgement.incidents {
            let notify = core.priority.notify();
            for &at in report.members(core) {
                let judged = report.judged(at);
                if judged.stand != Stand::Open {
                    continue;
                }
                let entry = judgement.entry(report.engine, at);
                let number = self.number(entry.hash, &entry.key, known);
                let alert = &mut self.alerts[number];
                alert.is_critical |= judged.severity == Severity::Critical;
                alert.pages |= notify == Notify::Page && judged.stands();
                alert.heads |= notify != Notify::None && core.headline == at;
                if alert.peak.as_ref().is_none_or(|(peak, _)| core.priority < *peak) {
                    let head = core.headline;
                    let own = || format!("{}, {}", judged.verdict, report.member(at).why);
                    let why = match head == at || judged.priority == core.priority {
                        true => own(),
                        // The alert is suppressed, though the incident is not.
                        false if !judged.stands() => {
                            format!("{}, in the incident of {}", own(), report.name(head))
                        }
                        // The incident's priority is another's.
                        false => {
                            format!("in the incident of {}, {}", report.name(head), report.severity(head))
                        }
                    };
                    alert.peak = Some((core.priority, why));
                    alert.scope = report.scope(judged.scope);
                }
            }
        }
        let (ids, notices) = tracker.follow(report);
        for notice in notices {
            if notice.change == Change::Closed || notice.notify == Notify::None {
                continue;
            }
            // A group's notice has the alert's name for an id, and is about all that are folded into it.
            let numbers: Vec<usize> = match notice.incident() {
                Some(id) => ids.iter().position(|known| *known == id).into_iter().collect(),
                None => (judgement.groups.iter())
                    .filter(|group| printable(group.alert.as_bytes()) == notice.headline)
                    .flat_map(|group| group.folded.iter().map(|number| *number as usize))
                    .collect(),
            };
            let mut alerts = BTreeSet::new();
            let mut scopes = BTreeSet::new();
            for &number in &numbers {
                for &at in report.members(&judgement.incidents[number]) {
                    if report.judged(at).stands() {
                        let entry = judgement.entry(report.engine, at);
                        alerts.insert(self.number(entry.hash, &entry.key, known));
                        scopes.insert(report.scope(report.judged(at).scope));
                    }
                }
            }
            let head = numbers.first().map(|number| {
                let entry = judgement.entry(report.engine, judgement.incidents[*number].headline);
                self.number(entry.hash, &entry.key, known)
            });
            self.told.push(Told {
                at: now.or(report.now()),
                notice,
                alerts,
                head,
                scopes: scopes.into_iter().collect(),
            });
        }
    }

    /// Lines of an alert's first records.
    pub(super) fn evidence(&self, alert: usize) -> Vec<At> {
        let mut lines: Vec<At> = (self.alerts[alert].positions.iter())
            .map(|position| {
                let name = self.sources.get(position.source()).filter(|_| self.sources.len() > 1);
                At { source: name.map(printable), line: self.offsets.line(*position) }
            })
            .collect();
        lines.dedup();
        lines
    }
}
