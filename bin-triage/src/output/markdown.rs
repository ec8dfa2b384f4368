//! For tickets and chats: nothing of the input can break the table, make a link or call somebody.

use std::io::{self, Write};

use alert_triage::{Incident, Member, Notify, Report, printable};

use super::words::{self, counted};

/// Incidents shown unless all are asked for.
const INCIDENTS: usize = 20;

/// Malformed lines shown; the JSON shows more.
const MALFORMED: usize = 10;

pub(super) fn print(report: &Report<'_>, all: bool, to: &mut impl Write) -> io::Result<()> {
    let totals = report.totals();
    writeln!(to, "# Triage: {}, {}\n", counted(totals.pages, "page"), counted(totals.tickets, "ticket"))?;
    writeln!(to, "{}", words::ledger(report))?;
    for caveat in report.caveats() {
        writeln!(to, "\n> {}", text(&caveat))?;
    }
    let most = if all { usize::MAX } else { INCIDENTS };
    let shown: Vec<Incident> = report.incidents().take(most).collect();
    if !shown.is_empty() {
        writeln!(to, "\n| priority | incident | where | alerts | why |\n|---|---|---|---|---|")?;
    }
    for incident in &shown {
        let why = words::without_priority(incident.because.first().map_or("", String::as_str));
        writeln!(
            to,
            "| **{}** {} | {} | {} | {} | {} |",
            incident.priority,
            incident.notify,
            code(&incident.headline),
            place(incident),
            incident.members.len(),
            text(why)
        )?;
    }
    if totals.incidents > shown.len() as u64 {
        writeln!(to, "\n{} (`--all`)", counted(totals.incidents - shown.len() as u64, "more incident"))?;
    }
    for incident in shown.iter().filter(|incident| incident.notify != Notify::None) {
        details(incident, to)?;
    }
    malformed(report, to)
}

fn details(incident: &Incident, to: &mut impl Write) -> io::Result<()> {
    let Incident { priority, notify, headline, .. } = incident;
    writeln!(to, "\n## {priority} {notify}: {} in {}\n", code(headline), place(incident))?;
    writeln!(to, "Incident `{}`\n", incident.id)?;
    writeln!(to, "| count | alert | verdict | why | seen |\n|---:|---|---|---|---|")?;
    let common = words::common(incident);
    for member in &incident.members {
        let alert = code(&words::alert(member, &common));
        let seen = text(&words::place(&member.first, &member.last));
        writeln!(
            to,
            "| {} | {alert} | {} | {} | {seen} |",
            member.count,
            verdict(member),
            text(&member.why)
        )?;
    }
    writeln!(to)?;
    for because in &incident.because {
        writeln!(to, "- {}", text(because))?;
    }
    for alternative in &incident.alternatives {
        writeln!(to, "- or: {}", text(alternative))?;
    }
    for runbook in incident.members.iter().filter_map(|member| member.runbook.as_ref()) {
        writeln!(to, "- runbook: {}", code(runbook))?;
    }
    Ok(())
}

fn verdict(member: &Member) -> String {
    let mut words = vec![member.verdict.to_string()];
    words.extend(member.flags.iter().map(|flag| (*flag).to_owned()));
    words.join(", ")
}

fn place(incident: &Incident) -> String {
    match &incident.scopes {
        Some(scopes) => scopes.iter().map(|scope| code(&words::scope(scope))).collect::<Vec<_>>().join(", "),
        None => match words::common(incident) {
            common if common.is_empty() => "no scope".to_owned(),
            common => code(&words::scope(&common)),
        },
    }
}

fn malformed(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    let total = report.totals().malformed;
    if total == 0 {
        return Ok(());
    }
    writeln!(to, "\n## Malformed\n")?;
    for malformed in report.malformed().take(MALFORMED) {
        let place = text(&words::line(malformed.source.as_deref(), malformed.line));
        writeln!(to, "- {place} {}: {}", text(&malformed.error), code(&malformed.text))?;
    }
    let more = total.saturating_sub(MALFORMED as u64);
    if more > 0 {
        writeln!(to, "- {more} more; `-o json` lists the first 1,000 and counts all by kind")?;
    }
    Ok(())
}

/// As code: no mark-up, no link and no mention holds inside it.
fn code(raw: &str) -> String {
    let shown = printable(raw);
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if shown.starts_with('`') || shown.ends_with('`') || shown.is_empty() { " " } else { "" };
    // A table is cut at bars even inside code.
    format!("{fence}{blank}{}{blank}{fence}", shown.replace('|', "\\|"))
}

/// A sentence of ours that may carry words of the input.
fn text(sentence: &str) -> String {
    let shown = printable(sentence);
    let words = shown.split(' ').map(|word| match word {
        // What renderers make links and mentions of, whatever is escaped.
        word if word.contains(['@', '`']) || word.contains("://") || word.contains("www.") => code(word),
        word => escaped(word),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn escaped(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_makes_no_markup() {
        for (raw, in_code, in_text) in [
            ("plain", "`plain`", "plain"),
            ("a|b", "`a\\|b`", "a\\|b"),
            ("`x`", "`` `x` ``", "`` `x` ``"),
            ("<b>", "`<b>`", "&lt;b&gt;"),
            ("*_~", "`*_~`", "\\*\\_\\~"),
            ("[a](b)", "`[a](b)`", "\\[a\\](b)"),
            ("@all", "`@all`", "`@all`"),
            ("http://x", "`http://x`", "`http://x`"),
            ("a\nb", "`a\\u{a}b`", "a\\\\u{a}b"),
        ] {
            assert_eq!((code(raw).as_str(), text(raw).as_str()), (in_code, in_text), "{raw:?}");
        }
    }
}
