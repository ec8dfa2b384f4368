//! The page: summary, timeline, incidents and malformed input.

use std::io::{self, Write};

use alert_triage::report::{Incident, Member, Row};
use alert_triage::verdict::Notify;
use alert_triage::{Report, is_link, printable};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::labels::{self, MemberNames};
use super::super::phrases::{self, counted};
use super::super::seen::span_with_unit;
use super::super::texts;
use super::super::tree::{is_set_aside, member_tree};
use super::timeline::timeline;

const STYLE: &str = include_str!("style.css");

/// The browser fetches and runs nothing, even if text of the input became a tag.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Incidents that are shown without `--all`.
const MAX_INCIDENTS: usize = 200;

/// Members of one incident that are shown without `--all`.
const MAX_MEMBERS: usize = 100;

/// Scopes that are named in one place.
const MAX_SCOPES: usize = 10;

pub(in crate::output) fn write(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    let first: Vec<Row> = report.rows(MAX_MEMBERS, MAX_SCOPES).take(MAX_INCIDENTS).collect();
    let title = phrases::headline(report);
    let head = html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">\n"))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            title { "Triage: " (title) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("\n<body>\n"))
        (summary(report, &title))
        (PreEscaped("\n<main>\n"))
    };
    write!(to, "{}", head.into_string())?;
    let drawn = if first.is_empty() { String::new() } else { timeline(&first, report).into_string() };
    match all {
        true => incidents(report.rows(usize::MAX, MAX_SCOPES), &drawn, report, to)?,
        false => incidents(first.into_iter(), &drawn, report, to)?,
    }
    let foot = html! { (malformed(report)) };
    writeln!(to, "{}\n</main>\n</body>\n</html>", foot.into_string())
}

fn summary(report: &Report<'_>, title: &str) -> Markup {
    let totals = report.totals();
    let tile = |count: u64, noun: &str| {
        let counted = counted(count, noun);
        html! { li { b { (count) } (counted.split_once(' ').map_or("", |(_, noun)| noun)) } }
    };
    html! {
        header {
            h1 { (title) }
            @for unread in report.unread() { p .note.P1 { (phrases::unread(&unread)) } }
            @if let Some(judged_at) = phrases::judged_at(report) { p .muted { (judged_at) } }
            ul .totals {
                (tile(totals.incidents, "incident"))
                (tile(totals.distinct, "distinct alert"))
                (tile(totals.records, "record"))
                (tile(totals.duplicates, "duplicate"))
                (tile(totals.malformed, "malformed line"))
            }
            p .muted { (phrases::totals_sentence(report)) }
            @for caveat in report.caveats() {
                @let overflow = report.overflow().filter(|_| caveat.starts_with("overflow"));
                @let priority = overflow.map(|overflow| overflow.priority.to_string());
                p class={ "note " (priority.unwrap_or_default()) } { (caveat) }
            }
        }
    }
}

/// Writes a card per incident that somebody is notified of, the timeline, and the other incidents,
/// folded.
fn incidents(
    rows: impl Iterator<Item = Row>,
    timeline: &str,
    report: &Report<'_>,
    to: &mut impl Write,
) -> io::Result<()> {
    let mut shown = 0;
    let mut is_folded = false;
    for row in rows {
        if row.incident.notify == Notify::None && !is_folded {
            is_folded = true;
            writeln!(
                to,
                "{timeline}\n<h2>For the record</h2>\n<details>\n<summary>Incidents without a notification</summary>"
            )?;
        } else if shown == 0 {
            writeln!(to, "\n<h2>Incidents</h2>")?;
        }
        shown += row.incidents;
        writeln!(to, "{}", card(&row, report).into_string())?;
    }
    match is_folded {
        true => writeln!(to, "</details>")?,
        false => writeln!(to, "{timeline}")?,
    }
    let more = report.totals().incidents - shown;
    if more > 0 {
        writeln!(to, "<p>{} (<code>--all</code>)</p>", counted(more, "more incident"))?;
    }
    Ok(())
}

fn card(row: &Row, report: &Report<'_>) -> Markup {
    let Row { incident, incidents, .. } = row;
    let state = phrases::state(incident, report.now());
    let text = labels::text(row);
    let shared = labels::common_without_scope(row);
    let summary = texts::headline(incident).and_then(texts::summary);
    html! {
        article #{ "i" (incident.id) } class=(incident.priority) {
            header {
                span .badge { (incident.priority) " " (incident.notify) }
                h3 {
                    (printable(&incident.headline)) (phrases::times_instances(row))
                    @if !text.is_empty() { " " (text) }
                    @if let Some(state) = state { " (" (state) ")" }
                }
                (place(row))
                code .id.muted { (incident.id) }
            }
            @if let Some(why) = phrases::why(incident) { p { (why) } }
            @if let Some(names) = labels::instances(row) { p { "Instances: " (names) } }
            @if *incidents > 1 {
                p { "The first of " (counted(*incidents, "incident")) ", which share one " (incident.notify) "." }
            }
            @if !shared.is_empty() { p .muted { "All with " code { (labels::pairs(&shared)) } } }
            @if let Some(summary) = &summary { p .summary { (summary) } }
            @for runbook in texts::runbooks(incident) { p { "Runbook: " (link(runbook)) } }
            (members(row, summary.as_deref(), report))
            (reasons(incident))
        }
    }
}

fn place(row: &Row) -> Markup {
    html! {
        span {
            @match row.scopes.as_slice() {
                [] => { "no scope" },
                [scope] => { code { (labels::scope(scope)) } },
                _ => { (labels::scopes(&row.scopes, row.scopes_in_all, MAX_SCOPES)) },
            }
        }
    }
}

/// A row per member. The summary of a member is left out if it is that of the card.
fn members(row: &Row, summary: Option<&str>, report: &Report<'_>) -> Markup {
    let members = &row.incident.members;
    let names = MemberNames::new(row);
    let more = row.alerts - members.len() as u64;
    html! {
        table .members {
            thead {
                tr {
                    th .severity scope="col" { "Severity" }
                    th .count scope="col" { "Count" }
                    th .alert scope="col" { "Alert" }
                    th scope="col" { "Verdict" }
                    th .seen scope="col" { "Seen" }
                }
            }
            tbody {
                @for tree_row in member_tree(members) {
                    (line(tree_row.member, tree_row.depth(), &names.name(tree_row.member), summary, report))
                }
            }
        }
        @if more > 0 { p { (counted(more, "more alert")) " (" code { "--all" } ")" } }
    }
}

fn line(member: &Member, depth: usize, name: &str, summary: Option<&str>, report: &Report<'_>) -> Markup {
    let own = texts::summary(member).filter(|own| Some(own.as_str()) != summary);
    let severity = phrases::severity(member).map(|severity| severity.to_string()).unwrap_or_default();
    let class = if is_set_aside(member) { "aside" } else { &severity };
    let standing = phrases::standing(member, report.now());
    html! {
        tr class=(class) {
            td .severity { (severity) }
            td .count { (member.count) "×" }
            td class={ "alert d" (depth.min(4)) } {
                @if depth > 0 { span .branch aria-hidden="true" { "└\u{a0}" } }
                (name)
                @if let Some(own) = own { br; (own) }
                @if texts::links(member).next().is_some() {
                    br;
                    @for (name, url) in texts::links(member) {
                        a .link href=(url) rel="noreferrer" { (printable(name)) } " "
                    }
                }
                @if !member.examples.is_empty() {
                    br;
                    span .muted { "as " (member.examples.iter().map(printable).collect::<Vec<_>>().join(", ")) }
                }
            }
            td { (standing) br; span .muted { (member.why) } }
            td .seen { (span_with_unit(&member.first, &member.last, report.now())) }
        }
    }
}

fn reasons(incident: &Incident) -> Markup {
    let score = &incident.score;
    html! {
        details {
            summary { "Reasons for this rank, and alternatives" }
            h4 { "Reasons" }
            ul { @for because in &incident.because { li { (because) } } }
            @if !incident.alternatives.is_empty() {
                h4 { "Alternatives" }
                ul { @for alternative in &incident.alternatives { li { (alternative) } } }
            }
            h4 { "Order within " (incident.priority) }
            p {
                "impact " (score.impact) " × 10,000 + urgency " (score.urgency) " × 1,000 + persistence "
                (score.persistence) " = " (score.total) ": " (score.terms.join(", "))
            }
            p .muted { code { "triage explain " (phrases::short_id(&incident.id)) " FILE…" } " explains what would change it." }
        }
    }
}

/// A link if it is a web address.
fn link(text: &str) -> Markup {
    html! {
        @if is_link(text) { a href=(text) rel="noreferrer" { (text) } } @else { code { (printable(text)) } }
    }
}

fn malformed(report: &Report<'_>) -> Markup {
    html! {
        @for group in report.malformed_groups() {
            @let more = group.count - group.examples.len() as u64;
            h2 { (group.count) " malformed, " (group.kind) }
            table {
                thead { tr { th scope="col" { "Where" } th scope="col" { "Error" } th scope="col" { "Text" } } }
                tbody {
                    @for (malformed, error) in phrases::with_errors(&group.examples) {
                        tr {
                            td { (phrases::malformed_at(malformed.source.as_deref(), malformed.line)) }
                            td { @match error { Some(error) => { "it " (error) } None => { "the same" } } }
                            td { @if !malformed.text.is_empty() { code { (malformed.text) } } }
                        }
                    }
                }
            }
            @if more > 0 { p { (more) " more; " code { "-o json" } " lists the first 1,000." } }
        }
    }
}
