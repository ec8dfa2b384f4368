//! For people on a terminal, at three in the morning: what needs somebody first, what was set aside behind it.

use std::io::{self, Write};

use alert_triage::{Incident, Labels, Member, Notify, Priority, Report, Role, Verdict, printable};
use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar as _;

use super::words::{self, counted, scope};

/// Columns of the report.
const WIDTH: usize = 100;

/// Incidents shown unless all are asked for.
const INCIDENTS: usize = 20;

/// Lines of incidents shown unless all are asked for.
const LINES: usize = 40;

/// Malformed lines shown; the JSON shows more.
const MALFORMED: usize = 10;

/// Columns of an alert's name and labels, at most.
const ALERT: usize = 44;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

pub(super) fn print(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    writeln!(to, "{}", words::ledger(report))?;
    for caveat in report.caveats() {
        sentence(to, "note  ", &caveat)?;
    }
    incidents(report, all, to)?;
    malformed(report, to)
}

/// One row: an incident, or a group of them that is told of once.
struct Row {
    incident: Incident,
    /// How many more it stands for, and the scopes of all.
    group: Option<(usize, Vec<Labels>)>,
}

/// The incidents as rows: of a folded group the first stands for all.
fn rows<'r>(report: &'r Report<'_>) -> impl Iterator<Item = Row> + 'r {
    let mut folded: Vec<(String, usize, Vec<Labels>)> = (report.groups())
        .filter(|group| !group.folded.is_empty())
        .map(|group| (group.folded[0].clone(), group.folded.len(), group.scopes))
        .collect();
    let others: std::collections::HashSet<String> =
        report.groups().flat_map(|group| group.folded.into_iter().skip(1)).collect();
    report.incidents().filter(move |incident| !others.contains(&incident.id)).map(move |incident| {
        let group =
            folded.iter().position(|(first, ..)| *first == incident.id).map(|at| folded.swap_remove(at));
        Row { incident, group: group.map(|(_, count, scopes)| (count, scopes)) }
    })
}

fn incidents(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    let total = report.totals().incidents;
    let most = if all { usize::MAX } else { INCIDENTS };
    let mut rows = rows(report);
    let shown: Vec<Row> = rows.by_ref().take(most).collect();
    // Every incident shown has its first line; the first ones have the others as well.
    let mut room = if all { usize::MAX } else { LINES.saturating_sub(shown.len()) };
    let mut told = 0;
    for row in &shown {
        told += row.group.as_ref().map_or(1, |(count, _)| *count as u64);
        let lines = details(row);
        let fits = lines.len() <= room;
        writeln!(to)?;
        head(row, to)?;
        // A note of what is missing takes a line itself.
        let cut = if fits { lines.len() } else { room.saturating_sub(1) };
        for line in &lines[..cut] {
            writeln!(to, "{line}")?;
        }
        if !fits && room > 0 {
            writeln!(to, "{DIM}        … {} more{DIM:#}", counted((lines.len() - cut) as u64, "line"))?;
        }
        room -= if fits { lines.len() } else { room };
    }
    if let Some(first) = shown.iter().find(|row| row.incident.notify != Notify::None) {
        writeln!(
            to,
            "\n{DIM}triage explain {} FILE… tells why, and what would change it{DIM:#}",
            short(&first.incident.id)
        )?;
    }
    if told < total {
        let more = counted(total - told, "more incident");
        let urgent =
            rows.next().map(|row| format!(", {} at most", row.incident.priority)).unwrap_or_default();
        writeln!(to, "\n{more}{urgent} (--all)")?;
    }
    Ok(())
}

fn head(row: &Row, to: &mut impl Write) -> io::Result<()> {
    let Row { incident, group } = row;
    let style = style(incident.priority);
    let place = match (group, &incident.scopes) {
        (Some((_, scopes)), _) | (None, Some(scopes)) => {
            let names: Vec<String> = scopes.iter().take(4).map(scope).collect();
            let more = if scopes.len() > 4 { ", …" } else { "" };
            format!("{}: {}{more}", counted(scopes.len() as u64, "scope"), names.join(", "))
        }
        (None, None) => scope(&words::common(incident)),
    };
    let called = format!("{} {:<6}", incident.priority, incident.notify.to_string());
    let id = short(&incident.id);
    let state = match incident.state {
        Verdict::Active | Verdict::Transient => String::new(),
        state => format!(" ({state})"),
    };
    let title = format!("{}{state}  ", printable(&incident.headline));
    let room = WIDTH - called.len() - id.len() - 3;
    let title = fit(&title, room.min(columns(&title)));
    let place = fit(&place, room - columns(&title));
    writeln!(to, "{style}{called} {title}{style:#}{place} {DIM}{id}{DIM:#}")
}

/// Lines under the head: the members, then why.
fn details(row: &Row) -> Vec<String> {
    let Row { incident, group } = row;
    // Nobody has to act on it; `--output json` and `explain` tell all.
    if incident.notify == Notify::None && incident.members.len() == 1 {
        return Vec::new();
    }
    let own = words::common(incident);
    // The scopes of a pattern are all that its members differ by.
    let is_pattern =
        incident.scopes.is_some() && incident.members.iter().all(|member| member.alert == incident.headline);
    let names: Vec<String> = (incident.members.iter())
        .map(|member| if is_pattern { words::scope(&member.labels) } else { words::alert(member, &own) })
        .collect();
    let wide = names.iter().map(|name| columns(name)).max().unwrap_or(0).min(ALERT);
    let mut lines: Vec<String> =
        incident.members.iter().zip(&names).map(|(member, name)| line(member, name, wide)).collect();
    if let Some((count, _)) = group {
        lines.push(format!(
            "        {DIM}and the same in {}{DIM:#}",
            counted(*count as u64 - 1, "more incident")
        ));
    }
    if incident.priority.needs_a_person() {
        let why = incident.because.first().map(|why| ("why", words::without_priority(why).to_owned()));
        let or = incident.alternatives.first().map(|first| match incident.alternatives.len() {
            1 => ("or", first.clone()),
            more => ("or", format!("{first} ({} more)", more - 1)),
        });
        for (label, text) in why.into_iter().chain(or) {
            let sentence = wrapped(&format!("   {label:>3}  "), &text);
            lines.extend(sentence.into_iter().map(|line| format!("{DIM}{line}{DIM:#}")));
        }
    }
    lines
}

fn line(member: &Member, name: &str, wide: usize) -> String {
    let stands = !is_aside(member);
    let style = if stands { Style::new() } else { DIM };
    let count = format!("{:>5}×", member.count);
    let name = fit(name, wide);
    let place = words::place(&member.first, &member.last);
    let place = fit(&place, columns(&place).min(24));
    let note = note(member);
    let room = WIDTH - columns(&count) - 1 - wide - 2 - columns(&place) - 2;
    let note = fit(&note, room);
    format!("{style}{count} {name}  {note}  {place}{style:#}")
}

/// What a person needs to know of it, in few words.
fn note(member: &Member) -> String {
    let mut note = match (&member.by, &member.cause, member.role) {
        (Some(by), ..) if by.alert == member.alert => {
            let severity = by.labels.get("severity").map(printable).unwrap_or_default();
            format!("superseded by its {severity} form")
        }
        (Some(by), ..) => format!("superseded by {}", printable(&by.alert)),
        _ if is_aside(member) => member.verdict.to_string(),
        (_, Some(cause), _) => format!("{} ← {}", member.severity, printable(&cause.alert)),
        (_, None, Role::Cause) => format!("{}, explains others", member.severity),
        _ if member.verdict == Verdict::Active => member.severity.to_string(),
        _ => member.verdict.to_string(),
    };
    if let Some(until) = member.until {
        note.push_str(&format!(" until {until}"));
    }
    for flag in member.flags.iter().filter(|flag| **flag == "recurring" || **flag == "timed-out") {
        note.push_str(&format!(", {flag}"));
    }
    note
}

/// Stands for nothing: superseded, over, given up or held back.
fn is_aside(member: &Member) -> bool {
    !matches!(member.verdict, Verdict::Active | Verdict::Sustained | Verdict::Transient | Verdict::Flapping)
}

fn malformed(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    let total = report.totals().malformed;
    if total == 0 {
        return Ok(());
    }
    writeln!(to, "\n{BOLD}malformed{BOLD:#}")?;
    for malformed in report.malformed().take(MALFORMED) {
        let place = words::line(malformed.source.as_deref(), malformed.line);
        sentence(to, "  ", &format!("{place} {}", malformed.error))?;
        if !malformed.text.is_empty() {
            writeln!(
                to,
                "    {DIM}{}{DIM:#}",
                fit(&malformed.text, columns(&malformed.text).min(WIDTH - 4))
            )?;
        }
    }
    let more = total.saturating_sub(MALFORMED as u64);
    if more > 0 {
        writeln!(to, "  {more} more malformed; -o json lists the first 1,000 and counts all by kind")?;
    }
    Ok(())
}

fn style(priority: Priority) -> Style {
    match priority {
        Priority::P1 => AnsiColor::Red.on_default().bold(),
        Priority::P2 => AnsiColor::Yellow.on_default().bold(),
        Priority::P3 | Priority::P4 => BOLD,
        Priority::P5 => DIM,
    }
}

/// Enough of an id to name it to `triage explain`.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn sentence(to: &mut impl Write, before: &str, text: &str) -> io::Result<()> {
    wrapped(before, text).iter().try_for_each(|line| writeln!(to, "{line}"))
}

fn wrapped(before: &str, text: &str) -> Vec<String> {
    let blank = " ".repeat(before.len());
    let options = textwrap::Options::new(WIDTH).initial_indent(before).subsequent_indent(&blank);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Cut or filled up to exactly so many columns.
fn fit(text: &str, width: usize) -> String {
    let whole = columns(text);
    if whole <= width {
        return format!("{text}{}", " ".repeat(width - whole));
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        cut.push(c);
    }
    if width > 0 {
        cut.push('…');
        used += 1;
    }
    cut.push_str(&" ".repeat(width.saturating_sub(used)));
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_columns() {
        for (text, width, want) in [
            ("abc", 5, "abc  "),
            ("abcdef", 4, "abc…"),
            ("東京東京", 5, "東京…"),
            ("東京東京", 4, "東… "),
            ("abc", 0, ""),
        ] {
            assert_eq!(fit(text, width), want, "{text} in {width}");
            assert_eq!(columns(&fit(text, width)), width);
        }
    }
}
