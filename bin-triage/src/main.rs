//! `triage`: turns a noisy alert stream into a few ranked, explained incidents.
//!
//! Wiring only: [`args`] says what was typed, [`input`] reads, `alert-triage` thinks, [`output`] prints.
//! Exit codes: 0 a report; 1 `--strict` with malformed input, or `check`, `test` or `backtest` found a fault; 2 wrong
//! usage, an unreadable file or rules that cannot be used.

mod args;
mod backtest;
mod cases;
mod check;
mod explain;
mod follow;
mod input;
mod output;
mod rules;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use alert_triage::{Report, printable};
use anyhow::Context as _;
use clap::Parser as _;
use jiff::{SignedDuration, Timestamp};

use crate::args::{Cli, Command, ReportArgs};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        None => report(&cli.report),
        Some(Command::Explain(args)) => explain::explain(args),
        Some(Command::Follow(args)) => follow::follow(args),
        Some(Command::Check(args)) => check::check(args),
        Some(Command::Test(args)) => cases::test(args),
        Some(Command::Backtest(args)) => backtest::backtest(args),
        Some(Command::Rules(args)) => rules::rules(args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            match error.downcast_ref::<input::Unusable>() {
                Some(shown) => eprintln!("triage: {shown}"),
                None => eprintln!("triage: {}", printable(format!("{error:#}"))),
            }
            ExitCode::from(2)
        }
    }
}

/// Prints to standard output; whoever reads it, `head` for one, may have seen enough.
fn stdout(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match print(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write to standard output"),
    }
}

/// Clocks differ by less.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

fn report(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let inputs = args::inputs(&args.files)?;
    let mut engine = input::read(&inputs, &args.reading)?;
    let report = engine.report(args.reading.now);
    warn(&report);
    let ahead = report.now().filter(|now| args.reading.now.is_none() && *now > Timestamp::now() + AHEAD);
    if let Some(now) = ahead {
        eprintln!(
            "triage: warning: the newest time of the input, {now}, is ahead of the clock, and all that is not near it may \
             be taken for obsolete: give --now"
        );
    }
    let code =
        if args.strict && report.totals().malformed > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS };
    output::print(&report, args.output, args.all, args.reading.threads)
        .context("cannot write the report to standard output")?;
    // The process ends here, and takes its memory along faster than a million alerts give it back one by one.
    std::mem::forget(report);
    std::mem::forget(engine);
    Ok(code)
}

/// A report is printed whatever the input was; that some of it could not be read must not be overlooked.
fn warn(report: &Report<'_>) {
    let malformed = report.totals().malformed;
    if let Some(first) = report.malformed().next() {
        let place = match &first.source {
            Some(source) => format!("{source}:{}", first.line),
            None => format!("line {}", first.line),
        };
        let others = match malformed {
            1 => String::new(),
            more => format!("; {} more", more - 1),
        };
        eprintln!(
            "triage: warning: {malformed} malformed, {place} {}{others} (the report lists them)",
            first.error
        );
    }
}
