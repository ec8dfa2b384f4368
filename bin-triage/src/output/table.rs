//! For people on a terminal, at three in the morning: what needs somebody first, what was set aside behind it.

use std::io::{self, Write};

use alert_triage::{Labels, Member, Notify, Priority, Report, Row, Severity, printable};
use anstyle::{AnsiColor, Style};

use super::INCIDENTS;
use super::columns::{Line, WIDTH, columns, cut, wrapped};
use super::family::{family, is_aside};
use super::words::{self, Names, counted, short};

/// Lines of incidents shown unless all are asked for.
const LINES: usize = 40;

/// Malformed lines shown; the JSON shows more.
const MALFORMED: usize = 10;

/// Where names and sentences begin, behind priorities, counts and labels.
const MARGIN: usize = 14;

/// Columns of an alert's name beside a long note.
const ALERT: usize = 36;

/// Scopes named in a head.
const SCOPES: usize = 4;

/// Columns of a sentence under a head, in all its lines.
const SENTENCE: usize = 3 * (WIDTH - MARGIN);

/// Columns that a scope wants in a head.
const PLACE: usize = 16;

/// Columns of the text behind a head's name.
const TEXT: usize = 40;

/// Columns of what stands at the right edge.
const RIGHT: usize = 40;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();

pub(super) fn print(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    for line in wrapped("", &words::ledger(report)) {
        writeln!(to, "{line}")?;
    }
    if let Some(judged_at) = words::judged_at(report) {
        writeln!(to, "{DIM}{judged_at}{DIM:#}")?;
    }
    notes(report, to)?;
    incidents(report, all, to)?;
    malformed(report, to)
}

/// What the whole report rests on; overflow may be a page of its own.
fn notes(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    for caveat in report.caveats() {
        let style = match report.overflow() {
            Some(overflow) if caveat.starts_with("overflow") => style(overflow.priority),
            _ => PLAIN,
        };
        for line in wrapped("note: ", &caveat) {
            writeln!(to, "{style}{line}{style:#}")?;
        }
    }
    Ok(())
}

fn incidents(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    let total = report.totals().incidents;
    let mut room = if all { usize::MAX } else { LINES };
    let mut rows = report.rows(room, SCOPES);
    let first: Vec<Row> = rows.by_ref().take(INCIDENTS).collect();
    let mut following = if all { 0 } else { first.len() };
    let others = rows.by_ref().take(if all { usize::MAX } else { 0 });
    let (mut told, mut explained, mut was_long) = (0, None, true);
    for row in first.into_iter().chain(others) {
        told += row.incidents;
        if row.incident.notify != Notify::None && explained.is_none() {
            explained = Some(short(&row.incident.id).to_owned());
        }
        // A line is kept for each row that follows; the first ones may use the others.
        following = following.saturating_sub(1);
        let own = room.saturating_sub(following);
        let details = details(&row, own.saturating_sub(2), report);
        let is_long = !details.is_empty();
        if (is_long || was_long) && own > 1 {
            writeln!(to)?;
            room -= 1;
        }
        writeln!(to, "{}", head(&row, !is_long || row.alerts == 1, report))?;
        for line in &details {
            writeln!(to, "{line}")?;
        }
        room = room.saturating_sub(1 + details.len());
        was_long = is_long;
    }
    if told < total {
        let urgent =
            rows.next().map(|row| format!(", {} at most", row.incident.priority)).unwrap_or_default();
        writeln!(to, "\n{}{urgent} (--all)", counted(total - told, "more incident"))?;
    }
    if let Some(id) = explained {
        writeln!(to, "\n{DIM}triage explain {id} FILE… tells why, and what would change it{DIM:#}")?;
    }
    Ok(())
}

/// `P1 page  TooFewEndpointsRegistered  zone=AB  d9447456  lines 11–31`
fn head(row: &Row, is_alone: bool, report: &Report<'_>) -> String {
    let Row { incident, incidents, scopes, .. } = row;
    let (style, now) = (style(incident.priority), report.now());
    let id = short(&incident.id);
    let state = words::state(incident, now).map(|state| format!(" ({state})")).unwrap_or_default();
    // Text that tells alerts of one name apart, the less of it the longer it is.
    let text = words::text(row);
    let text = if text.is_empty() { text } else { format!(" {}", cut(&text, TEXT)) };
    let title = columns(&printable(&incident.headline)) + columns(&text);
    let used = MARGIN + title + columns(&state) + 2 + id.len() + 2;
    let place = words::place_in_full(&row.first, &row.last, now);
    let counts = format!("{}  {place}", counts(row));
    let right = match *incidents {
        // Where it is matters more than how often.
        1 if is_alone && used + columns(&counts) + PLACE + 4 <= WIDTH => counts,
        1 => place,
        incidents => counted(incidents, "incident"),
    };
    let right = cut(&right, RIGHT);
    let line = Line::new(columns(&right) + 2 + id.len() + 2)
        .put(style, &format!("{} {}", incident.priority, incident.notify))
        .up_to(MARGIN)
        .put(style, &printable(&incident.headline));
    let left = line.room().saturating_sub(columns(&state) + 2 + PLACE);
    let line = line.plain(&cut(&text, left)).put(style, &state).plain("  ");
    let place = match scopes.as_slice() {
        [] => "no scope".to_owned(),
        [scope] if columns(&words::scope(scope)) > line.room() => words::scope_in_short(scope),
        [scope] => words::scope(scope),
        // The members of a pattern name its scopes again.
        _ => (if *incidents > 1 { 1 } else { scopes.len() }..=SCOPES)
            .rev()
            .map(|most| words::scopes(&row.scopes, row.scopes_in_all, most))
            .find(|names| columns(names) <= line.room())
            .unwrap_or_else(|| counted(row.scopes_in_all, "scope")),
    };
    let shared = if *incidents == 1 { words::beside_scope(row) } else { Labels::new() };
    let shared = if shared.is_empty() { String::new() } else { format!(" {}", words::pairs(&shared)) };
    line.plain(&place).put(DIM, &shared).widened(2 + id.len()).plain("  ").put(DIM, id).right(PLAIN, &right)
}

/// `6 alerts, 11×`
fn counts(row: &Row) -> String {
    match row.alerts {
        1 => format!("{}×", row.count),
        alerts => format!("{}, {}×", counted(alerts, "alert"), row.count),
    }
}

/// Lines under the head, at most so many: the members as a tree, what to do, why, and what else it might be.
fn details(row: &Row, most: usize, report: &Report<'_>) -> Vec<String> {
    let mut reasons = reasons(row);
    let members = if row.incidents == 1 && row.alerts > 1 { row.alerts as usize } else { 0 };
    if reasons.len().saturating_add(members) <= most {
        return self::members(row, report).take(members).chain(reasons).collect();
    }
    // A few members, a line for the others, and the reasons if they leave room for that.
    if most < 3 || members == 0 {
        return Vec::new();
    }
    if reasons.len() + 3 > most {
        reasons.clear();
    }
    let shown = most - 1 - reasons.len();
    let more = format!("… {} (--all)", counted((members - shown) as u64, "more alert"));
    let more = Line::new(0).up_to(MARGIN).put(DIM, &more).end();
    self::members(row, report).take(shown).chain([more]).chain(reasons).collect()
}

fn reasons(row: &Row) -> Vec<String> {
    let incident = &row.incident;
    if incident.notify == Notify::None {
        return Vec::new();
    }
    let runbook = incident.members.iter().find_map(|member| member.runbook.as_deref());
    // What a single alert is, its name says; what was joined may be joined wrongly.
    let mut or = incident.alternatives.first().filter(|_| row.alerts > 1).cloned();
    if let (Some(or), more @ 1..) = (&mut or, incident.alternatives.len().saturating_sub(1)) {
        or.push_str(&format!("; and {more} more"));
    }
    let needs_a_person = incident.priority.needs_a_person();
    let mut lines = Vec::new();
    for (label, text) in [
        ("runbook", runbook),
        ("why", words::why(incident)),
        ("or", or.as_deref().filter(|_| needs_a_person)),
    ] {
        let Some(text) = text else { continue };
        let style = if label == "runbook" { PLAIN } else { DIM };
        for line in wrapped(&format!("{label:>0$}  ", MARGIN - 2), &cut(text, SENTENCE)) {
            lines.push(format!("{style}{line}{style:#}"));
        }
    }
    lines
}

/// A line each: severity, count, name, how it stands, where it was seen.
fn members<'a>(row: &'a Row, report: &'a Report<'_>) -> impl Iterator<Item = String> + 'a {
    let names = Names::of(row);
    let named: Vec<(String, &Member)> = (family(&row.incident.members).into_iter())
        .map(|kin| (format!("{}{}", kin.branch, names.name(kin.member)), kin.member))
        .collect();
    let widest = named.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
    named.into_iter().map(move |(name, member)| {
        let style = if is_aside(member) { DIM } else { PLAIN };
        let severity = words::severity(member).map(|severity| severity.to_string()).unwrap_or_default();
        let place = cut(&words::place(&member.first, &member.last, report.now()), RIGHT);
        let note = words::note(member, report.now());
        let line = Line::new(columns(&place) + 2);
        let line =
            line.put(weight(member), &format!("{severity:>8}")).put(style, &format!("{:>4}×", member.count));
        let line = line.up_to(MARGIN - 1).plain(" ");
        // A long name takes what the note leaves.
        let left = line.room().saturating_sub(columns(&note) + 2);
        let name = cut(&name, left.max(ALERT));
        let column = MARGIN + widest.min(ALERT) + 2;
        line.put(style, &name).plain("  ").up_to(column).put(style, &note).right(style, &place)
    })
}

/// Colour repeats what the words say.
fn weight(member: &Member) -> Style {
    match words::severity(member) {
        Some(Severity::Critical) => AnsiColor::Red.on_default(),
        Some(Severity::Error) => AnsiColor::Yellow.on_default(),
        _ => PLAIN,
    }
}

fn style(priority: Priority) -> Style {
    match priority {
        Priority::P1 => AnsiColor::Red.on_default().bold(),
        Priority::P2 => AnsiColor::Yellow.on_default().bold(),
        Priority::P3 | Priority::P4 => BOLD,
        Priority::P5 => DIM,
    }
}

fn malformed(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    let total = report.totals().malformed;
    if total == 0 {
        return Ok(());
    }
    writeln!(to, "\n{BOLD}{total} malformed{BOLD:#}")?;
    for malformed in report.malformed().take(MALFORMED) {
        let place = words::malformed_at(malformed.source.as_deref(), malformed.line);
        for line in wrapped("  ", &format!("{place} {}", malformed.error)) {
            writeln!(to, "{line}")?;
        }
        if !malformed.text.is_empty() {
            writeln!(to, "{}", Line::new(0).plain("    ").put(DIM, &malformed.text).end())?;
        }
    }
    let more = total.saturating_sub(MALFORMED as u64);
    if more > 0 {
        writeln!(to, "  {more} more; -o json lists the first 1,000 and counts all by kind")?;
    }
    Ok(())
}
