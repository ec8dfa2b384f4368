//! Phrases of several outputs. Text from the input is printable in them.

use alert_triage::report::{Incident, Malformed, Member, Row, Unread};
use alert_triage::{Report, Severity, Verdict, printable};
use jiff::Timestamp;

use super::seen::time;
use super::tree::is_set_aside;

/// `1 line`, `2 lines`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The totals in one sentence, which accounts for every line.
pub(crate) fn totals_sentence(report: &Report<'_>) -> String {
    let totals = report.totals();
    let mut text = match totals.blank + totals.malformed + totals.records == totals.lines {
        true => format!(
            "{} = {} blank + {} malformed + {}",
            counted(totals.lines, "line"),
            totals.blank,
            totals.malformed,
            counted(totals.records, "record"),
        ),
        // The records of a document are not one per line.
        false => format!("{}, {} malformed", counted(totals.records, "record"), totals.malformed),
    };
    if totals.duplicates > 0 {
        text.push_str(&format!(" ({})", counted(totals.duplicates, "duplicate")));
    }
    text.push_str(&format!(
        "; {}; {}: {}, {}",
        counted(totals.distinct, "distinct alert"),
        counted(totals.incidents, "incident"),
        counted(totals.pages, "page"),
        counted(totals.tickets, "ticket"),
    ));
    text
}

/// What a report is about in a few words: `1 page, 2 tickets`, or that something could not be read.
pub(crate) fn headline(report: &Report<'_>) -> String {
    let totals = report.totals();
    let found = format!("{}, {}", counted(totals.pages, "page"), counted(totals.tickets, "ticket"));
    match report.unread().count() as u64 {
        0 => found,
        _ if totals.records == 0 => "nothing could be read".to_owned(),
        unread => format!("{} could not be read; {found}", counted(unread, "input")),
    }
}

/// One sentence for an input of which nothing could be read.
pub(crate) fn unread(unread: &Unread) -> String {
    match &unread.source {
        Some(source) => format!("nothing could be read from {source}: it {}", unread.error),
        None => format!("nothing could be read: the input {}", unread.error),
    }
}

/// `as of` the time of judgement, if one is known.
pub(crate) fn judged_at(report: &Report<'_>) -> Option<String> {
    report.now().map(|now| format!("as of {} UTC", now.strftime("%F %T")))
}

/// The severity of a member that counts for its incident; `None` for one that is set aside or
/// transient.
pub(crate) fn severity(member: &Member) -> Option<Severity> {
    match member.verdict {
        Verdict::Active | Verdict::Sustained | Verdict::Flapping | Verdict::Informational => {
            Some(member.severity)
        }
        _ => None,
    }
}

/// The verdict and relations of a member in a few words, such as `explained by KubeletDown`; empty
/// for an active member without a relation.
pub(crate) fn note(member: &Member, now: Option<Timestamp>) -> String {
    let mut parts = Vec::new();
    let own = member.verdict.to_string();
    if member.verdict != Verdict::Active && member.verdict != Verdict::Superseded {
        let until = member.until.map(|until| format!(" until {}", time(until, now))).unwrap_or_default();
        parts.push(format!("{own}{until}"));
    }
    if let Some(by) = &member.by {
        parts.push(match by.labels.get("severity") {
            Some(severity) if by.alert == member.alert => {
                format!("superseded by its {} form", printable(severity))
            }
            _ => format!("superseded by {}", printable(&by.alert)),
        });
    }
    let flags = member.flags.iter().filter(|flag| **flag != own && adds_information(flag, member));
    parts.extend(flags.map(|flag| match &member.silent {
        Some(silent) if flag == "silent" => silent.to_string(),
        _ => flag.to_string(),
    }));
    if let (Some(cause), false) = (&member.cause, is_set_aside(member)) {
        parts.push(format!("explained by {}", printable(&cause.alert)));
    }
    parts.join(", ")
}

/// Whether a flag adds to the note: a superseded transient need not be called transient as well.
fn adds_information(flag: &str, member: &Member) -> bool {
    !(is_set_aside(member)
        && matches!(flag, "superseded" | "transient" | "recurring" | "sustained" | "informational"))
}

/// The state of an incident whose headline is not active, such as `silenced until 12:00`.
pub(crate) fn state(incident: &Incident, now: Option<Timestamp>) -> Option<String> {
    let until = incident
        .members
        .iter()
        .filter(|member| member.alert == incident.headline)
        .find_map(|member| member.until);
    let gone = "gone-from-source";
    let is_gone = (incident.members.iter())
        .any(|member| member.alert == incident.headline && member.flags.iter().any(|flag| flag == gone));
    match incident.state {
        Verdict::Active | Verdict::Transient => None,
        Verdict::Obsolete if is_gone => Some(format!("{}, {gone}", incident.state)),
        state => Some(match until {
            Some(until) => format!("{state} until {}", time(until, now)),
            None => state.to_string(),
        }),
    }
}

/// ` x40` for a row of 40 instances; empty for one.
pub(crate) fn times_instances(row: &Row) -> String {
    if row.instances > 1 { format!(" x{}", row.instances) } else { String::new() }
}

/// Why the incident has its priority, without the priority itself, which the row shows.
pub(crate) fn why(incident: &Incident) -> Option<&str> {
    let why = incident.because.first()?;
    let prefix = format!("{}, notify {}: ", incident.priority, incident.notify);
    Some(why.strip_prefix(&prefix).unwrap_or(why))
}

/// The place of malformed input: `line 12`, or `night.log:12` if there are several files.
pub(crate) fn malformed_at(source: Option<&str>, line: u64) -> String {
    match source {
        Some(source) => format!("{source}:{line}"),
        None => format!("line {line}"),
    }
}

/// The malformed examples of one kind, each with its error unless it is that of the one before.
pub(crate) fn with_errors(examples: &[Malformed]) -> impl Iterator<Item = (&Malformed, Option<&str>)> {
    let mut last = None;
    examples.iter().map(move |malformed| {
        let error = malformed.error.as_str();
        (malformed, Some(error).filter(|error| last.replace(*error) != Some(*error)))
    })
}

/// The start of an incident id; `triage explain` accepts it.
pub(crate) fn short_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// The verdict and relations of a member; `active` if there is nothing else to say.
pub(crate) fn standing(member: &Member, now: Option<Timestamp>) -> String {
    let note = note(member, now);
    if note.is_empty() { member.verdict.to_string() } else { note }
}
