//! A table for terminals: incidents that need a person first, then the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use alert_triage::report::{Labels, Member, Row};
use alert_triage::verdict::Notify;
use alert_triage::{Priority, Report, Severity, is_link, printable};
use anstyle::{AnsiColor, Style};

use super::columns::{LineBuilder, columns, cut, width, wrapped};
use super::labels::{self, MemberNames};
use super::limits::MAX_INCIDENTS;
use super::phrases::{self, counted, short_id};
use super::seen::{span, span_with_unit};
use super::texts;
use super::tree::{is_set_aside, member_tree};

/// Lines of incidents that are shown without `--all`.
const MAX_LINES: usize = 40;

/// Column at which names and sentences begin, after priorities, counts and labels.
const MARGIN: usize = 14;

/// Columns of an alert's name beside a long note.
const MAX_ALERT_WIDTH: usize = 36;

/// Scopes that are named in a head.
const MAX_SCOPES: usize = 4;

/// Lines of a sentence under a head.
const MAX_SENTENCE_LINES: usize = 3;

/// The width from which on a head has room for the place in the input.
const MIN_WIDE: usize = 80;

/// Columns kept free for the scope in a head.
const SCOPE_WIDTH: usize = 16;

/// Columns of the text after the name in a head.
const MAX_TEXT_WIDTH: usize = 40;

/// Columns of the text at the right edge.
const MAX_RIGHT_WIDTH: usize = 40;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();

pub(super) fn write(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    for unread in report.unread() {
        let style = style(Priority::P1);
        for line in wrapped("", &phrases::unread(&unread)) {
            writeln!(to, "{style}{line}{style:#}")?;
        }
    }
    for line in wrapped("", &phrases::totals_sentence(report)) {
        writeln!(to, "{line}")?;
    }
    if let Some(judged_at) = phrases::judged_at(report) {
        writeln!(to, "{DIM}{judged_at}{DIM:#}")?;
    }
    notes(report, to)?;
    incidents(report, all, to)?;
    malformed(report, to)
}

/// Notes about the whole report, in the color of their priority if they are about the overflow.
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
    let mut room = if all { usize::MAX } else { MAX_LINES };
    let mut rows = report.rows(room, MAX_SCOPES);
    let first: Vec<Row> = rows.by_ref().take(MAX_INCIDENTS).collect();
    let mut following = if all { 0 } else { first.len() };
    let others = rows.by_ref().take(if all { usize::MAX } else { 0 });
    let telling = TellingLabels::new(&first);
    let (mut shown, mut explained, mut was_long) = (0, None, true);
    for row in first.into_iter().chain(others) {
        shown += row.incidents;
        if row.incident.notify != Notify::None && explained.is_none() {
            explained = Some(short_id(&row.incident.id).to_owned());
        }
        // One line is reserved for each row that follows; this row may use the others.
        following = following.saturating_sub(1);
        let own = room.saturating_sub(following);
        let below = head(&row, row.alerts == 1, &telling, report).1.len();
        let mut details = details(&row, own.saturating_sub(2 + below), report);
        let (head, labels) = head(&row, details.is_empty() || row.alerts == 1, &telling, report);
        if own > 1 {
            details.splice(0..0, labels);
        }
        let is_long = !details.is_empty();
        if (is_long || was_long) && own > 1 {
            writeln!(to)?;
            room -= 1;
        }
        writeln!(to, "{head}")?;
        for line in &details {
            writeln!(to, "{line}")?;
        }
        room = room.saturating_sub(1 + details.len());
        was_long = is_long;
    }
    if shown < total {
        let urgent =
            rows.next().map(|row| format!(", {} at most", row.incident.priority)).unwrap_or_default();
        writeln!(to)?;
        for line in wrapped("", &format!("{}{urgent} (--all)", counted(total - shown, "more incident"))) {
            writeln!(to, "{line}")?;
        }
    }
    if let Some(id) = explained {
        writeln!(to)?;
        let hint = format!("triage explain {id} FILE… explains the rank, and what would change it");
        for line in wrapped("", &hint) {
            writeln!(to, "{DIM}{line}{DIM:#}")?;
        }
    }
    Ok(())
}

/// A sentence in at most [`MAX_SENTENCE_LINES`] lines; a link is not cut.
fn sentence(text: &str) -> String {
    match is_link(text) {
        true => text.to_owned(),
        false => cut(text, MAX_SENTENCE_LINES * (width() - MARGIN)),
    }
}

/// `P1 page  TooFewEndpointsRegistered  zone=AB  d9447456  lines 11–31`, and the labels that tell
/// it from rows with the same headline, if the line has no room for them.
fn head(row: &Row, is_alone: bool, telling: &TellingLabels, report: &Report<'_>) -> (String, Vec<String>) {
    let Row { incident, incidents, scopes, .. } = row;
    let (style, now) = (style(incident.priority), report.now());
    let id = short_id(&incident.id);
    let state = phrases::state(incident, now).map(|state| format!(" ({state})")).unwrap_or_default();
    // Free text distinguishes alerts of one name. A long one is cut.
    let text = labels::text(row);
    let text = if text.is_empty() { text } else { format!(" {}", cut(&text, MAX_TEXT_WIDTH)) };
    let headline = printable(&incident.headline) + &phrases::times_instances(row);
    let title = columns(&headline) + columns(&text);
    let used = MARGIN + title + columns(&state) + 2 + id.len() + 2;
    let seen = span_with_unit(&row.first, &row.last, now);
    let counts = format!("{}  {seen}", counts(row));
    let right = match *incidents {
        _ if width() < MIN_WIDE => String::new(),
        // The scope matters more than the counts.
        1 if is_alone && used + columns(&counts) + SCOPE_WIDTH + 4 <= width() => counts,
        1 => seen,
        incidents => counted(incidents, "incident"),
    };
    let right = cut(&right, MAX_RIGHT_WIDTH);
    let line = LineBuilder::new(columns(&right) + 2 + id.len() + 2)
        .put(style, &format!("{} {}", incident.priority, incident.notify))
        .up_to(MARGIN)
        .put(style, &headline);
    let left = line.room().saturating_sub(columns(&state) + 2 + SCOPE_WIDTH);
    let line = line.plain(&cut(&text, left)).put(style, &state).plain("  ");
    let place = match scopes.as_slice() {
        [] => "no scope".to_owned(),
        [scope] if columns(&labels::scope(scope)) > line.room() => labels::scope_values(scope),
        [scope] => labels::scope(scope),
        // The rows of a pattern's members name its scopes as well.
        _ => (if *incidents > 1 { 1 } else { scopes.len() }..=MAX_SCOPES)
            .rev()
            .map(|max| labels::scopes(&row.scopes, row.scopes_in_all, max))
            .find(|names| columns(names) <= line.room())
            .unwrap_or_else(|| counted(row.scopes_in_all, "scope")),
    };
    let shared = if *incidents == 1 { labels::common_without_scope(row) } else { Labels::new() };
    let (own, shared): (Labels, Labels) =
        shared.into_iter().partition(|(name, _)| telling.contains(&incident.headline, name));
    let after = |labels: &Labels| match labels.is_empty() {
        true => String::new(),
        false => format!(" {}", labels::pairs(labels)),
    };
    let own = after(&own);
    // What tells rows apart is never cut: it takes a line of its own.
    let fits = columns(&place) + columns(&own) <= line.room();
    let below =
        if fits { Vec::new() } else { wrapped(&" ".repeat(MARGIN), &sentence(&(place.clone() + &own))) };
    let own = if fits { own } else { String::new() };
    let line = line.plain(&place).plain(&own).put(DIM, &after(&shared));
    (line.widened(2 + id.len()).plain("  ").put(DIM, id).right(PLAIN, &right), below)
}

/// The labels in which rows with the same headline differ.
struct TellingLabels(BTreeMap<String, BTreeSet<String>>);

impl TellingLabels {
    fn new(rows: &[Row]) -> Self {
        let mut by_headline: BTreeMap<&str, Vec<&Labels>> = BTreeMap::new();
        for row in rows {
            by_headline.entry(&row.incident.headline).or_default().push(&row.common);
        }
        let differing = |all: &[&Labels]| -> BTreeSet<String> {
            let names = all.iter().flat_map(|labels| labels.keys());
            names
                .filter(|name| all.iter().any(|labels| labels.get(*name) != all[0].get(*name)))
                .cloned()
                .collect()
        };
        let found = by_headline.iter().map(|(headline, all)| ((*headline).to_owned(), differing(all)));
        Self(found.collect())
    }

    fn contains(&self, headline: &str, label: &str) -> bool {
        self.0.get(headline).is_some_and(|labels| labels.contains(label))
    }
}

/// `6 alerts, 11×`
fn counts(row: &Row) -> String {
    match row.alerts {
        1 => format!("{}×", row.count),
        alerts => format!("{}, {}×", counted(alerts, "alert"), row.count),
    }
}

/// At most `max` lines under the head: the members as a tree, the runbook, the reason and an
/// alternative.
fn details(row: &Row, max: usize, report: &Report<'_>) -> Vec<String> {
    let mut reasons = reasons(row);
    if let Some(names) = labels::instances(row).filter(|_| max < usize::MAX / 2) {
        let named = wrapped(&format!("{:>1$}  ", "of", MARGIN - 2), &sentence(&names));
        let lines = named.into_iter().map(|line| line.to_string()).chain(reasons);
        return lines.take(max).collect();
    }
    let member_count = if row.incidents == 1 && row.alerts > 1 { row.alerts as usize } else { 0 };
    if reasons.len().saturating_add(member_count) <= max {
        return members(row, report).take(member_count).chain(reasons).collect();
    }
    // The first members, one line for the others, and the reasons if there is room.
    if max < 3 || member_count == 0 {
        return Vec::new();
    }
    if reasons.len() + 3 > max {
        reasons.clear();
    }
    let shown = max - 1 - reasons.len();
    let more = format!("… {} (--all)", counted((member_count - shown) as u64, "more alert"));
    let more = LineBuilder::new(0).up_to(MARGIN).put(DIM, &more).end();
    members(row, report).take(shown).chain([more]).chain(reasons).collect()
}

fn reasons(row: &Row) -> Vec<String> {
    let incident = &row.incident;
    if incident.notify == Notify::None {
        return Vec::new();
    }
    let summary = texts::headline(incident).and_then(texts::summary);
    let runbook = texts::runbooks(incident).first().map(|runbook| texts::whole_link(runbook));
    // An alternative matters only where several alerts were joined.
    let mut or = incident.alternatives.first().filter(|_| row.alerts > 1).cloned();
    if let (Some(or), more @ 1..) = (&mut or, incident.alternatives.len().saturating_sub(1)) {
        or.push_str(&format!("; and {more} more"));
    }
    let needs_a_person = incident.priority.needs_a_person();
    let mut lines = Vec::new();
    for (label, text) in [
        ("summary", summary.as_deref()),
        ("runbook", runbook.as_deref()),
        ("why", phrases::why(incident)),
        ("or", or.as_deref().filter(|_| needs_a_person)),
    ] {
        let Some(text) = text else { continue };
        let style = if matches!(label, "summary" | "runbook") { PLAIN } else { DIM };
        for line in wrapped(&format!("{label:>0$}  ", MARGIN - 2), &sentence(text)) {
            lines.push(format!("{style}{line}{style:#}"));
        }
    }
    lines
}

/// One line per member: severity, count, name, verdict, and where or when it was seen.
fn members<'a>(row: &'a Row, report: &'a Report<'_>) -> impl Iterator<Item = String> + 'a {
    let names = MemberNames::new(row);
    let named: Vec<(String, &Member)> = (member_tree(&row.incident.members).into_iter())
        .map(|tree_row| (format!("{}{}", tree_row.branch, names.name(tree_row.member)), tree_row.member))
        .collect();
    let widest = named.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
    named.into_iter().map(move |(name, member)| {
        let style = if is_set_aside(member) { DIM } else { PLAIN };
        let severity = phrases::severity(member).map(|severity| severity.to_string()).unwrap_or_default();
        let seen = cut(&span(&member.first, &member.last, report.now()), MAX_RIGHT_WIDTH);
        let note = phrases::note(member, report.now());
        let line = LineBuilder::new(columns(&seen) + 2);
        let line =
            line.put(weight(member), &format!("{severity:>8}")).put(style, &format!("{:>4}×", member.count));
        let line = line.up_to(MARGIN - 1).plain(" ");
        // A long name takes the columns that the note leaves.
        let left = line.room().saturating_sub(columns(&note) + 2);
        let name = cut(&name, left.max(MAX_ALERT_WIDTH));
        let column = MARGIN + widest.min(MAX_ALERT_WIDTH) + 2;
        line.put(style, &name).plain("  ").up_to(column).put(style, &note).right(style, &seen)
    })
}

/// The color of a severity; the words say the same.
fn weight(member: &Member) -> Style {
    match phrases::severity(member) {
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

/// The malformed lines by kind of error, with examples. Inputs of which nothing could be read are
/// named at the top and not line by line.
fn malformed(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    let groups = report.malformed_groups();
    if !groups.is_empty() {
        let total: u64 = groups.iter().map(|group| group.count).sum();
        writeln!(to, "\n{BOLD}{total} malformed{BOLD:#}")?;
    }
    for group in groups {
        for (malformed, error) in phrases::with_errors(&group.examples) {
            let place = phrases::malformed_at(malformed.source.as_deref(), malformed.line);
            match error {
                Some(error) => {
                    for line in wrapped("  ", &format!("{place} {error}")) {
                        writeln!(to, "{line}")?;
                    }
                    if !malformed.text.is_empty() {
                        writeln!(
                            to,
                            "{}",
                            LineBuilder::new(0).plain("    ").put(DIM, &malformed.text).end()
                        )?;
                    }
                }
                None => {
                    let line = LineBuilder::new(0).plain("  ").plain(&place).plain(" too: ");
                    writeln!(to, "{}", line.put(DIM, &malformed.text).end())?;
                }
            }
        }
        let more = group.count - group.examples.len() as u64;
        if more > 0 {
            let more = format!("{more} more with the error {}; -o json lists the first 1,000", group.kind);
            for line in wrapped("  ", &more) {
                writeln!(to, "{line}")?;
            }
        }
    }
    Ok(())
}
