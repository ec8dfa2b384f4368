//! `triage explain`: why an incident ranks where it does, or what became of a line, and what would change it.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::Path;
use std::process::ExitCode;

use alert_triage::{
    Became, Explanation, IncidentExplained, Inquiry, LineExplained, Lines, Member, Notify, RecordExplained,
    Role, Would, printable,
};
use anyhow::anyhow;

use crate::args::{self, ExplainArgs, ExplainOutput};
use crate::input::{self, Input};
use crate::output::words::{self, counted, scope};
use crate::stdout;

/// Columns of a sentence.
const WIDTH: usize = 100;

/// Members told one by one.
const MEMBERS: usize = 20;

/// Lines named of one alert.
const LINES: usize = 12;

/// How much of a line is read to be shown; a plain line is not longer.
const SHOWN: u64 = 64 * 1024;

pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let inputs = args::inputs(&args.files)?;
    input::only_files(&inputs, "explain reads its input again")?;
    let engine = input::read(&inputs, &args.reading)?;
    let mut inquiry = Inquiry::new(engine, args.reading.now, &args.what).map_err(|error| anyhow!(error))?;
    while let Some(again) = inquiry.again() {
        let (format, threads) = (args.reading.format.0, args.reading.threads);
        inquiry.take(input::read_into(&inputs, again, format, threads)?);
    }
    let text = match inquiry.line() {
        Some((source, line)) => match &inputs[source] {
            Input::File(path) => {
                Some(nth(path, line).map_err(|error| Input::from(path.clone()).cannot_read(&error))?)
            }
            Input::Stdin => None,
        },
        None => None,
    };
    let explanation = inquiry.answer(text.as_deref());
    stdout(|out| match (args.output, &explanation) {
        (ExplainOutput::Json, explanation) => {
            let document = serde_json::json!({"schema": "triage/explain/v1", "explains": explanation});
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)
        }
        (ExplainOutput::Text, Explanation::Incident(incident)) => of_incident(incident, out),
        (ExplainOutput::Text, Explanation::Line(line)) => of_line(line, out),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// One line of a file, without its end.
fn nth(path: &Path, line: u64) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::new(File::open(path)?);
    for _ in 1..line {
        reader.skip_until(b'\n')?;
    }
    let mut text = Vec::new();
    reader.take(SHOWN + 2).read_until(b'\n', &mut text)?;
    while text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        text.pop();
    }
    Ok(text)
}

fn of_incident(explained: &IncidentExplained, out: &mut dyn Write) -> io::Result<()> {
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
        sentence(
            out,
            "",
            &format!("asked for as {asked}, by which it goes when another member stands first"),
        )?;
    }
    title(out, "Why this rank")?;
    let neighbours = rank.above.iter().chain(&rank.below).map(|other| other.sentence.clone());
    for line in rank.because.iter().cloned().chain(neighbours) {
        sentence(out, "  ", &line)?;
    }
    title(out, if incident.notify == Notify::Page { "Why it pages" } else { "Why it does not page" })?;
    for line in &explained.paging {
        sentence(out, "  ", line)?;
    }
    title(out, "Members")?;
    let common = words::common(incident);
    for (member, lines) in incident.members.iter().zip(&explained.evidence).take(MEMBERS) {
        let name = words::alert(member, &common);
        let also =
            if member.flags.is_empty() { String::new() } else { format!(", {}", member.flags.join(", ")) };
        sentence(out, "  ", &format!("{name}: {}{also} ({})", member.verdict, role(member.role)))?;
        sentence(out, "    ", &why(member))?;
        sentence(out, "    ", &evidence(lines))?;
        if !member.examples.is_empty() {
            let left_out: Vec<String> = member.examples.iter().map(printable).collect();
            sentence(out, "    ", &format!("left out of what it is: {}", left_out.join(", ")))?;
        }
        if let Some(runbook) = &member.runbook {
            sentence(out, "    ", &format!("runbook: {}", printable(runbook)))?;
        }
    }
    if incident.members.len() > MEMBERS {
        writeln!(out, "  and {} more (-o json has all)", incident.members.len() - MEMBERS)?;
    }
    title(out, "What would change it")?;
    match (explained.is_tried, explained.would.is_empty()) {
        (false, _) => writeln!(out, "  nothing was tried: it may have to do with too many alerts")?,
        (true, true) => writeln!(out, "  nothing that was tried")?,
        (true, false) => {}
    }
    // What is not certain is told once, with the doubt.
    let is_told = |would: &&Would| {
        let edge = would.change.starts_with("without the edge ");
        edge && incident.alternatives.iter().any(|line| line.starts_with(&would.change))
    };
    for would in explained.would.iter().filter(|would| !is_told(would)) {
        sentence(out, "  ", &would.sentence)?;
    }
    if !incident.alternatives.is_empty() {
        title(out, "What is not certain")?;
    }
    for line in &incident.alternatives {
        sentence(out, "  ", line)?;
    }
    Ok(())
}

/// With the rule, if the reason does not name it.
fn why(member: &Member) -> String {
    let rule = printable(&member.rule);
    match member.why.contains(&rule) {
        true => member.why.clone(),
        false => format!("{} [{rule}]", member.why),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Cause => "explains others",
        Role::Symptom => "explained by another",
        Role::Member => "neither cause nor symptom",
    }
}

/// `3 records, lines 1, 4, 5`.
fn evidence(lines: &Lines) -> String {
    let records = counted(lines.records, "record");
    let all = &lines.lines;
    let cut = all.len() > LINES || lines.is_cut;
    let half = if cut { LINES / 2 } else { all.len() };
    let mut text = format!("{records}, ");
    let mut source: Option<&Option<String>> = None;
    for (at, line) in all.iter().enumerate() {
        if at >= half && at + LINES / 2 < all.len() {
            continue;
        }
        text.push_str(match at {
            0 => "",
            _ if cut && at == half.max(all.len().saturating_sub(LINES / 2)) => " … ",
            _ => ", ",
        });
        // A file is named once for all its lines.
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

fn of_line(explained: &LineExplained, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}:{}  {}", printable(&explained.source), explained.line, explained.text)?;
    if let Some(format) = explained.format {
        let template = explained.template.as_ref();
        let template = template.map_or(String::new(), |id| format!(", by the template {}", printable(id)));
        writeln!(out, "read as {format}{template}")?;
    }
    match &explained.became {
        Became::Nothing { why } => sentence(out, "", why),
        Became::Malformed { kind, error } => sentence(out, "", &format!("malformed ({kind}): it {error}")),
        Became::Records { begins, records, more } => {
            if let Some(begins) = begins {
                sentence(
                    out,
                    "",
                    &format!("no alert begins here; it belongs to what begins on line {begins}"),
                )?;
            }
            for record in records {
                of_record(record, out)?;
            }
            if *more > 0 {
                writeln!(out, "\nand {more} more records begin here")?;
            }
            Ok(())
        }
    }
}

fn of_record(record: &RecordExplained, out: &mut dyn Write) -> io::Result<()> {
    title(out, &printable(&record.alert))?;
    let mut told = format!("told as {}", if record.state == "event" { "an event" } else { record.state });
    if let Some(at) = record.at {
        told.push_str(&format!(" at {at}"));
    }
    if let Some(starts) = record.starts {
        told.push_str(&format!(", since {starts}"));
    }
    sentence(out, "  ", &told)?;
    if let Some(first) = &record.duplicate_of {
        let line = if first.source.is_some() { "" } else { "line " };
        sentence(
            out,
            "  ",
            &format!(
                "duplicate: says what {line}{first} said already, and changes nothing but the count of duplicates"
            ),
        )?;
    }
    let Some(member) = &record.alert_now else {
        return sentence(
            out,
            "  ",
            "beyond the limit on distinct alerts: counted in the overflow, and not told apart",
        );
    };
    let labels = scope(&member.labels);
    let text =
        if member.text.is_empty() { String::new() } else { format!(", text `{}`", printable(&member.text)) };
    sentence(out, "  ", &format!("it is the alert {} {labels}{text}", printable(&member.alert)))?;
    for loose in &record.loose {
        let (label, value) = (printable(&loose.label), printable(&loose.value));
        sentence(out, "  ", &format!("{label}={value} is left out: {}", loose.why))?;
    }
    if let Some(masked) = &record.masked {
        sentence(out, "  ", &format!("the text was `{masked}`; what differs each time is masked"))?;
    }
    sentence(out, "  ", &format!("scope {}; {}", scope(&record.scope), record.severity))?;
    let also = if member.flags.is_empty() { String::new() } else { format!(", {}", member.flags.join(", ")) };
    sentence(out, "  ", &format!("{}{also}: {}", member.verdict, why(member)))?;
    if let Some(lines) = &record.evidence {
        sentence(out, "  ", &evidence(lines))?;
    }
    if let Some(incident) = &record.incident {
        let headline = printable(&incident.headline);
        sentence(
            out,
            "  ",
            &format!(
                "in incident {} ({} {}, headed by {headline}), number {}",
                incident.id, incident.priority, incident.notify, incident.rank
            ),
        )?;
    }
    for line in &record.paging {
        sentence(out, "  ", line)?;
    }
    Ok(())
}

fn title(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}")
}

pub(crate) fn sentence(out: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
    let behind = format!("{indent}  ");
    let options = textwrap::Options::new(WIDTH).initial_indent(indent).subsequent_indent(&behind);
    // A time or an id that falls apart at its hyphens cannot be copied.
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).iter().try_for_each(|line| writeln!(out, "{line}"))
}
