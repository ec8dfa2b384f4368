//! `triage backtest`: what other rules would have told on a history.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use alert_triage::{At, Backtest, Critical, Engine, Notification, Rules, Sent, Shift, printable};
use jiff::Timestamp;

use crate::args::{self, BacktestArgs, ExplainOutput};
use crate::explain::sentence;
use crate::input;
use crate::output::words::{counted, scope};
use crate::stdout;

/// Rows of one section; the JSON has all.
const ROWS: usize = 20;

pub(crate) fn backtest(args: &BacktestArgs) -> anyhow::Result<ExitCode> {
    let inputs = args::inputs(&args.history)?;
    input::only_files(&inputs, "a history is read by both sets of rules")?;
    // Both before either is used: a typing error need not wait for a long history.
    let rules = |path: &Path| input::rules(Some(path).filter(|path| *path != Path::new("builtin")));
    let (candidate, baseline) = (rules(&args.rules)?, rules(&args.against)?);
    let read = |rules: Rules| {
        let engine = input::named(&inputs, Engine::recording(rules), args.now);
        input::read_into(&inputs, engine, args.format.0, NonZeroUsize::MIN)
    };
    let backtest = Backtest::of(read(candidate)?, read(baseline)?, args.now);
    stdout(|out| match args.output {
        ExplainOutput::Json => {
            let document = serde_json::json!({"schema": "triage/backtest/v1", "backtest": backtest});
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)
        }
        ExplainOutput::Text => {
            let name = |path: &Path| printable(path.display().to_string());
            print(&backtest, &name(&args.rules), &name(&args.against), out)
        }
    })?;
    Ok(if backtest.misses_criticals() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn print(backtest: &Backtest, candidate: &str, baseline: &str, out: &mut dyn Write) -> io::Result<()> {
    let when = match (backtest.from, backtest.to) {
        (Some(from), Some(to)) => {
            format!("{from} to {to}, judged at {}", counted(backtest.judged, "instant"))
        }
        _ => "a history without times, judged as one report".to_owned(),
    };
    sentence(out, "", &when)?;
    sent(out, "candidate", candidate, &backtest.candidate)?;
    sent(out, "baseline ", baseline, &backtest.baseline)?;
    for caveat in &backtest.caveats {
        sentence(out, "", &format!("note: {caveat}"))?;
    }
    section(
        out,
        "criticals missed (the baseline pages, the candidate never does)",
        &backtest.criticals_missed,
        critical,
    )?;
    section(out, "pages gained", &backtest.pages_gained, notification)?;
    section(out, "pages lost", &backtest.pages_lost, notification)?;
    section(out, "pages at another time", &backtest.pages_moved, |out, moved| {
        let scopes = moved.scopes.iter().map(scope).collect::<Vec<_>>().join(", ");
        let headline = printable(&moved.headline);
        let (now, before) = (time(moved.candidate), time(moved.baseline));
        sentence(out, "  ", &format!("{headline} {scopes}: {now} and not {before}"))
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
        0 if nothing => writeln!(out, "no difference in what is told; no critical missed"),
        0 => writeln!(out, "no critical missed"),
        missed => writeln!(
            out,
            "{} missed by the candidate: do not put it in force as it is",
            counted(missed, "critical")
        ),
    }
}

fn sent(out: &mut dyn Write, whose: &str, file: &str, sent: &Sent) -> io::Result<()> {
    let (pages, tickets) = (counted(sent.pages, "page"), counted(sent.tickets, "ticket"));
    let (records, alerts) = (counted(sent.records, "record"), counted(sent.alerts, "alert"));
    sentence(out, "", &format!("{whose}  {pages}, {tickets} of {records} in {alerts}  ({file})"))
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
    for row in rows.iter().take(ROWS) {
        print(out, row)?;
    }
    if rows.len() > ROWS {
        writeln!(out, "  and {} more (-o json has all)", rows.len() - ROWS)?;
    }
    Ok(())
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "without a time".to_owned(), |at| at.to_string())
}

fn notification(out: &mut dyn Write, told: &Notification) -> io::Result<()> {
    let at = told.at.map_or(String::new(), |at| format!("{at} "));
    let scopes = told.scopes.iter().map(scope).collect::<Vec<_>>().join(", ");
    let head = format!("{at}{} {} {} {scopes}", told.priority, told.change, printable(&told.headline));
    sentence(out, "  ", &format!("{head}{}", lines(&told.evidence)))?;
    sentence(out, "    ", &told.because)?;
    sentence(out, "    ", &format!("otherwise {}", told.instead))
}

fn shift(out: &mut dyn Write, shift: &Shift) -> io::Result<()> {
    let priority = |priority: Option<alert_triage::Priority>| {
        priority.map_or_else(|| "none".to_owned(), |priority| priority.to_string())
    };
    let (before, now) = (priority(shift.baseline), priority(shift.candidate));
    let (alert, scope) = (printable(&shift.alert), scope(&shift.scope));
    sentence(out, "  ", &format!("{before} -> {now}  {alert} {scope}{}", lines(&shift.evidence)))?;
    sentence(out, "    ", &format!("now {}", shift.because))?;
    sentence(out, "    ", &format!("before {}", shift.instead_of))
}

fn critical(out: &mut dyn Write, critical: &Critical) -> io::Result<()> {
    let (alert, scope) = (printable(&critical.alert), scope(&critical.scope));
    sentence(out, "  ", &format!("{alert} {scope}{}", lines(&critical.evidence)))?;
    sentence(out, "    ", &critical.because)
}

/// `, lines 1, 4`, as the candidates for somebody to look at.
fn lines(evidence: &[At]) -> String {
    let all: Vec<String> = evidence.iter().map(|at| printable(at.to_string())).collect();
    match (evidence, evidence.first().is_some_and(|at| at.source.is_some())) {
        ([], _) => String::new(),
        (_, true) => format!(" ({})", all.join(", ")),
        ([_], _) => format!(" (line {})", all[0]),
        (_, false) => format!(" (lines {})", all.join(", ")),
    }
}
