//! Phrases that more than one output uses; what comes from the input leaves here printable.

use alert_triage::{Incident, Labels, Member, Report, Row, Seen, Severity, Verdict, printable};
use jiff::Timestamp;

use super::family::is_aside;

/// `1 line`, `2 lines`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What became of every line, in one sentence.
pub(crate) fn ledger(report: &Report<'_>) -> String {
    let totals = report.totals();
    let mut text = match totals.blank + totals.malformed + totals.records == totals.lines {
        true => format!(
            "{} = {} blank + {} malformed + {}",
            counted(totals.lines, "line"),
            totals.blank,
            totals.malformed,
            counted(totals.records, "record"),
        ),
        // A document's records do not stand one a line.
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

/// Which instant was judged at, if any is known.
pub(crate) fn judged_at(report: &Report<'_>) -> Option<String> {
    report.now().map(|now| format!("as of {} UTC", now.strftime("%F %T")))
}

/// `zone=AB`.
pub(crate) fn scope(labels: &Labels) -> String {
    match labels.is_empty() {
        true => "no scope".to_owned(),
        false => pairs(labels),
    }
}

/// `AB`, or `prod/AB`: the values alone, where there is no room for more.
pub(crate) fn scope_in_short(labels: &Labels) -> String {
    labels.values().map(printable).collect::<Vec<_>>().join("/")
}

/// `3 scopes: zone=AB, zone=CD, … in cluster=prod`: the first ones, and what all have in common.
pub(crate) fn scopes(scopes: &[Labels], in_all: u64, most: usize) -> String {
    let mut common = scopes.first().cloned().unwrap_or_default();
    let is_all = scopes.len() as u64 == in_all;
    common.retain(|name, value| is_all && scopes.iter().all(|scope| scope.get(name) == Some(value)));
    let own = |labels: &Labels| {
        let mut labels = labels.clone();
        labels.retain(|name, _| !common.contains_key(name));
        scope(&labels)
    };
    let names: Vec<String> = scopes.iter().take(most).map(own).collect();
    let more = if in_all > names.len() as u64 { ", …" } else { "" };
    let within = if common.is_empty() { String::new() } else { format!(" in {}", pairs(&common)) };
    format!("{}: {}{more}{within}", counted(in_all, "scope"), names.join(", "))
}

/// `name=value`, separated by blanks.
pub(crate) fn pairs(labels: &Labels) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{}={}", printable(name), printable(value))).collect();
    pairs.join(" ")
}

/// The labels that all members share and the scope does not say already.
pub(crate) fn beside_scope(row: &Row) -> Labels {
    let mut common = row.common.clone();
    common
        .retain(|name, value| row.incident.scope.as_ref().is_none_or(|scope| scope.get(name) != Some(value)));
    common
}

/// The labels that all members share, those of the scope among them.
pub(crate) fn common(incident: &Incident) -> Labels {
    let mut common = incident.members.first().map(|first| first.labels.clone()).unwrap_or_default();
    common.retain(|name, value| incident.members.iter().all(|member| member.labels.get(name) == Some(value)));
    common.remove("severity");
    common
}

/// The name, with what of its labels is not `common` to all.
pub(crate) fn alert(member: &Member, common: &Labels) -> String {
    with_own(&member.alert, member, common)
}

/// What tells the members of an incident apart.
pub(crate) struct Names<'r> {
    common: &'r Labels,
    has_one_name: bool,
}

impl<'r> Names<'r> {
    pub(crate) fn of(row: &'r Row) -> Self {
        let mut alerts = row.incident.members.iter().map(|member| &member.alert);
        let first = alerts.next();
        let has_one_name = row.alerts > 1 && alerts.all(|alert| Some(alert) == first);
        Self { common: &row.common, has_one_name }
    }

    /// The name, unless all have the same and labels tell this one apart; those that they do not share, and the text.
    pub(crate) fn name(&self, member: &Member) -> String {
        match self.has_one_name && !own(member, self.common).is_empty() {
            true => with_own("", member, self.common),
            false => alert(member, self.common),
        }
    }
}

/// Free text behind the headline where nothing else shows it: of the row's only alert.
pub(crate) fn text(row: &Row) -> String {
    match row.incident.members.as_slice() {
        [member] if row.alerts == 1 && row.incidents == 1 => printable(&member.text),
        _ => String::new(),
    }
}

fn own(member: &Member, common: &Labels) -> Labels {
    let mut own = member.labels.clone();
    own.retain(|name, value| name != "severity" && common.get(name) != Some(value));
    own
}

fn with_own(name: &str, member: &Member, common: &Labels) -> String {
    let parts = [printable(name), pairs(&own(member, common)), printable(&member.text)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The severity of what stands for itself; what is set aside or goes away has none that matters.
pub(crate) fn severity(member: &Member) -> Option<Severity> {
    match member.verdict {
        Verdict::Active | Verdict::Sustained | Verdict::Flapping | Verdict::Informational => {
            Some(member.severity)
        }
        _ => None,
    }
}

/// How a member stands, in few words: `explained by KubeletDown`, `superseded by LLMModelVeryStale`; empty for one
/// that stands by itself.
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
    let flags = member.flags.iter().filter(|flag| **flag != own && is_telling(flag, member));
    parts.extend(flags.map(|flag| (*flag).to_owned()));
    if let (Some(cause), false) = (&member.cause, is_aside(member)) {
        parts.push(format!("explained by {}", printable(&cause.alert)));
    }
    parts.join(", ")
}

/// A superseded transient need not be called transient as well.
fn is_telling(flag: &str, member: &Member) -> bool {
    !(is_aside(member)
        && matches!(flag, "superseded" | "transient" | "recurring" | "sustained" | "informational"))
}

/// The incident's state where the headline does not stand, as `silenced until 12:00`.
pub(crate) fn state(incident: &Incident, now: Option<Timestamp>) -> Option<String> {
    let until = incident
        .members
        .iter()
        .filter(|member| member.alert == incident.headline)
        .find_map(|member| member.until);
    match incident.state {
        Verdict::Active | Verdict::Transient => None,
        state => Some(match until {
            Some(until) => format!("{state} until {}", time(until, now)),
            None => state.to_string(),
        }),
    }
}

/// Why it has its priority, which the row says already.
pub(crate) fn why(incident: &Incident) -> Option<&str> {
    let why = incident.because.first()?;
    let said = format!("{}, notify {}: ", incident.priority, incident.notify);
    Some(why.strip_prefix(&said).unwrap_or(why))
}

/// From when to when, or from which line to which: `06:06–06:41`, `13–30`.
pub(crate) fn place(first: &Seen, last: &Seen, now: Option<Timestamp>) -> String {
    match (first.at.or(last.at), last.at) {
        (Some(from), Some(to)) => times(from, to, now),
        _ => match (&first.source, first.source == last.source) {
            (None, _) if first.line == last.line => first.line.to_string(),
            (None, _) => format!("{}–{}", first.line, last.line),
            (Some(_), true) if first.line == last.line => line(first),
            (Some(_), true) => format!("{}–{}", line(first), last.line),
            (Some(_), false) => format!("{}–{}", line(first), line(last)),
        },
    }
}

/// The same, saying of lines that they are.
pub(crate) fn place_in_full(first: &Seen, last: &Seen, now: Option<Timestamp>) -> String {
    let place = place(first, last, now);
    match (first.at.or(last.at), &first.source, first.line == last.line) {
        (None, None, true) => format!("line {place}"),
        (None, None, false) => format!("lines {place}"),
        _ => place,
    }
}

fn times(from: Timestamp, to: Timestamp, now: Option<Timestamp>) -> String {
    let (first, last) = (time(from, now), time(to, now));
    match () {
        () if first == last => first,
        () if day(from) == day(to) => format!("{first}–{}", to.strftime("%H:%M")),
        () => format!("{first}–{last}"),
    }
}

/// To the minute, in UTC; the day and the year where they are not those of `now`.
pub(crate) fn time(at: Timestamp, now: Option<Timestamp>) -> String {
    let year = |at: Timestamp| at.strftime("%Y").to_string();
    let format = match now {
        Some(now) if day(now) == day(at) => "%H:%M",
        Some(now) if year(now) == year(at) => "%m-%d %H:%M",
        _ => "%F %H:%M",
    };
    at.strftime(format).to_string()
}

fn day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}

/// `12`, or `night.log:12` where there are several files.
fn line(seen: &Seen) -> String {
    match &seen.source {
        Some(source) => format!("{source}:{}", seen.line),
        None => seen.line.to_string(),
    }
}

/// Where something malformed stands: `line 12`, or `night.log:12` where there are several files.
pub(crate) fn malformed_at(source: Option<&str>, line: u64) -> String {
    match source {
        Some(source) => format!("{source}:{line}"),
        None => format!("line {line}"),
    }
}

/// Enough of an id to name it to `triage explain`.
pub(crate) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
