//! Explanations of an incident or a line, as text for a terminal.

use std::io::{self, Write};

use alert_triage::explain::{
    EvidenceLines, IncidentExplanation, LineExplanation, LineOutcome, RecordExplanation, WhatIf,
};
use alert_triage::printable;
use alert_triage::report::{Member, Role};
use alert_triage::verdict::Notify;

use super::columns::write_sentence;
use super::labels::{self, scope};
use super::phrases::counted;
use super::texts;

/// Members that are shown; the JSON has all.
const MAX_MEMBERS: usize = 20;

/// EvidenceLines that are listed for one alert.
const MAX_LINES: usize = 12;

/// Writes why an incident has its rank, and what would change it.
pub(crate) fn write_incident(explained: &IncidentExplanation, out: &mut dyn Write) -> io::Result<()> {
    let incident = &explained.incident;
    let place = match (&incident.scope, &incident.scopes) {
        (Some(one), _) => scope(one),
        (None, Some(several)) => several.iter().map(scope).collect::<Vec<_>>().join(", "),
        (None, None) => String::new(),
    };
    let head =
        format!("{} {}  {}  {place}", incident.priority, incident.notify, printable(&incident.headline));
    writeln!(out, "{head}")?;
    let rank = &explained.rank;
    writeln!(out, "incident {}, {} of {}", incident.id, rank.position, rank.of)?;
    if let Some(asked) = &explained.asked {
        write_sentence(out, "", &format!("{asked} is the id of one of its members"))?;
    }
    title(out, "Why it has this rank")?;
    let neighbours = rank.above.iter().chain(&rank.below).map(|other| other.sentence.clone());
    for line in rank.because.iter().cloned().chain(neighbours) {
        write_sentence(out, "  ", &line)?;
    }
    title(out, if incident.notify == Notify::Page { "Why it pages" } else { "Why it does not page" })?;
    for line in &explained.paging {
        write_sentence(out, "  ", line)?;
    }
    title(out, "Members")?;
    let common = labels::common(incident);
    for (member, lines) in incident.members.iter().zip(&explained.evidence).take(MAX_MEMBERS) {
        let name = labels::alert(member, &common);
        let also =
            if member.flags.is_empty() { String::new() } else { format!(", {}", member.flags.join(", ")) };
        write_sentence(out, "  ", &format!("{name}: {}{also} ({})", member.verdict, role(member.role)))?;
        write_sentence(out, "    ", &why(member))?;
        write_sentence(out, "    ", &evidence(lines))?;
        if !member.examples.is_empty() {
            let left_out: Vec<String> = member.examples.iter().map(printable).collect();
            write_sentence(out, "    ", &format!("not part of its identity: {}", left_out.join(", ")))?;
        }
        if let Some(summary) = texts::summary(member) {
            write_sentence(out, "    ", &format!("summary: {summary}"))?;
        }
        if let Some(runbook) = &member.runbook {
            write_sentence(out, "    ", &format!("runbook: {}", texts::whole_link(runbook)))?;
        }
    }
    if incident.members.len() > MAX_MEMBERS {
        writeln!(out, "  and {} more (-o json lists all)", incident.members.len() - MAX_MEMBERS)?;
    }
    title(out, "What would change it")?;
    match (explained.is_tried, explained.what_ifs.is_empty()) {
        (false, _) => writeln!(out, "  no change was tried: too many alerts may be related to it")?,
        (true, true) => writeln!(out, "  none of the changes that were tried")?,
        (true, false) => {}
    }
    // An uncertain edge is shown once, among the uncertainties.
    let is_uncertain = |would: &&WhatIf| {
        let edge = would.change.starts_with("without the edge ");
        edge && incident.alternatives.iter().any(|line| line.starts_with(&would.change))
    };
    for would in explained.what_ifs.iter().filter(|would| !is_uncertain(would)) {
        write_sentence(out, "  ", &would.sentence)?;
    }
    if !incident.alternatives.is_empty() {
        title(out, "What is uncertain")?;
    }
    for line in &incident.alternatives {
        write_sentence(out, "  ", line)?;
    }
    Ok(())
}

/// The reason for the verdict, followed by the rule if the reason does not name it.
fn why(member: &Member) -> String {
    let rule = printable(&member.rule);
    match member.why.contains(&rule) {
        true => member.why.clone(),
        false => format!("{} [{rule}]", member.why),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Cause => "explains other alerts",
        Role::Symptom => "explained by another alert",
        Role::Member => "neither cause nor symptom",
    }
}

/// The lines of a member's records: `3 records, lines 1, 4, 5`.
fn evidence(lines: &EvidenceLines) -> String {
    let records = counted(lines.records, "record");
    let all = &lines.lines;
    let cut = all.len() > MAX_LINES || lines.is_cut;
    let half = if cut { MAX_LINES / 2 } else { all.len() };
    let mut text = format!("{records}, ");
    let mut source: Option<&Option<String>> = None;
    for (at, line) in all.iter().enumerate() {
        if at >= half && at + MAX_LINES / 2 < all.len() {
            continue;
        }
        text.push_str(match at {
            0 => "",
            _ if cut && at == half.max(all.len().saturating_sub(MAX_LINES / 2)) => " … ",
            _ => ", ",
        });
        // The name of a file comes once, before its first line.
        if source != Some(&line.source) {
            text.push_str(match (&line.source, all.len()) {
                (Some(_), _) => "",
                (None, 1) => "line ",
                (None, _) => "lines ",
            });
            if let Some(name) = &line.source {
                text.push_str(&format!("{name}:"));
            }
        }
        source = Some(&line.source);
        text.push_str(&line.line.to_string());
    }
    text
}

/// Writes what became of an input line.
pub(crate) fn write_line(explained: &LineExplanation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}:{}  {}", printable(&explained.source), explained.line, explained.text)?;
    if let Some(format) = &explained.format {
        let template = explained.template.as_ref();
        let template = template.map_or(String::new(), |id| format!(", by the template {}", printable(id)));
        writeln!(out, "read as {format}{template}")?;
    }
    match &explained.outcome {
        LineOutcome::Nothing { why } => write_sentence(out, "", why),
        LineOutcome::Malformed { kind, error } => {
            write_sentence(out, "", &format!("malformed ({kind}): it {error}"))
        }
        LineOutcome::Records { begins, records, more } => {
            if let Some(begins) = begins {
                write_sentence(
                    out,
                    "",
                    &format!("no alert starts on this line; it is part of one that starts on line {begins}"),
                )?;
            }
            for record in records {
                write_record(record, out)?;
            }
            if *more > 0 {
                writeln!(out, "\n{} on this line", counted(*more, "more record"))?;
            }
            Ok(())
        }
    }
}

fn write_record(record: &RecordExplanation, out: &mut dyn Write) -> io::Result<()> {
    title(out, &printable(&record.alert))?;
    let mut state = format!("state: {}", record.state);
    if let Some(at) = record.at {
        state.push_str(&format!(" at {at}"));
    }
    if let Some(starts) = record.starts {
        state.push_str(&format!(", since {starts}"));
    }
    write_sentence(out, "  ", &state)?;
    if let Some(first) = &record.duplicate_of {
        let line = if first.source.is_some() { "" } else { "line " };
        write_sentence(
            out,
            "  ",
            &format!("duplicate of {line}{first}: it changes nothing but the count of duplicates"),
        )?;
    }
    let Some(member) = &record.alert_now else {
        return write_sentence(out, "  ", "beyond the limit of distinct alerts: counted in the overflow");
    };
    let labels = scope(&member.labels);
    let text =
        if member.text.is_empty() { String::new() } else { format!(", text `{}`", printable(&member.text)) };
    write_sentence(out, "  ", &format!("alert: {} {labels}{text}", printable(&member.alert)))?;
    for dropped in &record.dropped_labels {
        let (label, value) = (printable(&dropped.label), printable(&dropped.value));
        write_sentence(out, "  ", &format!("{label}={value} is not part of its identity: {}", dropped.why))?;
    }
    if let Some(masked) = &record.masked {
        write_sentence(out, "  ", &format!("the text was `{masked}`; its variable parts are masked"))?;
    }
    write_sentence(out, "  ", &format!("scope {}; {}", scope(&record.scope), record.severity))?;
    let also = if member.flags.is_empty() { String::new() } else { format!(", {}", member.flags.join(", ")) };
    write_sentence(out, "  ", &format!("{}{also}: {}", member.verdict, why(member)))?;
    if let Some(lines) = &record.evidence {
        write_sentence(out, "  ", &evidence(lines))?;
    }
    if let Some(incident) = &record.incident {
        let headline = printable(&incident.headline);
        write_sentence(
            out,
            "  ",
            &format!(
                "incident {} ({} {}, headline {headline}), rank {}",
                incident.id, incident.priority, incident.notify, incident.rank
            ),
        )?;
    }
    for line in &record.paging {
        write_sentence(out, "  ", line)?;
    }
    Ok(())
}

fn title(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}")
}
