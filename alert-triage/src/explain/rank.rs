//! Where an incident stands among the others, and why somebody is woken or not.

use serde::Serialize;

use crate::judge::{Core, NONE, flag};
use crate::printable;
use crate::report::Report;
use crate::report::words::{counted, span};
use crate::verdict::{Notify, Priority, Verdict};

/// Members spelled out.
const SPELLED: usize = 8;

/// Where an incident stands, and by what arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// Counts from 1.
    pub position: usize,
    /// Of so many.
    pub of: usize,
    /// What the priority follows from, and the score; sentences.
    pub because: Vec<String>,
    /// The one before it.
    pub above: Option<Neighbour>,
    /// The one behind it.
    pub below: Option<Neighbour>,
}

/// The incident next to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Its id.
    pub id: String,
    /// Its headline.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
    /// Its priority.
    pub priority: Priority,
    /// The first thing in which they differ: priority, alerts explained, rung, scopes, duration, count, key.
    pub decided_by: &'static str,
    /// The same in a sentence.
    pub sentence: String,
}

pub(super) fn of(report: &Report<'_>, number: usize) -> Rank {
    let incidents = &report.judgement.incidents;
    let neighbour = |other: Option<usize>, is_above: bool| {
        let other = other.filter(|other| *other < incidents.len())?;
        let (term, ours, theirs) = decided(report, number, other);
        let name = report.incident_called(other);
        let sentence = match is_above {
            true => format!("{name} comes before it by {term}: {theirs} before {ours}"),
            false => format!("it comes before {name} by {term}: {ours} before {theirs}"),
        };
        Some(Neighbour {
            id: report.id(other),
            headline: report.name(incidents[other].headline),
            priority: incidents[other].priority,
            decided_by: term,
            sentence,
        })
    };
    Rank {
        position: number + 1,
        of: incidents.len(),
        because: because(report, number),
        above: neighbour(number.checked_sub(1), true),
        below: neighbour(number.checked_add(1), false),
    }
}

/// In the order in which incidents are compared.
pub(super) fn terms(core: &Core) -> [(&'static str, u64, String); 6] {
    let explained = counted(u64::from(core.explained), "alert");
    let scopes = counted(u64::from(core.scopes), "scope");
    let lasted = match core.lasted {
        0 => "no time it is known to have lasted".to_owned(),
        lasted => span(i64::from(lasted)),
    };
    [
        // The most urgent is the smallest.
        ("priority", u64::MAX - core.priority as u64, core.priority.to_string()),
        ("alerts explained", u64::from(core.explained), explained),
        ("rung", u64::from(core.rung), format!("rung {}", core.rung)),
        ("scopes", u64::from(core.scopes), scopes),
        ("duration", u64::from(core.lasted), lasted),
        ("count", core.count, counted(core.count, "record")),
    ]
}

/// The first term that differs, with both figures in words.
pub(super) fn decided(report: &Report<'_>, ours: usize, theirs: usize) -> (&'static str, String, String) {
    let core = |number: usize| &report.judgement.incidents[number];
    let both = terms(core(ours)).into_iter().zip(terms(core(theirs)));
    for ((term, our, ours), (_, their, theirs)) in both {
        if our != their {
            return (term, ours, theirs);
        }
    }
    let name = |number: usize| report.incident_called(number);
    ("key", name(ours), name(theirs))
}

fn because(report: &Report<'_>, number: usize) -> Vec<String> {
    let core = &report.judgement.incidents[number];
    let members = report.members(core);
    let mut because = Vec::new();
    let mut standing: Vec<u32> = members.iter().copied().filter(|at| report.judged(*at).counts()).collect();
    standing.sort_by_key(|at| report.judged(*at).priority);
    for &at in standing.iter().take(SPELLED) {
        let judged = report.judged(at);
        let is_transient = judged.flags & flag::TRANSIENT != 0 && judged.flags & flag::SUSTAINED == 0;
        let why = match judged.verdict {
            _ if is_transient => "a transient, whatever its severity".to_owned(),
            Verdict::Informational => "no fault".to_owned(),
            verdict => format!("{verdict}, {}", report.severity(at)),
        };
        because.push(format!("{}: {}, {why}", judged.priority, report.called(at)));
    }
    if standing.len() > SPELLED {
        because.push(format!("and {} more that stand, of no higher priority", standing.len() - SPELLED));
    }
    let aside = members.len() - standing.len();
    because.push(match (standing.len(), aside) {
        (0, _) => format!("{}: nothing in it stands", core.priority),
        (1, 0) => format!("{} is the incident's: it is the only member", core.priority),
        (_, 0) => format!("{} is the incident's: the most urgent of those that stand", core.priority),
        (_, aside) => format!(
            "{} is the incident's: the most urgent of those that stand; {} set aside, and {} not count",
            core.priority,
            if aside == 1 { "1 member is".to_owned() } else { format!("{aside} members are") },
            if aside == 1 { "does" } else { "do" },
        ),
    });
    let score = report.incident(number).score;
    because.push(format!(
        "score {} within {}: impact {} x 10000 + urgency {} x 1000 + persistence {} ({}); it orders and never sets a \
         priority, and no count does",
        score.total,
        core.priority,
        score.impact,
        score.urgency,
        score.persistence,
        score.terms.join(", "),
    ));
    because
}

/// Why somebody is woken, or nobody is.
pub(super) fn paging(report: &Report<'_>, number: usize) -> Vec<String> {
    let core = &report.judgement.incidents[number];
    let members = report.members(core);
    let notify = core.priority.notify();
    let mut lines = vec![match notify {
        Notify::Page => format!("{} pages: P1 and P2 wake somebody", core.priority),
        Notify::Ticket => {
            format!("{} is a ticket: only P1 and P2 wake somebody", core.priority)
        }
        Notify::None => format!("{} tells nobody: it is there to be looked up", core.priority),
    }];
    if notify == Notify::Page {
        let which = members.iter().filter(|at| {
            let judged = report.judged(**at);
            judged.counts() && judged.priority.notify() == Notify::Page
        });
        let which: Vec<String> = which.take(SPELLED).map(|at| report.called(*at)).collect();
        lines.push(format!("it pages for {}", which.join(", ")));
        if core.group != NONE {
            let group = &report.judgement.groups[core.group as usize];
            lines.push(format!(
                "one notification is for all {} scopes in which {} stands",
                group.scopes.len(),
                report.name(core.headline)
            ));
        }
        return lines;
    }
    let mut reasons = 0;
    for &at in members {
        let judged = report.judged(at);
        let would_page = Priority::of(judged.severity).notify() == Notify::Page;
        if !would_page || judged.counts() && judged.priority.notify() == Notify::Page {
            continue;
        }
        reasons += 1;
        if reasons > SPELLED {
            continue;
        }
        let why = report.member(at).why;
        lines.push(format!("{} is {} and {}: {why}", report.called(at), judged.severity, judged.verdict));
    }
    if reasons > SPELLED {
        lines.push(format!("and {} more", reasons - SPELLED));
    }
    if reasons == 0 {
        lines.push(match members.iter().any(|at| report.judged(*at).counts()) {
            true => "nothing in it is critical or an error".to_owned(),
            false => "nothing in it stands".to_owned(),
        });
    }
    lines
}
