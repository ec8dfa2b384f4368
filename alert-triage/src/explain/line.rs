//! What became of one line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{At, Known, Lines, rank};
use crate::hashing::hash;
use crate::identity::{Identity, shown_key, workload};
use crate::judge::NONE;
use crate::mask;
use crate::printable::{self, printable};
use crate::record::Status;
use crate::record_trace::{LineTrace, TracedRecord};
use crate::report::{Labels, Member, Report};
use crate::source_position::SourcePosition;
use crate::verdict::{Notify, Priority};

/// What became of a line.
#[derive(Debug, Serialize)]
pub struct LineExplained {
    /// Name of its input.
    #[serde(serialize_with = "printable::serialize")]
    pub source: String,
    /// Counts from 1.
    pub line: u64,
    /// The line itself, printable and cut.
    pub text: String,
    /// What the input was read as.
    pub format: Option<&'static str>,
    /// The template that took it, of plain lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub became: Became,
}

/// What a line is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum Became {
    /// White space only, or a line of a document before its first alert.
    Nothing {
        /// In words.
        why: String,
    },
    /// It could not be read.
    Malformed {
        /// A short stable word.
        kind: &'static str,
        /// What is wrong and what would mend it, going on from "it …".
        error: String,
    },
    /// One record, or those of a payload that begin on one line.
    Records {
        /// Where they begin, if not on this line: a document's alerts go over many.
        #[serde(skip_serializing_if = "Option::is_none")]
        begins: Option<At>,
        /// The first of them.
        records: Vec<RecordExplained>,
        /// Those that are not shown.
        more: u64,
    },
}

/// What became of one record.
#[derive(Debug, Serialize)]
pub struct RecordExplained {
    /// The name as read.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// The state it tells.
    pub state: &'static str,
    /// When it was said.
    pub at: Option<Timestamp>,
    /// Start of the episode.
    pub starts: Option<Timestamp>,
    /// Labels that were read and are not part of the identity, each with the reason.
    pub loose: Vec<Loose>,
    /// Free text as read, if masking changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked: Option<String>,
    /// Where the record that it repeats stands; then it changes nothing but `totals.duplicates`.
    pub duplicate_of: Option<At>,
    /// The scope.
    pub scope: Labels,
    /// Severity, and what says it.
    pub severity: String,
    /// What became of the alert; none if it went into the overflow.
    pub alert_now: Option<Member>,
    /// All records of that alert.
    pub evidence: Option<Lines>,
    /// The incident it went to.
    pub incident: Option<InIncident>,
    /// Why somebody is woken by that incident, or nobody is.
    pub paging: Vec<String>,
}

/// A label that is not part of the identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loose {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub label: String,
    /// As read.
    #[serde(serialize_with = "printable::serialize")]
    pub value: String,
    /// Why it is left out.
    pub why: String,
}

/// Names an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InIncident {
    /// Its id.
    pub id: String,
    /// Counts from 1.
    pub rank: usize,
    /// Its priority.
    pub priority: Priority,
    /// By the priority.
    pub notify: Notify,
    /// Its headline.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
}

pub(super) fn explain(
    report: &Report<'_>,
    (source, number): (usize, u64),
    line: Option<&LineTrace>,
    evidence: &Known,
    text: Option<&[u8]>,
) -> LineExplained {
    let format = line.and_then(|line| line.format);
    let is_lines = format.is_some_and(|format| format.is_lines());
    let name = report.engine.sources.get(source).map(String::as_str).unwrap_or_default();
    let template = text
        .filter(|_| matches!(format, Some(crate::format::Format::Lines)))
        .and_then(|text| report.engine.rules().template(text))
        .map(str::to_owned);
    let is_blank = text.is_some_and(|text| text.trim_ascii().is_empty());
    let nothing = |why: &str| Became::Nothing { why: why.to_owned() };
    let became = match line {
        // Of a document the last that began counts, of lines only the line itself.
        Some(line) if line.at.is_some_and(|at| at == line.wanted || !is_lines) => {
            let begins = line.at.filter(|at| *at != line.wanted).map(|at| report.at(at));
            match (&line.fault, line.records.is_empty()) {
                (Some(fault), true) => Became::Malformed { kind: fault.kind(), error: fault.to_string() },
                _ => Became::Records {
                    begins,
                    records: line
                        .records
                        .iter()
                        .map(|taken| record(report, line.at, taken, evidence))
                        .collect(),
                    more: line.more,
                },
            }
        }
        _ if !is_lines && !is_blank => nothing("it stands before the first alert of the document"),
        _ => nothing("it is blank: white space only"),
    };
    LineExplained {
        source: name.to_owned(),
        line: number,
        text: text.map(printable).unwrap_or_default(),
        format: format.map(|format| format.name()),
        template: template.filter(|_| matches!(became, Became::Records { .. })),
        became,
    }
}

fn record(
    report: &Report<'_>,
    position: Option<SourcePosition>,
    taken: &TracedRecord,
    evidence: &Known,
) -> RecordExplained {
    let record = &taken.record;
    let at = index(report, taken);
    let key = at.map_or(taken.key.as_ref(), |at| report.key(at));
    let found = evidence.get(key);
    let is_keyed = record.status != Status::Event && (record.starts.is_some() || record.keyed);
    let first = found.and_then(|found| found.first_of.get(&taken.same).copied().flatten());
    let duplicate_of =
        first.filter(|first| is_keyed && Some(*first) != position).map(|first| report.at(first));
    let incident = at.and_then(|at| incident_of(report, at));
    let member = at.map(|at| report.member(at));
    RecordExplained {
        alert: match record.alert.is_empty() {
            true => record.key.clone().unwrap_or_default().into_owned(),
            false => record.alert.clone().into_owned(),
        },
        state: match record.status {
            Status::Pending => "pending",
            Status::Event => "event",
            Status::Firing => "firing",
            Status::Resolved => "resolved",
        },
        at: record.time,
        starts: record.starts,
        loose: loose(report, taken),
        masked: (!record.text.is_empty()
            && mask::mask(&record.text, |id| report.engine.rules().is_on(id)).0 != record.text)
            .then(|| printable(record.text.as_ref())),
        duplicate_of,
        scope: at.map(|at| report.scope(report.judged(at).scope)).unwrap_or_default(),
        severity: at.map(|at| report.severity(at)).unwrap_or_default(),
        evidence: member.as_ref().map(|member| Lines::of(report, &member.alert, found)),
        alert_now: member,
        paging: incident.map(|number| rank::paging(report, number)).unwrap_or_default(),
        incident: incident.map(|number| {
            let core = &report.judgement.incidents[number];
            InIncident {
                id: report.id(number),
                rank: number + 1,
                priority: core.priority,
                notify: core.priority.notify(),
                headline: report.name(core.headline),
            }
        }),
    }
}

/// The alert that a record went to; an end that names only a key goes to the alert that carries it.
pub(super) fn index(report: &Report<'_>, taken: &TracedRecord) -> Option<u32> {
    let engine = report.engine;
    if !taken.key.is_empty() {
        let hash = hash(&taken.key);
        let found = engine.entries.iter().position(|entry| entry.hash == hash && entry.key == taken.key);
        return found.map(|at| at as u32);
    }
    let key = taken.record.key.as_deref()?;
    if let Some((_, holder)) = crate::judge::holders(engine).get(key) {
        return Some(*holder).filter(|at| *at != NONE);
    }
    let orphans = (0..report.judgement.alerts.len() as u32).skip(engine.entries.len());
    orphans.into_iter().find(|at| Identity::of(report.key(*at)).alert == shown_key(key))
}

fn incident_of(report: &Report<'_>, at: u32) -> Option<usize> {
    report.judgement.incidents.iter().position(|core| report.members(core).contains(&at))
}

fn loose(report: &Report<'_>, taken: &TracedRecord) -> Vec<Loose> {
    let rules = report.engine.rules();
    let record = &taken.record;
    let identity: BTreeMap<&str, &str> = Identity::of(&taken.key).labels().collect();
    let pod = record.labels.iter().rfind(|(name, _)| name == "pod").map(|(_, pod)| pod.as_ref());
    let mut loose = Vec::new();
    for (at, (name, value)) in record.labels.iter().enumerate() {
        if taken.key.is_empty() || identity.get(name.as_ref()) == Some(&value.as_ref()) {
            continue;
        }
        let again = record.labels[at + 1..].iter().any(|(later, _)| later == name);
        let why = match name.as_ref() {
            _ if again => "told twice, and the later one counts".to_owned(),
            _ if value.is_empty() => "an empty label is none".to_owned(),
            _ if rules.is_volatile(name) => "differs between senders or restarts (identity.drop)".to_owned(),
            "pod" => format!("its workload {} stands for it (identity/pod)", printable(workload(value))),
            "instance" if pod.is_some() => "goes with the pod (identity/pod)".to_owned(),
            _ => "not part of the identity".to_owned(),
        };
        loose.push(Loose { label: name.to_string(), value: value.to_string(), why });
    }
    loose
}
