//! `triage backtest`: which notifications other rules would have sent for past alerts.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use alert_triage::backtest::{Backtest, MissedCritical, PriorityChange, ReplayTotals, UnmatchedNotification};
use alert_triage::explain::Location;
use alert_triage::{Engine, Rules, printable};
use jiff::Timestamp;

use crate::args::{BacktestArgs, TextOrJson};
use crate::output::columns::write_sentence;
use crate::output::labels::scope;
use crate::output::phrases::counted;
use crate::output::print;
use crate::{read, user_file};

/// Rows of one section that are shown; the JSON has all.
const MAX_ROWS: usize = 20;

pub(crate) fn run(args: &BacktestArgs) -> anyhow::Result<ExitCode> {
    let inputs = read::inputs(&args.history)?;
    read::require_files(&inputs, "backtest reads a history twice")?;
    // Both files are parsed before the history is read: a typing error shows at once.
    let rules = |path: &Path| user_file::rules(Some(path).filter(|path| *path != Path::new("builtin")));
    let (candidate, baseline) = (rules(&args.rules)?, rules(&args.against)?);
    let read_history = |rules: Rules| {
        let mut engine = Engine::recording(rules);
        read::set_time_zone(&mut engine, args.timezone.as_ref());
        let engine = read::add_sources(&inputs, engine, args.now());
        read::read_into(&inputs, engine, args.format.0, NonZeroUsize::MIN)
    };
    let backtest = Backtest::run(read_history(candidate)?, read_history(baseline)?, args.now());
    print(|out| match args.output {
        TextOrJson::Json => {
            let document = serde_json::json!({"schema": "triage/backtest/v1", "backtest": backtest});
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)
        }
        TextOrJson::Text => {
            let name = |path: &Path| printable(path.display().to_string());
            write(&backtest, &name(&args.rules), &name(&args.against), out)
        }
    })?;
    Ok(if backtest.misses_criticals() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn write(backtest: &Backtest, candidate: &str, baseline: &str, out: &mut dyn Write) -> io::Result<()> {
    let when = match (backtest.from, backtest.to) {
        (Some(from), Some(to)) => {
            format!("{from} to {to}, evaluated at {}", counted(backtest.judged, "instant"))
        }
        _ => "the history has no times: it is evaluated as one report".to_owned(),
    };
    write_sentence(out, "", &when)?;
    sent(out, "candidate", candidate, &backtest.candidate)?;
    sent(out, "baseline ", baseline, &backtest.baseline)?;
    for caveat in &backtest.caveats {
        write_sentence(out, "", &format!("note: {caveat}"))?;
    }
    section(
        out,
        "criticals missed (the baseline pages, the candidate never does)",
        &backtest.criticals_missed,
        critical,
    )?;
    section(out, "pages gained", &backtest.pages_gained, notification)?;
    section(out, "pages lost", &backtest.pages_lost, notification)?;
    section(out, "pages sent at another time", &backtest.pages_moved, |out, moved| {
        let scopes = moved.scopes.iter().map(scope).collect::<Vec<_>>().join(", ");
        let headline = printable(&moved.headline);
        let (now, before) = (time(moved.candidate), time(moved.baseline));
        write_sentence(out, "  ", &format!("{headline} {scopes}: {now} instead of {before}"))
    })?;
    section(out, "tickets gained", &backtest.tickets_gained, notification)?;
    section(out, "tickets lost", &backtest.tickets_lost, notification)?;
    section(out, "priorities changed", &backtest.priorities, shift)?;
    section(
        out,
        "criticals caught (the candidate pages, the baseline never does)",
        &backtest.criticals_caught,
        critical,
    )?;
    writeln!(out)?;
    let nothing = backtest.pages_gained.is_empty()
        && backtest.pages_lost.is_empty()
        && backtest.tickets_gained.is_empty()
        && backtest.tickets_lost.is_empty()
        && backtest.priorities.is_empty();
    match backtest.criticals_missed.len() as u64 {
        0 if nothing => writeln!(out, "no difference in notifications; no critical missed"),
        0 => writeln!(out, "no critical missed"),
        missed => writeln!(
            out,
            "{} missed by the candidate: fix the candidate before you use it",
            counted(missed, "critical")
        ),
    }
}

fn sent(out: &mut dyn Write, whose: &str, file: &str, sent: &ReplayTotals) -> io::Result<()> {
    let (pages, tickets) = (counted(sent.pages, "page"), counted(sent.tickets, "ticket"));
    let (records, alerts) = (counted(sent.records, "record"), counted(sent.alerts, "alert"));
    write_sentence(out, "", &format!("{whose}  {pages}, {tickets} of {records} in {alerts}  ({file})"))
}

fn section<T>(
    out: &mut dyn Write,
    title: &str,
    rows: &[T],
    print: impl Fn(&mut dyn Write, &T) -> io::Result<()>,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}: {}", rows.len())?;
    for row in rows.iter().take(MAX_ROWS) {
        print(out, row)?;
    }
    if rows.len() > MAX_ROWS {
        writeln!(out, "  and {} more (-o json lists all)", rows.len() - MAX_ROWS)?;
    }
    Ok(())
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "without a time".to_owned(), |at| at.to_string())
}

fn notification(out: &mut dyn Write, sent: &UnmatchedNotification) -> io::Result<()> {
    let at = sent.at.map_or(String::new(), |at| format!("{at} "));
    let scopes = sent.scopes.iter().map(scope).collect::<Vec<_>>().join(", ");
    let head = format!("{at}{} {} {} {scopes}", sent.priority, sent.change, printable(&sent.headline));
    write_sentence(out, "  ", &format!("{head}{}", lines(&sent.evidence)))?;
    write_sentence(out, "    ", &sent.because)?;
    write_sentence(out, "    ", &format!("with the other rules: {}", sent.instead))
}

fn shift(out: &mut dyn Write, shift: &PriorityChange) -> io::Result<()> {
    let priority = |priority: Option<alert_triage::Priority>| {
        priority.map_or_else(|| "none".to_owned(), |priority| priority.to_string())
    };
    let (before, now) = (priority(shift.baseline), priority(shift.candidate));
    let (alert, scope) = (printable(&shift.alert), scope(&shift.scope));
    write_sentence(out, "  ", &format!("{before} -> {now}  {alert} {scope}{}", lines(&shift.evidence)))?;
    write_sentence(out, "    ", &format!("candidate: {}", shift.because))?;
    write_sentence(out, "    ", &format!("baseline: {}", shift.instead_of))
}

fn critical(out: &mut dyn Write, critical: &MissedCritical) -> io::Result<()> {
    let (alert, scope) = (printable(&critical.alert), scope(&critical.scope));
    write_sentence(out, "  ", &format!("{alert} {scope}{}", lines(&critical.evidence)))?;
    write_sentence(out, "    ", &critical.because)
}

/// Lines of the history to look at, as ` (lines 1, 4)`.
fn lines(evidence: &[Location]) -> String {
    let all: Vec<String> = evidence.iter().map(|at| printable(at.to_string())).collect();
    match (evidence, evidence.first().is_some_and(|at| at.source.is_some())) {
        ([], _) => String::new(),
        (_, true) => format!(" ({})", all.join(", ")),
        ([_], _) => format!(" (line {})", all[0]),
        (_, false) => format!(" (lines {})", all.join(", ")),
    }
}
