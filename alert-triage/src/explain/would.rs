//! What would change an incident: each change is made to the alerts it may have to do with, and they are judged again.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::named;
use crate::identity::{Identity, IdentityParts};
use crate::judge::stand::Stand;
use crate::judge::{Judgement, Ladder, flag, relate};
use crate::ledger::{AlertEntry, Engine};
use crate::printable;
use crate::record::{Record, Status};
use crate::report::words::{counted, span};
use crate::report::{Labels, Report};
use crate::rules::{Edge, Rules, Table};
use crate::severity::Severity;
use crate::source_position::SourcePosition;
use crate::verdict::{Notify, Priority, Verdict};

/// An incident of more members is looked at by its headline alone.
const TAKEN_APART: usize = 32;

/// Alerts that an incident may have to do with; of more it would take too long to judge them again and again.
const NEAR: usize = 20_000;

/// Alerts that would raise it, the most urgent first.
const RAISING: usize = 5;

/// One change, and what it would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Would {
    /// The change, as a noun: `a firing X zone=AB`.
    #[serde(serialize_with = "printable::serialize")]
    pub change: String,
    /// The incident then: all of them if it falls apart, none if nothing is left.
    pub then: Vec<Outlook>,
    /// Both in a sentence.
    pub sentence: String,
}

/// An incident as it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// Its priority.
    pub priority: Priority,
    /// By the priority.
    pub notify: Notify,
    /// Its headline.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
}

impl std::fmt::Display for Outlook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}, headed by {}", self.priority, self.notify, printable::printable(&self.headline))
    }
}

/// None if there are too many alerts to try anything.
pub(super) fn of(report: &Report<'_>, number: usize) -> Option<Vec<Would>> {
    let core = &report.judgement.incidents[number];
    let members = report.members(core);
    let keys: BTreeSet<Box<[u8]>> = members.iter().map(|at| report.key(*at).into()).collect();
    let scopes: BTreeSet<u32> = members.iter().map(|at| report.judged(*at).scope).collect();
    // Only alerts of one scope have to do with each other, and those without any with none.
    let is_scoped = |scope: &u32| !report.judgement.scopes.is_nowhere(*scope);
    let near: BTreeSet<Box<[u8]>> = (0..report.judgement.alerts.len() as u32)
        .filter(|at| {
            let scope = report.judged(*at).scope;
            scopes.contains(&scope) && is_scoped(&scope)
        })
        .map(|at| report.key(at).into())
        .collect();
    if keys.union(&near).count() > NEAR {
        return None;
    }
    let part = report.engine.subset(|entry| keys.contains(&entry.key) || near.contains(&entry.key));
    let mut lab =
        Lab { report, keys, part, now: report.judgement.now, found: Vec::new(), before: Vec::new() };
    lab.before = lab.outlook(&lab.part, lab.now);
    lab.all(core.headline, members);
    Some(lab.found)
}

struct Lab<'r> {
    report: &'r Report<'r>,
    /// Of the members.
    keys: BTreeSet<Box<[u8]>>,
    part: Engine,
    now: Option<Timestamp>,
    before: Vec<Outlook>,
    found: Vec<Would>,
}

impl Lab<'_> {
    fn all(&mut self, headline: u32, members: &[u32]) {
        let members = if members.len() <= TAKEN_APART { members } else { &[headline] };
        self.raised(members);
        self.severity(headline);
        self.held_back_or_over(headline, members);
        self.sustained(headline);
        self.later(members);
        self.fired(members);
        self.rows(members);
    }

    /// The incidents that the members are in, those that tell somebody first.
    fn outlook(&self, engine: &Engine, now: Option<Timestamp>) -> Vec<Outlook> {
        self.outlook_of(&self.keys, engine, now)
    }

    fn outlook_of(
        &self,
        keys: &BTreeSet<Box<[u8]>>,
        engine: &Engine,
        now: Option<Timestamp>,
    ) -> Vec<Outlook> {
        let judgement = Judgement::of(engine, now);
        let mut found = Vec::new();
        for core in &judgement.incidents {
            let members = &judgement.members[core.members.start as usize..core.members.end as usize];
            if members.iter().any(|at| keys.contains(&judgement.entry(engine, *at).key)) {
                found.push(Outlook {
                    priority: core.priority,
                    notify: core.priority.notify(),
                    headline: judgement.entry(engine, core.headline).identity().alert.to_owned(),
                });
            }
        }
        if found.iter().any(|outlook| outlook.notify != Notify::None) {
            found.retain(|outlook| outlook.notify != Notify::None);
        }
        found
    }

    /// Keeps what changes something.
    fn tell(&mut self, change: String, then: Vec<Outlook>) -> bool {
        if then == self.before {
            return false;
        }
        self.told(change, then);
        true
    }

    fn told(&mut self, change: String, then: Vec<Outlook>) {
        let outcome = match then.as_slice() {
            [] => "nothing would be left of it".to_owned(),
            same if *same == self.before => format!("it would stay {}", then[0]),
            [one] => format!("it would be {}", one),
            several => {
                let list = several.iter().take(4).map(Outlook::to_string).collect::<Vec<_>>().join("; ");
                let more = if several.len() > 4 { "; …" } else { "" };
                format!("it would be {}: {list}{more}", counted(several.len() as u64, "incident"))
            }
        };
        self.found.push(Would { sentence: format!("{change}: {outcome}"), change, then });
    }

    fn with_rules(&self, change: impl FnOnce(&mut Table)) -> Engine {
        let mut part = self.part.subset(|_| true);
        part.set_rules(self.report.engine.rules().clone().varied(change));
        part
    }

    fn with_record(&self, record: &Record<'_>) -> Engine {
        let mut part = self.part.subset(|_| true);
        part.ingest(SourcePosition::MAX, record);
        part
    }

    fn called(&self, at: u32) -> String {
        self.report.called(at)
    }

    /// As its source would say it again; none if it could not be told from another.
    fn record(&self, at: u32) -> Option<Record<'static>> {
        let key = self.report.key(at);
        let identity = Identity::of(key);
        let mut record = Record::firing(identity.alert.to_owned());
        record.text = identity.text.to_owned().into();
        record.labels = identity
            .labels()
            .map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
            .collect();
        let mut parts = IdentityParts::default();
        parts.fill(&record, self.report.engine.rules());
        (!identity.alert.is_empty() && parts.key.0 == key).then_some(record)
    }

    /// Fires now; without a now as a line without a time.
    fn now_firing(&self, mut record: Record<'static>) -> Record<'static> {
        (record.time, record.starts) = (self.now, self.now);
        if self.now.is_none() {
            record.status = Status::Event;
        }
        record
    }

    /// Alerts that have to do with a member and would raise the priority.
    fn raised(&mut self, members: &[u32]) {
        let rules = self.report.engine.rules().clone();
        let mut tried: BTreeSet<String> = members
            .iter()
            .filter(|at| self.report.judged(**at).counts())
            .map(|at| self.alert(*at).to_owned())
            .collect();
        type Raised = (Priority, String, Vec<Outlook>);
        let (mut raising, mut apart): (Vec<Raised>, Vec<Raised>) = (Vec::new(), Vec::new());
        for &at in members {
            for name in related(&rules, self.alert(at)) {
                if !tried.insert(name.clone()) {
                    continue;
                }
                // What both carry must agree, so it carries what the member does.
                let identity = Identity::of(self.report.key(at));
                let mut record = Record::firing(name.clone());
                record.labels = (identity.labels())
                    .filter(|(label, _)| *label != "severity")
                    .map(|(label, value)| (label.to_owned().into(), value.to_owned().into()))
                    .collect();
                let labels: Labels =
                    record.labels.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
                let record = self.now_firing(record);
                let part = self.with_record(&record);
                let then = self.outlook(&part, self.now);
                let change = format!("a firing {}", named(&name, &labels));
                let (Some(best), Some(before)) = (then.first(), self.before.first()) else { continue };
                if best.priority < before.priority {
                    raising.push((best.priority, change, then));
                    continue;
                }
                // What stays apart may need somebody all the same.
                let mut parts = IdentityParts::default();
                parts.fill(&record, &rules);
                let own = self.outlook_of(&BTreeSet::from([parts.key.0.into()]), &part, self.now);
                if let Some(one) =
                    own.first().filter(|one| one.priority < before.priority && then == self.before)
                {
                    apart.push((one.priority, change, own));
                }
            }
        }
        for list in [&mut raising, &mut apart] {
            list.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
            list.truncate(RAISING);
        }
        for (_, change, then) in raising {
            self.tell(change, then);
        }
        for (_, change, then) in apart {
            let shown = then.iter().map(Outlook::to_string).collect::<Vec<_>>().join("; ");
            let sentence = format!("{change}: it would be an incident of its own, {shown}");
            self.found.push(Would { change, then, sentence });
        }
    }

    fn alert(&self, at: u32) -> &str {
        Identity::of(self.report.key(at)).alert
    }

    /// Another severity of the headline, as a label would say it.
    fn severity(&mut self, headline: u32) {
        if !self.report.judged(headline).counts() {
            return;
        }
        let old = self.report.key(headline).to_vec();
        let Some(entry) = self.part.entries.iter().find(|entry| *entry.key == *old).cloned() else { return };
        let mut outcomes: Vec<(Vec<Outlook>, Vec<&str>)> = Vec::new();
        for severity in [Severity::Critical, Severity::Error, Severity::Warning, Severity::Info] {
            if severity == self.report.judged(headline).severity {
                continue;
            }
            let mut keys = self.keys.clone();
            let mut part = self.part.subset(|entry| *entry.key != *old);
            let entry = entry.with_label("severity", severity.word());
            keys.insert(entry.key.clone());
            part.add(entry);
            let then = self.outlook_of(&keys, &part, self.now);
            match outcomes.iter_mut().find(|(known, _)| *known == then) {
                Some((_, words)) => words.push(severity.word()),
                None => outcomes.push((then, vec![severity.word()])),
            }
        }
        for (then, words) in outcomes {
            let words = match words.as_slice() {
                [words @ .., last] if !words.is_empty() => format!("{} or {last}", words.join(", ")),
                words => words.concat(),
            };
            let change = format!("a severity label {words} on {}", self.called(headline));
            self.tell(change, then);
        }
    }

    /// A silence on one member, or its end.
    fn held_back_or_over(&mut self, headline: u32, members: &[u32]) {
        let standing: Vec<u32> =
            members.iter().copied().filter(|at| self.report.judged(*at).counts()).collect();
        // The headline first: it is what people would silence.
        let order = standing.iter().copied().filter(|at| *at == headline);
        for at in order.chain(standing.iter().copied().filter(|at| *at != headline)).collect::<Vec<_>>() {
            let key = self.report.key(at).to_vec();
            let over = self.part.subset(|entry| *entry.key != *key);
            let over = self.outlook(&over, self.now);
            let identity = Identity::of(&key);
            let is_plain = |text: &str| !text.contains(['*', '?']);
            let can_silence = is_plain(identity.alert) && identity.labels().all(|(_, value)| is_plain(value));
            let silenced = can_silence.then(|| {
                let part = self.with_rules(|table| table.silence(identity.alert, identity.labels()));
                self.outlook(&part, self.now)
            });
            let name = self.called(at);
            let over = if over.is_empty() { quiet(identity.alert) } else { over };
            match silenced {
                Some(silenced) if silenced == over => {
                    let change = format!("a silence on {name}, or its end");
                    if !self.tell(change.clone(), silenced.clone()) && at == headline {
                        self.told(change, silenced);
                    }
                }
                silenced => {
                    if let Some(silenced) = silenced {
                        self.tell(format!("a silence on {name}"), silenced);
                    }
                    self.tell(format!("the end of {name}"), over);
                }
            }
        }
    }

    /// A transient that goes on for as long as it takes.
    fn sustained(&mut self, headline: u32) {
        let report = self.report;
        let judged = report.judged(headline);
        let is_transient = judged.flags & flag::TRANSIENT != 0 && judged.flags & flag::SUSTAINED == 0;
        let (true, true, Some(mut record)) = (
            is_transient,
            report.engine.rules().is_on("sustained") && judged.counts(),
            self.record(headline),
        ) else {
            return;
        };
        let limits = report.engine.rules().limits();
        let (long, gap) = (limits.sustained, limits.gap);
        let name = self.called(headline);
        let state = report.judgement.state(report.engine, headline);
        let key = report.key(headline).to_vec();
        let entry = self.part.entries.iter().find(|entry| *entry.key == *key);
        let runs = entry
            .into_iter()
            .flat_map(AlertEntry::label_sets)
            .flat_map(|(_, set)| set.bursts.bursts(gap, &[]))
            .last();
        match (state.since, runs, self.now) {
            (Some(_), Some(run), Some(now)) => {
                // Lines: it must come again and again, from the run it is in or anew.
                let goes_on = now.duration_since(run.to) <= gap;
                let from = if goes_on { run.from } else { now };
                let Ok(until) = from.checked_add(long) else { return };
                let mut part = self.part.subset(|_| true);
                record.status = Status::Event;
                let mut at = now;
                while at < until {
                    record.time = Some(at);
                    part.ingest(SourcePosition::MAX, &record);
                    let Ok(next) = at.checked_add(gap) else { return };
                    at = next.min(until);
                }
                record.time = Some(until);
                part.ingest(SourcePosition::MAX, &record);
                let then = self.outlook(&part, Some(until));
                self.tell(format!("{name}, coming again every {gap:#} until {until}"), then);
            }
            (Some(since), None, Some(_)) => {
                let Ok(until) = since.checked_add(long) else { return };
                let then = self.outlook(&self.part, Some(until));
                self.tell(format!("{name}, still standing at {until}, {long:#} after it began"), then);
            }
            _ => {
                // Without times nobody knows; with them it would be told.
                let mut part = self.part.subset(|entry| *entry.key != *key);
                let since = self.now.unwrap_or(Timestamp::UNIX_EPOCH);
                let Ok(until) = since.checked_add(long) else { return };
                (record.time, record.starts) = (Some(since), Some(since));
                part.ingest(SourcePosition::MAX, &record);
                let then = self.outlook(&part, Some(until));
                self.tell(format!("{name}, told with times and standing for {long:#}"), then);
            }
        }
    }

    /// Only time passes: silences end, and what is not heard of is given up.
    fn later(&mut self, members: &[u32]) {
        let Some(now) = self.now else { return };
        let rules = self.report.engine.rules().clone();
        let mut ends: BTreeSet<Timestamp> = BTreeSet::new();
        for &at in members {
            let identity = Identity::of(self.report.key(at));
            let silence = rules.silence(identity.alert, |name| identity.label(name), self.now);
            ends.extend(silence.and_then(|silence| silence.until));
        }
        for until in ends {
            let then = self.outlook(&self.part, Some(until));
            self.tell(format!("the end of a silence at {until}"), then);
        }
        let given_up = members.iter().filter(|at| self.report.judged(**at).counts()).map(|&at| {
            let identity = Identity::of(self.report.key(at));
            let ttl = rules.ttl(identity.alert, |name| identity.label(name));
            let seen = self.report.judgement.state(self.report.engine, at).seen?;
            seen.checked_add(ttl).ok()?.checked_add(SignedDuration::from_secs(1)).ok()
        });
        if !rules.is_on("ttl") {
            return;
        }
        // If one of them cannot be given up, all of them never are.
        let last: Option<Vec<Timestamp>> = given_up.collect();
        if let Some(last) = last.and_then(|last| last.into_iter().max()).filter(|last| *last > now) {
            let then = self.outlook(&self.part, Some(last));
            let passed = span(last.duration_since(now).as_secs());
            self.tell(format!("no word of it until {last}, for {passed}"), then);
        }
    }

    /// What is about to fire does.
    fn fired(&mut self, members: &[u32]) {
        for &at in members {
            if self.report.judged(at).stand != Stand::Pending {
                continue;
            }
            if let Some(record) = self.record(at) {
                let then = self.outlook(&self.with_record(&self.now_firing(record)), self.now);
                self.tell(format!("{}, once it fires", self.called(at)), then);
            }
        }
    }

    /// Rules that hold it together, or set members aside.
    fn rows(&mut self, members: &[u32]) {
        let report = self.report;
        let Report { engine, judgement, .. } = report;
        let rules = engine.rules();
        let mut edges: BTreeSet<String> = BTreeSet::new();
        for edge in rules.edges() {
            let links = |cause: u32| {
                members.iter().any(|symptom| {
                    cause != *symptom && relate::is_linked(judgement, engine, edge, cause, *symptom)
                })
            };
            if members.iter().any(|cause| links(*cause)) {
                edges.insert(edge.id.clone());
            }
        }
        for id in edges {
            let part = self.with_rules(|table| table.without_edge(&id));
            let then = self.outlook(&part, self.now);
            self.tell(format!("without the edge {id}"), then);
        }
        let mut ladders: BTreeSet<String> = BTreeSet::new();
        for &at in members.iter().filter(|at| report.judged(**at).verdict == Verdict::Superseded) {
            let judged = report.judged(at);
            ladders.insert(match judged.ladder {
                Some(Ladder::Row(row)) => rules.ladder_id(row as usize).to_owned(),
                Some(Ladder::Severity) => "ladder/severity".to_owned(),
                Some(Ladder::Transient) => match rules.lasting_form(self.alert(at)) {
                    Some((_, id)) => id.to_owned(),
                    None => continue,
                },
                Some(Ladder::Name) => "ladder/name".to_owned(),
                None => continue,
            });
        }
        for id in ladders {
            let part = self.with_rules(|table| table.without_ladder(&id));
            let then = self.outlook(&part, self.now);
            self.tell(format!("without {id}"), then);
        }
    }
}

/// What is left of an incident that had one member: it tells nobody.
fn quiet(headline: &str) -> Vec<Outlook> {
    vec![Outlook { priority: Priority::P5, notify: Notify::None, headline: headline.to_owned() }]
}

/// Names that a row or a form of the name joins with it.
fn related(rules: &Rules, alert: &str) -> Vec<String> {
    let lasting = rules.lasting_form(alert).map(|(lasting, _)| lasting);
    let mut names: Vec<String> = lasting.iter().cloned().collect();
    for name in lasting.iter().map(String::as_str).chain([alert]) {
        let mut of_edge = |edge: &Edge| {
            if edge.cause == name {
                names.extend(edge.symptoms.iter().cloned());
            }
            if edge.symptoms.iter().any(|symptom| symptom == name) {
                names.push(edge.cause.clone());
            }
        };
        rules.edges().iter().for_each(&mut of_edge);
        if let Some((ladder, rung)) = rules.ladder(name) {
            names.extend(rules.rungs(ladder).iter().skip(usize::from(rung) + 1).cloned());
        }
    }
    names
}
