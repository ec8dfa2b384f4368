//! Markdown for tickets and chats. No text of the input can break a table, become a link or mention
//! a user.

use std::io::{self, Write};

use alert_triage::report::{Incident, Labels, Row, Seen};
use alert_triage::verdict::Notify;
use alert_triage::{Report, printable};

use super::labels::{self, MemberNames};
use super::limits::MAX_INCIDENTS;
use super::phrases::{self, counted};
use super::seen::span_with_unit;
use super::texts;
use super::tree::member_tree;

/// Members of one incident that are shown without `--all`.
const MAX_MEMBERS: usize = 40;

/// Scopes that are named in a row.
const MAX_SCOPES: usize = 4;

pub(super) fn write(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    writeln!(to, "# Triage: {}\n", phrases::headline(report))?;
    for unread in report.unread() {
        // Backticks would make each quoted word a code span of its own.
        writeln!(to, "> {}\n", text(&phrases::unread(&unread).replace('`', "'")))?;
    }
    writeln!(to, "{}", phrases::totals_sentence(report))?;
    if let Some(judged_at) = phrases::judged_at(report) {
        writeln!(to, "({judged_at})")?;
    }
    for caveat in report.caveats() {
        writeln!(to, "\n> {}", text(&caveat))?;
    }
    summary(report, all, to)?;
    let (incidents, members) = if all { (usize::MAX, usize::MAX) } else { (MAX_INCIDENTS, MAX_MEMBERS) };
    for row in report.rows(members, MAX_SCOPES).take(incidents) {
        if row.incident.notify != Notify::None {
            details(&row, report, to)?;
        }
    }
    malformed(report, to)
}

fn summary(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    let total = report.totals().incidents;
    if total == 0 {
        return Ok(());
    }
    writeln!(to, "\n| Priority | Incident | Where | Alerts | Seen | Why |\n|---|---|---|---:|---|---|")?;
    let mut shown = 0;
    for row in report.rows(1, MAX_SCOPES).take(if all { usize::MAX } else { MAX_INCIDENTS }) {
        let Row { incident, incidents, .. } = &row;
        shown += incidents;
        let state =
            phrases::state(incident, report.now()).map(|state| format!(" ({state})")).unwrap_or_default();
        let alerts = match *incidents {
            1 => row.alerts.to_string(),
            incidents => counted(incidents, "incident"),
        };
        let seen = if *incidents == 1 { seen(&row.first, &row.last, report) } else { String::new() };
        cells(
            to,
            &[
                format!("**{}** {}", incident.priority, incident.notify),
                format!("{}{state}", title(&row)),
                place(&row),
                alerts,
                seen,
                phrases::why(incident).map(text).unwrap_or_default(),
            ],
        )?;
    }
    if shown < total {
        writeln!(to, "\n{} (`--all`)", counted(total - shown, "more incident"))?;
    }
    Ok(())
}

fn details(row: &Row, report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    let Row { incident, incidents, .. } = row;
    let Incident { priority, notify, id, .. } = incident;
    writeln!(to, "\n## {priority} {notify}: {} in {}\n", title(row), place(row))?;
    if *incidents > 1 {
        writeln!(to, "The first of {}, which share one {notify}:\n", counted(*incidents, "incident"))?;
    }
    let names = MemberNames::new(row);
    let shared = labels::common_without_scope(row);
    if !shared.is_empty() {
        writeln!(to, "All with {}\n", code(&labels::pairs(&shared)))?;
    }
    writeln!(to, "| Count | Severity | Alert | Verdict | Why | Seen |\n|---:|---|---|---|---|---|")?;
    for tree_row in member_tree(&incident.members) {
        let member = tree_row.member;
        let name = code(&names.name(member));
        let branch = match tree_row.depth() {
            0 => String::new(),
            depth => format!("{}└ ", "&emsp;".repeat(depth - 1)),
        };
        cells(
            to,
            &[
                member.count.to_string(),
                phrases::severity(member).map(|severity| severity.to_string()).unwrap_or_default(),
                format!("{branch}{name}"),
                text(&phrases::standing(member, report.now())),
                text(&member.why),
                seen(&member.first, &member.last, report),
            ],
        )?;
    }
    let more = row.alerts - incident.members.len() as u64;
    if more > 0 {
        writeln!(to, "\n{} (`--all`)", counted(more, "more alert"))?;
    }
    writeln!(to)?;
    let head = texts::headline(incident);
    if let Some(summary) = head.and_then(texts::summary) {
        writeln!(to, "- summary: {}", code(&summary))?;
    }
    for runbook in texts::runbooks(incident) {
        writeln!(to, "- runbook: {}", code_span(&texts::whole_link(runbook)))?;
    }
    for (name, url) in head.into_iter().flat_map(texts::links) {
        writeln!(to, "- {}: {}", text(&printable(name)), code_span(url))?;
    }
    for because in &incident.because {
        writeln!(to, "- {}", text(because))?;
    }
    for alternative in &incident.alternatives {
        writeln!(to, "- alternative: {}", text(alternative))?;
    }
    writeln!(to, "- details: `triage explain {id} FILE…`")
}

/// The headline with the number of its instances and its text.
fn title(row: &Row) -> String {
    let headline = code(&row.incident.headline) + &phrases::times_instances(row);
    match labels::text(row) {
        text if text.is_empty() => headline,
        text => format!("{headline} {}", code(&text)),
    }
}

fn place(row: &Row) -> String {
    let names: Vec<String> = row.scopes.iter().map(|scope: &Labels| code(&labels::scope(scope))).collect();
    match row.scopes_in_all - names.len() as u64 {
        0 if names.is_empty() => "no scope".to_owned(),
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn seen(first: &Seen, last: &Seen, report: &Report<'_>) -> String {
    let place = span_with_unit(first, last, report.now());
    // The name of a file may contain Markdown.
    if first.at.is_none() && first.source.is_some() { code(&place) } else { place }
}

fn malformed(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    let groups = report.malformed_groups();
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(to, "\n## {} malformed\n", groups.iter().map(|group| group.count).sum::<u64>())?;
    for group in groups {
        for (malformed, error) in phrases::with_errors(&group.examples) {
            let place = text(&phrases::malformed_at(malformed.source.as_deref(), malformed.line));
            let error = error.map_or("too".to_owned(), text);
            let shown = if malformed.text.is_empty() {
                String::new()
            } else {
                format!(": {}", code(&malformed.text))
            };
            writeln!(to, "- {place} {error}{shown}")?;
        }
        let more = group.count - group.examples.len() as u64;
        if more > 0 {
            writeln!(
                to,
                "- {more} more with the error {}; `-o json` lists the first 1,000",
                text(group.kind)
            )?;
        }
    }
    Ok(())
}

/// Writes a table row. Bars are escaped, since they end a cell even inside code.
fn cells(to: &mut impl Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    writeln!(to, "| {} |", cells.join(" | "))
}

/// A code span, which contains no mark-up, links or mentions.
fn code(raw: &str) -> String {
    code_span(&printable(raw))
}

/// A code span of a text that is printable.
fn code_span(shown: &str) -> String {
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let is_bare = !shown.starts_with(['`', ' ']) && !shown.ends_with(['`', ' ']) && !shown.is_empty();
    let blank = if is_bare { "" } else { " " };
    format!("{fence}{blank}{shown}{blank}{fence}")
}

/// A sentence that may contain words of the input: each word that is not plain becomes code.
fn text(sentence: &str) -> String {
    let words = sentence.split(' ').map(|word| {
        let body = word.strip_prefix('(').unwrap_or(word);
        let open = &word[..word.len() - body.len()];
        let core = body.trim_end_matches([',', ';', ':', ')']);
        let close = &body[core.len()..];
        match core {
            "" if word.len() < 2 => word.to_owned(),
            "" => code(word),
            core if is_plain(core) => word.to_owned(),
            // Sentences of triage quote in backticks already.
            core => format!("{open}{}{close}", code(core)),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether it is a word or a number without any meaning in Markdown.
fn is_plain(word: &str) -> bool {
    let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '–');
    let is_word = word.chars().any(char::is_alphabetic)
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '\''))
        && !word.starts_with(['/', '-']);
    is_number || is_word
}
