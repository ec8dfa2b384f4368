//! One page for the morning after: self-contained, no script, nothing fetched, readable in print and on a phone.

mod scale;
mod timeline;

use std::io::{self, Write};

use alert_triage::{Incident, Member, Notify, Report, Row, printable};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::family::{family, is_aside};
use super::words::{self, Names, counted};

const STYLE: &str = include_str!("style.css");

/// Nothing is fetched and nothing runs, even if something of the input came to life.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Incidents shown unless all are asked for.
const INCIDENTS: usize = 200;

/// Members of one incident shown unless all are asked for.
const MEMBERS: usize = 100;

/// Scopes named in one place.
const SCOPES: usize = 10;

/// Malformed lines shown; the JSON shows more.
const MALFORMED: usize = 100;

pub(super) fn print(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    let first: Vec<Row> = report.rows(MEMBERS, SCOPES).take(INCIDENTS).collect();
    let title = headline(report);
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
        @if !first.is_empty() { (timeline::timeline(&first, report)) }
    };
    write!(to, "{}", head.into_string())?;
    match all {
        true => incidents(report.rows(usize::MAX, SCOPES), report, to)?,
        false => incidents(first.into_iter(), report, to)?,
    }
    let foot = html! { (malformed(report)) };
    writeln!(to, "{}\n</main>\n</body>\n</html>", foot.into_string())
}

/// `1 page, 1 ticket`
fn headline(report: &Report<'_>) -> String {
    let totals = report.totals();
    format!("{}, {}", counted(totals.pages, "page"), counted(totals.tickets, "ticket"))
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
            @if let Some(judged_at) = words::judged_at(report) { p .muted { (judged_at) } }
            ul .totals {
                (tile(totals.incidents, "incident"))
                (tile(totals.distinct, "distinct alert"))
                (tile(totals.records, "record"))
                (tile(totals.duplicates, "duplicate"))
                (tile(totals.malformed, "malformed line"))
            }
            p .muted { (words::ledger(report)) }
            @for caveat in report.caveats() {
                @let overflow = report.overflow().filter(|_| caveat.starts_with("overflow"));
                @let priority = overflow.map(|overflow| overflow.priority.to_string());
                p class={ "note " (priority.unwrap_or_default()) } { (caveat) }
            }
        }
    }
}

/// A card each; those that tell nobody are folded away behind them.
fn incidents(rows: impl Iterator<Item = Row>, report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    let mut told = 0;
    let mut is_folded = false;
    for row in rows {
        // They come last, by their priority.
        if row.incident.notify == Notify::None && !is_folded {
            is_folded = true;
            writeln!(to, "\n<h2>For the record</h2>\n<details>\n<summary>What nobody is told of</summary>")?;
        } else if told == 0 {
            writeln!(to, "\n<h2>Incidents</h2>")?;
        }
        told += row.incidents;
        writeln!(to, "{}", card(&row, report).into_string())?;
    }
    if is_folded {
        writeln!(to, "</details>")?;
    }
    let more = report.totals().incidents - told;
    if more > 0 {
        writeln!(to, "<p>{} (<code>--all</code>)</p>", counted(more, "more incident"))?;
    }
    Ok(())
}

fn card(row: &Row, report: &Report<'_>) -> Markup {
    let Row { incident, incidents, .. } = row;
    let state = words::state(incident, report.now());
    let text = words::text(row);
    let shared = words::beside_scope(row);
    html! {
        article #{ "i" (incident.id) } class=(incident.priority) {
            header {
                span .badge { (incident.priority) " " (incident.notify) }
                h3 {
                    (printable(&incident.headline))
                    @if !text.is_empty() { " " (text) }
                    @if let Some(state) = state { " (" (state) ")" }
                }
                (place(row))
                code .id.muted { (incident.id) }
            }
            @if let Some(why) = words::why(incident) { p { (why) } }
            @if *incidents > 1 {
                p { "The first of " (counted(*incidents, "incident")) ", all told of by one " (incident.notify) "." }
            }
            @if !shared.is_empty() { p .muted { "All with " code { (words::pairs(&shared)) } } }
            @for runbook in runbooks(incident) { p { "Runbook: " (runbook) } }
            (members(row, report))
            (reasons(incident))
        }
    }
}

fn place(row: &Row) -> Markup {
    html! {
        span {
            @match row.scopes.as_slice() {
                [] => { "no scope" },
                [scope] => { code { (words::scope(scope)) } },
                _ => { (words::scopes(&row.scopes, row.scopes_in_all, SCOPES)) },
            }
        }
    }
}

fn members(row: &Row, report: &Report<'_>) -> Markup {
    let members = &row.incident.members;
    let names = Names::of(row);
    let more = row.alerts - members.len() as u64;
    html! {
        table .members {
            thead {
                tr {
                    th .severity scope="col" { "Severity" }
                    th .count scope="col" { "Count" }
                    th .alert scope="col" { "Alert" }
                    th scope="col" { "How it stands" }
                    th .seen scope="col" { "Seen" }
                }
            }
            tbody {
                @for kin in family(members) {
                    (line(kin.member, kin.depth(), &names.name(kin.member), report))
                }
            }
        }
        @if more > 0 { p { (counted(more, "more alert")) " (" code { "--all" } ")" } }
    }
}

fn line(member: &Member, depth: usize, name: &str, report: &Report<'_>) -> Markup {
    let severity = words::severity(member).map(|severity| severity.to_string()).unwrap_or_default();
    let class = if is_aside(member) { "aside" } else { &severity };
    let stand = stand(member, report.now());
    html! {
        tr class=(class) {
            td .severity { (severity) }
            td .count { (member.count) "×" }
            td class={ "alert d" (depth.min(4)) } {
                @if depth > 0 { span .branch aria-hidden="true" { "└\u{a0}" } }
                (name)
                @if !member.examples.is_empty() {
                    br;
                    span .muted { "as " (member.examples.iter().map(printable).collect::<Vec<_>>().join(", ")) }
                }
            }
            td { (stand) br; span .muted { (member.why) } }
            td .seen { (words::place_in_full(&member.first, &member.last, report.now())) }
        }
    }
}

/// How a member stands, in a word or more.
fn stand(member: &Member, now: Option<Timestamp>) -> String {
    let note = words::note(member, now);
    if note.is_empty() { member.verdict.to_string() } else { note }
}

fn reasons(incident: &Incident) -> Markup {
    let score = &incident.score;
    html! {
        details {
            summary { "Why it ranks here, and what else it might be" }
            h4 { "Because" }
            ul { @for because in &incident.because { li { (because) } } }
            @if !incident.alternatives.is_empty() {
                h4 { "Or" }
                ul { @for alternative in &incident.alternatives { li { (alternative) } } }
            }
            h4 { "Order within " (incident.priority) }
            p {
                "impact " (score.impact) " × 10,000 + urgency " (score.urgency) " × 1,000 + persistence "
                (score.persistence) " = " (score.total) ": " (score.terms.join(", "))
            }
            p .muted { code { "triage explain " (words::short(&incident.id)) " FILE…" } " tells what would change it." }
        }
    }
}

/// As links only where a click goes to the web and nowhere else.
fn runbooks(incident: &Incident) -> Vec<Markup> {
    let mut runbooks: Vec<&str> =
        incident.members.iter().filter_map(|member| member.runbook.as_deref()).collect();
    runbooks.dedup();
    let link = |runbook: &str| {
        let is_web = runbook.starts_with("https://") || runbook.starts_with("http://");
        html! { @if is_web { a href=(runbook) rel="noreferrer" { (runbook) } } @else { code { (runbook) } } }
    };
    runbooks.into_iter().map(link).collect()
}

fn malformed(report: &Report<'_>) -> Markup {
    let total = report.totals().malformed;
    let shown = report.malformed().take(MALFORMED);
    let more = total.saturating_sub(MALFORMED as u64);
    html! {
        @if total > 0 {
            h2 { (total) " malformed" }
            p .muted {
                @for (number, (kind, count)) in report.malformed_by_error().iter().enumerate() {
                    @if number > 0 { ", " }
                    (kind) " " (count)
                }
            }
            table {
                thead { tr { th scope="col" { "Where" } th scope="col" { "What is wrong" } th scope="col" { "Text" } } }
                tbody {
                    @for malformed in shown {
                        tr {
                            td { (words::malformed_at(malformed.source.as_deref(), malformed.line)) }
                            td { "it " (malformed.error) }
                            td { @if !malformed.text.is_empty() { code { (malformed.text) } } }
                        }
                    }
                }
            }
            @if more > 0 { p { (more) " more; " code { "-o json" } " lists the first 1,000." } }
        }
    }
}
