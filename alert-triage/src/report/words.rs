//! Reasons and doubts, in sentences a person can check.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::view::Report;
use crate::judge::state::State;
use crate::judge::{Core, Judged, Ladder, NONE, flag, relate};
use crate::ledger::SuppressedBy;
use crate::printable::printable;
use crate::rules::{Edge, SeverityBy};
use crate::verdict::Verdict;

/// Names listed in one sentence.
const NAMES: usize = 6;

/// An incident of more members is not taken apart to see what it rests on.
const TAKEN_APART: usize = 32;

/// By what the source held an alert back, when it does not say.
const UNNAMED: &str = "the source";

pub(super) struct Reason {
    pub(super) rule: String,
    pub(super) why: String,
    pub(super) until: Option<Timestamp>,
}

/// `1 line`, `2 lines`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

pub(crate) fn span(seconds: i64) -> String {
    format!("{:#}", SignedDuration::from_secs(seconds))
}

fn list(names: &[String]) -> String {
    let mut text = names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMES {
        let _ = write!(text, " and {} more", names.len() - NAMES);
    }
    text
}

impl Report<'_> {
    pub(crate) fn name(&self, at: u32) -> String {
        printable(self.judgement.entry(self.engine, at).identity().alert)
    }

    pub(crate) fn judged(&self, at: u32) -> &Judged {
        &self.judgement.alerts[at as usize]
    }

    pub(crate) fn members(&self, core: &Core) -> &[u32] {
        &self.judgement.members[core.members.start as usize..core.members.end as usize]
    }

    pub(crate) fn severity(&self, at: u32) -> String {
        let judged = self.judged(at);
        let severity = judged.severity;
        let id = self.engine.rules().severity_id(judged.severity_by);
        match judged.severity_by {
            SeverityBy::Label => format!("{severity} by its label"),
            SeverityBy::Row(_) => format!("{severity} by the rule {id}"),
            SeverityBy::Name => format!("{severity} by a word of its name"),
            SeverityBy::Default => format!("taken for a {severity}, since nothing says its severity"),
        }
    }
}

/// Why the verdict, by which rule.
pub(super) fn reason(report: &Report<'_>, at: u32, state: &State) -> Reason {
    let judgement = &report.judgement;
    let rules = report.engine.rules();
    let limits = rules.limits();
    let judged = report.judged(at);
    let identity = judgement.entry(report.engine, at).identity();
    let label = |name: &str| identity.label(name);
    let of_source = |why: String| ("source".to_owned(), why);
    let mut until = None;
    let (rule, mut why) = match judged.verdict {
        Verdict::Silenced => match (rules.silence(identity.alert, label, judgement.now), &state.held) {
            (Some(silence), _) => {
                until = silence.until;
                let because = match silence.because.as_str() {
                    "" => String::new(),
                    because => format!(": {}", printable(because)),
                };
                (silence.id.clone(), format!("silenced by us{because}"))
            }
            (None, Some(SuppressedBy::Silenced(by) | SuppressedBy::Inhibited(by))) => {
                of_source(format!("its source holds it back by the silence {}", printable(by.as_bytes())))
            }
            (None, None) => of_source("its source holds it back".to_owned()),
        },
        Verdict::Inhibited => match &state.held {
            // As Alertmanager does by mute times.
            Some(SuppressedBy::Inhibited(by)) if &**by == UNNAMED => of_source(
                "its source holds it back and names neither a silence nor an alert: by a mute time, most likely"
                    .to_owned(),
            ),
            Some(SuppressedBy::Silenced(by) | SuppressedBy::Inhibited(by)) => {
                of_source(format!("its source holds it back for the sake of {}", printable(by.as_bytes())))
            }
            None => of_source("its source holds it back".to_owned()),
        },
        Verdict::Flapping => {
            let open = if judged.stands() { "it stands again now" } else { "the last one is over" };
            let (cycles, quiet) = (state.cycles, limits.flap_quiet);
            (
                "flapping".to_owned(),
                format!("began and ended {cycles} times and was never quiet for {quiet:#}; {open}"),
            )
        }
        // Without a time of its end it is taken to have ended as it began, which nobody said.
        Verdict::Resolved => of_source(match state.ended {
            Some(ended) if state.latest.is_none_or(|began| began < ended) => format!("its source says it was over at {ended}"),
            _ => "its source says it is over".to_owned(),
        }),
        Verdict::Obsolete => match (state.timed_out, state.seen) {
            (Some(at), _) => of_source(format!("its source gave it up at {at} and never said it is over")),
            (None, seen) => {
                let (id, ttl) = rules.ttl_with_id(identity.alert, label);
                let told = match seen {
                    // Who was not there knows no more: a source may repeat what began long ago.
                    Some(seen) if report.engine.arrivals_since.is_none() => {
                        format!("no record says it was told after {seen}, over {ttl:#} ago")
                    }
                    Some(seen) => format!("not seen since {seen}, for longer than {ttl:#}"),
                    None => format!("not seen for longer than {ttl:#}"),
                };
                (id.to_owned(), format!("{told}; nobody said it is over"))
            }
        },
        Verdict::Pending => {
            of_source("about to fire: its source waits to see whether it goes away".to_owned())
        }
        Verdict::Superseded => {
            let by = report.name(judged.by);
            match judged.ladder {
                Some(Ladder::Row(row)) => {
                    (rules.ladder_id(row as usize).to_owned(), format!("{by} stands, a higher rung"))
                }
                Some(Ladder::Severity) => {
                    let severity = report.judged(judged.by).severity;
                    ("ladder/severity".to_owned(), format!("{by} stands as {severity}"))
                }
                Some(Ladder::Transient) => {
                    let id = rules.lasting_form(identity.alert).map_or("transient/name", |(_, id)| id);
                    (id.to_owned(), format!("{by} stands, of which it is the transient form"))
                }
                Some(Ladder::Name) | None => {
                    ("ladder/name".to_owned(), format!("{by} stands, a higher rung"))
                }
            }
        }
        Verdict::Sustained => {
            let lasting =
                rules.lasting_form(identity.alert).map(|(lasting, _)| printable(lasting)).unwrap_or_default();
            let lasted = span(i64::from(judged.lasted));
            (
                "sustained".to_owned(),
                format!("stands for {lasted}: judged as {lasting}, {}", report.severity(at)),
            )
        }
        Verdict::Transient => {
            let (lasting, id) = rules.lasting_form(identity.alert).unwrap_or_default();
            let does = match judged.flags {
                f if f & flag::LASTING_MILDER != 0 => "stands here and is milder",
                f if f & flag::LASTING_SILENCED != 0 => "is silenced here",
                f if f & flag::LASTING_INHIBITED != 0 => "is inhibited here",
                _ => "does not stand here",
            };
            let mut why = format!("the transient form of {}, which {does}", printable(lasting));
            if judged.flags & flag::RECURRING != 0 {
                let _ = write!(why, "; recurring, {}", counted(judgement.count(report.engine, at), "time"));
            }
            (id.to_owned(), why)
        }
        Verdict::Informational => match rules.informational(identity.alert, label) {
            Some((id, because)) if matches!(judged.severity_by, SeverityBy::Default | SeverityBy::Name) => {
                (id.to_owned(), printable(because))
            }
            _ => (rules.severity_id(judged.severity_by).to_owned(), report.severity(at)),
        },
        Verdict::Active => (rules.severity_id(judged.severity_by).to_owned(), report.severity(at)),
    };
    if judged.cause != NONE {
        let edge = &rules.edges()[judged.edge as usize].id;
        let _ = write!(why, "; {} brings it with it ({edge})", report.name(judged.cause));
    }
    if judged.flags & flag::RESOLVE_ONLY != 0 {
        why.push_str("; only its end is in the input");
    }
    Reason { rule, why, until }
}

pub(super) fn because(report: &Report<'_>, number: usize) -> Vec<String> {
    let core = &report.judgement.incidents[number];
    let members = report.members(core);
    let head = report.judged(core.headline);
    let name = report.name(core.headline);
    let notify = core.priority.notify();
    let mut because = Vec::new();
    because.push(match head.verdict {
        Verdict::Active => {
            format!("{}, notify {notify}: {name} is {}", core.priority, report.severity(core.headline))
        }
        Verdict::Informational => format!("{}, notify {notify}: {name} is no fault", core.priority),
        Verdict::Transient => format!("{}, notify {notify}: {name} goes away by itself", core.priority),
        verdict if head.counts() => {
            format!(
                "{}, notify {notify}: {name} is {verdict}, {}",
                core.priority,
                report.severity(core.headline)
            )
        }
        verdict => format!("{}, notify {notify}: nothing in it stands, {name} is {verdict}", core.priority),
    });
    if core.is_pattern && core.scopes > 1 {
        because.push(format!(
            "the same transient in {}: one pattern, one ticket",
            counted(u64::from(core.scopes), "scope")
        ));
    }
    let mut explained: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for &at in members {
        let judged = report.judged(at);
        if judged.cause != NONE && judged.flags & flag::SUPERSEDED == 0 {
            let edge = &report.engine.rules().edges()[judged.edge as usize].id;
            explained.entry(judged.cause).or_default().push(format!("{} ({edge})", report.name(at)));
        }
    }
    // In the order of the members, which is that of the report.
    for at in members {
        if let Some(symptoms) = explained.get(at) {
            because.push(format!("{} explains {}", report.name(*at), list(symptoms)));
        }
    }
    let aside: Vec<String> = (members.iter())
        .filter(|at| !report.judged(**at).counts())
        .map(|&at| {
            let judged = report.judged(at);
            match judged.verdict {
                Verdict::Superseded => {
                    format!("{} superseded by {}", report.name(at), report.name(judged.by))
                }
                verdict => format!("{} {verdict}", report.name(at)),
            }
        })
        .collect();
    if head.counts() && !aside.is_empty() {
        because.push(format!("set aside: {}", list(&aside)));
    }
    if core.group != NONE {
        let scopes = report.judgement.groups[core.group as usize].scopes.len();
        because.push(format!("{name} stands in {scopes} scopes: one notification is for all of them"));
    }
    because
}

pub(super) fn alternatives(report: &Report<'_>, number: usize) -> Vec<String> {
    let core = &report.judgement.incidents[number];
    let members = report.members(core);
    let standing = || members.iter().copied().filter(|at| report.judged(*at).counts());
    let mut alternatives = Vec::new();
    if members.len() > 1 && members.len() <= TAKEN_APART && !core.is_pattern {
        edges(report, core, members, &mut alternatives);
    }
    let state = |at: u32| report.judgement.state(report.engine, at);
    if standing().next().is_some() {
        let timed = standing().any(|at| state(at).has_times);
        match (timed, report.engine.has_ends()) {
            (false, _) => alternatives.push(
                "it may be over: no record of it carries a time, and none says that it ended".to_owned(),
            ),
            (true, false) => alternatives
                .push("it may be over: no record of the input says that anything ended".to_owned()),
            (true, true) => {}
        }
    }
    let head = report.judged(core.headline);
    let rules = report.engine.rules();
    if head.verdict == Verdict::Transient {
        let identity = report.judgement.entry(report.engine, core.headline).identity();
        if let Some((lasting, _)) = rules.lasting_form(identity.alert) {
            let sustained = rules.limits().sustained;
            let (lasting, unless) =
                (printable(lasting), if state(core.headline).has_times { "" } else { ", which needs times" });
            alternatives.push(format!("standing for {sustained:#} it would be judged as {lasting}{unless}"));
        }
    }
    // The severity of a transient changes nothing.
    let is_guessed = |judged: &Judged| {
        judged.severity_by == SeverityBy::Default
            && !matches!(judged.verdict, Verdict::Transient | Verdict::Informational)
    };
    let mut guessed: Vec<String> =
        standing().filter(|at| is_guessed(report.judged(*at))).map(|at| report.name(at)).collect();
    guessed.dedup();
    if !guessed.is_empty() {
        alternatives.push(format!(
            "a severity for {} might change the priority: a label or a rule can say it",
            list(&guessed)
        ));
    }
    let milder: Vec<String> = (members.iter())
        .filter(|at| report.judged(**at).flags & flag::LOWER_THAN_ITS_RUNG != 0)
        .map(|at| report.name(*at))
        .collect();
    if !milder.is_empty() {
        alternatives.push(format!("{}: what stands above is milder, and so hides nothing", list(&milder)));
    }
    alternatives
}

/// What the incident would fall into without each of the edges that no time proves.
fn edges(report: &Report<'_>, core: &Core, members: &[u32], alternatives: &mut Vec<String>) {
    let Report { engine, judgement, .. } = report;
    let mut laddered = Vec::new();
    let mut linked: Vec<(&Edge, usize, usize, bool)> = Vec::new();
    for (a, &one) in members.iter().enumerate() {
        for (b, &other) in members.iter().enumerate() {
            if a < b && relate::is_laddered(judgement, engine, one, other) {
                laddered.push((a, b));
            }
            for edge in engine.rules().edges() {
                if a != b && relate::is_linked(judgement, engine, edge, one, other) {
                    let began = judgement.began(one, other);
                    linked.push((edge, a, b, began.is_some_and(|(cause, symptom)| cause <= symptom)));
                }
            }
        }
    }
    let mut ids: Vec<&str> =
        linked.iter().filter(|(.., proven)| !proven).map(|(edge, ..)| edge.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let begun = |at: &u32| report.judged(*at).latest.is_some();
    let mut found: Vec<(std::cmp::Reverse<usize>, String)> = Vec::new();
    for id in ids {
        let joins = laddered
            .iter()
            .copied()
            .chain(linked.iter().filter(|(edge, ..)| edge.id != id).map(|link| (link.1, link.2)));
        let mut part: Vec<usize> = (0..members.len()).collect();
        for (a, b) in joins {
            let (from, to) = (part[a].max(part[b]), part[a].min(part[b]));
            part.iter_mut().for_each(|at| {
                if *at == from {
                    *at = to
                }
            });
        }
        // Parts are told by their first standing member.
        let mut heads: BTreeMap<usize, u32> = BTreeMap::new();
        for (at, &member) in members.iter().enumerate() {
            if report.judged(member).counts() {
                let head = heads.entry(part[at]).or_insert(member);
                let rank = |at: u32| {
                    (report.judged(at).priority, report.judged(at).severity.class(), at != core.headline)
                };
                if rank(member) < rank(*head) {
                    *head = member;
                }
            }
        }
        if heads.len() < 2 {
            continue;
        }
        let names: Vec<String> = heads.values().map(|at| report.name(*at)).collect();
        let doubt = match members.iter().all(begun) {
            true => "the symptom began before the cause",
            false => "known by name, and the input's order does not prove it",
        };
        let incidents = counted(heads.len() as u64, "incident");
        let head = members.iter().position(|at| *at == core.headline).map(|at| part[at]);
        let lost = part.iter().filter(|part| Some(**part) != head).count();
        let text = format!("without the edge {id} ({doubt}) it would be {incidents}: {}", list(&names));
        // The more even the halves, the more hangs on the edge.
        found.push((std::cmp::Reverse(lost.min(members.len() - lost)), text));
    }
    found.sort();
    alternatives.extend(found.into_iter().map(|(_, text)| text));
}

impl Report<'_> {
    /// What the whole report rests on and cannot know, for people; each a sentence.
    pub fn caveats(&self) -> Vec<String> {
        let engine = self.engine;
        let totals = self.totals();
        let mut caveats = Vec::new();
        if totals.records == 0 {
            caveats.push("nothing to report: the input holds no alert".to_owned());
        } else if self.now().is_none() {
            caveats.push(
                "no record carries a time: nothing can be found sustained, obsolete or flapping".to_owned(),
            );
        }
        if engine.yearless > 0 {
            let times = counted(engine.yearless, "time");
            caveats.push(format!(
                "{times} without a year could not be placed and {} left out: say what time it is with --now",
                if engine.yearless == 1 { "was" } else { "were" }
            ));
        }
        let is_given_up =
            |judged: &&Judged| judged.verdict == Verdict::Obsolete && judged.severity.class() < 2;
        let given_up = self.judgement.alerts.iter().filter(is_given_up).count() as u64;
        if let Some(now) = self.now().filter(|_| given_up > 0) {
            let (alerts, are) = (counted(given_up, "alert"), if given_up == 1 { "is" } else { "are" });
            caveats.push(format!(
                "{alerts} of high severity {are} set aside as obsolete: nobody said it is over, and nothing says it was \
                 told shortly before {now}; --now says what time it is, and `ttls` in the rules how long is too long"
            ));
        }
        if self.judgement.untimed_silences {
            caveats.push("silences with a beginning or an end are not in force, since nothing says what time it is: give --now".to_owned());
        }
        if totals.truncated > 0 {
            let alerts = counted(totals.truncated, "alert");
            let were = if totals.truncated == 1 { "was" } else { "were" };
            caveats.push(format!(
                "{alerts} {were} left out by the sender (truncatedAlerts): ask the source for them"
            ));
        }
        if let Some(overflow) = self.overflow() {
            caveats.push(format!(
                "overflow, {} {}: {} (critical {}, error {}, warning {}, info {}) of alerts beyond the limit of {} were counted and not told apart; most likely a label or a name holds ids",
                overflow.priority,
                overflow.notify,
                counted(overflow.count, "record"),
                overflow.critical,
                overflow.error,
                overflow.warning,
                overflow.info,
                engine.rules().limits().identities,
            ));
        }
        caveats
    }
}
