//! Phrases that more than one output uses; what comes from the input leaves here printable.

use alert_triage::{Incident, Labels, Member, Report, Seen, printable};

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
        "; {} in {}: {}, {}",
        counted(totals.distinct, "distinct alert"),
        counted(totals.incidents, "incident"),
        counted(totals.pages, "page"),
        counted(totals.tickets, "ticket"),
    ));
    text
}

/// `zone=AB`.
pub(crate) fn scope(labels: &Labels) -> String {
    match labels.is_empty() {
        true => "no scope".to_owned(),
        false => pairs(labels.iter()),
    }
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
    let is_own = |name: &String, value: &String| name != "severity" && common.get(name) != Some(value);
    let own = member.labels.iter().filter(|(name, value)| is_own(name, value));
    let mut text = printable(&member.alert);
    for part in [pairs(own), printable(&member.text)] {
        if !part.is_empty() {
            text.push(' ');
            text.push_str(&part);
        }
    }
    text
}

fn pairs<'l>(labels: impl Iterator<Item = (&'l String, &'l String)>) -> String {
    let pairs: Vec<String> =
        labels.map(|(name, value)| format!("{}={}", printable(name), printable(value))).collect();
    pairs.join(" ")
}

/// From when to when, or from which line to which.
pub(crate) fn place(first: &Seen, last: &Seen) -> String {
    let minute = |at: jiff::Timestamp| at.strftime("%m-%d %H:%M").to_string();
    match (first.at, last.at) {
        (Some(from), Some(to)) if minute(from) == minute(to) => minute(from),
        (Some(from), Some(to)) => format!(
            "{}–{}",
            minute(from),
            to.strftime(if same_day(from, to) { "%H:%M" } else { "%m-%d %H:%M" })
        ),
        (None, Some(to)) => minute(to),
        _ if first.source == last.source && first.line == last.line => {
            line(first.source.as_deref(), first.line)
        }
        _ if first.source == last.source => match &first.source {
            Some(source) => format!("{source}:{}–{}", first.line, last.line),
            None => format!("lines {}–{}", first.line, last.line),
        },
        _ => format!(
            "{}–{}",
            line(first.source.as_deref(), first.line),
            line(last.source.as_deref(), last.line)
        ),
    }
}

fn same_day(a: jiff::Timestamp, b: jiff::Timestamp) -> bool {
    a.strftime("%F").to_string() == b.strftime("%F").to_string()
}

/// `line 12`, or `night.log:12` where there are several files.
pub(crate) fn line(source: Option<&str>, line: u64) -> String {
    match source {
        Some(source) => format!("{source}:{line}"),
        None => format!("line {line}"),
    }
}

/// A first sentence of `because` less what a heading says already.
pub(crate) fn without_priority(because: &str) -> &str {
    because.split_once(": ").map_or(because, |(_, why)| why)
}
